namespace Countersign.Access.Tests.Naive;

internal sealed partial class NaivePolicy
{
    /// <summary>InviteExternal at that moment; with <em>anyone</em> contacts and whatever address, else contacts in an approved group. Nobody who is disabled.</summary>
    public InvitationAnswer MayInvite(AccessQuestion question, PersonId? contact)
    {
        if (Decide(question with { Wanted = PermissionSet.Of(Permission.InviteExternal) }).Kind != DecisionKind.Allowed) return InvitationAnswer.NotPermitted;
        var inviter = Person(question.Subject)!;
        var anyone = !Option(inviter, Permission.InviteExternal).Strict;
        if (contact is null) return anyone ? InvitationAnswer.Allowed : InvitationAnswer.NotApproved;
        var invited = Person(contact.Value);
        var canBe = invited is { Kind: PersonKind.Contact, Status: PersonStatus.Active };
        var approved = canBe && _externalMembers.Any(member => member.Person == invited!.Id && ApprovedExternals(inviter).Contains(member.Group.Value));
        return canBe && (anyone || approved) ? InvitationAnswer.Allowed : InvitationAnswer.NotApproved;
    }

    /// <summary>Whose members the person may invite as far as their groups are asked; null: anyone.</summary>
    public IReadOnlyCollection<Guid>? Approves(PersonRow person)
    {
        if (!WithinCeiling(person, PermissionSet.Of(Permission.InviteExternal)).Contains(Permission.InviteExternal)) return [];
        return Option(person, Permission.InviteExternal).Strict ? ApprovedExternals(person) : null;
    }

    /// <summary>Those of all their groups that are enabled and allow to invite; a group that says nothing approves what the group above it does.</summary>
    public IReadOnlyCollection<Guid> ApprovedExternals(PersonRow person) => person.Kind == PersonKind.Owner
        ? []
        :
        [
            .. DirectMemberships(person)
                .Where(group => IsEnabled(group) && ValueAt(group, Permission.InviteExternal) is { Value: PolicyValue.Allow })
                .Select(group => Upwards(group).FirstOrDefault(above => above.ApprovedExternals is not null)?.ApprovedExternals ?? "")
                .SelectMany(list => list.Split(',', StringSplitOptions.RemoveEmptyEntries))
                .Distinct()
                .Select(Guid.Parse),
        ];
}
