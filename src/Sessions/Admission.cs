using Countersign.Access;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>The one way for every connection: decide, write the session down, hand out the proof.</summary>
public sealed class Admission(IPolicySource policy, ISessionLedger ledger, LiveSessions sessions, Recorder recorder, TimeProvider time)
{
    /// <summary>
    /// Stands in for a device that is not there, so that the question takes the same path as for one that is. No device ever has this id: ids are
    /// random and this one is not of any version.
    /// </summary>
    private static readonly DeviceId NoDevice = new(Guid.AllBitsSet);

    public async ValueTask<AdmissionResult> AskAsync(ConnectionWish wish, CancellationToken cancellation)
    {
        var snapshot = policy.Current(wish.Organization);
        if (snapshot is null) return new AdmissionResult.Refused(DecisionKind.Denied, Refusals.NoSuchDevice(wish));
        var device = snapshot.DeviceByName(wish.Device);
        var question = new AccessQuestion(
            wish.Person, device?.Id ?? NoDevice, wish.Account, wish.Wanted, time.GetUtcNow(), wish.Source, wish.SignIn, EndUserPresence.CannotBeAsked);
        var decision = snapshot.Decide(question);

        // What has to be recorded does not start unrecorded.
        if (decision is { Kind: DecisionKind.Allowed, Recording: RecordingRule.Required } && !Recorder.Records(wish.Kind))
        {
            decision = decision with { Kind = DecisionKind.Denied, Reason = DenialReason.RecordingForbids };
        }

        if (decision.Kind != DecisionKind.Allowed || device is null)
        {
            await ledger.RefuseAsync(
                new(wish.Organization, wish.Person, wish.Login, wish.Device, wish.Account ?? "", wish.Wanted, decision.Kind, decision.Reason, wish.Source, question.At),
                cancellation);
            return new AdmissionResult.Refused(decision.Visible ? decision.Kind : DecisionKind.Denied, Refusals.Describe(wish, snapshot, question, decision));
        }

        var account = wish.Account ?? snapshot.AccountsOf(device.Id).First(row => row.IsDefault).Name;
        var opening = new SessionOpening(
            new(Guid.CreateVersion7(question.At)), wish.Organization, wish.Person, wish.Login, device.Id, device.Name, account, wish.Kind, wish.Command,
            wish.Source, question.At, snapshot.Version);
        await ledger.BeginAsync(opening, cancellation);
        var session = sessions.Begin(opening, question with { Account = account }, snapshot.Version, decision);
        try
        {
            if (await recorder.ArmAsync(session, decision.Recording, wish.Terminal, cancellation) is { } unrecorded)
            {
                await session.DisposeAsync();
                return new AdmissionResult.Refused(DecisionKind.Denied, unrecorded);
            }
        }
        catch
        {
            // Nobody else has the session yet.
            await session.DisposeAsync();
            throw;
        }

        return new AdmissionResult.Admitted(new(session, device, account, time), session);
    }
}
