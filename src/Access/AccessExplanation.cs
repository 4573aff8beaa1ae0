namespace Countersign.Access;

/// <summary>Why a question was answered so: in order, one plain sentence for each fact that counted.</summary>
public sealed record AccessExplanation(AccessDecision Decision, IReadOnlyList<ExplanationLine> Lines);

/// <param name="Cites">The rows of policy that the sentence speaks of; empty for facts that are not policy.</param>
public sealed record ExplanationLine(string Text, IReadOnlyList<RowKey> Cites);
