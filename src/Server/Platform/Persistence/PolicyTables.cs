using Countersign.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// The written list of policy tables (<see cref="PolicyTable"/>): rows of <c>Access</c> stored as they are. Only <see cref="PolicyWriter"/> writes
/// them. Foreign keys never cascade: what goes with a row is planned in <c>Access</c>, and a plan that forgets something is refused here.
/// </summary>
internal static class PolicyTables
{
    private const string Organization = CountersignDb.OrganizationProperty;

    public static void Map(ModelBuilder model)
    {
        var person = Row<PersonRow>(model, "person", nameof(PersonRow.Id));
        person.Property(row => row.Login).HasMaxLength(64);
        person.Property(row => row.Name).HasMaxLength(200);
        person.Property(row => row.Mail).HasMaxLength(254);
        person.HasIndex(row => row.Login).IsUnique();

        var technicianGroup = Row<TechnicianGroupRow>(model, "technician_group", nameof(TechnicianGroupRow.Id));
        technicianGroup.Property(row => row.Name).HasMaxLength(200);
        technicianGroup.Property(row => row.Description).HasMaxLength(2000);
        technicianGroup.Property(row => row.MembersApprove).HasDefaultValue(false);
        technicianGroup.Property(row => row.ApprovedExternals).HasMaxLength(ExternalGroups.MaxLength);
        References<TechnicianGroupRow, TechnicianGroupRow>(technicianGroup, nameof(TechnicianGroupRow.ParentId));

        References<MembershipRow, TechnicianGroupRow>(Row<MembershipRow>(model, "membership", "Group", "Person"), "Group");
        References<MembershipRow, PersonRow>(model.Entity<MembershipRow>(), "Person");
        References<GroupManagerRow, TechnicianGroupRow>(Row<GroupManagerRow>(model, "group_manager", "Group", "Person"), "Group");
        References<GroupManagerRow, PersonRow>(model.Entity<GroupManagerRow>(), "Person");
        References<GroupAdministratorRow, TechnicianGroupRow>(Row<GroupAdministratorRow>(model, "group_administrator", "Group", "Person"), "Group");
        References<GroupAdministratorRow, PersonRow>(model.Entity<GroupAdministratorRow>(), "Person");
        var groupPermission = Row<GroupPermissionRow>(model, "group_permission", "Group", "Permission");
        groupPermission.Property(row => row.Option).HasMaxLength(PermissionOption.MaxLength).HasDefaultValue("");
        References<GroupPermissionRow, TechnicianGroupRow>(groupPermission, "Group");

        var externalGroup = Row<ExternalGroupRow>(model, "external_group", nameof(ExternalGroupRow.Id));
        externalGroup.Property(row => row.Name).HasMaxLength(200);
        externalGroup.Property(row => row.Description).HasMaxLength(2000);
        References<ExternalMemberRow, ExternalGroupRow>(Row<ExternalMemberRow>(model, "external_member", "Group", "Person"), "Group");
        References<ExternalMemberRow, PersonRow>(model.Entity<ExternalMemberRow>(), "Person");

        var deviceGroup = Row<DeviceGroupRow>(model, "device_group", nameof(DeviceGroupRow.Id));
        deviceGroup.Property(row => row.Name).HasMaxLength(200);
        References<DeviceGroupRow, DeviceGroupRow>(deviceGroup, nameof(DeviceGroupRow.ParentId));

        var device = Row<DeviceRow>(model, "device", nameof(DeviceRow.Id));
        device.Property(row => row.Name).HasMaxLength(253);
        device.Property(row => row.Description).HasMaxLength(2000);
        device.Property(row => row.Host).HasMaxLength(253);
        device.Property(row => row.Tags).HasMaxLength(DeviceTags.MaxLength).HasDefaultValue("");
        device.HasIndex(Organization, nameof(DeviceRow.Name)).IsUnique();
        References<DeviceRow, DeviceGroupRow>(device, nameof(DeviceRow.Group));

        var account = Row<DeviceAccountRow>(model, "device_account", nameof(DeviceAccountRow.Device), nameof(DeviceAccountRow.Name));
        account.Property(row => row.Name).HasMaxLength(64);
        References<DeviceAccountRow, DeviceRow>(account, nameof(DeviceAccountRow.Device));

        var service = Row<DeviceServiceRow>(model, "device_service", nameof(DeviceServiceRow.Device), nameof(DeviceServiceRow.Protocol));
        service.Property(row => row.Pin).HasMaxLength(ServiceProtocols.LongestPin);
        References<DeviceServiceRow, DeviceRow>(service, nameof(DeviceServiceRow.Device));

        Row<RoleRow>(model, "role", nameof(RoleRow.Id)).Property(row => row.Name).HasMaxLength(200);

        // "grant" is a reserved word of SQL. Subject, scope and role may be one of several tables or built in: no foreign keys.
        Row<GrantRow>(model, "access_grant", nameof(GrantRow.Id));

        // What a workflow's steps name is in their text: Access plans no person or group away who is named there.
        var workflow = Row<WorkflowRow>(model, "workflow", nameof(WorkflowRow.Id));
        workflow.Property(row => row.Name).HasMaxLength(200);
        workflow.Property(row => row.Steps).HasMaxLength(WorkflowSteps.MaxLength);
        workflow.HasIndex(Organization, nameof(WorkflowRow.Group), nameof(WorkflowRow.Devices)).IsUnique();
        References<WorkflowRow, TechnicianGroupRow>(workflow, nameof(WorkflowRow.Group));
        References<WorkflowRow, DeviceGroupRow>(workflow, nameof(WorkflowRow.Devices));

        Row<SettingRow>(model, "setting", nameof(SettingRow.Node), nameof(SettingRow.Setting)).Property(row => row.Value).HasMaxLength(4000);
    }

    /// <summary>
    /// All rows of an organization, while nobody writes. Half by half at once, and without the machinery of asynchronous reading, of which SQLite has none:
    /// with a hundred thousand devices most of a start is this.
    /// </summary>
    public static async Task<List<PolicyRow>> LoadAsync(Database database, OrganizationId organization, CancellationToken cancellation)
    {
        Func<CountersignDb, IEnumerable<PolicyRow>>[] first =
            [Read<PersonRow>, Read<TechnicianGroupRow>, Read<MembershipRow>, Read<GroupManagerRow>, Read<GroupAdministratorRow>,
                Read<GroupPermissionRow>, Read<ExternalGroupRow>, Read<ExternalMemberRow>, Read<RoleRow>, Read<GrantRow>, Read<DeviceServiceRow>];
        Func<CountersignDb, IEnumerable<PolicyRow>>[] second =
            [Read<DeviceGroupRow>, Read<DeviceRow>, Read<DeviceAccountRow>, Read<SettingRow>, Read<WorkflowRow>];
        var halves = await Task.WhenAll(Task.Run(() => Together(first), cancellation), Task.Run(() => Together(second), cancellation));
        return [.. halves[0], .. halves[1]];

        List<PolicyRow> Together(Func<CountersignDb, IEnumerable<PolicyRow>>[] tables)
        {
            using var db = database.Read(organization);
            var rows = new List<PolicyRow>();
            foreach (var table in tables)
            {
                cancellation.ThrowIfCancellationRequested();
                rows.AddRange(table(db));
            }

            return rows;
        }

        static IEnumerable<PolicyRow> Read<T>(CountersignDb db) where T : PolicyRow => db.Set<T>().AsNoTracking();
    }

    /// <summary>Marks what the delta changes in the context; saving stores it, and fails if a row that goes or changes is not there.</summary>
    public static void Track(CountersignDb db, PolicyDelta delta)
    {
        foreach (var change in delta.Changes)
        {
            var entry = db.Entry((object)(change.After ?? change.Before)!);
            entry.Property(Organization).CurrentValue = delta.Organization;
            entry.State = change switch
            {
                { Before: null } => EntityState.Added,
                { After: null } => EntityState.Deleted,
                _ => EntityState.Modified,
            };
        }
    }

    private static EntityTypeBuilder<T> Row<T>(ModelBuilder model, string table, params ReadOnlySpan<string> key) where T : PolicyRow
    {
        var row = model.Entity<T>().ToTable(table);
        row.Ignore(entity => entity.Key);
        row.Property<OrganizationId>(Organization);
        row.HasKey([Organization, .. key]);
        row.HasOne<Organization>().WithMany().HasForeignKey(Organization).OnDelete(DeleteBehavior.Restrict);
        return row;
    }

    private static void References<T, TTarget>(EntityTypeBuilder<T> row, string property) where T : class where TTarget : class =>
        row.HasOne<TTarget>().WithMany().HasForeignKey(Organization, property).OnDelete(DeleteBehavior.Restrict);
}
