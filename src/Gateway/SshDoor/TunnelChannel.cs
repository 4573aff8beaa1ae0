using System.Net;
using Countersign.Access;
using Countersign.Reach;
using Countersign.Sessions;
using Countersign.Sessions.Relay;
using Countersign.Ssh;
using Microsoft.Extensions.Logging;

namespace Countersign.Gateway.SshDoor;

/// <summary>One forwarded connection of a technician: a session of its own, decided, approved where that is needed, opened at the device, and only then accepted.</summary>
internal sealed partial class TunnelChannel(
    SshFrontDoorServices services, TimeProvider time, SignedIn person, SshTarget target, IPAddress source, TunnelTarget leads, ConnectionNotes notes)
{
    private readonly ILogger _log = services.Log;
    private readonly TaskCompletionSource<SshChannelAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether it is opened.</summary>
    public Task<SshChannelAnswer> Answer => _answer.Task;

    /// <summary>Until the session has been written down. Never throws.</summary>
    /// <param name="gone">The technician has left.</param>
    public async Task RunAsync(CancellationToken gone)
    {
        // Off the connection's receive loop.
        await Task.Yield();
        try
        {
            if (target.Device is null)
            {
                Refuse(SshOpenFailure.AdministrativelyProhibited, "name a device");
                return;
            }

            var wish = new ConnectionWish(
                person.Organization, person.Person, person.Login, person.Strength, source, target.Device, target.Account, SessionKind.Tunnel, leads.Text);
            switch (await services.Admission.AskAsync(wish, new TunnelRoom(notes), gone))
            {
                case AdmissionResult.Refused refused:
                    Refuse(SshOpenFailure.AdministrativelyProhibited, refused.Decision == DecisionKind.Denied ? "port forwarding is not allowed" : refused.Message);
                    break;
                case AdmissionResult.Admitted admitted:
                    await ConnectAsync(admitted, gone);
                    break;
            }
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            Refuse(SshOpenFailure.ConnectFailed, "the connection is over");
        }
        catch (Exception error)
        {
            // The end of a task that nobody awaits for its result: what should not happen is logged, and told without details.
            LogFailed(error);
            Refuse(SshOpenFailure.ConnectFailed, "an internal error; it has been logged");
        }
    }

    private async Task ConnectAsync(AdmissionResult.Admitted admitted, CancellationToken gone)
    {
        await using var session = admitted.Session;
        var relay = new TunnelRelay(time);
        session.Traffic = relay.Traffic;
        session.ShowNotices(notes.Tell);
        await using var ending = session.Ending.Register(() =>
        {
            relay.Stop();

            // The channel itself only closes. Its own end needs no words.
            if (session.End is { Reason: not EndReason.Completed } end) notes.Tell($"{leads.Text}: session ended: {end.Detail}");
        });
        using var either = CancellationTokenSource.CreateLinkedTokenSource(session.Ending, gone);
        var name = admitted.Connection.Device.Name;
        try
        {
            var reached = await services.Reach.OpenAsync(admitted.Connection, either.Token);
            if (reached is ReachResult.Failed failed)
            {
                Fail(failed.Message);
                return;
            }

            await using var device = ((ReachResult.Opened)reached).Connection;
            await relay.OpenAsync(device, leads, either.Token);
            await using var leaving = gone.Register(relay.Stop);
            _answer.TrySetResult(new SshChannelAnswer.Accept(relay.Client, TunnelRelay.FirstWindow));
            var outcome = await relay.Ended;
            if (device.Fault is { } fault) LogFailed(fault);
            switch (outcome)
            {
                case RelayOutcome.DeviceLost:
                    session.Finish(EndReason.ConnectionLost, $"the connection to {name} was lost");
                    break;
                case RelayOutcome.TechnicianLost:
                    session.Finish(EndReason.ConnectionLost, "the technician's connection was lost");
                    break;
                default:
                    session.Finish(EndReason.Completed, "");
                    break;
            }
        }
        catch (SshChannelRefusedException refused)
        {
            Fail($"{name} does not open {leads.Text}: {refused.Message}");
        }
        catch (SshConnectionException)
        {
            Fail($"the connection to {name} was lost", EndReason.ConnectionLost);
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            session.Finish(EndReason.Completed, "the technician left before the device was reached");
            Refuse(SshOpenFailure.AdministrativelyProhibited, $"session ended: {session.End?.Detail}");
        }

        void Fail(string message, EndReason reason = EndReason.DeviceUnreachable)
        {
            session.Finish(reason, message);
            Refuse(SshOpenFailure.ConnectFailed, message);
        }
    }

    private void Refuse(uint reason, string message) => _answer.TrySetResult(new SshChannelAnswer.Refuse(reason, WaitingRoom.Clean(message)));

    [LoggerMessage(Level = LogLevel.Error, Message = "A forwarded connection failed")]
    private partial void LogFailed(Exception error);
}
