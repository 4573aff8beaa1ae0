using System.Text;

namespace Countersign.Audit;

public sealed class JournalVerifierTests
{
    private static readonly Guid _session = new("0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d69");
    private static readonly Guid _other = new("0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d70");

    private readonly SampleLog _log = SampleLog.Of(5);
    private readonly List<string> _events = [.. Enumerable.Range(1, 9).Select(number => $"{{\"event\":\"signal\",\"name\":\"USR{number}\"}}")];

    public JournalVerifierTests()
    {
        Anchor(_session, "session.journal", 4);
        Anchor(_session, "session.ended", 9);
    }

    [Fact]
    public async Task A_journal_as_it_was_anchored_is_complete_and_unedited()
    {
        var verdict = await VerifyAsync(_events);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Proved.ShouldBe(9);
        verdict.Message.ShouldBe("9 events, complete and unedited.");
    }

    [Fact]
    public async Task Whatever_is_done_to_a_journal_is_found_between_two_anchors()
    {
        for (var at = 0; at < _events.Count; at++)
        {
            var where = at < 4 ? "events 1 to 4" : "events 5 to 9";
            (await VerifyAsync([.. _events[..at], _events[at] + " ", .. _events[(at + 1)..]])).Message.ShouldContain(where);
            for (var other = at + 1; other < _events.Count; other++)
            {
                var swapped = _events.ToList();
                (swapped[at], swapped[other]) = (swapped[other], swapped[at]);
                (await VerifyAsync(swapped)).Message.ShouldContain(where);
            }

            (await VerifyAsync([.. _events[..at], "{}", .. _events[at..]])).IsIntact.ShouldBeFalse();
            (await VerifyAsync([.. _events[..at], .. _events[(at + 1)..]])).IsIntact.ShouldBeFalse();
            var cut = await VerifyAsync(_events[..at]);
            (cut.Fault, cut.IsIntact).ShouldBe((JournalFault.CutTail, false));
        }

        (await VerifyAsync([.. _events, "{}"])).Fault.ShouldBe(JournalFault.Surplus);
    }

    [Fact]
    public async Task Two_sessions_journals_exchanged_are_found()
    {
        Anchor(_other, "session.ended", 9, "other");
        var theirs = _events.Select(line => line.Replace("USR", "other", StringComparison.Ordinal)).ToList();
        (await VerifyAsync(theirs, _other)).IsIntact.ShouldBeTrue();
        (await VerifyAsync(theirs)).Fault.ShouldBe(JournalFault.Changed);
        (await VerifyAsync(_events, _other)).Fault.ShouldBe(JournalFault.Changed);

        // The same events, too: the chain begins with whose they are.
        Anchor(_other, "session.ended", 9);
        (await VerifyAsync(_events, _other)).Fault.ShouldBe(JournalFault.Changed);
    }

    [Fact]
    public async Task A_log_that_is_not_as_it_was_sealed_proves_nothing()
    {
        var lines = _log.Export();
        lines[6] = SampleLog.Text(SampleLog.Text(lines[6]).Replace("head", "hand", StringComparison.Ordinal));
        (await VerifyAsync(_events, log: lines)).Fault.ShouldBe(JournalFault.LogNotProved);
        (await VerifyAsync(_events, log: _log.Export(5))).Fault.ShouldBe(JournalFault.LogNotProved);
        (await VerifyAsync(_events, log: _log.Excerpt([1, 2]))).Fault.ShouldBe(JournalFault.NotAnchored);
        (await VerifyAsync(_events, log: _log.Excerpt([6, 7]))).IsIntact.ShouldBeTrue();
        (await VerifyAsync(_events, Guid.NewGuid())).Fault.ShouldBe(JournalFault.NotAnchored);
    }

    [Fact]
    public async Task A_journal_that_was_cut_says_so_and_one_that_lost_more_than_that_is_found()
    {
        var log = SampleLog.Of(3);
        log.Append("session.journal", _session, Details(_session, _events[..6], ""));
        log.Append("session.ended", _session, Details(_session, _events[..7], ",\"cut\":true,\"failure\":\"the gateway stopped while it was written\""));
        var verdict = await VerifyAsync(_events[..7], log: log.Export(), kept: log.At(5));
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Message.ShouldContain("was cut when it was written: the gateway stopped");

        // Fewer than an anchor from before: the end that was read later was itself a cut one.
        var damaged = SampleLog.Of(3);
        damaged.Append("session.journal", _session, Details(_session, _events[..6], ""));
        damaged.Append("session.ended", _session, Details(_session, _events[..2], ",\"cut\":true"));
        (await VerifyAsync(_events[..2], log: damaged.Export(), kept: damaged.At(5))).Fault.ShouldBe(JournalFault.CutTail);
    }

    [Fact]
    public async Task While_a_session_runs_what_came_after_its_last_anchor_is_told_apart()
    {
        var log = SampleLog.Of(3);
        log.Append("session.journal", _session, Details(_session, _events[..6], ""));
        var verdict = await VerifyAsync(_events, log: log.Export(), kept: log.At(4));
        (verdict.IsIntact, verdict.Proved).ShouldBe((true, 6));
        verdict.Message.ShouldContain("3 came after the last anchor");
    }

    [Fact]
    public async Task What_is_no_journal_is_said_to_be_none()
    {
        foreach (var first in (string[])["", "{}", "[]", "{\"journal\":2,\"organization\":\"" + Guid.NewGuid() + "\",\"session\":\"" + Guid.NewGuid() + "\"}"])
            (await VerifyAsync([first], whole: true)).Fault.ShouldBe(JournalFault.Unreadable, first);
    }

    private void Anchor(Guid session, string kind, int count, string name = "USR") =>
        _log.Append(kind, session, Details(session, _events[..count].Select(line => line.Replace("USR", name, StringComparison.Ordinal)), ""));

    private string Details(Guid session, IEnumerable<string> events, string more)
    {
        var chain = new JournalChain(_log.Organization, session);
        foreach (var line in events) chain.Add(Encoding.UTF8.GetBytes(line));
        return $"{{\"reason\":\"Completed\",\"journal\":{{\"events\":{chain.Events},\"head\":\"{Convert.ToHexStringLower(chain.Head.Hash.Span)}\"{more}}}}}";
    }

    private async Task<JournalVerdict> VerifyAsync(IEnumerable<string> events, Guid? session = null, List<byte[]>? log = null, Checkpoint? kept = null, bool whole = false)
    {
        var head = whole ? "" : Encoding.UTF8.GetString(JournalVerifier.WriteHead(_log.Organization, session ?? _session)) + "\n";
        using var journal = new MemoryStream(Encoding.UTF8.GetBytes(head + string.Join('\n', events) + "\n"));
        using var export = SampleLog.Stream(log ?? _log.Export());
        using var checkpoints = SampleLog.Stream([ExportLines.Write(kept ?? _log.At(_log.Records.Count))]);
        return await JournalVerifier.VerifyAsync(journal, export, checkpoints, TestContext.Current.CancellationToken);
    }
}
