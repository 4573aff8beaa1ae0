namespace Countersign.Fuzz;

/// <param name="Kept">The file that repeats it.</param>
internal sealed record Finding(string Target, long Case, string What, Transcript Transcript, string? Kept);

internal sealed record Outcome(long Cases, TimeSpan Took, IReadOnlyList<Finding> Findings);

/// <summary>Plays changed conversations against a target, one after the other, so that what a case allocates is its own.</summary>
internal sealed class Runner(Target target, IReadOnlyList<Transcript> corpus, TimeProvider time)
{
    private const int MostFindings = 20;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly Mutator _mutator = new(target.Words);
    private readonly HashSet<string> _known = [];
    private Transcript? _playing;
    private Transcript? _seenBefore;

    /// <summary>Where conversations that found something are kept; null: nowhere.</summary>
    public string? Keep { get; init; }

    /// <param name="first">The number of the first case: each is made from the seed and its number alone.</param>
    public async Task<Outcome> RunAsync(ulong seed, long first, long cases)
    {
        var began = time.GetTimestamp();
        var findings = new List<Finding>();
        using var watchdog = time.CreateTimer(_ => Watch(), null, Patience, Patience);
        var done = 0L;
        for (; done < cases && findings.Count < MostFindings; done++)
        {
            var transcript = Case(seed, first + done);
            if (await PlayAsync(transcript) is { } what && _known.Add(what.Split('\n')[0])) findings.Add(new(target.Name, first + done, what, transcript, Save(transcript)));
        }

        return new(done, time.GetElapsedTime(began), findings);
    }

    /// <summary>Plays one conversation as it is. Null: everything held.</summary>
    public async Task<string?> PlayAsync(Transcript transcript)
    {
        Volatile.Write(ref _playing, transcript);
        var before = GC.GetTotalAllocatedBytes();
        try
        {
            await target.PlayAsync(transcript.Steps, new Chance(transcript.Seed()));
        }
        catch (Exception error)
        {
            // Whatever it is: it is what is looked for.
            return error is FindingException ? error.Message : error.ToString();
        }
        finally
        {
            Volatile.Write(ref _playing, null);
        }

        var allocated = GC.GetTotalAllocatedBytes() - before;
        return allocated > target.MostAllocated + (256L * transcript.Length) ? $"more was allocated than the case is worth\n{allocated} bytes for {transcript.Length}" : null;
    }

    public Transcript Case(ulong seed, long number)
    {
        var chance = Chance.Of(seed, number);
        var changed = _mutator.Change(chance.Pick(corpus), corpus, chance);
        return changed with { Steps = [.. changed.Steps.Select(step => target.Mend(step, chance))] };
    }

    /// <summary>A case that plays for so long does not end by itself, and nothing here could stop it: it is kept, and the process goes.</summary>
    private void Watch()
    {
        var playing = Volatile.Read(ref _playing);
        if (playing is not null && ReferenceEquals(playing, _seenBefore)) Environment.FailFast($"{target.Name}: a case does not end; it is in {Save(playing) ?? Convert.ToBase64String(playing.ToBytes())}");
        _seenBefore = playing;
    }

    private string? Save(Transcript transcript)
    {
        if (Keep is null) return null;
        Directory.CreateDirectory(Keep);
        var path = Path.Combine(Keep, $"{target.Name}.{transcript.Seed():x16}.bin");
        File.WriteAllBytes(path, transcript.ToBytes());
        return path;
    }
}
