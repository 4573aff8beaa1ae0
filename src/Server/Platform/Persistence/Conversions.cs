using System.Globalization;
using System.Net;
using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// How the types of policy look in a column. Small composite values (a grant's subject, a setting's node) are one column of text in a
/// canonical form, because some of them are parts of keys. Instants are UTC ticks, which sort right in every database.
/// </summary>
internal static class Conversions
{
    public static void Configure(ModelConfigurationBuilder builder)
    {
        builder.Properties<OrganizationId>().HaveConversion<OrganizationIds>();
        builder.Properties<PersonId>().HaveConversion<PersonIds>();
        builder.Properties<TechnicianGroupId>().HaveConversion<TechnicianGroupIds>();
        builder.Properties<DeviceGroupId>().HaveConversion<DeviceGroupIds>();
        builder.Properties<DeviceId>().HaveConversion<DeviceIds>();
        builder.Properties<RoleId>().HaveConversion<RoleIds>();
        builder.Properties<GrantId>().HaveConversion<GrantIds>();
        builder.Properties<WorkflowId>().HaveConversion<WorkflowIds>();
        builder.Properties<ExternalGroupId>().HaveConversion<ExternalGroupIds>();
        builder.Properties<PermissionSet>().HaveConversion<PermissionSets>();
        builder.Properties<GrantSubject>().HaveConversion<GrantSubjects>();
        builder.Properties<GrantScope>().HaveConversion<GrantScopes>();
        builder.Properties<GrantAccounts>().HaveConversion<AccountLists>();
        builder.Properties<GrantWindow>().HaveConversion<GrantWindows>();
        builder.Properties<SettingNode>().HaveConversion<SettingNodes>();
        builder.Properties<DateTimeOffset>().HaveConversion<UtcTicks>();
        builder.Properties<IPAddress>().HaveConversion<IPAddresses>();
    }

    private sealed class OrganizationIds() : ValueConverter<OrganizationId, Guid>(id => id.Value, value => new OrganizationId(value));

    private sealed class PersonIds() : ValueConverter<PersonId, Guid>(id => id.Value, value => new PersonId(value));

    private sealed class TechnicianGroupIds() : ValueConverter<TechnicianGroupId, Guid>(id => id.Value, value => new TechnicianGroupId(value));

    private sealed class DeviceGroupIds() : ValueConverter<DeviceGroupId, Guid>(id => id.Value, value => new DeviceGroupId(value));

    private sealed class DeviceIds() : ValueConverter<DeviceId, Guid>(id => id.Value, value => new DeviceId(value));

    private sealed class RoleIds() : ValueConverter<RoleId, Guid>(id => id.Value, value => new RoleId(value));

    private sealed class GrantIds() : ValueConverter<GrantId, Guid>(id => id.Value, value => new GrantId(value));

    private sealed class WorkflowIds() : ValueConverter<WorkflowId, Guid>(id => id.Value, value => new WorkflowId(value));

    private sealed class ExternalGroupIds() : ValueConverter<ExternalGroupId, Guid>(id => id.Value, value => new ExternalGroupId(value));

    private sealed class PermissionSets() : ValueConverter<PermissionSet, long>(set => unchecked((long)set.Bits), value => new PermissionSet(unchecked((ulong)value)));

    private sealed class UtcTicks() : ValueConverter<DateTimeOffset, long>(at => at.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));

    private sealed class IPAddresses() : ValueConverter<IPAddress, string>(address => address.ToString(), text => IPAddress.Parse(text));

    private sealed class GrantSubjects() : ValueConverter<GrantSubject, string>(
        subject => Tagged((byte)subject.Kind, subject.Id), text => new GrantSubject((SubjectKind)Tag(text), Id(text)));

    private sealed class GrantScopes() : ValueConverter<GrantScope, string>(
        scope => Tagged((byte)scope.Kind, scope.Id), text => new GrantScope((ScopeKind)Tag(text), Id(text)));

    private sealed class SettingNodes() : ValueConverter<SettingNode, string>(
        node => Tagged((byte)node.Kind, node.Id), text => new SettingNode((SettingNodeKind)Tag(text), Id(text)));

    private sealed class AccountLists() : ValueConverter<GrantAccounts, string>(
        accounts => $"{(byte)accounts.Rule}:{accounts.Names}", text => new GrantAccounts((AccountRule)Tag(text), Rest(text)));

    private sealed class GrantWindows() : ValueConverter<GrantWindow, string>(window => Write(window), text => ReadWindow(text));

    private static string Tagged(byte tag, Guid id) => $"{tag}:{id:D}";

    private static byte Tag(string text) => byte.Parse(text.AsSpan(0, text.IndexOf(':', StringComparison.Ordinal)), NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Rest(string text) => text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static Guid Id(string text) => Guid.ParseExact(Rest(text), "D");

    private static string Write(GrantWindow window) => $"{window.From?.UtcTicks}|{window.To?.UtcTicks}|{window.Hours}";

    private static GrantWindow ReadWindow(string text)
    {
        var parts = text.Split('|', 3);
        return new(Instant(parts[0]), Instant(parts[1]), parts[2]);
    }

    private static DateTimeOffset? Instant(string ticks) =>
        ticks.Length == 0 ? null : new DateTimeOffset(long.Parse(ticks, NumberStyles.None, CultureInfo.InvariantCulture), TimeSpan.Zero);
}
