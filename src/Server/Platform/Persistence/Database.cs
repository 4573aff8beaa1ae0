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

    /// <exception cref="InvalidDataException">A newer version has written it.</exception>
    public async Task MigrateAsync(CancellationToken cancellation)
    {
        KeepToOwner();
        await using var db = Open();

        // Before EF looks whether there is a database, which it does with a connection that only reads and can't make an empty file one with a WAL.
        await db.Database.OpenConnectionAsync(cancellation);

        var known = db.Database.GetMigrations().ToHashSet();
        if ((await db.Database.GetAppliedMigrationsAsync(cancellation)).LastOrDefault(applied => !known.Contains(applied)) is { } newer)
            throw new InvalidDataException($"A newer version of Countersign has written {File} ({newer}). Start that one, or restore the copy that was made before the upgrade.");

        // EF locks by a row, and waits for it without end. One whose process was killed meanwhile stays: nothing else runs on this file.
        if (!(await db.Database.GetPendingMigrationsAsync(cancellation)).Any()) return;
        await db.Database.ExecuteSqlRawAsync("DROP TABLE IF EXISTS \"__EFMigrationsLock\"", cancellation);
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
    /// Hashes of passwords and the audit log are nobody else's, also where the directory was there before and others may look into it. SQLite
    /// would make the file as the umask has it; those that it makes beside it get this one's mode.
    /// </summary>
    private void KeepToOwner()
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (OperatingSystem.IsWindows()) return;
        using var file = new FileStream(File, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite, UnixCreateMode = Owner });
        System.IO.File.SetUnixFileMode(file.SafeFileHandle, Owner);
    }

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
