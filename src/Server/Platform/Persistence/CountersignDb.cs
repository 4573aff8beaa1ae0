using System.Reflection;
using Countersign.Access;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform.Persistence;

/// <summary>Marks an entity that belongs to the server and to no organization: the list of organizations, set-up.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ServerWideAttribute : Attribute;

/// <summary>
/// The database of one server. Every table but the few that are <see cref="ServerWideAttribute"/> has a property <c>OrganizationId</c>, first in
/// its key, and is seen only through the organization that the context is <see cref="Of"/>: a query without one throws.
/// </summary>
/// <remarks>A feature maps its tables with an <see cref="IEntityTypeConfiguration{TEntity}"/> in its own folder; they are found by reflection.</remarks>
internal sealed class CountersignDb(DbContextOptions<CountersignDb> options) : DbContext(options)
{
    /// <summary>The name of the property, shadow or not, that says whose row it is.</summary>
    public const string OrganizationProperty = "OrganizationId";

    private readonly List<object> _appended = [];
    private OrganizationId? _organization;

    /// <summary>Named by the query filter of every table that has an organization.</summary>
    public OrganizationId Organization =>
        _organization ?? throw new InvalidOperationException("A query or a change of an organization's rows needs the organization: call Of first.");

    /// <summary>From here on the context sees and changes the rows of this organization only.</summary>
    public CountersignDb Of(OrganizationId organization)
    {
        if (_organization != organization && (_appended.Count > 0 || ChangeTracker.HasChanges()))
            throw new InvalidOperationException("There are unsaved changes of another organization.");
        _organization = organization;
        return this;
    }

    /// <summary>Sees no organization's rows any more, and forgets what it knew.</summary>
    public void Reset()
    {
        ChangeTracker.Clear();
        _appended.Clear();
        _organization = null;
    }

    /// <summary>
    /// Adds a row that is never read again through this context: it is stored behind everything else of the same saving, in its transaction.
    /// </summary>
    public void Append<T>(T row)
        where T : class
    {
        if (Model.FindEntityType(typeof(T))?.FindProperty(OrganizationProperty)?.GetGetter().GetClrValue(row) is not OrganizationId owner || owner != Organization)
            throw new InvalidOperationException($"A row of {typeof(T).Name} belongs to another organization.");
        _appended.Add(row);
    }

    public override int SaveChanges(bool acceptAllChangesOnSuccess) =>
        throw new NotSupportedException("The one writer saves asynchronously.");

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        RefuseForeignRows();
        if (_appended.Count == 0) return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await using var own = Database.CurrentTransaction is null ? await Database.BeginTransactionAsync(cancellationToken) : null;
        var saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        await RowInserts.WriteAsync(this, _appended, cancellationToken);
        if (own is not null) await own.CommitAsync(cancellationToken);
        _appended.Clear();
        return saved;
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder) => Conversions.Configure(configurationBuilder);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        PolicyTables.Map(modelBuilder);
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(CountersignDb).Assembly);
        var filter = typeof(CountersignDb).GetMethod(nameof(FilterByOrganization), BindingFlags.Instance | BindingFlags.NonPublic)!;
        foreach (var entity in modelBuilder.Model.GetEntityTypes().ToList())
        {
            if (entity.ClrType.IsDefined(typeof(ServerWideAttribute))) continue;
            if (entity.FindProperty(OrganizationProperty) is null)
                throw new InvalidOperationException($"{entity.ClrType.Name} has no {OrganizationProperty} and is not marked as server-wide.");
            filter.MakeGenericMethod(entity.ClrType).Invoke(this, [modelBuilder]);
        }
    }

    private void FilterByOrganization<T>(ModelBuilder modelBuilder) where T : class =>
        modelBuilder.Entity<T>().HasQueryFilter(row => EF.Property<OrganizationId>(row, OrganizationProperty) == Organization);

    private void RefuseForeignRows()
    {
        foreach (var entry in ChangeTracker.Entries())
        {
            if (entry.State is EntityState.Unchanged or EntityState.Detached) continue;
            if (entry.Metadata.FindProperty(OrganizationProperty) is null) continue;
            if (!Organization.Equals(entry.Property(OrganizationProperty).CurrentValue))
                throw new InvalidOperationException($"A row of {entry.Metadata.ClrType.Name} belongs to another organization.");
        }
    }
}
