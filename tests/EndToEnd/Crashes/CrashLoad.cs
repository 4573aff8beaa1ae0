using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd.Crashes;

/// <summary>
/// What goes on while the server is killed, all at once: policy is changed, people sign in, sessions run, begin and end with recordings, requests wait and
/// are approved, and checkpoints of the log are taken. Each answer is noted when it has come, and not before.
/// </summary>
internal sealed class CrashLoad(CrashWorld world, ServerProgram server, int life, string device, string deviceName, Acknowledged acknowledged) : IAsyncDisposable
{
    /// <summary>Changes of policy in one life: enough for any moment that may be chosen, and not more than the log has to be read for afterwards.</summary>
    private const int MostChanges = 120;

    private readonly ConcurrentBag<RunningCommand> _clients = [];
    private readonly Api _owner = world.Owner(server);
    private readonly Api _mara = world.Mara(server);
    private int _tags;

    /// <summary>Returns when the moment to kill has come, and the server was killed.</summary>
    public async Task RunAsync()
    {
        Task[] workers =
        [
            UntilKilledAsync(ChangeRolesAsync),
            UntilKilledAsync(DescribeAsync),
            UntilKilledAsync(SignInAsync),
            UntilKilledAsync(() => RunSessionAsync("seq -f %015g 1 100000; i=0; while sleep 0.2; do i=$((i+1)); echo $i || exit; done", [])),
            UntilKilledAsync(() => RunSessionAsync("i=0; while sleep 0.1; do i=$((i+1)); echo $i || exit; done", ["-tt"])),
            UntilKilledAsync(BeginAndEndAsync),
            UntilKilledAsync(() => AskAsync(0)),
            UntilKilledAsync(() => AskAsync(1)),
            UntilKilledAsync(() => AskAsync(2)),
            UntilKilledAsync(CheckpointAsync),
        ];
        var work = Task.WhenAll(workers);
        await Task.WhenAny(acknowledged.Due.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken), FirstFaultAsync(workers));
        acknowledged.Over = true;
        await server.KillAsync();
        foreach (var client in _clients) client.Kill();
        await work;
        acknowledged.Due.IsCompleted.ShouldBeTrue("the moment to kill did not come");
    }

    public async ValueTask DisposeAsync()
    {
        acknowledged.Over = true;
        foreach (var client in _clients) await client.DisposeAsync();
        _owner.Dispose();
        _mara.Dispose();
    }

    /// <summary>A worker that goes wrong while the server lives is the test's failure, at once.</summary>
    private async Task FirstFaultAsync(Task[] workers)
    {
        var running = workers.ToList();
        while (running.Count > 0)
        {
            var done = await Task.WhenAny(running);
            if (!done.IsCompletedSuccessfully) return;
            running.Remove(done);
        }

        await acknowledged.Due;
    }

    private async Task UntilKilledAsync(Func<Task> work)
    {
        // Off the caller, so that all begin at once.
        await Task.Yield();
        try
        {
            await work();
        }
        catch (Exception fault) when (acknowledged.Over && fault is HttpRequestException or IOException or GoneException)
        {
            // The server is gone, and what it was doing was not acknowledged.
        }
        catch (InvalidOperationException fault)
        {
            throw new InvalidOperationException($"{fault.Message}\n{server.Said}", fault);
        }
    }

    private async Task ChangeRolesAsync()
    {
        for (var number = 0; number < MostChanges && !acknowledged.Over; number++)
        {
            var name = $"Role {life}.{number}";
            var id = (string)(await _owner.PostAsync("roles", new()
            {
                ["name"] = name,
                ["purpose"] = "devicesAndGroups",
                ["permissions"] = new JsonArray("Terminal"),
            }))["id"]!;
            acknowledged.Roles[id] = true;
            acknowledged.Note(Deed.Policy);
            if (number % 3 == 2) continue;

            // Until the answer has come it may be there or not.
            acknowledged.Roles.TryRemove(id, out _);
            await _owner.DeleteAsync($"roles/{id}");
            acknowledged.Roles[id] = false;
            acknowledged.Note(Deed.Policy);
        }
    }

    private async Task DescribeAsync()
    {
        for (var number = 1; number < MostChanges && !acknowledged.Over; number++)
        {
            acknowledged.DescribedAtMost = number;
            var patch = new JsonObject { ["description"] = number.ToString(CultureInfo.InvariantCulture) };
            var (status, text) = await _owner.SendAsync(HttpMethod.Patch, $"devices/{device}", patch);
            ((int)status).ShouldBe(200, text);
            acknowledged.Described = number;
            acknowledged.Note(Deed.Policy);
        }
    }

    private async Task SignInAsync()
    {
        for (var number = 0; number < 3 && !acknowledged.Over; number++)
        {
            acknowledged.Tokens.Enqueue(await CrashWorld.SignInAsync(server, "tina", CrashWorld.TinasPassword));
            acknowledged.Note(Deed.SignIn);
        }
    }

    /// <summary>A session that runs until the kill; acknowledged once the client has seen its first word.</summary>
    private async Task RunSessionAsync(string command, string[] options)
    {
        var tag = Tag();
        var ssh = Start("tina", world.Tina, $"echo {tag}; {command}", options);
        await SaysAsync(ssh, () => ssh.OutputSoFar.Contains(tag, StringComparison.Ordinal));
        acknowledged.Running[tag] = options.Length > 0;
        acknowledged.Note(Deed.Began);
    }

    /// <summary>Sessions that end by themselves, one after the other; acknowledged once the server says of each how it ended.</summary>
    private async Task BeginAndEndAsync()
    {
        while (!acknowledged.Over)
        {
            var tag = Tag();
            var ssh = Start("tina", world.Tina, $"echo {tag}; exit 3");
            await SaysAsync(ssh, () => ssh.OutputSoFar.Contains(tag, StringComparison.Ordinal));
            acknowledged.Note(Deed.Began);
            var session = await Eventually.SomeAsync(
                async () => (await Sessions.RecentAsync(_owner)).FirstOrDefault(row => Sessions.HasTag(row, tag) && row["reason"] is not null),
                "the end to be written down");
            acknowledged.Ended[tag] = (string)session["reason"]!;
            acknowledged.Note(Deed.Ended);
        }
    }

    /// <summary>Waits for an approval. Mara approves the first's request, and the third's when the first is in; the second's goes on waiting.</summary>
    private async Task AskAsync(int requester)
    {
        var tag = Tag();
        var ssh = Start($"ask{requester}", world.Asking[requester], $"echo {tag}; while sleep 0.5; do echo on || exit; done");
        await SaysAsync(ssh, () => ssh.ErrorSoFar.Contains("waiting for approval", StringComparison.Ordinal));
        var start = ssh.ErrorSoFar.IndexOf('#', StringComparison.Ordinal) + 1;
        var number = long.Parse(ssh.ErrorSoFar[start..ssh.ErrorSoFar.IndexOf(':', start)], CultureInfo.InvariantCulture);
        acknowledged.Requests[number] = new(requester, Answer.Waiting);
        acknowledged.Note(Deed.Waiting);
        if (requester == 1) return;
        acknowledged.Requests[number] = new(requester, Answer.Sent);
        await _mara.PostAsync($"requests/{number}/approve");
        acknowledged.Requests[number] = new(requester, Answer.Approved);
        acknowledged.Note(Deed.Approved);
        await SaysAsync(ssh, () => ssh.OutputSoFar.Contains(tag, StringComparison.Ordinal));
        acknowledged.Running[tag] = false;
        acknowledged.Note(Deed.Began);
    }

    /// <summary>As somebody keeps them elsewhere.</summary>
    private async Task CheckpointAsync()
    {
        for (var number = 0; number < 20 && !acknowledged.Over; number++)
        {
            acknowledged.Checkpoints.Enqueue((await _owner.GetAsync("audit/checkpoint")).ToJsonString());
            acknowledged.Note(Deed.Checkpoint);
        }
    }

    private string Tag() => $"tag-{life}-{Interlocked.Increment(ref _tags)}";

    private RunningCommand Start(string login, Credential credential, string command, params string[] options)
    {
        if (acknowledged.Over) throw new GoneException();
        var ssh = server.Client.StartSsh($"{login}+{deviceName}", credential, command, options);
        _clients.Add(ssh);
        return ssh;
    }

    private async Task SaysAsync(RunningCommand ssh, Func<bool> said)
    {
        await Eventually.TrueAsync(() => said() || acknowledged.Over || ssh.HasExited, "the client to go on", () => ssh.OutputSoFar + ssh.ErrorSoFar, TimeSpan.FromMinutes(2));

        // A client that has ended has handed over all that it said; whether that was enough is looked at once more.
        if (said()) return;
        if (acknowledged.Over) throw new GoneException();
        var outcome = await ssh.EndAsync();
        if (!said()) throw new InvalidOperationException($"A client ended while the server lived: {outcome}");
    }

    /// <summary>The server was killed while somebody waited for it.</summary>
    private sealed class GoneException : Exception;
}

/// <summary>Sessions as the API lists them, found by the tag that is in their command.</summary>
internal static class Sessions
{
    /// <summary>The newest: all of one life of the server.</summary>
    public static async Task<IReadOnlyList<JsonNode>> RecentAsync(Api owner) =>
        [.. (await owner.GetAsync("sessions?limit=200"))["items"]!.AsArray().Select(item => item!)];

    public static bool HasTag(JsonNode session, string tag) => ((string)session["command"]!).StartsWith($"echo {tag};", StringComparison.Ordinal);
}
