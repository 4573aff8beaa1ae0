using System.Collections.Immutable;
using System.Net;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>What a signed-in person asks of a front door: this device, this account, for that.</summary>
/// <param name="Device">The device's name as the person gave it: untrusted, cleaned, at most 253 characters. It may name nothing.</param>
/// <param name="Account">Null: the device's default account.</param>
/// <param name="Command">What is to be run; empty for a shell and for SFTP.</param>
public sealed record ConnectionWish(
    OrganizationId Organization,
    PersonId Person,
    string Login,
    SignInStrength SignIn,
    IPAddress? Source,
    string Device,
    string? Account,
    SessionKind Kind,
    string Command)
{
    /// <summary>The terminal that it is to have; null: none.</summary>
    public AskedTerminal? Terminal { get; init; }

    /// <summary>The command that moves the files, where it is for files; null: they go by SFTP.</summary>
    public FileCommand? FileCommand { get; init; }

    /// <summary>Sets of permissions: it begins with each that the person holds whole, and lives as long as one of them is held.</summary>
    public ImmutableArray<PermissionSet> LivesOn => Kind switch
    {
        SessionKind.Shell or SessionKind.Command => [PermissionSet.Of(Permission.Terminal)],
        SessionKind.Files when FileCommand is null =>
        [
            PermissionSet.Of(Permission.FileManager),
            PermissionSet.Of(Permission.SendFiles),
            PermissionSet.Of(Permission.ReceiveFiles),
            PermissionSet.Of(Permission.FileManager, Permission.ManageFiles),
        ],
        SessionKind.Files => FileCommand!.LivesOn,
        SessionKind.Tunnel => [PermissionSet.Of(Permission.Tunnel)],
        _ => throw new InvalidOperationException($"session kind {Kind} has no permission it lives on"),
    };

    /// <summary>Whether what is done in it can be looked at afterwards: where recording is required, nothing else begins.</summary>
    public SessionTrace Trace => Kind switch
    {
        SessionKind.Shell or SessionKind.Command => SessionTrace.Recording,
        SessionKind.Files when FileCommand?.Protocol != FileProtocol.Rsync => SessionTrace.Journal,
        _ => SessionTrace.Volume,
    };
}

/// <summary>What is left of a session when it is over.</summary>
public enum SessionTrace
{
    /// <summary>How much went each way, and what was asked for at its beginning: nothing of what was done.</summary>
    Volume,

    /// <summary>An event in the journal for everything that was done.</summary>
    Journal,

    /// <summary>What the device showed.</summary>
    Recording,
}

/// <param name="Type">Such as <c>xterm-256color</c>; at most 64 printable ASCII characters.</param>
public sealed record AskedTerminal(string Type, TerminalSize Size);

/// <summary>What came of asking.</summary>
public abstract record AdmissionResult
{
    private AdmissionResult()
    {
    }

    /// <param name="Session">Owned by the caller: disposing it ends the session and writes the end down.</param>
    public sealed record Admitted(AuthorizedConnection Connection, LiveSession Session) : AdmissionResult;

    /// <param name="Message">One plain sentence for the person; the same for a device that is not there and one they may not know of.</param>
    public sealed record Refused(DecisionKind Decision, string Message) : AdmissionResult
    {
        /// <summary>It waited for an approval, and the person took the request back.</summary>
        public bool Cancelled { get; init; }
    }
}
