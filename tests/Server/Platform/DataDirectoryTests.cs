using System.Net;
using System.Runtime.Versioning;

namespace Countersign.Server.Tests.Platform;

[UnsupportedOSPlatform("windows")]
public sealed class DataDirectoryTests
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

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
}
