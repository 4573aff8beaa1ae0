using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>The program's audit log in a real syslog server (rsyslog) that takes it.</summary>
public sealed class SyslogTests : IDisposable
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "countersign-server");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_logged_arrives_at_rsyslog_record_by_record()
    {
        await using var syslog = StartSyslog();
        await Eventually.TrueAsync(() => File.Exists(_folder["port"]) && new FileInfo(_folder["port"]).Length > 0, "rsyslog to listen", () => syslog.OutputSoFar + syslog.ErrorSoFar);
        var port = (await File.ReadAllTextAsync(_folder["port"], TestContext.Current.CancellationToken)).Trim();
        await using var server = RunningCommand.Start(
            Program,
            ["--data", _folder["data"], "--http", "127.0.0.1:0", "--ssh", "127.0.0.1:0", "--ready-file", _folder["ready"], "--audit-syslog", $"127.0.0.1:{port}", "--audit-syslog-security", "none"]);
        await Eventually.TrueAsync(() => File.Exists(_folder["ready"]) || server.HasExited, "the server to be ready", () => server.OutputSoFar + server.ErrorSoFar, TimeSpan.FromMinutes(2));
        var said = JsonNode.Parse(await File.ReadAllTextAsync(_folder["ready"], TestContext.Current.CancellationToken))!;
        using var api = new Api(new((string)said["http"]!));
        await api.PostAsync("setup", new()
        {
            ["token"] = new Uri((string)said["setupLink"]!).Fragment[1..],
            ["organization"] = "Größe & \"Söhne\"",
            ["login"] = "olga",
            ["name"] = "Olga",
            ["mail"] = "",
            ["password"] = "a password that is long enough 4711",
        });
        await api.SendAsync(HttpMethod.Post, "sign-in", new() { ["login"] = "olga", ["password"] = "wrong" });
        await Eventually.TrueAsync(() => Lines().Any(line => line.Contains(" sign-in.refused ", StringComparison.Ordinal)), "the refused sign-in in the syslog", () => string.Join('\n', Lines()) + server.ErrorSoFar);
        var lines = Lines();
        lines[0].ShouldStartWith("audit.info countersign organization.founded ");
        var records = lines.Select(line => JsonNode.Parse(line[line.IndexOf('{', StringComparison.Ordinal)..])!).ToList();
        records.Select(record => (long)record["number"]!).ShouldBe(Enumerable.Range(1, records.Count).Select(number => (long)number));
        ((string)records[0]["subject"]!).ShouldBe("Größe & \"Söhne\"");
        lines.Single(line => line.Contains(" sign-in.refused ", StringComparison.Ordinal)).ShouldStartWith("audit.warning ");
    }

    private RunningCommand StartSyslog() => RunningCommand.Start(
        "rsyslogd",
        [
            "-n", "-i", _folder["pid"], "-f", _folder.Write(
                "rsyslog.conf",
                $$"""
                global(workDirectory="{{_folder.Path}}")
                module(load="imtcp")
                template(name="line" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname% %msgid% %msg%\n")
                input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{{_folder["port"]}}")
                action(type="omfile" file="{{_folder["log"]}}" template="line")
                """),
        ]);

    /// <summary>What it has written, without a last line that it is still at, and without what it says of itself.</summary>
    private List<string> Lines() =>
        !File.Exists(_folder["log"]) ? [] : [.. File.ReadAllText(_folder["log"]).Split('\n')[..^1].Where(line => line.Contains(" countersign ", StringComparison.Ordinal))];
}
