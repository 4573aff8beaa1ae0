namespace Countersign.Access;

internal sealed partial class ModelEditor
{
    private readonly ChunkedMap<DeviceGroupId, DeviceGroupNode>.Builder _deviceGroups;
    private ChunkedMap<DeviceId, DeviceNode>.Builder _devices;
    private ChunkedMap<string, DeviceRow>.Builder _names;
    private readonly Dictionary<int, (HashSet<DeviceId> Gone, List<DeviceNode> Come)> _contentChanges = [];
    private DeviceGroupNode?[] _deviceGroupAt;
    private GroupContent[] _contents;
    private LabelSpace _labels;
    private DeviceRules _organizationRules = null!;
    private int _nextDeviceNumber;
    private int _nextGroupIndex;

    private void EditDeviceGroups()
    {
        LinkDeviceGroups();
        var changed = _deviceGroupDrafts.Where(draft => draft.Value is { IsChanged: true, Row: not null }).Select(draft => draft.Key).ToList();
        if (_organizationSettings is not null) changed.AddRange(_before.DeviceGroups.Values.Where(group => group.Parent is null).Select(group => group.Id));
        if (changed.Count > 0)
        {
            var closure = TopDown(changed, id => _deviceGroupDrafts.TryGetValue(id, out var draft) ? draft.Children : Children(id), ParentOf, "device group");
            var fresh = closure.Where(id => _deviceGroups.GetValueOrDefault(id) is null).ToList();
            MakeRoomFor(fresh);
            foreach (var id in closure) MakeDeviceGroup(id);
            Label(closure);
        }

        foreach (var draft in _deviceGroupDrafts.Values)
        {
            if (draft.Row is null)
            {
                if (draft.Before is null || draft.Grants.Count + draft.Settings.Count > 0) throw Dangling(draft.Cause, draft.Grants, draft.Settings);
                if (draft.Children.Count > 0) throw new PolicyException($"device group {draft.Children[0]} is below {draft.Before.Id}, which is not there");
                continue;
            }

            var index = _deviceGroups.GetValueOrDefault(draft.Row.Id)!.Index;
            Own(ref _contents, _before.Contents);
            _contents[index] = new([.. draft.Children], _contents[index].Devices, [.. draft.Grants]);
        }
    }

    private DeviceGroupId[] Children(DeviceGroupId id) => _before.DeviceGroups.TryGetValue(id, out var group) ? _before.ContentOf(group).Children : [];

    /// <summary>Null: none; the id of a parent that is not there is an error.</summary>
    private DeviceGroupId? ParentOf(DeviceGroupId id)
    {
        var row = _deviceGroupDrafts.TryGetValue(id, out var draft) ? draft.Row : _before.DeviceGroups.GetValueOrDefault(id)?.Row;
        if (row?.ParentId is not { } parent) return null;
        var isThere = _deviceGroupDrafts.TryGetValue(parent, out var above) ? above.Row is not null : _before.DeviceGroups.ContainsKey(parent);
        return isThere ? parent : throw new PolicyException($"device group {id} is below {parent}, which is not there");
    }

    private void LinkDeviceGroups()
    {
        foreach (var (id, draft) in _deviceGroupDrafts.ToList())
        {
            var (was, now) = (draft.Before?.Row.ParentId, draft.Row?.ParentId);
            if (draft.Row is null && draft.Before is not null)
            {
                _deviceGroups.Remove(id);
                Own(ref _deviceGroupAt, _before.DeviceGroupAt);
                _deviceGroupAt[draft.Before.Index] = null;
            }

            if (was == now) continue;
            if (was is { } old) Draft(old, draft.Cause).Children.Remove(id);
            if (now is { } parent)
            {
                var above = Draft(parent, draft.Cause);
                if (above.Row is null) throw new PolicyException($"device group {id} is below {parent}, which is not there");
                above.Children.Add(id);
            }
        }
    }

    private void MakeRoomFor(List<DeviceGroupId> fresh)
    {
        Own(ref _deviceGroupAt, _before.DeviceGroupAt);
        Own(ref _contents, _before.Contents);
        if (fresh.Count == 0) return;
        var first = _deviceGroupAt.Length;
        Array.Resize(ref _deviceGroupAt, first + fresh.Count);
        Array.Resize(ref _contents, first + fresh.Count);
        for (var index = first; index < _contents.Length; index++) _contents[index] = GroupContent.Nothing;
        _nextGroupIndex = first;
    }

    /// <summary>Makes the node anew, with the labels that it has; those above are made.</summary>
    private void MakeDeviceGroup(DeviceGroupId id)
    {
        var before = _before.DeviceGroups.GetValueOrDefault(id);
        var draft = _deviceGroupDrafts.GetValueOrDefault(id);
        var row = draft?.Row ?? before!.Row;
        var parent = row.ParentId is { } above ? _deviceGroups.GetValueOrDefault(above) : null;
        var own = draft is null ? before!.Own : [.. draft.Settings];
        var index = _deviceGroups.GetValueOrDefault(id)?.Index ?? _nextGroupIndex++;
        var node = new DeviceGroupNode(row, parent, index, (parent?.Rules ?? _organizationRules).With(own), own)
        {
            Start = before?.Start ?? 0,
            End = before?.End ?? 0,
        };
        _deviceGroups.Set(id, node);
        _deviceGroupAt[index] = node;
    }

    /// <summary>Gives labels to what is new or has moved; to everything anew if there are too few where they are needed.</summary>
    private void Label(List<DeviceGroupId> closure)
    {
        var wanting = closure.Where(id => _before.DeviceGroups.GetValueOrDefault(id) is not { } before || before.Row.ParentId != _deviceGroups.GetValueOrDefault(id)!.Row.ParentId).ToHashSet();
        if (wanting.Count == 0) return;
        var tops = wanting.Where(id => !Above(id).Any(wanting.Contains)).ToList();
        if (_before.DeviceGroups.Count > 0)
        {
            _labels = _before.Labels.Copy(_deviceGroupAt.Length);
            if (tops.TrueForAll(LabelBranch)) return;
        }

        var roots = _deviceGroupAt.Skip(1).Where(group => group is { Parent: null }).Select(group => group!.Id).ToList();
        foreach (var id in TopDown(roots, ChildrenNow, ParentOf, "device group")) MakeDeviceGroup(id);
        _labels = LabelSpace.Fresh(_deviceGroups.Count, _deviceGroupAt.Length, out var each);
        var next = each;
        foreach (var root in roots) next = LabelDown(root, next, each);
    }

    private IEnumerable<DeviceGroupId> Above(DeviceGroupId id)
    {
        for (var above = ParentOf(id); above is { } parent; above = ParentOf(parent)) yield return parent;
    }

    private bool LabelBranch(DeviceGroupId top)
    {
        var groups = 0;
        var ahead = new Stack<DeviceGroupId>([top]);
        while (ahead.TryPop(out var id))
        {
            groups++;
            foreach (var child in ChildrenNow(id)) ahead.Push(child);
        }

        if (!_labels.TryTake(_deviceGroups.GetValueOrDefault(top)!.Parent?.Index ?? 0, groups, out var start, out var each)) return false;
        LabelDown(top, start, each);
        return true;
    }

    private IReadOnlyList<DeviceGroupId> ChildrenNow(DeviceGroupId id) => _deviceGroupDrafts.TryGetValue(id, out var draft) ? draft.Children : Children(id);

    /// <returns>The first label behind the branch.</returns>
    private uint LabelDown(DeviceGroupId top, uint next, uint each)
    {
        var ahead = new Stack<(DeviceGroupId Id, bool IsDone)>([(top, false)]);
        while (ahead.TryPop(out var step))
        {
            var node = _deviceGroups.GetValueOrDefault(step.Id)!;
            if (step.IsDone)
            {
                node.End = next;
                continue;
            }

            node.Start = next;
            _labels.Free(node.Index, next + 1, next + each);
            next += each;
            PlaceAnew(step.Id, node);
            ahead.Push((step.Id, true));
            foreach (var child in ChildrenNow(step.Id)) ahead.Push((child, false));
        }

        return next;
    }

    /// <summary>Makes the grants on a group anew, for they know its labels.</summary>
    private void PlaceAnew(DeviceGroupId id, DeviceGroupNode node)
    {
        if (!_before.DeviceGroups.ContainsKey(id)) return;
        CompiledGrant[] grants = _deviceGroupDrafts.TryGetValue(id, out var draft) ? [.. draft.Grants] : _contents[node.Index].Grants;
        foreach (var grant in grants)
        {
            Withdraw(grant);
            Hand(new(grant.Row, grant.Role, grant.AccountNames, grant.Hours, _pool.AccountNames));
        }
    }

    private void EditDevices()
    {
        if (_before.Devices.Count == 0)
        {
            _devices = ChunkedMap<DeviceId, DeviceNode>.NewBuilder(_deviceDrafts.Count);
            _names = ChunkedMap<string, DeviceRow>.NewBuilder(_deviceDrafts.Count);
        }

        foreach (var (id, draft) in _deviceDrafts)
        {
            if (draft.Before is not { } before) continue;
            if (draft.Row is null)
            {
                _devices.Remove(id);
                Content(before.GroupIndex).Gone.Add(id);
            }

            if (draft.Row?.Name != before.Row.Name) _names.Remove(before.Row.Name);
        }

        foreach (var (id, draft) in _deviceDrafts)
        {
            if (draft.Row is { } row) MakeDevice(id, draft, row);
            else if (draft.Before is null || draft.AllGrants.Length + draft.AllSettings.Length + draft.Accounts.Length + draft.Services.Length > 0) throw Dangling(draft);
        }

        foreach (var (index, (gone, come)) in _contentChanges) ChangeContent(index, gone, come);
        foreach (var draft in _deviceGroupDrafts.Values)
        {
            if (draft is not { Row: null, Before: { } gone }) continue;
            if (_contents[gone.Index].Devices is [var left, ..])
            {
                throw new PolicyException($"device '{left.Row.Name}' is in the device group {gone.Id}, which is not there");
            }
        }
    }

    private void MakeDevice(DeviceId id, DeviceDraft draft, DeviceRow row)
    {
        if (!_deviceGroups.TryGetValue(row.Group, out var group))
        {
            throw new PolicyException($"device '{row.Name}' is in the device group {row.Group}, which is not there");
        }
        var defaults = 0;
        foreach (var account in draft.Accounts) defaults += account.IsDefault ? 1 : 0;
        if (defaults > 1) throw new PolicyException($"device '{row.Name}' has two default accounts");
        var accounts = draft.Accounts;
        if (accounts.Length > 1)
        {
            accounts = [.. accounts];
            Array.Sort(accounts, static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        }

        var services = draft.Services;
        if (services.Length > 1)
        {
            services = [.. services];
            Array.Sort(services, static (one, other) => one.Protocol.CompareTo(other.Protocol));
        }

        var number = draft.Before?.Number ?? _nextDeviceNumber++;
        var node = new DeviceNode(row, number, group.Index, accounts, services, _pool.AccountNames, draft.AllSettings, draft.AllGrants);
        _devices.Set(id, node);
        if (draft.Before is { } before) Content(before.GroupIndex).Gone.Add(id);
        Content(group.Index).Come.Add(node);
        if (draft.Before?.Row == row) return;
        if (draft.Before?.Row.Name == row.Name) _names.Set(row.Name, row);
        else if (!_names.TryAdd(row.Name, row)) throw new PolicyException($"two devices have the name '{row.Name}'");
    }

    private (HashSet<DeviceId> Gone, List<DeviceNode> Come) Content(int group)
    {
        if (!_contentChanges.TryGetValue(group, out var changes)) _contentChanges.Add(group, changes = ([], []));
        return changes;
    }

    private void ChangeContent(int group, HashSet<DeviceId> gone, List<DeviceNode> come)
    {
        Own(ref _contents, _before.Contents);
        var stay = _contents[group].Devices;
        if (gone.Count > 0) stay = Array.FindAll(stay, device => !gone.Contains(device.Id));
        _contents[group] = _contents[group] with { Devices = [.. stay, .. come] };
    }

    private static PolicyException Dangling(DeviceDraft draft) =>
        draft.Accounts.Length > 0 ? new($"{draft.Accounts[0].Key}: its device is not there")
        : draft.Services.Length > 0 ? new($"{draft.Services[0].Key}: its device is not there")
        : Dangling(draft.Cause, draft.Grants, draft.Settings);

    private static PolicyException Dangling(PolicyRow cause, List<CompiledGrant> grants, List<ParsedSetting> settings)
    {
        if (grants.Count > 0) return NoScope(grants[0].Row);
        return settings.Count > 0
            ? new($"settings are for {settings[0].Effective.Source.Kind} {settings[0].Effective.Source.Id}, which is not there")
            : new($"{cause.Key}: what it speaks of is not there");
    }
}
