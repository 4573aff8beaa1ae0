using Countersign.Access;
using Countersign.Sessions.Journal;

namespace Countersign.Sessions;

/// <summary>Somebody who reads along.</summary>
public sealed record SessionWatcher(PersonId Person, string Login, string Name, DateTimeOffset Since);

/// <summary>Who reads along with a session. The technician's terminal, where there is one, tells who comes and who goes.</summary>
/// <param name="note">Is told, too, and never waits.</param>
public sealed class SessionWatchers(Action<JournalEvent>? note = null)
{
    private readonly Lock _gate = new();
    private readonly List<SessionWatcher> _present = [];
    private Action<string>? _terminal;

    public IReadOnlyList<SessionWatcher> Present
    {
        get
        {
            lock (_gate) return [.. _present];
        }
    }

    /// <summary>The watcher is there until what is returned is disposed.</summary>
    public IDisposable Join(SessionWatcher watcher)
    {
        lock (_gate)
        {
            _present.Add(watcher);
            note?.Invoke(new WatcherJoined(watcher.Person.Value, watcher.Login));
            _terminal?.Invoke($"{watcher.Name} is watching this session");
        }

        return new Presence(this, watcher);
    }

    /// <summary>From here on lines are shown there, one for each who is there already among them.</summary>
    /// <param name="terminal">Cleans the line itself, never waits, and may lose it.</param>
    public void ShowIn(Action<string> terminal)
    {
        lock (_gate)
        {
            _terminal = terminal;
            foreach (var watcher in _present) terminal($"{watcher.Name} is watching this session");
        }
    }

    private void Leave(SessionWatcher watcher)
    {
        lock (_gate)
        {
            // By reference: the same person may watch twice.
            var index = _present.FindIndex(one => ReferenceEquals(one, watcher));
            if (index < 0) return;
            _present.RemoveAt(index);
            note?.Invoke(new WatcherLeft(watcher.Person.Value, watcher.Login));
            _terminal?.Invoke($"{watcher.Name} watches no longer");
        }
    }

    private sealed class Presence(SessionWatchers watchers, SessionWatcher watcher) : IDisposable
    {
        public void Dispose() => watchers.Leave(watcher);
    }
}
