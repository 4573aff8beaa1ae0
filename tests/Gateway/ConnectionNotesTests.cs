using Countersign.Gateway.SshDoor;

namespace Countersign.Gateway.Tests;

public sealed class ConnectionNotesTests
{
    private readonly List<string> _elsewhere = [];
    private readonly List<string> _first = [];
    private readonly List<string> _second = [];
    private readonly ConnectionNotes _notes;

    public ConnectionNotesTests() => _notes = new(_elsewhere.Add);

    [Fact]
    public void The_oldest_session_shows_a_line_once_and_the_next_takes_over()
    {
        _notes.Open(_first.Add);
        _notes.Open(_second.Add);
        _notes.Tell("one");
        _notes.Tell("one");
        _notes.Close(_first.Add);
        _notes.Tell("one");
        _notes.Tell("two");
        _first.ShouldBe(["one"]);
        _second.ShouldBe(["two"]);
        _elsewhere.ShouldBeEmpty();
    }

    [Fact]
    public void What_comes_before_any_session_goes_elsewhere_and_into_the_first_that_opens()
    {
        _notes.Tell("early");
        _elsewhere.ShouldBe(["early"]);
        _notes.Open(_first.Add);
        _notes.Open(_second.Add);
        _first.ShouldBe(["early"]);
        _second.ShouldBeEmpty();
        _notes.Close(_first.Add);
        _notes.Close(_second.Add);
        _notes.Tell("late");
        _elsewhere.ShouldBe(["early", "late"]);
    }

    [Fact]
    public void However_much_is_told_little_is_kept()
    {
        for (var line = 0; line < 1000; line++) _notes.Tell($"{line}");
        _notes.Open(_first.Add);
        _first.Count.ShouldBe(16);
        _elsewhere.Count.ShouldBe(1000);
    }
}
