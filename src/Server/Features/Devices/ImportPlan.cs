using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Devices;

/// <summary>Makes the commands of an import, row by row, and knows which row each of them is for.</summary>
internal sealed class ImportPlan
{
    private const string NoSuchGroup = "There is no such device group, or you may not see it.";
    private const string NotMade = "This group can't be made: a path has at most 32 names, and one table makes at most 2,000 groups.";

    private const string NoSsh = "The device has no service by ssh, which a host key would be of.";

    // What one row can have made, and all of them: a path is much shorter than what it makes.
    private const int DeepestPath = 32;
    private const int MostNewGroups = 2000;

    private readonly PolicySnapshot _policy;
    private readonly PersonId _person;
    private readonly DateTimeOffset _at;
    private readonly GroupPaths _groups;
    private readonly List<ImportFault> _faults;
    private readonly List<(PolicyCommand Command, int Line)> _steps = [];

    // Groups come first: a device is refused where its group is not there.
    private readonly List<(PolicyCommand Command, int Line)> _newGroups = [];
    private readonly Dictionary<string, int> _lineOf = new(StringComparer.Ordinal);

    /// <summary>Lines of devices that stand in an earlier one, which is said of them once.</summary>
    private readonly HashSet<int> _again = [];

    /// <param name="faults">Of rows that could not be taken.</param>
    public ImportPlan(PolicySnapshot policy, PersonId person, DateTimeOffset at, IReadOnlyList<ImportFault> faults)
    {
        _faults = [.. faults];
        (_policy, _person, _at) = (policy, person, at);
        _groups = new(policy.DeviceTree(person, at).Select(listing => listing.Group));
    }

    /// <summary>Groups that are not there are made.</summary>
    public bool CreatesGroups { get; init; }

    /// <summary>Devices that are there are changed.</summary>
    public bool Updates { get; init; }

    /// <summary>What is wrong without planning anything.</summary>
    public IReadOnlyList<ImportFault> Faults => _faults;

    public PolicyCommand.Several Command => new(
        $"Imported {Number(_steps.Count, "device")}{(_newGroups.Count > 0 ? $" and {Number(_newGroups.Count, "device group")}" : "")} from a table.",
        [.. Steps.Select(step => step.Command)]);

    private IEnumerable<(PolicyCommand Command, int Line)> Steps => _newGroups.Concat(_steps);

    public void Take(DeviceTableRow row)
    {
        var name = row[DeviceColumns.Name]!;
        if (!_lineOf.TryAdd(name, row.Line) && name.Length > 0)
        {
            _faults.Add(new(row.Line, DeviceColumns.Name, $"The device stands in line {_lineOf[name]} already."));
            _again.Add(row.Line);
        }

        // A device that may not be seen is like one that is not there, but for its name, which is taken.
        var isThere = _policy.DeviceByName(name) is { } found && _policy.MaySeeDevice(_person, found.Id, _at) && Updates;
        var group = row[DeviceColumns.Group] is { } path ? GroupOf(path, row.Line) : null;
        if (isThere) Edit(_policy.DeviceByName(name)!.Id, group, row);
        else Add(group, row);
    }

    /// <summary>All that is wrong, each at its row.</summary>
    public IReadOnlyList<ImportFault> WithRefused(IEnumerable<RefusedStep> refused)
    {
        var steps = Steps.ToList();
        return [.. _faults, .. refused.Where(step => step.Reason is not PlanResult.Conflict || !_again.Contains(steps[step.Index].Line)).SelectMany(step => Problems.Told(step.Reason).Select(told => new ImportFault(steps[step.Index].Line, Column(step.Reason, told.Field), told.Message)))];
    }

    private static string Column(PlanResult reason, string field) => (reason, field) switch
    {
        (PlanResult.Conflict, _) => DeviceColumns.Name,
        (PlanResult.NotFound or PlanResult.Forbidden, _) => DeviceColumns.Group,
        _ when field.EndsWith(".hostKey", StringComparison.Ordinal) => DeviceColumns.HostKey,
        _ when field.StartsWith("services", StringComparison.OrdinalIgnoreCase) => DeviceColumns.Services,
        _ => field,
    };

    private void Add(DeviceGroupId? group, DeviceTableRow row)
    {
        var command = new PolicyCommand.AddDevice(
            new(Guid.CreateVersion7(_at)),
            group ?? default,
            row[DeviceColumns.Name]!,
            row[DeviceColumns.Description] ?? "",
            row[DeviceColumns.Host] ?? "",
            DeviceColumns.ReadWords(row[DeviceColumns.Accounts] ?? ""))
        {
            Services = WithHostKey(ServiceWords.Read(row[DeviceColumns.Services] ?? "ssh", row[DeviceColumns.HostKey]), row),
            Tags = DeviceColumns.ReadWords(row[DeviceColumns.Tags] ?? ""),
        };
        if (group is not null)
        {
            _steps.Add((command, row.Line));
            return;
        }

        // It can't be planned without a group; what else is wrong with it is told all the same.
        _faults.Add(new(row.Line, DeviceColumns.Group, WithoutGroup(row)));
        if (PolicySnapshot.WrongWith(command) is { } wrong) _faults.AddRange(Problems.Told(wrong).Select(told => new ImportFault(row.Line, Column(wrong, told.Field), told.Message)));
    }

    private void Edit(DeviceId id, DeviceGroupId? group, DeviceTableRow row)
    {
        if (group is null && row[DeviceColumns.Group] is not null) _faults.Add(new(row.Line, DeviceColumns.Group, WithoutGroup(row)));
        var command = new PolicyCommand.EditDevice(id, group, Description: row[DeviceColumns.Description], Host: row[DeviceColumns.Host])
        {
            Services = row[DeviceColumns.Services] is { } services ? WithHostKey(ServiceWords.Read(services, row[DeviceColumns.HostKey]), row) : null,
            PutServices = row[DeviceColumns.Services] is null ? HostKeyAlone(id, row) : [],
            Accounts = row[DeviceColumns.Accounts] is { } accounts ? DeviceColumns.ReadWords(accounts) : null,
            Tags = row[DeviceColumns.Tags] is { } tags ? DeviceColumns.ReadWords(tags) : null,
        };
        _steps.Add((command, row.Line));
    }

    private string WithoutGroup(DeviceTableRow row) => CreatesGroups && row[DeviceColumns.Group] is { Length: > 0 } ? NotMade : NoSuchGroup;

    /// <summary>A host key is a service's by ssh: there has to be one.</summary>
    private IReadOnlyList<ServiceWish> WithHostKey(IReadOnlyList<ServiceWish> services, DeviceTableRow row)
    {
        if (row[DeviceColumns.HostKey] is { Length: > 0 } && services.All(service => service.Protocol != ServiceProtocol.Ssh)) _faults.Add(new(row.Line, DeviceColumns.HostKey, NoSsh));
        return services;
    }

    /// <summary>Where the table tells of no services but of that key.</summary>
    private IReadOnlyList<ServiceWish> HostKeyAlone(DeviceId id, DeviceTableRow row)
    {
        if (row[DeviceColumns.HostKey] is not { } hostKey) return [];
        if (_policy.Endpoint(id, ServiceProtocol.Ssh) is not null) return [new(ServiceProtocol.Ssh, HostKey: hostKey)];
        return WithHostKey([], row);
    }

    /// <summary>Null: it is not there, and is not to be made.</summary>
    private DeviceGroupId? GroupOf(string path, int line)
    {
        DeviceGroupId? group = null;
        if (path.Length == 0 || DeviceColumns.ReadPath(Names.Composed(path)) is not { Count: <= DeepestPath } names) return null;
        foreach (var name in names)
        {
            if (_groups.Find(group, name) is { } found)
            {
                group = found;
                continue;
            }

            if (!CreatesGroups || _newGroups.Count == MostNewGroups) return null;
            var made = new DeviceGroupRow(new(Guid.CreateVersion7(_at)), group, name);
            _newGroups.Add((new PolicyCommand.AddDeviceGroup(made.Id, made.ParentId, name), line));
            _groups.Add(made);
            group = made.Id;
        }

        return group;
    }

    private static string Number(int count, string thing) => count == 1 ? $"1 {thing}" : $"{count} {thing}s";
}
