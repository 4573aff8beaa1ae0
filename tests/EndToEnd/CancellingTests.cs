using System.Collections.Immutable;
using Countersign.EndToEnd.Fixtures;
using Countersign.Sessions;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>Ctrl-C in the very moment of the approval: the person does not want in any more, and does not get in.</summary>
public sealed class CancellingTests : IAsyncLifetime
{
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(host: builder =>
    {
        Replace<IApprovalDesk>(builder.Services, desk => new Desk(desk, _interrupted.Task));
        Replace<ISessionLedger>(builder.Services, ledger => new Ledger(ledger));
    });

    public ValueTask DisposeAsync()
    {
        // A test that has failed leaves nobody waiting.
        _interrupted.TrySetResult();
        return _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Ctrl_C_that_crosses_the_approval_cancels_and_nothing_reaches_the_device()
    {
        await _gateway.Owner.PutAsync("settings/organization/managerialApproval", new() { ["value"] = "required" });
        await using var ssh = _gateway.Client.StartSsh("tina+web01", _gateway.Tina.ByKey, "touch something", "-tt");
        await SaysAsync(ssh, "waiting for approval …\r\n");
        await _gateway.Owner.PostAsync("requests/1/approve");

        // The approval has come, and the desk holds it back until the gateway has taken the key: it answers that with a new line.
        await ssh.Input.WriteAsync(new byte[] { 3 }, Cancellation);
        await ssh.Input.FlushAsync(Cancellation);
        await SaysAsync(ssh, "waiting for approval …\r\n\r\n");
        _interrupted.SetResult();

        var outcome = await ssh.EndAsync();
        outcome.ExitCode.ShouldBe(130, outcome.ToString());
        outcome.Error.ShouldContain("countersign: cancelled");
        var session = await _gateway.EndedSessionAsync();
        ((string)session["reason"]!).ShouldBe("completed");
        ((string)session["detail"]!).ShouldBe("cancelled by the technician");
        _gateway.Sshd.Log.ShouldNotContain("Accepted");
    }

    private static Task SaysAsync(RunningCommand ssh, string text) =>
        Eventually.TrueAsync(() => ssh.ErrorSoFar.Contains(text, StringComparison.Ordinal), text, () => ssh.ErrorSoFar);

    private static void Replace<T>(IServiceCollection services, Func<T, T> by)
        where T : class
    {
        var real = services.Last(service => service.ServiceType == typeof(T));
        services.AddSingleton(provider => by((T)(real.ImplementationFactory?.Invoke(provider) ?? ActivatorUtilities.CreateInstance(provider, real.ImplementationType!))));
    }

    /// <summary>The real desk, but an outcome that is looked at once it is there is given when the key has been pressed.</summary>
    private sealed class Desk(IApprovalDesk desk, Task interrupted) : IApprovalDesk
    {
        // Cancelled by then; what matters here is that a request which is not withdrawn in time does not let in.
        public ValueTask<ImmutableArray<Access.ApprovedRequest>> InHandAsync(ApprovalWish wish, CancellationToken cancellation) =>
            desk.InHandAsync(wish, CancellationToken.None);

        public ValueTask<ImmutableArray<Access.PreapprovedRequest>> PreapprovedAsync(Access.OrganizationId organization, Access.PersonId person, CancellationToken cancellation) =>
            desk.PreapprovedAsync(organization, person, CancellationToken.None);

        public ValueTask<ImmutableArray<Access.PreapprovedRequest>> PreapprovedAsync(Access.OrganizationId organization, Access.DeviceId device, CancellationToken cancellation) =>
            desk.PreapprovedAsync(organization, device, CancellationToken.None);

        public async ValueTask<ApprovalAsked> AskAsync(ApprovalWish wish, string reason, Action<string> tell, CancellationToken cancellation)
        {
            var asked = await desk.AskAsync(wish, reason, tell, cancellation);
            return asked is ApprovalAsked.Waits(var pending) ? new ApprovalAsked.Waits(new Pending(pending, interrupted)) : asked;
        }

        public ValueTask<bool> StandsAsync(Access.OrganizationId organization, long number, CancellationToken cancellation) =>
            desk.StandsAsync(organization, number, cancellation);
    }

    private sealed class Pending(IPendingApproval pending, Task interrupted) : IPendingApproval
    {
        public long Number => pending.Number;

        public Task<ApprovalOutcome> Outcome
        {
            get
            {
                if (pending.Outcome.IsCompleted) interrupted.Wait(Cancellation);
                return pending.Outcome;
            }
        }

        public ValueTask DisposeAsync() => pending.DisposeAsync();
    }

    /// <summary>The real ledger, whose transaction was under way already when the key was pressed.</summary>
    private sealed class Ledger(ISessionLedger ledger) : ISessionLedger
    {
        public ValueTask<bool> BeginAsync(SessionOpening opening, CancellationToken cancellation) => ledger.BeginAsync(opening, CancellationToken.None);

        public ValueTask EndAsync(SessionEnd end, CancellationToken cancellation) => ledger.EndAsync(end, cancellation);

        public ValueTask RecordingFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) =>
            ledger.RecordingFailedAsync(opening, why, cancellation);

        public ValueTask JournalFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) =>
            ledger.JournalFailedAsync(opening, why, cancellation);

        public ValueTask RefuseAsync(SessionRefusal refusal, CancellationToken cancellation) => ledger.RefuseAsync(refusal, cancellation);
    }
}
