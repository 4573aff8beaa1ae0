using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Sessions;

/// <summary>
/// What a connection lives on: ways, each a set of permissions that goes together. It begins with every way that is open then, and lives as long as
/// one of them is. Each way is asked about by itself, so that a permission that is lacking takes away nothing but what needs it.
/// </summary>
internal static class LivesOn
{
    /// <summary>The answer for the ways together: that of those that are best off.</summary>
    /// <param name="decide">Answers for one way.</param>
    /// <param name="best">The ways that the answer is for, each with its own end.</param>
    public static AccessDecision Decide(ImmutableArray<PermissionSet> ways, Func<PermissionSet, AccessDecision> decide, out ImmutableArray<Way> best)
    {
        var found = ImmutableArray.CreateBuilder<Way>(ways.Length);
        AccessDecision? together = null;
        DateTimeOffset? next = null;
        foreach (var way in ways)
        {
            var answer = decide(way) is var decision && decision.Kind == DecisionKind.Allowed ? decision with { Permissions = way } : decision;
            if (!(next <= answer.ReevaluateAt)) next = answer.ReevaluateAt;
            if (together is { } so && so.Kind == answer.Kind)
            {
                together = Join(so, answer);
            }
            else if (!(together?.Kind > answer.Kind))
            {
                found.Clear();
                together = answer;
            }
            else
            {
                continue;
            }

            found.Add(new(way, answer.Until));
        }

        best = found.DrainToImmutable();
        return (together ?? throw new ArgumentException("There is no way.", nameof(ways))) with { ReevaluateAt = next };
    }

    public static PermissionSet Union(ImmutableArray<Way> ways) => ways.Aggregate(PermissionSet.None, (all, way) => all | way.Permissions);

    /// <summary>Of two ways that are equally well off: the first one's reasons, the later end, the stricter consent.</summary>
    private static AccessDecision Join(in AccessDecision first, in AccessDecision second) => first with
    {
        Permissions = first.Permissions | second.Permissions,
        Until = first.Until is { } one && second.Until is { } other ? (one > other ? one : other) : null,
        Consent = first.Consent > second.Consent ? first.Consent : second.Consent,
    };
}

/// <summary>One of the ways of a connection, by the newest answer for it.</summary>
/// <param name="Until">How long what allows it holds; null: no end is known.</param>
internal readonly record struct Way(PermissionSet Permissions, DateTimeOffset? Until);

/// <summary>
/// The ways of a running session, each until its own end. An end that has passed counts whatever the answer is by then: who runs is not asked for what rules
/// have come to ask for since. A way that was not open at the beginning has its end before that.
/// </summary>
/// <param name="ways">All that a session of its kind may live on.</param>
/// <param name="open">Those that were open when it began.</param>
internal sealed class RunningWays(ImmutableArray<PermissionSet> ways, ImmutableArray<Way> open)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<PermissionSet, DateTimeOffset?> _ends = Ends(ways, open);

    /// <summary>
    /// Whether the session may go on at the instant; allowed, with the permissions that it has then. A way whose end has passed, and one that it did not begin
    /// with, is open only where a connection that begins then would have it.
    /// </summary>
    public AccessDecision Ask(PolicySnapshot snapshot, AccessQuestion question, DateTimeOffset at, out ImmutableArray<Way> now)
    {
        lock (_gate) return LivesOn.Decide(ways, way => Decide(snapshot, question with { At = at, Wanted = way }), out now);
    }

    /// <summary>The ends by the newest answer.</summary>
    public void Note(ImmutableArray<Way> now)
    {
        lock (_gate)
        {
            foreach (var way in now) _ends[way.Permissions] = way.Until;
        }
    }

    private static Dictionary<PermissionSet, DateTimeOffset?> Ends(ImmutableArray<PermissionSet> ways, ImmutableArray<Way> open)
    {
        var ends = ways.ToDictionary(way => way, _ => (DateTimeOffset?)DateTimeOffset.MinValue);
        foreach (var way in open) ends[way.Permissions] = way.Until;
        return ends;
    }

    private AccessDecision Decide(PolicySnapshot snapshot, in AccessQuestion question) =>
        _ends[question.Wanted] <= question.At ? snapshot.Decide(question) : snapshot.DecideRunning(question);
}
