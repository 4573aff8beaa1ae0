namespace Countersign.Access;

/// <summary>
/// Looks for elementary changes that turn an answer from allowed to not, or back: a grant, a membership, a lock or a request. One if one of those that are
/// tried does it, else two. Each is carried out on the policy itself, so that what is suggested surely does it; what comes into question as the second is looked
/// for in what the first one leaves, since a lock may come to count only when the one above it is gone. That there are no fewer is sure only as far as
/// <see cref="MostTried"/> and <see cref="MostPairs"/> reach.
/// </summary>
/// <param name="cancellation">Whoever asked has left: each change that is tried takes as long as a change of policy does.</param>
internal sealed class FlipSearch(PolicySnapshot snapshot, in AccessQuestion question, Func<GrantId> fresh, CancellationToken cancellation)
{
    /// <summary>At each of the two steps.</summary>
    private const int MostTried = 40;

    /// <summary>Of two changes together. Those come first after whose first one something else is in the way: they lead somewhere.</summary>
    private const int MostPairs = 400;

    private readonly FlipState _start = new(snapshot, question);

    public SmallestChange? Find()
    {
        if (!_start.IsMendable) return null;
        var after = new List<(ElementaryChange Change, FlipState State)>();
        foreach (var change in Candidates(_start))
        {
            cancellation.ThrowIfCancellationRequested();
            if (_start.After(change) is not { } state) continue;
            if (state.IsAllowed != _start.IsAllowed) return new([change]);
            after.Add((change, state));
        }

        var tried = 0;
        foreach (var (first, state) in after.OrderBy(one => one.State.Reason == _start.Reason))
        {
            foreach (var second in Candidates(state))
            {
                if (tried++ == MostPairs) return null;
                cancellation.ThrowIfCancellationRequested();
                if (state.After(second) is { } end && end.IsAllowed != _start.IsAllowed) return new([first, second]);
            }
        }

        return null;
    }

    private IEnumerable<ElementaryChange> Candidates(FlipState state) =>
        state is { Person: not null, Device: not null } ? (_start.IsAllowed ? new Taking(state).Changes() : new Giving(state, fresh).Changes()).Take(MostTried) : [];
}

/// <summary>A policy and a question to it, as changes have left them.</summary>
internal sealed class FlipState
{
    private readonly AccessDecision _decision;

    public FlipState(PolicySnapshot policy, in AccessQuestion question)
    {
        Policy = policy;
        Question = question;
        _decision = policy.Decide(question);
        Person = policy.Model.People.GetValueOrDefault(question.Subject);
        Device = policy.Model.Devices.GetValueOrDefault(question.Device);
    }

    public PolicySnapshot Policy { get; }

    public AccessQuestion Question { get; }

    public PersonNode? Person { get; }

    public DeviceNode? Device { get; }

    public bool IsAllowed => _decision.Kind == DecisionKind.Allowed;

    public DenialReason Reason => _decision.Reason;

    /// <summary>All that the question can't do without.</summary>
    public PermissionSet Needed => PermissionCatalogue.WithPrerequisites(PolicySnapshot.Needed(Question));

    /// <summary>What comes before all rights is mended by none: how somebody signed in and from where, what is switched off, when it is. Nor is a recording that is required.</summary>
    public bool IsMendable => IsAllowed || (Reason >= DenialReason.NotGranted && !(
        Device is { } device && Policy.Model.RulesOf(device).Recording == RecordingRule.Required && Needed.Intersects(PermissionCatalogue.Unrecordable)));

    /// <returns>Null: it can't be carried out.</returns>
    public FlipState? After(ElementaryChange change)
    {
        var (policy, question) = (Policy, Question);
        if (change.Revoked is { } number)
        {
            question = question with
            {
                Approvals = question.Approvals.IsDefault ? [] : question.Approvals.RemoveAll(approved => approved.Number == number),
                Preapprovals = question.Preapprovals.IsDefault ? [] : question.Preapprovals.RemoveAll(ahead => ahead.Number == number),
            };
        }

        if (change.Approved is { } approved) question = question with { Approvals = question.Approvals.IsDefault ? [approved] : question.Approvals.Add(approved) };
        if (change.Preapproved is { } preapproved) question = question with { Preapprovals = question.Preapprovals.IsDefault ? [preapproved] : question.Preapprovals.Add(preapproved) };
        if (change.Command is not { } command) return new(policy, question);
        return policy.Model.Owner is { } owner && policy.Plan(command, owner, question.At) is PlanResult.Planned { Delta: var delta } ? new(policy.Apply(delta), question) : null;
    }
}
