using Countersign.Access;

namespace Countersign.Sessions.Tests;

public sealed class SessionWatchersTests
{
    private readonly SessionWatchers _watchers = new();
    private readonly List<string> _shown = [];

    [Fact]
    public void The_terminal_tells_who_comes_and_who_goes()
    {
        _watchers.ShowIn(_shown.Add);
        var mara = _watchers.Join(Watcher("Mara"));
        var ben = _watchers.Join(Watcher("Ben"));
        _watchers.Present.Select(one => one.Name).ShouldBe(["Mara", "Ben"]);
        mara.Dispose();
        mara.Dispose();
        _watchers.Present.Select(one => one.Name).ShouldBe(["Ben"]);
        ben.Dispose();
        _shown.ShouldBe(["Mara is watching this session", "Ben is watching this session", "Mara watches no longer", "Ben watches no longer"]);
    }

    [Fact]
    public void Who_came_before_there_was_a_terminal_is_told_as_soon_as_there_is_one()
    {
        var gone = _watchers.Join(Watcher("Gone"));
        _watchers.Join(Watcher("Mara"));
        gone.Dispose();
        _watchers.ShowIn(_shown.Add);
        _shown.ShouldBe(["Mara is watching this session"]);
    }

    [Fact]
    public void One_person_may_watch_twice()
    {
        var watcher = Watcher("Mara");
        var first = _watchers.Join(watcher);
        using var second = _watchers.Join(watcher with { });
        first.Dispose();
        _watchers.Present.ShouldHaveSingleItem();
    }

    private static SessionWatcher Watcher(string name) => new(new PersonId(Guid.NewGuid()), "login", name, World.Start);
}
