namespace Countersign.Sessions.Tests;

/// <summary>Where a connection of a test waits: it keeps what it is told.</summary>
internal sealed class Room : IWaitingRoom
{
    public List<string> Lines { get; } = [];

    public string Answer { get; set; } = "";

    public string Reason => "";

    public List<string> AskedFor { get; } = [];

    public ValueTask<string> AskReasonAsync(string asked, CancellationToken cancellation)
    {
        AskedFor.Add(asked);
        return new(Answer);
    }

    public void Note(string line) => Lines.Add(line);

    public void Tell(string line) => Lines.Add(line);

    public void LetIn(string line) => Lines.Add(line);
}
