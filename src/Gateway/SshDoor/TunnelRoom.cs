using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor;

/// <summary>
/// Where a forwarded connection waits for its approval. Its channel is neither opened nor refused meanwhile: the program behind the client waits as for
/// a host that is slow to answer. SSH gives a client no way to take an opening back, so it ends with the answer, or with the client.
/// </summary>
internal sealed class TunnelRoom(ConnectionNotes notes) : IWaitingRoom
{
    public string Reason { get; } = PlainLine.Clean(notes.Reason, ApprovalWish.LongestReason);

    /// <summary>There is nobody to ask.</summary>
    public ValueTask<string> AskReasonAsync(string asked, CancellationToken cancellation) => new("");

    public void Tell(string line) => Note(line);

    public void Note(string line) => notes.Tell($"forwarded connections: {WaitingRoom.Clean(line)}");

    public void LetIn(string line) => Note(line);
}
