using System.Net;
using System.Runtime.Versioning;
using Countersign.Server.Platform.Persistence;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Platform;

[UnsupportedOSPlatform("windows")]
public sealed class DataDirectoryTests
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    [Fact]
    public async Task A_server_killed_while_it_prepared_its_database_keeps_none_after_it_from_starting()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-data");
        try
        {
            var file = Path.Combine(folder.FullName, "countersign.db");
            await using (var connection = new SqliteConnection($"Data Source={file};Pooling=False"))
            {
                await connection.OpenAsync(TestContext.Current.CancellationToken);
                await using var command = connection.CreateCommand();
                command.CommandText =
                    """
                    create table "__EFMigrationsLock" ("Id" integer not null primary key, "Timestamp" text not null);
                    insert into "__EFMigrationsLock" values (1, '2026-11-22 00:00:00');
                    """;
                await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            }

            var database = new Database(file);
            await database.MigrateAsync(TestContext.Current.CancellationToken);
            await database.MigrateAsync(TestContext.Current.CancellationToken);
            database.ReleaseFile();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task In_a_directory_that_others_may_read_they_may_read_no_file()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-data");
        try
        {
            File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
            await using (await CountersignServer.StartAsync(
                new() { DataDirectory = folder.FullName, Http = new(IPAddress.Loopback, 0), Ssh = new(IPAddress.Loopback, 0) }, TestContext.Current.CancellationToken))
            {
                var files = folder.GetFiles();
                files.ShouldContain(file => file.Name == "countersign.db-wal");
                foreach (var file in files) (file.UnixFileMode & Others).ShouldBe(UnixFileMode.None, file.Name);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Two_servers_never_run_on_one_directory_and_the_next_runs_when_the_first_is_gone()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-data");
        try
        {
            var options = new ServerOptions { DataDirectory = folder.FullName, Http = new(IPAddress.Loopback, 0), Ssh = new(IPAddress.Loopback, 0) };
            await using (await CountersignServer.StartAsync(options, TestContext.Current.CancellationToken))
            {
                (await Should.ThrowAsync<IOException>(CountersignServer.StartAsync(options, TestContext.Current.CancellationToken))).Message.ShouldStartWith($"Another server runs on {folder.FullName}.");
            }

            await (await CountersignServer.StartAsync(options, TestContext.Current.CancellationToken)).DisposeAsync();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        var folder = Directory.CreateTempSubdirectory("countersign-data");
        try
        {
            var database = new Database(Path.Combine(folder.FullName, "countersign.db"));
            await database.MigrateAsync(TestContext.Current.CancellationToken);
            await using (var db = database.Open())
                await db.Database.ExecuteSqlRawAsync("INSERT INTO \"__EFMigrationsHistory\" VALUES ('99990101000000_Later', '99.0')", TestContext.Current.CancellationToken);
            var refused = await Should.ThrowAsync<InvalidDataException>(database.MigrateAsync(TestContext.Current.CancellationToken));
            refused.Message.ShouldContain("A newer version of Countersign has written");
            refused.Message.ShouldContain("99990101000000_Later");
            database.ReleaseFile();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
