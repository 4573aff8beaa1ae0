using System.Text.Json;
using Countersign.Access;

namespace Countersign.Bench.Access;

/// <summary>
/// Decisions of Cedar and Casbin beside ours: the same organization, the same questions, in turns. An answer that differs from ours fails the benchmark.
/// </summary>
internal static class PeerComparison
{
    private const int Questions = 1 << 16;
    private const int Rounds = 8;

    // The peers answer a part of the questions, another in each round; ours answers all of them in each, so that they don't fit its caches.
    private const int InRound = 1024;

    private const double Goal = 100;

    public static async Task<List<Figure>> RunAsync(LargeOrganization organization, PolicySnapshot policy)
    {
        var questions = PeerOrganization.Choose(organization, policy, Questions);
        var told = PeerOrganization.Of(organization, policy, questions[..(InRound * Rounds)]);
        var folder = Directory.CreateTempSubdirectory("countersign-peers");
        try
        {
            var file = Path.Combine(folder.FullName, "organization.json");
            await File.WriteAllTextAsync(file, JsonSerializer.Serialize(told, PeerJson.Default.PeerOrganization));
            await using var cedar = await PeerProcess.StartAsync("cedar", "bench/peers/cedar.js", file);
            await using var casbin = await PeerProcess.StartAsync("casbin", "bench/peers/casbin.js", file);
            return await InTurnsAsync(policy, questions, told, [cedar, casbin]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<List<Figure>> InTurnsAsync(PolicySnapshot policy, AccessQuestion[] questions, PeerOrganization told, PeerProcess[] peers)
    {
        var ours = new List<double>();
        var theirs = peers.ToDictionary(peer => peer.Name, _ => new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            ours.Add(AccessBenchmark.Ask(policy, questions));
            foreach (var peer in peers)
            {
                var answered = await peer.AskAsync(round * InRound, InRound);
                for (var index = 0; index < InRound; index++) Check(policy, questions, told, peer, round * InRound + index, answered.Answers[index]);
                theirs[peer.Name].Add(answered.Nanoseconds);
            }
        }

        var own = Settled(ours);
        var named = theirs.ToDictionary(peer => peer.Key, peer => Settled(peer.Value));
        return
        [
            Figure.Plain("decide.peers.ns", own, "ns") with { Peers = named, Ratio = Math.Round(own / named.Values.First(), 6) },
            .. named.Select(peer => TimesOurs(peer.Key, peer.Value, own)),
        ];
    }

    /// <summary>How many times our nanoseconds the peer needs.</summary>
    private static Figure TimesOurs(string peer, double nanoseconds, double own)
    {
        var figure = Figure.AtLeast($"{peer}.ratio", nanoseconds / own, "ratio", Goal);
        return figure with { Peers = new Dictionary<string, double> { [peer] = nanoseconds }, Ratio = figure.Value };
    }

    private static void Check(PolicySnapshot policy, AccessQuestion[] questions, PeerOrganization told, PeerProcess peer, int index, bool answer)
    {
        var decision = policy.Decide(questions[index]);
        if (answer == (decision.Kind == DecisionKind.Allowed)) return;
        var asked = string.Join(' ', told.Questions[index]);
        throw new InvalidOperationException($"{peer.Name} {(answer ? "allows" : "refuses")} question {index} ({asked}); ours: {decision.Kind}, {decision.Reason}. {questions[index]}");
    }

    /// <summary>The median of the rounds but the first, in which everybody's code is still being compiled.</summary>
    private static double Settled(List<double> rounds)
    {
        var settled = rounds.Skip(1).Order().ToList();
        return Math.Round(settled[settled.Count / 2], 3);
    }
}
