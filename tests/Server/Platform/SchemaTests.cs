using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

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
