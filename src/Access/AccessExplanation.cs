namespace Countersign.Access;

/// <summary>Why a question was answered so: in order, one plain sentence for each fact that counted.</summary>
public sealed record AccessExplanation(AccessDecision Decision, IReadOnlyList<ExplanationLine> Lines);

/// <summary>Until when one of the permissions holds that an answer allows.</summary>
/// <param name="Until">Null: no end is known, or <paramref name="Lasting"/> tells.</param>
/// <param name="Lasting">It rests on preapproved access that has not begun: how long it holds from the first use on.</param>
public readonly record struct PermissionEnd(Permission Permission, DateTimeOffset? Until, TimeSpan? Lasting);

/// <summary>The fewest changes that would turn the answer: one or two.</summary>
public sealed record SmallestChange(IReadOnlyList<ElementaryChange> Changes);

/// <summary>One change out of a grant, a membership, a lock and a request.</summary>
/// <param name="Text">One plain sentence.</param>
/// <param name="Command">Null: not a change of policy.</param>
/// <param name="Approved">The request that would have to be approved at connect time.</param>
/// <param name="Preapproved">The request that would have to be approved ahead.</param>
public sealed record ElementaryChange(string Text, PolicyCommand? Command, ApprovedRequest? Approved, PreapprovedRequest? Preapproved)
{
    /// <summary>The number of the request in hand that would have to be revoked.</summary>
    public long? Revoked { get; init; }
}

/// <param name="Cites">The rows of policy that the sentence speaks of; empty for facts that are not policy.</param>
public sealed record ExplanationLine(string Text, IReadOnlyList<RowKey> Cites);
