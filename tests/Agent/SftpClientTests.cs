using System.Security.Cryptography;
using System.Text;

namespace Countersign.Agent.Tests;

/// <summary>The stock sftp client against the agent's sftp-server verb, without SSH between them.</summary>
public sealed class SftpClientTests : IDisposable
{
    private readonly TemporaryFolder _here = new();
    private readonly TemporaryFolder _there = new();

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Fact]
    public async Task Twenty_megabytes_go_there_and_back_unchanged()
    {
        var content = RandomNumberGenerator.GetBytes(20_000_000);
        await File.WriteAllBytesAsync(_here["big"], content, TestContext.Current.CancellationToken);
        await BatchAsync($"put {_here["big"]} copy", $"get copy {_here["back"]}");
        SHA256.HashData(await File.ReadAllBytesAsync(_there["copy"], TestContext.Current.CancellationToken)).ShouldBe(SHA256.HashData(content));
        SHA256.HashData(await File.ReadAllBytesAsync(_here["back"], TestContext.Current.CancellationToken)).ShouldBe(SHA256.HashData(content));
    }

    [Fact]
    public async Task Transfers_that_were_cut_are_resumed_both_ways()
    {
        var content = RandomNumberGenerator.GetBytes(3_000_000);
        await File.WriteAllBytesAsync(_here["whole"], content, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_there["whole"], content[..1_234_567], TestContext.Current.CancellationToken);
        await BatchAsync($"reput {_here["whole"]} whole");
        (await File.ReadAllBytesAsync(_there["whole"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();

        await File.WriteAllBytesAsync(_here["part"], content[..7], TestContext.Current.CancellationToken);
        await BatchAsync($"reget whole {_here["part"]}");
        (await File.ReadAllBytesAsync(_here["part"], TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    [Fact]
    public async Task Files_and_directories_are_made_listed_moved_linked_and_removed()
    {
        await File.WriteAllTextAsync(_here["file"], "hello", TestContext.Current.CancellationToken);
        var output = await BatchAsync(
            "mkdir folder",
            $"put {_here["file"]} folder/one",
            "chmod 640 folder/one",
            "rename folder/one folder/two",
            "symlink two folder/link",
            "ln folder/two folder/hard",
            "ls -la folder",
            "pwd");
        output.ShouldMatch("-rw-r-----    2 \\S+ +\\S+ +5 .* two\n");
        output.ShouldMatch("lrwxrwxrwx    1 \\S+ +\\S+ +3 .* link\n");
        output.ShouldContain($"Remote working directory: {_there.Path}");
        File.ReadAllText(_there["folder/link"]).ShouldBe("hello");

        await BatchAsync("rm folder/*", "rmdir folder");
        Directory.GetFileSystemEntries(_there.Path).ShouldBeEmpty();
    }

    [Fact]
    public async Task Names_of_any_characters_go_there_and_back()
    {
        string[] names = ["with space", "quote'\"", "uml\u00e4ut \u732b", "-rf", "star*", "tab\there"];
        foreach (var name in names) await File.WriteAllTextAsync(_here[name], name, TestContext.Current.CancellationToken);
        await BatchAsync($"put -r {_here.Path} folder", $"get -r folder {_here["back"]}");
        foreach (var name in names)
        {
            File.ReadAllText(_there[$"folder/{name}"]).ShouldBe(name);
            File.ReadAllText(_here[$"back/{name}"]).ShouldBe(name);
        }
    }

    [Fact]
    public async Task Times_and_modes_are_kept_when_asked_for()
    {
        await File.WriteAllTextAsync(_here["file"], "", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(_here["file"], UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var time = new DateTime(2011, 12, 13, 14, 15, 16, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_here["file"], time);
        await BatchAsync($"put -p {_here["file"]} copy");
        File.GetUnixFileMode(_there["copy"]).ShouldBe(UnixFileMode.UserRead | UnixFileMode.GroupRead);
        File.GetLastWriteTimeUtc(_there["copy"]).ShouldBe(time);
    }

    [Fact]
    public async Task The_space_left_can_be_asked_for() => (await BatchAsync("df -i .")).ShouldContain("%Capacity");

    [Fact]
    public async Task A_mistake_is_told_in_words()
    {
        var client = await RunAsync("get missing /dev/null", "rmdir missing");
        client.ExitCode.ShouldBe(1);
        client.Error.ShouldContain("not found");
    }

    private async Task<string> BatchAsync(params string[] lines)
    {
        var client = await RunAsync(lines);
        client.ExitCode.ShouldBe(0, client.Error);
        return client.Output;
    }

    private Task<Client> RunAsync(params string[] lines) => Client.RunAsync(
        "sftp", ["-D", $"{Client.Agent} sftp-server --start-directory {_there.Path}", "-b", "-"], Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n"));
}
