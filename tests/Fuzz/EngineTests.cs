using Countersign.Fuzz.Targets;

namespace Countersign.Fuzz.Tests;

/// <summary>That the fuzzer finds what it looks for, and the same each time.</summary>
public sealed class EngineTests
{
    private static readonly Transcript[] Corpus = [new("one", [new(StepKind.Client, [.. "0123456789"u8]), new(StepKind.Server, [0, 0, 0, 3, 1, 2, 3])]), new("two", [new(StepKind.Raw, [1])])];

    [Fact]
    public void A_case_follows_from_seed_and_number()
    {
        var (one, other) = (new Runner(new Planted(), Corpus, TimeProvider.System), new Runner(new Planted(), Corpus, TimeProvider.System));
        foreach (var number in Enumerable.Range(0, 500)) one.Case(7, number).ToBytes().ShouldBe(other.Case(7, number).ToBytes());
        Enumerable.Range(0, 500).Select(number => Convert.ToBase64String(one.Case(7, number).ToBytes())).Distinct().Count().ShouldBeGreaterThan(300);
    }

    [Fact]
    public void A_conversation_is_read_as_it_was_written()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, Corpus[0].ToBytes());
            Transcript.Read(file).ToBytes().ShouldBe(Corpus[0].ToBytes());
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(Fault.Exception)]
    [InlineData(Fault.Finding)]
    [InlineData(Fault.Memory)]
    public async Task A_planted_fault_is_found_and_found_again(Fault fault)
    {
        var outcome = await new Runner(new Planted { Fault = fault }, Corpus, TimeProvider.System).RunAsync(1, 0, 20_000);
        var finding = outcome.Findings.ShouldHaveSingleItem();
        (await new Runner(new Planted { Fault = fault }, Corpus, TimeProvider.System).PlayAsync(finding.Transcript)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Where_there_is_no_fault_nothing_is_found() =>
        (await new Runner(new Planted(), Corpus, TimeProvider.System).RunAsync(1, 0, 5000)).Findings.ShouldBeEmpty();

    [Fact]
    public void Who_is_in_without_having_shown_anything_is_found()
    {
        var credentials = new Targets.Connections.Credentials();
        var application = new Targets.Connections.Application(new Chance(1), credentials);
        application.OnAuthenticated(null!, "alice");
        application.Finding.ShouldNotBeNull();
    }

    [Fact]
    public void A_stream_of_files_is_told_apart_wherever_it_is_cut()
    {
        byte[] stream = [0, 0, 0, 6, 3, 0, 0, 0, 7, 9, 0, 0, 0, 5, 4, 0, 0, 0, 8];
        for (var cut = 0; cut <= stream.Length; cut++)
        {
            var seen = new List<(int, uint)>();
            var watch = new SftpStreamWatch((type, id) => seen.Add(((int)type, id)));
            watch.Take(stream.AsSpan(0, cut));
            watch.Take(stream.AsSpan(cut));
            seen.ShouldBe([(3, 7u), (4, 8u)]);
        }
    }

    public enum Fault
    {
        None,
        Exception,
        Finding,
        Memory,
    }

    /// <summary>Is wrong when a length is one too large.</summary>
    private sealed class Planted : Target
    {
        public Fault Fault { get; init; }

        public override string Name => "planted";

        public override IReadOnlyList<byte[]> Words { get; } = ["word"u8.ToArray()];

        public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
        {
            if (!steps.Any(step => step.Bytes.AsSpan().StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 4, 1]))) return ValueTask.CompletedTask;
            switch (Fault)
            {
                case Fault.Exception:
                    throw new InvalidOperationException("planted");
                case Fault.Finding:
                    Require(holds: false, "planted");
                    break;
                case Fault.Memory:
                    GC.KeepAlive(new byte[6 * 1024 * 1024]);
                    break;
            }

            return ValueTask.CompletedTask;
        }
    }
}
