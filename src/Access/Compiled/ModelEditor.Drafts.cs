namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    /// <summary>What is said of one thing after the change, as it is gathered.</summary>
    /// <param name="cause">The row that spoke of it first, to be named if the thing itself is not there.</param>
    private abstract class Gathered(PolicyRow cause)
    {
        public PolicyRow Cause { get; } = cause;
    }

    private sealed class PersonDraft(PersonNode? before, PolicyRow cause) : Gathered(cause)
    {
        public PersonNode? Before { get; } = before;

        public PersonRow? Row { get; set; } = before?.Row;

        public List<TechnicianGroupId> Groups { get; } = before is null ? [] : [.. before.DirectMemberships.Select(group => group.Id)];

        public List<TechnicianGroupId> Manages { get; } = before is null ? [] : [.. before.Manages];

        public List<TechnicianGroupId> Administers { get; } = before is null ? [] : [.. before.Administers];

        public List<ExternalGroupId> ExternalGroups { get; } = before is null ? [] : [.. before.ExternalGroups];

        public List<CompiledGrant> Grants { get; } = before is null ? [] : [.. before.OwnGrants];

        public bool AreGrantsChanged { get; set; }
    }

    private sealed class TechnicianGroupDraft(TechnicianGroupNode? before, GroupPeople people, PolicyRow cause) : Gathered(cause)
    {
        public TechnicianGroupNode? Before { get; } = before;

        public TechnicianGroupRow? Row { get; set; } = before?.Row;

        /// <summary>The row, the values or the grants are not what they were.</summary>
        public bool IsChanged { get; set; }

        public List<GroupPermissionRow> Own { get; } = before is null ? [] : [.. before.Own];

        public List<PersonId> Members { get; } = [.. people.Members];

        public List<PersonId> Managers { get; } = [.. people.Managers];

        public List<PersonId> Administrators { get; } = [.. people.Administrators];

        public List<TechnicianGroupId> Children { get; } = [.. people.Children];

        public List<CompiledGrant> Grants { get; } = before is null ? [] : [.. before.OwnGrants];

        public List<WorkflowRow> Workflows { get; } = before is null ? [] : [.. before.OwnWorkflows];
    }

    private sealed class DeviceGroupDraft(DeviceGroupNode? before, GroupContent content, PolicyRow cause) : Gathered(cause)
    {
        public DeviceGroupNode? Before { get; } = before;

        public DeviceGroupRow? Row { get; set; } = before?.Row;

        /// <summary>The row or the settings are not what they were.</summary>
        public bool IsChanged { get; set; }

        public List<ParsedSetting> Settings { get; } = before is null ? [] : [.. before.Own];

        public List<DeviceGroupId> Children { get; } = [.. content.Children];

        public List<CompiledGrant> Grants { get; } = [.. content.Grants];

        public List<DeviceNode> Devices { get; } = [.. content.Devices];
    }

    private sealed class DeviceDraft(DeviceNode? before, PolicyRow cause) : Gathered(cause)
    {
        private List<ParsedSetting>? _settings;
        private List<CompiledGrant>? _grants;

        public DeviceNode? Before { get; } = before;

        public DeviceRow? Row { get; set; } = before?.Row;

        // There are many devices, and most have no settings and few grants: a list is made when there is something to put in it.
        public DeviceAccountRow[] Accounts { get; set; } = before?.Accounts ?? [];

        public DeviceServiceRow[] Services { get; set; } = before?.Services ?? [];

        public List<ParsedSetting> Settings => _settings ??= [.. Before?.Own ?? []];

        public List<CompiledGrant> Grants => _grants ??= [.. Before?.Grants ?? []];

        public ParsedSetting[] AllSettings => _settings is { } settings ? [.. settings] : Before?.Own ?? [];

        public CompiledGrant[] AllGrants => _grants is { } grants ? [.. grants] : Before?.Grants ?? [];
    }

    private PersonDraft Draft(PersonId id, PolicyRow cause)
    {
        if (!_personDrafts.TryGetValue(id, out var draft)) _personDrafts.Add(id, draft = new(_before.People.GetValueOrDefault(id), cause));
        return draft;
    }

    private TechnicianGroupDraft Draft(TechnicianGroupId id, PolicyRow cause)
    {
        if (_technicianGroupDrafts.TryGetValue(id, out var draft)) return draft;
        var before = _before.TechnicianGroups.GetValueOrDefault(id);
        draft = new(before, before is null ? GroupPeople.Nobody : _before.PeopleOf(before), cause);
        _technicianGroupDrafts.Add(id, draft);
        return draft;
    }

    private DeviceGroupDraft Draft(DeviceGroupId id, PolicyRow cause)
    {
        if (_deviceGroupDrafts.TryGetValue(id, out var draft)) return draft;
        var before = _before.DeviceGroups.GetValueOrDefault(id);
        draft = new(before, before is null ? GroupContent.Nothing : _before.ContentOf(before), cause);
        _deviceGroupDrafts.Add(id, draft);
        return draft;
    }

    private DeviceDraft Draft(DeviceId id, PolicyRow cause)
    {
        if (!_deviceDrafts.TryGetValue(id, out var draft)) _deviceDrafts.Add(id, draft = new(_before.Devices.GetValueOrDefault(id), cause));
        return draft;
    }
}

internal static class DraftLists
{
    /// <summary>Takes the value out if it was there before, and puts it in if it is there after.</summary>
    public static void Replace<T>(this List<T> list, T value, PolicyRow? before, PolicyRow? after)
    {
        if (before is not null) list.Remove(value);
        if (after is not null) list.Add(value);
    }
}
