namespace Countersign.Access;

/// <summary>One row before and after a change: null before means added, null after means removed. Both are never null, nor of different keys.</summary>
public sealed record RowChange(PolicyRow? Before, PolicyRow? After)
{
    public RowKey Key => (After ?? Before)!.Key;
}

/// <summary>
/// What a planned command does to the policy of one organization: stored as version <see cref="ToVersion"/>, applied to the snapshot of
/// <see cref="FromVersion"/>, turned round by undo.
/// </summary>
/// <param name="Summary">One plain sentence, for the audit log and the list of changes.</param>
public sealed record PolicyDelta(OrganizationId Organization, long FromVersion, string Summary, IReadOnlyList<RowChange> Changes)
{
    public long ToVersion => FromVersion + 1;
}

/// <summary>What came of planning a command: a delta, or why not.</summary>
public abstract record PlanResult
{
    private PlanResult()
    {
    }

    public sealed record Planned(PolicyDelta Delta) : PlanResult
    {
        /// <summary>Of an undo: the settings that were changed since and stay as they are.</summary>
        public IReadOnlyList<RowKey> Left { get; init; } = [];
    }

    /// <summary>What the command names is not there, or the actor may not see it: the two are never told apart.</summary>
    public sealed record NotFound(string What) : PlanResult;

    /// <summary>The actor may see it but may not change it so.</summary>
    public sealed record Forbidden(string Reason) : PlanResult;

    /// <param name="Field">The command's property in camelCase.</param>
    public sealed record Invalid(string Field, string Message) : PlanResult
    {
        /// <summary>What else is wrong, by other fields.</summary>
        public IReadOnlyList<Invalid> Others { get; init; } = [];
    }

    /// <summary>It contradicts what is there now (a name taken, a group that is not empty, a row that changed since).</summary>
    public sealed record Conflict(string Message) : PlanResult;

    /// <summary>Of several commands some can't be: those that come behind one of them were planned as if it had not been there.</summary>
    public sealed record SomeRefused(IReadOnlyList<RefusedStep> Steps) : PlanResult;
}

/// <param name="Index">Of the command in <see cref="PolicyCommand.Several"/>.</param>
/// <param name="Reason">Never <see cref="PlanResult.Planned"/>.</param>
public sealed record RefusedStep(int Index, PlanResult Reason);
