using System.Net;
using Countersign.Access;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>What a signed-in person asks of a front door: this device, this account, for that.</summary>
/// <param name="Device">The device's name as the person gave it: untrusted, cleaned, at most 253 characters. It may name nothing.</param>
/// <param name="Account">Null: the device's default account.</param>
/// <param name="Command">What is to be run; empty for a shell and for files.</param>
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

    /// <summary>What the connection lives on: it does not begin without all of it and ends when any of it is gone.</summary>
    public PermissionSet Wanted => Kind switch
    {
        SessionKind.Shell or SessionKind.Command => PermissionSet.Of(Permission.Terminal),
        SessionKind.Files => PermissionSet.Of(Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles),
        _ => throw new InvalidOperationException($"session kind {Kind} has no permission it lives on"),
    };
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
    public sealed record Refused(DecisionKind Decision, string Message) : AdmissionResult;
}
