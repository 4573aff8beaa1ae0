using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Countersign.Cli.AgainstTheServer;

public sealed class DeviceTableTests : IAsyncLifetime
{
    private readonly FakeTerminal _terminal = new() { CanAsk = true };
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("countersign-tables-");
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await LiveServer.StartAsync();
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
    }

    public async ValueTask DisposeAsync()
    {
        _terminal.Dispose();
        _folder.Delete(recursive: true);
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Devices_come_from_a_table_and_go_into_one()
    {
        var table = await WriteAsync("group,name,host,accounts,tags\nBerlin/Web,web1,192.0.2.1,root,linux\nBerlin,db1,192.0.2.2,,\n");
        await RunAsync(1, ["devices", "import", table, "--dry-run"]);
        _terminal.Error.ShouldContain("Nothing was imported: 2 errors.");
        _terminal.Error.ShouldContain("  line 2, group: There is no such device group");
        _terminal.Error.ShouldContain("  line 3, group: There is no such device group");

        await RunAsync(0, ["devices", "import", table, "--create-groups", "--dry-run"]);
        _terminal.Output.ShouldBe("Imported 2 devices and 2 device groups from a table.\n");
        await RunAsync(0, ["devices"]);
        _terminal.Output.ShouldBeEmpty();
        await RunAsync(0, ["devices", "import", table, "--create-groups"]);
        _terminal.Output.ShouldBe("2 devices added, 0 changed; 2 groups made.\n");
        _terminal.Error.ShouldContain("takes it back");
        await RunAsync(0, ["devices", "tag:linux"]);
        _terminal.Output.ShouldContain("web1");
        _terminal.Output.ShouldNotContain("db1");

        var written = Path.Combine(_folder.FullName, "out.csv");
        await RunAsync(0, ["devices", "export", written, "--search", "group:web"]);
        _terminal.Output.ShouldBe($"1 devices are in {written}.\n");
        (await File.ReadAllLinesAsync(written, TestContext.Current.CancellationToken)).ShouldBe(
            ["group,name,description,host,services,hostkey,accounts,tags", "Berlin/Web,web1,,192.0.2.1,ssh:22,,root,linux"]);
        await RunAsync(2, ["devices", "export", written]);
        await RunAsync(0, ["devices", "import", written, "--update"]);
        _terminal.Output.ShouldBe("0 devices added, 0 changed; 0 groups made.\n");
        _terminal.Error.ShouldBe("It was so already: nothing was changed.\n");
        await RunAsync(0, ["devices", "import", written, "--update", "--json"]);
        _terminal.Output.ShouldContain("\"change\":null");
    }

    [Fact]
    public async Task Every_error_of_every_row_is_told_also_two_in_one_cell_and_to_programs_as_the_server_says_it()
    {
        var table = await WriteAsync("group,name,host,services\nBerlin,web1,192.0.2.1,telnet ssh:0\nBerlin,No Name,bad host,ssh\n");
        await RunAsync(1, ["devices", "import", table, "--dry-run"]);
        var told = _terminal.Error.Split('\n').Where(line => line.StartsWith("  line ", StringComparison.Ordinal)).ToList();
        told.Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)].Trim()).Order().ShouldBe(
            ["line 2, group", "line 2, services", "line 2, services", "line 3, group", "line 3, host", "line 3, name"]);
        told.ShouldBeUnique();

        await RunAsync(1, ["devices", "import", table, "--dry-run", "--json"]);
        var rows = JsonElement.Parse(_terminal.Output).GetProperty("rows").EnumerateArray().ToList();
        rows.Select(row => $"{row.GetProperty("line").GetInt32()} {row.GetProperty("column").GetString()}").Order().ShouldBe(
            ["2 group", "2 services", "2 services", "3 group", "3 host", "3 name"]);
    }

    [Fact]
    public async Task A_table_of_ten_thousand_rows_that_are_all_wrong_in_many_ways_has_all_of_it_told()
    {
        var table = new StringBuilder("group,name,host,services,hostkey,accounts,tags\n");
        for (var row = 0; row < 10_000; row++) table.Append(CultureInfo.InvariantCulture, $"Nowhere,No {row},bad host,ssh:many,nonsense,a a,ä\n");
        await RunAsync(1, ["devices", "import", await WriteAsync(table.ToString()), "--dry-run"]);
        _terminal.Error.ShouldContain("Nothing was imported: 70000 errors.");
        _terminal.Error.Split('\n').Count(line => line.StartsWith("  line ", StringComparison.Ordinal)).ShouldBe(70_000);
    }

    [Fact]
    public async Task What_is_no_table_is_told_with_its_line_and_what_is_not_there_is_not_sent()
    {
        await RunAsync(1, ["devices", "import", await WriteAsync("name,host\n\"db1,192.0.2.1\n")]);
        _terminal.Error.ShouldContain("line 2: A quote is opened and not closed.");
        await RunAsync(2, ["devices", "import", Path.Combine(_folder.FullName, "nowhere.csv")]);
        await RunAsync(2, ["devices", "import", await WriteAsync(new string('x', (8 * 1024 * 1024) + 1))]);
        _terminal.Error.ShouldContain("larger than 8 MiB");
    }

    private async Task<string> WriteAsync(string text)
    {
        var file = Path.Combine(_folder.FullName, $"{Guid.NewGuid():N}.csv");
        await File.WriteAllTextAsync(file, text, TestContext.Current.CancellationToken);
        return file;
    }

    private async Task RunAsync(int exit, string[] arguments, params string[] secrets)
    {
        _terminal.Secrets.Clear();
        foreach (var secret in secrets) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync(arguments)).ShouldBe(exit, _terminal.Error);
    }
}
