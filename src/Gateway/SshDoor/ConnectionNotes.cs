namespace Countersign.Gateway.SshDoor;

/// <summary>
/// What a person has to know of the forwardings of their connection, which have no place for words of their own: it is shown in the oldest of the
/// connection's sessions, or in the first that is opened. A client that opens none (<c>ssh -N</c>) gets it as a message that it need not show.
/// </summary>
/// <param name="elsewhere">Where a line goes, besides, as long as there is no session.</param>
internal sealed class ConnectionNotes(Action<string> elsewhere)
{
    /// <summary>So many lines are known again, and told once; so many are kept for a session that has not been opened.</summary>
    private const int MostKnown = 16;

    private readonly Lock _gate = new();
    private readonly Queue<string> _known = [];
    private readonly List<string> _untold = [];
    private readonly List<Action<string>> _sessions = [];
    private string _reason = "";

    /// <summary>Why the person connects, as they have said in a session of this connection; empty: they have not.</summary>
    public string Reason
    {
        get
        {
            lock (_gate) return _reason;
        }

        set
        {
            lock (_gate) _reason = value;
        }
    }

    /// <param name="line">One plain sentence. The same one is told once, however many forwarded connections have it to say.</param>
    public void Tell(string line)
    {
        Action<string>? session;
        lock (_gate)
        {
            if (_known.Contains(line)) return;
            if (_known.Count == MostKnown) _known.Dequeue();
            _known.Enqueue(line);
            session = _sessions.FirstOrDefault();
            if (session is null && _untold.Count < MostKnown) _untold.Add(line);
        }

        (session ?? elsewhere)(line);
    }

    /// <param name="show">Given what is told from here on, and what has been told to nobody.</param>
    public void Open(Action<string> show)
    {
        string[] untold;
        lock (_gate)
        {
            _sessions.Add(show);
            untold = [.. _untold];
            _untold.Clear();
        }

        foreach (var line in untold) show(line);
    }

    public void Close(Action<string> show)
    {
        lock (_gate) _sessions.Remove(show);
    }
}
