using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// Stores many new rows of one table by one statement that is prepared once, in the transaction that the context is in, as the context maps them. For what
/// is written by the thousand: following each row as an entity costs many times its insertion.
/// </summary>
internal static class PreparedInsert
{
    /// <exception cref="DbException">A constraint refuses a row; those before it are in the transaction.</exception>
    public static async Task RunAsync<T>(CountersignDb db, IReadOnlyList<T> rows, CancellationToken cancellation)
        where T : class
    {
        var type = db.Model.FindEntityType(typeof(T))!;
        var owner = type.FindProperty(CountersignDb.OrganizationProperty)!.PropertyInfo!;
        if (rows.Any(row => !db.Organization.Equals(owner.GetValue(row)))) throw new InvalidOperationException("A row belongs to another organization.");
        var columns = type.GetProperties().Select(property => new Column(property)).ToList();
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.Transaction = db.Database.CurrentTransaction!.GetDbTransaction();
        command.CommandText =
            $"INSERT INTO \"{type.GetTableName()}\" ({string.Join(", ", columns.Select(column => $"\"{column.Name}\""))}) VALUES ({string.Join(", ", columns.Select((_, place) => $"@p{place}"))})";
        for (var place = 0; place < columns.Count; place++) columns[place].AddTo(command, $"@p{place}");
        await command.PrepareAsync(cancellation);
        foreach (var row in rows)
        {
            foreach (var column in columns) column.Set(row);
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }

    private sealed class Column(IProperty property)
    {
        private readonly RelationalTypeMapping _mapping = property.GetRelationalTypeMapping();
        private DbParameter? _parameter;

        public string Name => property.GetColumnName();

        public void AddTo(DbCommand command, string name)
        {
            _parameter = _mapping.CreateParameter(command, name, value: null, nullable: true);
            command.Parameters.Add(_parameter);
        }

        public void Set(object row)
        {
            var value = property.PropertyInfo!.GetValue(row);
            _parameter!.Value = (value is not null && _mapping.Converter is { } converter ? converter.ConvertToProvider(value) : value) ?? DBNull.Value;
        }
    }
}
