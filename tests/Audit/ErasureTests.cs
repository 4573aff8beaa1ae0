namespace Countersign.Audit;

public sealed class ErasureTests
{
    private const int Size = 23;

    private readonly SampleLog _log = SampleLog.Of(Size);

    [Theory]
    [InlineData("actor")]
    [InlineData("actorLogin")]
    [InlineData("source")]
    [InlineData("subject")]
    [InlineData("subjectId")]
    [InlineData("details.version")]
    public async Task An_erased_field_breaks_nothing_and_is_told_by_its_name(string field)
    {
        var kept = _log.At(Size);
        Erase(3, field);
        Erase(12, field);
        var verdict = await SampleLog.VerifyAsync(_log.Export(), kept);
        verdict.IsIntact.ShouldBeTrue(verdict.Message);
        verdict.Erased.ShouldBe(2);
        verdict.ErasedFields.ShouldBe([field]);
        verdict.Message.ShouldContain($"Personal fields of 2 were erased: {field}.");
    }

    [Fact]
    public async Task All_fields_of_a_record_can_be_erased_one_after_the_other()
    {
        var kept = _log.At(Size);
        foreach (var (name, _) in _log.Records[2].Personal.Fields().ToList())
        {
            Erase(3, name);
            (await SampleLog.VerifyAsync(_log.Export(), kept)).IsIntact.ShouldBeTrue(name);
        }

        SampleLog.Text(_log.Export()[3]).ShouldNotContain("anna3");
        SampleLog.Text(_log.Export()[3]).ShouldNotContain("Straße");
    }

    [Fact]
    public async Task What_is_left_of_a_record_is_proved_as_before()
    {
        var kept = _log.At(Size);
        Erase(3, "actorLogin");
        var line = SampleLog.Text(_log.Export()[3]);
        foreach (var (from, to) in ((string, string)[])
        [
            ("\"source\":\"192.0.2.7\"", "\"source\":\"192.0.2.8\""),
            ("\"actorLogin\":\"\"", "\"actorLogin\":\"somebody\""),
            ("\\\"version\\\":7", "\\\"version\\\":8"),
            ("\\\"version\\\":7", "\\\"version\\\":7,\\\"more\\\":1"),
            ("\\\"version\\\":7,", ""),
            ("\"name\":\"source\"", "\"name\":\"sauce\""),
            ("\"outcome\":\"", "\"outcome\":\"un"),
        ])
        {
            line.ShouldContain(from);
            var lines = _log.Export();
            lines[3] = SampleLog.Text(line.Replace(from, to, StringComparison.Ordinal));
            var verdict = await SampleLog.VerifyAsync(lines, kept);
            (verdict.Fault, verdict.Record).ShouldBe((AuditFault.ChangedRecord, 3), to);
        }
    }

    [Fact]
    public async Task Erasing_what_was_not_sealed_that_way_is_found()
    {
        var kept = _log.At(Size);
        _log.Rewrite(3, record => record with { Personal = record.Personal with { ActorLogin = "" } });
        var verdict = await SampleLog.VerifyAsync(_log.Export(), kept);
        verdict.IsIntact.ShouldBeFalse();
    }

    [Fact]
    public void A_commitment_tells_the_same_whether_it_is_made_with_one_salt_or_field_by_field()
    {
        foreach (var record in _log.Records)
        {
            var openings = RecordSeal.Open(record.Personal, record.Salt!);
            RecordSeal.Commit(record.Personal, openings).ShouldBe(RecordSeal.Commit(record.Personal, record.Salt));
            ExportLines.TryReadOpenings(ExportLines.Write(openings), out var read).ShouldBeTrue();
            read.ShouldBe(openings, new ByContent());
        }

        ExportLines.TryReadOpenings("[{\"name\":\"actor\",\"salt\":\"AAAA\",\"commitment\":null}]", out _).ShouldBeFalse();
        ExportLines.TryReadOpenings("[null]", out _).ShouldBeFalse();
    }

    [Fact]
    public void Details_that_are_no_object_are_one_field()
    {
        foreach (var details in (string[])["", "[]", "{", "{\"a\":1,\"a\":2}", "{\"\\ud800\":1}", "{ \"a\":1}", "{\"a\": 1}", "{\"\\u0061\":1}"])
            new PersonalPart(null, "", null, "", null, details).Fields()[^1].ShouldBe(("details", details));
    }

    private void Erase(int number, string field) => _log.Rewrite(number, record => SampleLog.Erased(record, field));

    private sealed class ByContent : IEqualityComparer<FieldOpening>
    {
        public bool Equals(FieldOpening? one, FieldOpening? other) =>
            one!.Name == other!.Name && (one.Salt ?? []).SequenceEqual(other.Salt ?? []) && (one.Commitment ?? []).SequenceEqual(other.Commitment ?? []);

        public int GetHashCode(FieldOpening opening) => opening.Name.GetHashCode(StringComparison.Ordinal);
    }
}
