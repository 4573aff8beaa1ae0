using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>What came of a command.</summary>
internal abstract record PolicyOutcome
{
    private PolicyOutcome()
    {
    }

    /// <summary>In force. A delta without changes was not stored: the version is the one that was there.</summary>
    public sealed record Applied(PolicyDelta Delta, PolicySnapshot Snapshot) : PolicyOutcome
    {
        public long Version => Snapshot.Version;

        /// <inheritdoc cref="PlanResult.Planned.Left"/>
        public IReadOnlyList<RowKey> Left { get; init; } = [];
    }

    /// <param name="Reason">Never <see cref="PlanResult.Planned"/>.</param>
    public sealed record Refused(PlanResult Reason) : PolicyOutcome;
}
