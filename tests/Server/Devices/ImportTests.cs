using System.Net;
using System.Text;
using Countersign.Access;
using Countersign.Server.Tests.Api;

namespace Countersign.Server.Tests.Devices;

/// <summary>Devices from tables, and tables of devices.</summary>
public sealed class ImportTests : FeatureTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhY5JSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS";
    private const string Certificate = "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [Fact]
    public async Task A_table_of_devices_is_one_change_that_is_undone_as_one()
    {
        var answer = (await ImportAsync(
            "\uFEFFname,group,host,services,accounts,tags,description,hostkey\r\n"
            + "db1,Clients/Berlin,192.0.2.10,ssh,postgres root,env:prod linux,\"Large, old\",\r\n"
            + $"db2,clients / BERLIN / Rack 1\\/2,2001:db8::1,RDP ssh:2222 https:8443={Certificate},,,,{Key} comment\r\n",
            "?createGroups=true")).Expect(HttpStatusCode.OK);

        (answer.Body.GetProperty("added").GetInt32(), answer.Body.GetProperty("changed").GetInt32(), answer.Body.GetProperty("groups").GetInt32()).ShouldBe((2, 0, 2));
        var (db1, db2) = (Tenant.Policy.DeviceByName("db1")!, Tenant.Policy.DeviceByName("db2")!);
        (Services(db1.Id), db1.Tags, db1.Description, Tenant.Policy.PathOf(db1.Group)).ShouldBe(("ssh:22=", "env:prod,linux", "Large, old", "Clients / Berlin"));
        Tenant.Policy.AccountsOf(db1.Id).OrderByDescending(account => account.IsDefault).Select(account => account.Name).ShouldBe(["postgres", "root"]);
        (db2.Host, Services(db2.Id), Tenant.Policy.PathOf(db2.Group)).ShouldBe(("2001:db8::1", $"ssh:2222={Key} rdp:3389= https:8443={Certificate}", "Clients / Berlin / Rack 1/2"));
        (await Owner.GetAsync("/api/v1/changes?limit=1")).Items[0].GetProperty("summary").GetString().ShouldBe("Imported 2 devices and 2 device groups from a table.");

        (await Owner.PostAsync($"/api/v1/changes/{answer.Version}/undo")).Expect(HttpStatusCode.OK);
        Tenant.Policy.All<DeviceRow>().Select(row => row.Name).ShouldBe(["web1", "web2"], ignoreOrder: true);
        Tenant.Policy.All<DeviceGroupRow>().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Every_error_of_every_row_is_told_with_its_line_and_column_and_nothing_is_done()
    {
        var version = Tenant.Policy.Version;
        var answer = (await ImportAsync(
            "group,name,host,services,hostkey,accounts,tags\n"
            + "Clients,db1,192.0.2.1,ssh:22,,root,\n"
            + "Clients,No Name,bad host,ssh:many,nonsense,a a,ä\n"
            + "Nowhere,db2,192.0.2.1,ssh:0,,,\n"
            + "Clients,db1,192.0.2.1,,,,\n"
            + "Clients,web1,192.0.2.1,,,,\n"
            + $"Clients,db3,192.0.2.1,telnet:23,{Key},,\n"
            + "Clients,db4,192.0.2.1,ssh ssh:23,,,\n"
            + "Clients,db5,192.0.2.1,https=sha256:00,,,\n"
            + "Clients,db6,192.0.2.1,vnc:5900:1,,,\n",
            "?preview=true")).Expect(HttpStatusCode.BadRequest);
        Faults(answer).ShouldBe(
            ["3 accounts", "3 host", "3 hostkey", "3 name", "3 services", "3 tags", "4 group", "4 services", "5 name", "6 name", "7 services", "7 hostkey", "8 services", "9 services", "10 services"], ignoreOrder: true);
        answer.ExpectInvalid("line 4, group");
        answer.Body.GetProperty("detail").GetString().ShouldBe("Nothing was imported: 15 errors.");
        Tenant.Policy.Version.ShouldBe(version);
        Faults(await ImportAsync("group,name,host\nClients,web1,192.0.2.1\nClients,db1,\n")).ShouldBe(["2 name", "3 host"], ignoreOrder: true);
        Tenant.Policy.Version.ShouldBe(version);
    }

    [Fact]
    public async Task A_row_of_another_shape_or_one_that_is_there_twice_hides_no_error_of_its_own_or_of_others()
    {
        Faults(await ImportAsync("group,name,host\nClients,db1,192.0.2.1\nshort\nNowhere,db1,bad host\nClients,db2,\n"))
            .ShouldBe(["3 ", "4 name", "4 group", "4 host", "5 host"], ignoreOrder: true);
    }

    [Fact]
    public async Task However_many_errors_there_are_all_of_them_are_told()
    {
        var table = new StringBuilder("group,name,host\n");
        for (var row = 0; row < 1200; row++) table.Append(System.Globalization.CultureInfo.InvariantCulture, $"Nowhere,d{row},\n");
        Faults(await ImportAsync(table.ToString())).Count().ShouldBe(2400);
    }

    [Theory]
    [InlineData("", "1 ")]
    [InlineData("group,host\nClients,192.0.2.1\n", "1 name")]
    [InlineData("name,colour,name\ndb1,red,db1\n", "1 colour|1 name")]
    [InlineData("name;host\ndb1;192.0.2.1\n", "1 ")]
    [InlineData("name,host\ndb1\ndb2,a,b\n", "2 |3 ")]
    [InlineData("name,host\n\"db1,192.0.2.1\n", "2 ")]
    public async Task What_can_not_be_read_is_told_with_its_line(string text, string faults) => string.Join('|', Faults(await ImportAsync(text))).ShouldBe(faults);

    [Fact]
    public async Task A_dry_run_shows_the_change_and_makes_none()
    {
        var version = Tenant.Policy.Version;
        var preview = (await ImportAsync("group,name,host,accounts\nClients,db1,192.0.2.1,root\n", "?preview=true")).Expect(HttpStatusCode.OK).Body;
        preview.GetProperty("summary").GetString().ShouldBe("Imported 1 device from a table.");
        preview.GetProperty("rows").EnumerateArray().Select(row => row.GetProperty("table").GetString()).ShouldBe(["device", "deviceService", "deviceAccount"]);
        Tenant.Policy.Version.ShouldBe(version);
    }

    [Fact]
    public async Task Devices_that_are_there_are_changed_only_when_that_is_said_and_only_in_the_columns_that_there_are()
    {
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { description = "stays", tags = new[] { "old" }, services = new object[] { new { protocol = "ssh", hostKey = Key }, new { protocol = "vnc" } } })).Expect(HttpStatusCode.OK);
        const string Table = "name,services,tags,accounts\nweb1,ssh:2222 http,new,deploy app\n";
        Faults(await ImportAsync(Table)).ShouldContain("2 group");
        var answer = (await ImportAsync(Table, "?update=true")).Expect(HttpStatusCode.OK);
        (answer.Body.GetProperty("added").GetInt32(), answer.Body.GetProperty("changed").GetInt32()).ShouldBe((0, 1));
        Tenant.Policy.Device(new(Web1))!.ShouldSatisfyAllConditions(
            row => Services(row.Id).ShouldBe($"ssh:2222={Key} http:80="), row => row.Tags.ShouldBe("new"), row => row.Description.ShouldBe("stays"), row => row.Group.Value.ShouldBe(Clients));
        Tenant.Policy.AccountsOf(new(Web1)).Select(account => (account.Name, account.IsDefault)).ShouldBe([("app", false), ("deploy", true)]);
    }

    [Fact]
    public async Task What_is_exported_is_imported_as_it_was()
    {
        var odd = await Tenant.AddGroupAsync("A/B \\ C", Clients);
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { group = odd, description = "=HYPERLINK(\"x\"), 'quoted'", tags = new[] { "b", "a" }, services = new object[] { new { protocol = "ssh", port = 2022, hostKey = Key }, new { protocol = "rdp", certificate = Certificate }, new { protocol = "http" } } })).Expect(HttpStatusCode.OK);
        (await Owner.PatchAsync($"/api/v1/devices/{Web2}", new { description = "'-1" })).Expect(HttpStatusCode.OK);
        var before = Tenant.Policy.All<DeviceRow>().ToList();
        var services = before.Select(row => (row.Name, Services(row.Id))).ToList();
        var table = (await Owner.GetAsync("/api/v1/devices/export")).Expect(HttpStatusCode.OK).Text;
        table.ShouldContain("Clients/A\\/B \\\\ C,web1,\"'=HYPERLINK(\"\"x\"\"), 'quoted'\",192.0.2.1,ssh:2022 rdp:3389=" + Certificate + " http:80," + Key + ",");

        var unchanged = (await ImportAsync(table, "?update=true")).Expect(HttpStatusCode.OK);
        (unchanged.Body.GetProperty("added").GetInt32(), unchanged.Body.GetProperty("changed").GetInt32()).ShouldBe((0, 0));
        (await Owner.PostAsync("/api/v1/devices/bulk", new { devices = new[] { Web1, Web2 }, action = "delete" })).Expect(HttpStatusCode.OK);
        (await ImportAsync(table)).Expect(HttpStatusCode.OK);
        Tenant.Policy.All<DeviceRow>().Select(row => row with { Id = default }).ShouldBe(before.Select(row => row with { Id = default }), ignoreOrder: true);
        Tenant.Policy.All<DeviceRow>().Select(row => (row.Name, Services(row.Id))).ShouldBe(services, ignoreOrder: true);
    }

    [Fact]
    public async Task An_export_has_what_the_caller_may_see_and_finds_what_a_search_finds()
    {
        var lines = (await Tenant.As(Ann).GetAsync("/api/v1/devices/export")).Expect(HttpStatusCode.OK).Text.Split("\r\n");
        lines.ShouldBe(["group,name,description,host,services,hostkey,accounts,tags", "Clients,web1,,,,,root deploy,", ""]);
        (await Tenant.As(Bob).GetAsync("/api/v1/devices/export")).Expect(HttpStatusCode.OK).Text.Split("\r\n").Length.ShouldBe(2);
        (await Owner.GetAsync("/api/v1/devices/export?search=web2")).Text.ShouldNotContain("web1");
    }

    [Fact]
    public async Task Who_may_only_add_devices_somewhere_imports_there_and_makes_no_groups()
    {
        var mine = await Tenant.AddGroupAsync("Mine");
        var hidden = await Tenant.AddGroupAsync("Hidden");
        (await Owner.PostAsync("/api/v1/grants", new { subject = new { kind = "person", id = Bob }, scope = new { kind = "deviceGroup", id = mine }, role = await RoleAsync("ModifyDevice") })).Expect(HttpStatusCode.Created);
        var bob = Tenant.As(Bob);
        (await bob.PostTextAsync("/api/v1/devices/import", "group,name,host\nMine,b1,192.0.2.1\n")).Expect(HttpStatusCode.OK);

        // A group that he may not see is like one that is not there, also where it would be made.
        foreach (var query in (string[])["", "?createGroups=true"])
        {
            var one = await bob.PostTextAsync($"/api/v1/devices/import{query}", "group,name,host\nHidden,b2,192.0.2.1\n");
            var other = await bob.PostTextAsync($"/api/v1/devices/import{query}", "group,name,host\nNowhere,b2,192.0.2.1\n");
            one.Expect(HttpStatusCode.BadRequest).Text.ShouldBe(other.Text);
        }

        // A device that he may not see is there by its name alone.
        Faults(await bob.PostTextAsync("/api/v1/devices/import?update=true", "group,name,host\nMine,web1,192.0.2.1\n")).ShouldBe(["2 name"]);
        Tenant.Policy.DevicesIn(new(hidden)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_that_tells_of_no_services_makes_devices_with_ssh_and_changes_only_the_host_key_of_those_that_there_are()
    {
        (await ImportAsync($"group,name,host,hostkey\nClients,db1,192.0.2.1,{Key}\n")).Expect(HttpStatusCode.OK);
        Services(Tenant.Policy.DeviceByName("db1")!.Id).ShouldBe($"ssh:22={Key}");
        (await Owner.PatchAsync($"/api/v1/devices/{Web1}", new { services = new[] { new { protocol = "rdp" } } })).Expect(HttpStatusCode.OK);
        (await ImportAsync("name,hostkey\ndb1,\nweb1,\n", "?update=true")).Expect(HttpStatusCode.OK);
        Services(Tenant.Policy.DeviceByName("db1")!.Id).ShouldBe("ssh:22=");
        Services(new(Web1)).ShouldBe("rdp:3389=");
        Faults(await ImportAsync($"name,hostkey\nweb1,{Key}\n", "?update=true")).ShouldBe(["2 hostkey"]);
        Faults(await ImportAsync($"group,name,host,services,hostkey\nClients,db2,192.0.2.1,,{Key}\n")).ShouldBe(["2 hostkey"]);
        (await ImportAsync("group,name,host,services\nClients,db2,192.0.2.1,\n")).Expect(HttpStatusCode.OK);
        Services(Tenant.Policy.DeviceByName("db2")!.Id).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_table_is_bounded_and_is_UTF_8()
    {
        (await Owner.PostAsync("/api/v1/devices/import", "{}")).Expect(HttpStatusCode.UnsupportedMediaType);
        (await Owner.PostTextAsync("/api/v1/devices/import", "name\n", "text/csv; charset=utf-16")).Expect(HttpStatusCode.UnsupportedMediaType);
        var latin = new SentBytes(Encoding.Latin1.GetBytes("name,host,description\ndb1,192.0.2.1,Größe\n"), "text/csv");
        (await Owner.SendAsync(HttpMethod.Post, "/api/v1/devices/import", latin)).Expect(HttpStatusCode.BadRequest);
        var rows = new StringBuilder("name,host\n");
        for (var row = 0; row <= 10_000; row++) rows.Append($"d{row},192.0.2.1\n");
        Faults(await ImportAsync(rows.ToString())).ShouldBe(["10002 "]);
        Faults(await ImportAsync($"name,host,group\ndb1,192.0.2.1,{string.Join('/', Enumerable.Repeat("a", 100))}\n", "?createGroups=true")).ShouldBe(["2 group"]);
        (await ImportAsync(new string('x', 9 * 1024 * 1024))).Expect(HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task A_heading_of_commas_is_told_in_one_sentence_and_so_is_one_without_end()
    {
        foreach (var heading in (string[])[new(',', 8 * 1024 * 1024), new('x', 8 * 1024 * 1024), $"name,{new string('x', 65)}\n"])
        {
            var answer = await ImportAsync(heading);
            Faults(answer).ShouldBe(["1 "]);
            answer.Text.Length.ShouldBeLessThan(1000);
        }

        Faults(await ImportAsync($"name,{string.Join(',', Enumerable.Range(0, 63).Select(column => $"c{column}"))}\n")).Count().ShouldBe(63);
        Faults(await ImportAsync($"name,host\nweb9,192.0.2.1{new string(',', 100)}\n")).ShouldBe(["2 "]);
    }

    [Fact]
    public async Task Of_one_cell_all_errors_are_told()
    {
        var answer = (await ImportAsync("group,name,host,services\nClients,db1,192.0.2.1,telnet ssh:0\n")).Expect(HttpStatusCode.BadRequest);
        Faults(answer).ShouldBe(["2 services", "2 services"]);
        answer.Body.GetProperty("errors").GetProperty("line 2, services").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task Two_thousand_devices_are_imported_at_once()
    {
        var rows = new StringBuilder("group,name,host,accounts,tags\n");
        for (var row = 0; row < 2000; row++) rows.Append($"Clients/G{row % 50},d{row},192.0.2.1,root,t{row % 7}\n");
        var answer = (await ImportAsync(rows.ToString(), "?createGroups=true")).Expect(HttpStatusCode.OK);
        (answer.Body.GetProperty("added").GetInt32(), answer.Body.GetProperty("groups").GetInt32()).ShouldBe((2000, 50));
        (await Owner.GetAsync("/api/v1/devices?search=tag:t3&limit=1000")).Items.Count.ShouldBe(286);
    }

    private Task<ApiAnswer> ImportAsync(string text, string query = "") => Owner.PostTextAsync($"/api/v1/devices/import{query}", text);

    private async Task<Guid> RoleAsync(params string[] permissions) =>
        (await Owner.PostAsync("/api/v1/roles", new { name = string.Join(' ', permissions), purpose = "devicesAndGroups", permissions })).Expect(HttpStatusCode.Created).Id;

    private string Services(DeviceId device) =>
        string.Join(' ', Tenant.Policy.ServicesOf(device).Select(service => $"{ServiceProtocols.Word(service.Protocol)}:{service.Port}={service.Pin}"));

    private static IEnumerable<string> Faults(ApiAnswer answer) => answer.Expect(HttpStatusCode.BadRequest).Body.GetProperty("rows").EnumerateArray()
        .Select(row => $"{row.GetProperty("line").GetInt32()} {row.GetProperty("column").GetString()}");
}
