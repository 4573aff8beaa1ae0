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
    /// <param name="best">The ways that the answer is for.</param>
    public static AccessDecision Decide(ImmutableArray<PermissionSet> ways, Func<PermissionSet, AccessDecision> decide, out ImmutableArray<PermissionSet> best)
    {
        var found = ImmutableArray.CreateBuilder<PermissionSet>(ways.Length);
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

            found.Add(way);
        }

        best = found.DrainToImmutable();
        return (together ?? throw new ArgumentException("There is no way.", nameof(ways))) with { ReevaluateAt = next };
    }

    public static PermissionSet Union(ImmutableArray<PermissionSet> ways) => ways.Aggregate(PermissionSet.None, (all, way) => all | way);

    /// <summary>Of two ways that are equally well off: the first one's reasons, the later end, the stricter consent.</summary>
    private static AccessDecision Join(in AccessDecision first, in AccessDecision second) => first with
    {
        Permissions = first.Permissions | second.Permissions,
        Until = first.Until is { } one && second.Until is { } other ? (one > other ? one : other) : null,
        Consent = first.Consent > second.Consent ? first.Consent : second.Consent,
    };
}
