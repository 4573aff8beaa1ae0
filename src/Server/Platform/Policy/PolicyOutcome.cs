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

    /// <summary>A row that would have been changed was changed since the version that the caller has read: nothing was done.</summary>
    /// <param name="By">As far as the caller may know; null: nobody can say, because it is too long ago or the version is none.</param>
    public sealed record Stale(string? By, DateTimeOffset? At, long Version) : PolicyOutcome;

    /// <summary>What the caller is signed in with ended, or does not meet the organization's rules any more, before it was the writer's turn: nothing was done.</summary>
    public sealed record SignInEnded : PolicyOutcome;

    /// <param name="Reason">Never <see cref="PlanResult.Planned"/>.</param>
    public sealed record Refused(PlanResult Reason) : PolicyOutcome;
}
