namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>An organization that has no policy yet, at version 0.</summary>
    public static PolicySnapshot Empty(OrganizationId organization) => Compile(organization, 0, []);

    /// <summary>
    /// The first change of a new organization, from <see cref="Empty"/>: its owner, the group Everyone with an explicit value for all that
    /// can be restricted, and the organization's own settings.
    /// </summary>
    public static PolicyDelta Bootstrap(OrganizationId organization, PersonId owner, string login, string name, string mail, TechnicianGroupId everyone)
    {
        if (!Names.IsLogin(login)) throw new ArgumentException("not a login", nameof(login));
        PolicyRow[] people =
        [
            new PersonRow(owner, PersonKind.Owner, login, name, mail, PersonState.Activated, PersonStatus.Active),
            new TechnicianGroupRow(everyone, null, "Everyone", "", Enabled: true, RequiresManagerialApproval: false, GroupConsent.None, SinglePrompt: false),
        ];
        var values = PermissionCatalogue.Restrictable.Select(permission => new GroupPermissionRow(everyone, permission, PolicyValue.Allow, Locked: false));
        var settings = Settings.All.Select(kind => new SettingRow(SettingNode.Organization, kind, Settings.Default(kind), Touched: 1));
        return new(organization, 0, "Founded the organization.", [.. people.Concat(values).Concat(settings).Select(row => new RowChange(null, row))]);
    }
}
