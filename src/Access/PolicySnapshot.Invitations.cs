using System.Collections.Immutable;

namespace Countersign.Access;

/// <summary>Whether somebody from outside may be invited into a session.</summary>
public enum InvitationAnswer : byte
{
    Allowed,

    /// <summary>The inviter may invite nobody from outside into this session.</summary>
    NotPermitted,

    /// <summary>Not this one: they are in no external group that the inviter's groups approve, or are nobody who can be invited. Which, is not told.</summary>
    NotApproved,
}

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// Whether a person who takes part in a session may invite somebody from outside into it: InviteExternal there and then, covered by the approval where
    /// one is needed, and its option. With <em>anyone</em> every contact who is not disabled, and every address; with <em>approved</em> only such contacts as are in one of
    /// <see cref="PermissionOptions.ApprovedExternals"/>.
    /// </summary>
    /// <param name="question">The inviter, the session's device and account, its evidence, the instant; what it wants does not matter.</param>
    /// <param name="contact">Null: a mail address that is no contact's.</param>
    public InvitationAnswer MayInvite(in AccessQuestion question, PersonId? contact)
    {
        if (Decide(question with { Wanted = PermissionSet.Of(Permission.InviteExternal) }) is not { Kind: DecisionKind.Allowed, Options: { } options }) return InvitationAnswer.NotPermitted;
        var isForApproved = options[Permission.InviteExternal].IsStrict;
        if (contact is not { } id) return isForApproved ? InvitationAnswer.NotApproved : InvitationAnswer.Allowed;
        if (!_model.People.TryGetValue(id, out var person) || !person.IsContact || person.Row.Status != PersonStatus.Active) return InvitationAnswer.NotApproved;
        return !isForApproved || person.ExternalGroups.Any(group => options.ApprovedExternals.Contains(group)) ? InvitationAnswer.Allowed : InvitationAnswer.NotApproved;
    }

    /// <summary>The external groups that a technician group approves, by its own word or that of the nearest group above it; null: the group is not there.</summary>
    public ImmutableArray<ExternalGroupId>? ApprovedExternals(TechnicianGroupId group) => _model.TechnicianGroups.GetValueOrDefault(group)?.ApprovedExternals;

    /// <summary>That there are external groups is known to who may approve them: whoever administers some branch.</summary>
    public bool MaySeeExternalGroups(PersonId person, DateTimeOffset at) => new Authority(_model, person, at).AdministersSomeBranch;
}
