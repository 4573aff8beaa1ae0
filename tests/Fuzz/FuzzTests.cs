// What a case allocates is counted for the whole process: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Countersign.Fuzz.Tests;

/// <summary>A bounded part of what fuzz/run.sh does without end. Cases follow from the seed, so that what fails here fails again.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string, int> Bounded => new()
    {
        { "transport-server", 1500 },
        { "transport-client", 1000 },
        { "packets", 5000 },
        { "auth-server", 800 },
        { "auth-client", 500 },
        { "channels-server", 1000 },
        { "channels-client", 600 },
        { "formats", 6000 },
        { "private-keys", 6000 },
        { "authorized-keys", 12_000 },
        { "sftp-relay", 12_000 },
        { "sftp-server", 6000 },
        { "scp-stream", 15_000 },
        { "file-commands", 20_000 },
        { "proxy-header", 40_000 },
    };

    private static string Crashes => Path.Combine(AppContext.BaseDirectory, "Crashes");

    [Theory]
    [MemberData(nameof(Bounded))]
    public async Task Whatever_is_sent_everything_holds(string name, int cases)
    {
        var target = AllTargets.Get(name);
        using var disposable = target as IDisposable;
        var outcome = await new Runner(target, AllTargets.Corpus(name), TimeProvider.System).RunAsync(seed: 1, first: 0, cases);
        outcome.Findings.Select(finding => $"case {finding.Case}: {finding.What}\n{Convert.ToBase64String(finding.Transcript.ToBytes())}").ShouldBeEmpty();
        outcome.Cases.ShouldBe(cases);
    }

    [Fact]
    public void Every_target_has_its_bounded_part() =>
        Bounded.Select(row => row.Data.Item1).Order(StringComparer.Ordinal).ShouldBe(AllTargets.Names.Order(StringComparer.Ordinal));

    [Fact]
    public async Task What_was_found_once_holds_now()
    {
        var files = Directory.GetFiles(Crashes, "*.bin");
        files.ShouldNotBeEmpty();
        foreach (var file in files.Order(StringComparer.Ordinal))
        {
            var target = AllTargets.Get(Path.GetFileName(file).Split('.')[0]);
            using var disposable = target as IDisposable;
            (await new Runner(target, [], TimeProvider.System).PlayAsync(Transcript.Read(file))).ShouldBeNull(Path.GetFileName(file));
        }
    }

    [Fact]
    public async Task The_conversations_that_it_begins_with_hold_as_they_are()
    {
        foreach (var name in AllTargets.Names)
        {
            var target = AllTargets.Get(name);
            using var disposable = target as IDisposable;
            var corpus = AllTargets.Corpus(name);
            corpus.ShouldNotBeEmpty(name);
            foreach (var transcript in corpus) (await new Runner(target, [], TimeProvider.System).PlayAsync(transcript)).ShouldBeNull($"{name}/{transcript.Name}");
        }
    }
}
