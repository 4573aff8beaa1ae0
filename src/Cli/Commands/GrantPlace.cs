using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The options that say to whom something is granted, and those that say on what.</summary>
internal sealed class GrantPlace
{
    private static readonly Dictionary<string, string> _sections = new() { ["team"] = "team", ["quick-support"] = "quickSupport" };

    private readonly Option<string?> _technician = new("--technician") { Description = "Somebody of your organization: a login, a mail address or an ID.", HelpName = "WHO" };
    private readonly Option<string?> _contact = new("--contact") { Description = "Somebody from outside: a mail address or an ID.", HelpName = "WHO" };
    private readonly Option<string?> _group = new("--group") { Description = "A technician group, for its members and those of the groups below it: its name, path or ID.", HelpName = "GROUP" };
    private readonly Option<string?> _device = new("--device") { Description = "A device, by name or ID.", HelpName = "DEVICE" };
    private readonly Option<string?> _deviceGroup = new("--device-group") { Description = "A device group with everything below it: its name, path or ID.", HelpName = "GROUP" };
    private readonly Option<bool> _allDevices = new("--all-devices") { Description = "All devices that there are and will be." };
    private readonly Option<string?> _section = new("--section") { Description = "team for roles of administration, quick-support for roles of invitations.", HelpName = "SECTION" };

    public GrantPlace() => _section.AcceptOnlyFromAmong([.. _sections.Keys]);

    /// <summary>For an addition, which needs both.</summary>
    public void AddTo(Command command)
    {
        Option[] subjects = [_technician, _contact, _group], scopes = [_device, _deviceGroup, _allDevices, _section];
        foreach (var option in (Option[])[.. subjects, .. scopes]) command.Add(option);
        command.OneOf(subjects);
        command.OneOf(scopes);
    }

    /// <summary>For a list, which may be narrowed to either.</summary>
    public void NarrowIn(Command command)
    {
        Option[] subjects = [_technician, _contact, _group], scopes = [_device, _deviceGroup];
        foreach (var option in (Option[])[.. subjects, .. scopes]) command.Add(option);
        command.AtMostOneOf(subjects);
        command.AtMostOneOf(scopes);
    }

    /// <summary>Null: nobody is named.</summary>
    public string? Whom(ParseResult parsed) => parsed.GetValue(_technician) ?? parsed.GetValue(_contact) ?? parsed.GetValue(_group);

    /// <summary>In words, for what is said.</summary>
    public string What(ParseResult parsed) =>
        parsed.GetValue(_device) ?? parsed.GetValue(_deviceGroup) ?? (parsed.GetValue(_section) is { } section ? $"the section {section}" : "all devices");

    /// <summary>Whether a device or device group is named.</summary>
    public bool NamesDevices(ParseResult parsed) => parsed.GetValue(_device) is not null || parsed.GetValue(_deviceGroup) is not null;

    public async Task<Answer<KindAndId>> SubjectAsync(ParseResult parsed, ApiClient client, CancellationToken cancellation)
    {
        var (kind, id) = parsed.GetValue(_group) is { } group ? ("technicianGroup", await GroupTree.FindAsync(client, GroupTree.OfTechnicians, group, cancellation))
            : parsed.GetValue(_contact) is { } contact ? ("person", await NamedThings.ContactAsync(client, contact, cancellation))
            : ("person", await NamedThings.PersonAsync(client, parsed.GetValue(_technician) ?? "", cancellation));
        return id.TryGet(out var found, out var failure) ? new KindAndId(kind, found) : failure;
    }

    public async Task<Answer<KindAndId>> ScopeAsync(ParseResult parsed, ApiClient client, CancellationToken cancellation)
    {
        if (parsed.GetValue(_section) is { } section) return new KindAndId(_sections[section], null);
        if (parsed.GetValue(_device) is { } device)
            return (await NamedThings.DevicesAsync(client, [device], cancellation)).TryGet(out var devices, out var none) ? new KindAndId("device", devices[0]) : none;
        if (parsed.GetValue(_deviceGroup) is { } group)
            return (await GroupTree.FindAsync(client, GroupTree.OfDevices, group, cancellation)).TryGet(out var id, out var failure) ? new KindAndId("deviceGroup", id) : failure;
        return new KindAndId("allDevices", null);
    }
}
