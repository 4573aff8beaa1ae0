using System.Data.Common;
using Countersign.Access;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Countersign.Server.Platform.Persistence;

/// <summary>Opens contexts on the server's database file. Reading goes through here; writing only through <see cref="WriteQueue"/>.</summary>
internal sealed class Database
{
    private readonly DbContextOptions<CountersignDb> _options;

    public Database(string file)
    {
        File = file;
        var connection = new SqliteConnectionStringBuilder
        {
            DataSource = file,
            ForeignKeys = true,
            DefaultTimeout = 30,
        };
        _options = Configure(connection.ToString());
    }

    public string File { get; }

    /// <summary>For reading the rows of one organization. The caller disposes it.</summary>
    public CountersignDb Read(OrganizationId organization) => Open().Of(organization);

    /// <summary>Sees server-wide tables only, until <see cref="CountersignDb.Of"/> names an organization.</summary>
    public CountersignDb Open() => new(_options);

    public async Task MigrateAsync(CancellationToken cancellation)
    {
        await using var db = Open();
        await db.Database.MigrateAsync(cancellation);
    }

    /// <summary>Lets go of the file's handles that the pool keeps.</summary>
    public void ReleaseFile()
    {
        using var db = Open();
        SqliteConnection.ClearPool((SqliteConnection)db.Database.GetDbConnection());
    }

    public static DbContextOptions<CountersignDb> Configure(string connectionString) =>
        new DbContextOptionsBuilder<CountersignDb>()
            .UseSqlite(connectionString)
            .AddInterceptors(new Durability())
            // Migrations are written by hand and there is no model snapshot to compare with: a test compares the catalogs instead.
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning))
            .Options;

    /// <summary>
    /// A committed change survives the loss of power: WAL alone does not promise that, synchronous=FULL does. Readers never wait for the writer.
    /// </summary>
    private sealed class Durability : DbConnectionInterceptor
    {
        private const string Pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
