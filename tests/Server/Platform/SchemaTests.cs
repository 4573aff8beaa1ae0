using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Countersign.Server.Tests.Platform;

public sealed class SchemaTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-schema");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_migrations_make_exactly_the_schema_of_the_model()
    {
        var migrated = await DescribeAsync("migrated.db", db => db.Database.MigrateAsync(TestContext.Current.CancellationToken));
        var created = await DescribeAsync("created.db", db => db.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken));

        migrated.Except(created).ShouldBeEmpty("only in the migrations");
        created.Except(migrated).ShouldBeEmpty("only in the model");
        migrated.ShouldNotBeEmpty();
    }

    [Fact]
    public void Every_table_belongs_to_an_organization_first_in_its_key_or_says_that_it_is_the_servers()
    {
        using var db = Open("model.db");
        foreach (var entity in db.Model.GetEntityTypes().Where(entity => !entity.ClrType.IsDefined(typeof(ServerWideAttribute), false)))
        {
            entity.FindPrimaryKey()!.Properties[0].Name.ShouldBe(CountersignDb.OrganizationProperty, entity.Name);
            entity.GetDeclaredQueryFilters().ShouldNotBeEmpty(entity.Name);
        }

        db.Model.GetEntityTypes().Count(entity => typeof(PolicyRow).IsAssignableFrom(entity.ClrType)).ShouldBe(Enum.GetValues<PolicyTable>().Length);
    }

    [Fact]
    public async Task A_device_from_before_there_were_services_has_what_its_row_held()
    {
        await using var db = Open("former.db");
        var stop = TestContext.Current.CancellationToken;
        await db.GetService<IMigrator>().MigrateAsync("20261128232000_KeysOfEach", stop);
        var (organization, group, device) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        await db.Database.ExecuteSqlAsync($"INSERT INTO organization (Id, Name, Version, Created) VALUES ({organization}, 'Acme', 1, 0)", stop);
        await db.Database.ExecuteSqlAsync($"INSERT INTO device_group (OrganizationId, Id, Name) VALUES ({organization}, {group}, 'Servers')", stop);
        await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO device (OrganizationId, Id, "Group", Name, Description, Enabled, Protocol, Host, Port, HostKey)
            VALUES ({organization}, {device}, {group}, 'web1', '', 1, 1, '192.0.2.1', 2022, 'ssh-ed25519 AAAA')
            """,
            stop);
        await db.Database.MigrateAsync(stop);
        var rows = db.Of(new(organization));
        (await rows.Set<DeviceServiceRow>().AsNoTracking().ToListAsync(stop)).ShouldBe([new(new(device), ServiceProtocol.Ssh, 2022, "ssh-ed25519 AAAA")]);
        (await rows.Set<DeviceRow>().AsNoTracking().ToListAsync(stop)).ShouldBe([new(new(device), new(group), "web1", "", true, "192.0.2.1")]);

        await db.GetService<IMigrator>().MigrateAsync("20261128232000_KeysOfEach", stop);
        (await db.Database.SqlQueryRaw<string>("select Port || ' ' || HostKey as Value from device").ToListAsync(stop)).ShouldBe(["2022 ssh-ed25519 AAAA"]);
    }

    [Fact]
    public async Task Links_that_stand_side_by_side_are_one_for_each_purpose_where_there_was_room_for_one()
    {
        await using var db = Open("links.db");
        var stop = TestContext.Current.CancellationToken;
        await db.GetService<IMigrator>().MigrateAsync("20261128232000_KeysOfEach", stop);
        var (organization, person) = (Guid.NewGuid(), Guid.NewGuid());
        await db.Database.ExecuteSqlAsync($"INSERT INTO organization (Id, Name, Version, Created) VALUES ({organization}, 'Acme', 1, 0)", stop);
        await db.Database.ExecuteSqlAsync(
            $"INSERT INTO person (OrganizationId, Id, Kind, Login, Name, Mail, State, Status) VALUES ({organization}, {person}, 3, 'carl', 'Carl', 'carl@example.org', 2, 1)", stop);
        await AddAsync([1], 5);
        await db.Database.MigrateAsync(stop);
        await AddAsync([2], 7);
        await AddAsync([3], 7);
        (await ExpiresAsync()).ShouldBe([5, 7, 7]);
        await db.GetService<IMigrator>().MigrateAsync("20261128232000_KeysOfEach", stop);
        (await ExpiresAsync()).ShouldBe([7]);

        Task AddAsync(byte[] hash, long expires) => db.Database.ExecuteSqlAsync(
            $"INSERT INTO mailed_link (OrganizationId, Person, Purpose, Hash, Expires, Letter) VALUES ({organization}, {person}, 2, {hash}, {expires}, {Guid.NewGuid()})", stop);
        Task<List<long>> ExpiresAsync() => db.Database.SqlQueryRaw<long>("select Expires as Value from mailed_link order by Expires").ToListAsync(stop);
    }

    [Fact]
    public async Task A_query_without_an_organization_is_caught()
    {
        await using var db = Open("filter.db");
        await db.Database.MigrateAsync(TestContext.Current.CancellationToken);

        await Should.ThrowAsync<InvalidOperationException>(() => db.Set<PersonRow>().ToListAsync(TestContext.Current.CancellationToken));
        await Should.ThrowAsync<InvalidOperationException>(() => db.Set<AuditRecord>().CountAsync(TestContext.Current.CancellationToken));
        (await db.Of(new(Guid.NewGuid())).Set<PersonRow>().ToListAsync(TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    private CountersignDb Open(string file) => new(Database.Configure($"Data Source={Path.Combine(_folder.FullName, file)};Pooling=False"));

    /// <summary>Columns, keys, indexes and foreign keys, without regard to order.</summary>
    private async Task<List<string>> DescribeAsync(string file, Func<CountersignDb, Task> make)
    {
        await using var db = Open(file);
        await make(db);
        return await db.Database.SqlQueryRaw<string>(
            """
            select 'column ' || t.name || '.' || c.name || ' ' || c.type || ' notnull=' || c."notnull" || ' key=' || c.pk || ' default=' || coalesce(c.dflt_value, '') as Value
            from sqlite_master t join pragma_table_info(t.name) c where t.type = 'table' and t.name not like '\_\_EF%' escape '\' and t.name not like 'sqlite\_%' escape '\'
            union all
            select 'index ' || t.name || ' unique=' || i."unique" || ' ' || (select group_concat(name) from pragma_index_info(i.name)) || ' ' || case when i.origin = 'c' then i.name else '' end
            from sqlite_master t join pragma_index_list(t.name) i where t.type = 'table' and t.name not like '\_\_EF%' escape '\'
            union all
            select 'reference ' || t.name || '.' || f."from" || ' -> ' || f."table" || '.' || f."to" || ' ' || f.on_delete
            from sqlite_master t join pragma_foreign_key_list(t.name) f where t.type = 'table' and t.name not like '\_\_EF%' escape '\'
            """).ToListAsync(TestContext.Current.CancellationToken);
    }
}
