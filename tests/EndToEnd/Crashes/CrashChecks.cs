using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.Audit;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd.Crashes;

/// <summary>What must be so after a kill, in the next life of the server.</summary>
internal sealed class CrashChecks(CrashWorld world, ServerProgram server, Life life) : IDisposable
{
    private readonly Acknowledged _acknowledged = life.Acknowledged;
    private readonly Api _owner = world.Owner(server);
    private readonly Api _mara = world.Mara(server);

    /// <summary>Every checkpoint that was taken in any life.</summary>
    public required List<string> Kept { get; init; }

    public async Task RunAsync()
    {
        await PolicyAsync();
        await TokensAsync();
        await SessionsAsync();
        await LogAsync();

        // Last: it begins sessions of its own.
        await RequestsAsync();
    }

    public void Dispose()
    {
        _owner.Dispose();
        _mara.Dispose();
    }

    private async Task PolicyAsync()
    {
        var there = (await _owner.GetAsync("roles?limit=1000"))["items"]!.AsArray().Select(role => (string)role!["id"]!).ToHashSet();
        foreach (var (role, present) in _acknowledged.Roles) there.Contains(role).ShouldBe(present, role);
        var described = int.Parse((string)(await _owner.GetAsync($"devices/{life.Device}"))["description"]!, CultureInfo.InvariantCulture);
        described.ShouldBeInRange(_acknowledged.Described, _acknowledged.DescribedAtMost);
    }

    private async Task TokensAsync()
    {
        foreach (var token in _acknowledged.Tokens)
        {
            using var tina = new Api(server.Address, token);
            ((string)(await tina.GetAsync("me"))["person"]!["login"]!).ShouldBe("tina");
        }
    }

    private async Task SessionsAsync()
    {
        (await _owner.GetAsync("sessions?state=live"))["items"]!.AsArray().ShouldBeEmpty();
        var sessions = await Sessions.RecentAsync(_owner);
        foreach (var (tag, terminal) in _acknowledged.Running)
        {
            var session = sessions.Single(row => Sessions.HasTag(row, tag));
            ((string)session["reason"]!).ShouldBe("gatewayStopped", tag);
            ((string)session["recording"]!).ShouldBe("incomplete", tag);
            Played(await AsciicastAsync((string)session["id"]!)).MustBeginAs(tag, terminal);
        }

        foreach (var (tag, reason) in _acknowledged.Ended)
        {
            var session = sessions.Single(row => Sessions.HasTag(row, tag));
            ((string)session["reason"]!).ShouldBe(reason, tag);
            ((string)session["recording"]!).ShouldBe("complete", tag);
        }

        // Those too of which nobody has heard how they went: none without a reason, and each recording plays as far as it goes.
        foreach (var session in sessions)
        {
            session["reason"].ShouldNotBeNull();
            if ((string)session["recording"]! is "complete" or "incomplete") await AsciicastAsync((string)session["id"]!);
        }
    }

    private async Task RequestsAsync()
    {
        foreach (var (number, asked) in _acknowledged.Requests)
        {
            var state = (string)(await _mara.GetAsync($"requests/{number}"))["state"]!;
            string[] possible = asked.Answer switch
            {
                Answer.Waiting => ["waiting"],
                Answer.Sent => ["waiting", "approved", "used"],
                _ => ["approved", "used"],
            };
            possible.ShouldContain(state, $"request {number}");
            if (state == "waiting") await _mara.PostAsync($"requests/{number}/approve");
            if (state == "used") continue;
            var outcome = await server.Client.SshAsync($"ask{asked.Requester}+{life.DeviceName}", world.Asking[asked.Requester], "echo in");
            outcome.Text.ShouldBe("in\n", outcome.ToString());
            outcome.Error.ShouldNotContain("waiting for approval");
            ((string)(await _mara.GetAsync($"requests/{number}"))["state"]!).ShouldBe("used");
        }
    }

    private async Task LogAsync()
    {
        Kept.AddRange(_acknowledged.Checkpoints);
        using var http = new HttpClient { BaseAddress = new(server.Address, "api/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", world.OwnersToken);
        var export = await http.GetByteArrayAsync("audit/export", TestContext.Current.CancellationToken);
        using var kept = new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', Kept) + "\n"));
        (await VerifyAsync(export, kept)).IsIntact.ShouldBeTrue();

        // The file that the server itself appends to may have lost a line's end, and never holds what is not so.
        using var file = new FileStream(Path.Combine(world.Folder["data"], "checkpoints.jsonl"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        (await VerifyAsync(export, file)).IsIntact.ShouldBeTrue();
        Began(export, "session.began").Except(Began(export, "session.ended")).ShouldBeEmpty();
    }

    private static async Task<AuditVerdict> VerifyAsync(byte[] export, Stream kept)
    {
        using var stream = new MemoryStream(export);
        var verdict = await AuditVerifier.VerifyAsync(stream, kept, TestContext.Current.CancellationToken);
        return verdict.IsIntact ? verdict : throw new InvalidOperationException(verdict.Message);
    }

    /// <summary>The sessions of which the log has a record of the kind.</summary>
    private static HashSet<string> Began(byte[] export, string kind) =>
    [
        .. Encoding.UTF8.GetString(export).Split('\n')
            .Where(line => line.Contains($"\"{kind}\"", StringComparison.Ordinal))
            .Select(line => Correlation(JsonNode.Parse(line)!)),
    ];

    private static string Correlation(JsonNode line) =>
        (string)(line["correlation"] ?? line.AsObject().Select(member => (member.Value as JsonObject)?["correlation"]).First(found => found is not null))!;

    private async Task<string> AsciicastAsync(string session)
    {
        var (status, text) = await _owner.SendAsync(HttpMethod.Get, $"recordings/{session}/asciicast");
        ((int)status).ShouldBe(200, text);
        return text;
    }

    private static Recorded Played(string asciicast) => new(string.Concat(asciicast.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
        .Select(line => JsonNode.Parse(line)!)
        .Where(line => (string)line[1]! == "o")
        .Select(line => (string)line[2]!)));

    /// <summary>What a recording shows is the beginning of what the program wrote, without a gap.</summary>
    private sealed record Recorded(string Text)
    {
        public void MustBeginAs(string tag, bool terminal)
        {
            // What stands before it is the machine's shell as it begins; the last line may be cut, or be all that there is.
            var lines = Text.Replace("\r", "", StringComparison.Ordinal).Split('\n');
            var start = Array.IndexOf(lines, tag);
            if (start < 0 || start == lines.Length - 1) return;
            var whole = lines[(start + 1)..^1];
            if (whole.Contains("on")) whole.ShouldAllBe(line => line == "on");
            else whole.ShouldBe(Written(terminal).Take(whole.Length));
        }

        private static IEnumerable<string> Written(bool terminal)
        {
            for (var number = 1; !terminal && number <= 100_000; number++) yield return number.ToString("D15", CultureInfo.InvariantCulture);
            for (var number = 1; ; number++) yield return number.ToString(CultureInfo.InvariantCulture);
        }
    }
}
