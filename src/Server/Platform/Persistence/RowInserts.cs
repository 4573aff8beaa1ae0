using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace Countersign.Server.Platform.Persistence;

/// <summary>
/// Inserts rows that are written once and that nothing follows, by a prepared statement for each table: an entity that EF keeps track of costs several
/// times as much, and the log has a row and a seal for everything that happens. Columns and conversions are those that EF knows.
/// </summary>
internal static class RowInserts
{
    /// <summary>In the order of the rows, within the context's transaction, which there has to be.</summary>
    /// <exception cref="DbUpdateException">A constraint refuses a row.</exception>
    public static async Task WriteAsync(CountersignDb db, IReadOnlyList<object> rows, CancellationToken cancellation)
    {
        var transaction = db.Database.CurrentTransaction!;
        var statements = new Dictionary<Type, Statement>();
        try
        {
            foreach (var row in rows)
            {
                if (!statements.TryGetValue(row.GetType(), out var statement)) statements.Add(row.GetType(), statement = Statement.For(db, row.GetType(), transaction));
                await statement.ExecuteAsync(row, cancellation);
            }
        }
        catch (DbException failure)
        {
            throw new DbUpdateException("A row could not be stored.", failure);
        }
        finally
        {
            foreach (var statement in statements.Values) await statement.DisposeAsync();
        }
    }

    private sealed class Statement : IAsyncDisposable
    {
        private readonly DbCommand _command;
        private readonly (DbParameter Parameter, Func<object, object?> Value)[] _columns;

        private Statement(DbCommand command, (DbParameter Parameter, Func<object, object?> Value)[] columns) => (_command, _columns) = (command, columns);

        public static Statement For(CountersignDb db, Type type, IDbContextTransaction transaction)
        {
            var entity = db.Model.FindEntityType(type) ?? throw new InvalidOperationException($"{type.Name} is no table.");
            var table = StoreObjectIdentifier.Table(entity.GetTableName()!, entity.GetSchema());
            var command = db.Database.GetDbConnection().CreateCommand();
            command.Transaction = transaction.GetDbTransaction();
            var names = new List<string>();
            var columns = new List<(DbParameter, Func<object, object?>)>();
            foreach (var property in entity.GetProperties())
            {
                names.Add(property.GetColumnName(table)!);
                var mapping = property.GetRelationalTypeMapping();
                var parameter = mapping.CreateParameter(command, $"@p{columns.Count}", null, nullable: true);
                command.Parameters.Add(parameter);
                var (getter, convert) = (property.GetGetter(), mapping.Converter?.ConvertToProvider);
                columns.Add((parameter, row => getter.GetClrValue(row) is { } value ? convert is null ? value : convert(value) : null));
            }

            var quoted = names.Select(name => $"\"{name}\"");
            command.CommandText = $"INSERT INTO \"{table.Name}\" ({string.Join(", ", quoted)}) VALUES ({string.Join(", ", names.Select((_, place) => $"@p{place}"))})";
            command.Prepare();
            return new(command, [.. columns]);
        }

        public Task<int> ExecuteAsync(object row, CancellationToken cancellation)
        {
            foreach (var (parameter, value) in _columns) parameter.Value = value(row) ?? DBNull.Value;
            return _command.ExecuteNonQueryAsync(cancellation);
        }

        public ValueTask DisposeAsync() => _command.DisposeAsync();
    }
}
