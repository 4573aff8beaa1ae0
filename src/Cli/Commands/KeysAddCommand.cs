using System.CommandLine;
using System.Text;
using Countersign.Cli.Api;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>Registers a public key. The file is looked at first, so that a private key that was meant to be its .pub never leaves the machine.</summary>
internal static class KeysAddCommand
{
    private const int LargestFile = 32 * 1024;

    public static Command Create(CommonOptions common)
    {
        var file = new Argument<string>("FILE") { Description = "The public key's file (the one that ends with .pub), or - for the standard input." };
        var label = new Option<string?>("--label") { Description = "What to call it; otherwise the comment in the file, otherwise its name.", HelpName = "TEXT" };
        var command = new DocumentedCommand(
            "add",
            "Registers a public key of yours.",
            "countersign keys add ~/.ssh/id_ed25519.pub",
            "countersign keys add --label laptop ~/.ssh/id_ed25519.pub",
            "ssh-add -L | head -n 1 | countersign keys add -")
        {
            file,
            label,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(file), parsed.GetValue(label), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string file, string? label, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await ReadAsync(common.Around, file, cancellation)).TryGet(out var line, out var failure)) return output.Fail(failure);
        if (line.IndexOf("-cert-v01@openssh.com", StringComparison.Ordinal) is > 0 and < 64)
            return output.Fail(new(ExitCode.Usage, $"{file} holds a certificate, and none is accepted.", "Give the key that it is for, usually the .pub file without -cert."));
        if (!SshPublicKey.TryParse(line, out var key))
            return output.Fail(new(ExitCode.Usage, $"{file} holds no public key that can be used here.", "Wanted is one line: ssh-ed25519 AAAA… (or ssh-rsa of 2,048 bits and more, or ecdsa-sha2-nistp256)."));
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out failure)) return output.Fail(failure);
        using var client = api;
        var added = new NewKey(label ?? Comment(line) ?? (file == "-" ? key.Fingerprint : Path.GetFileName(file)), key.ToString());
        var answer = await client.PostAsync("me/keys", added, ApiJson.Default.NewKey, ApiJson.Default.Key, cancellation);
        if (!answer.TryGet(out var reply, out failure)) return output.Fail(failure);
        if (output.IsJson) output.Json(reply.Json);
        else output.Line($"Added {added.Label}, {reply.Value.Fingerprint ?? key.Fingerprint}.");
        return ExitCode.Ok;
    }

    private static async Task<Answer<string>> ReadAsync(Surroundings around, string file, CancellationToken cancellation)
    {
        var buffer = new char[LargestFile + 1];
        int length;
        try
        {
            using var opened = file == "-" ? null : new StreamReader(file, Encoding.UTF8);
            length = await (opened ?? around.Input).ReadBlockAsync(buffer, cancellation);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return new Failure(ExitCode.Usage, $"{file} can't be read: {exception.Message}", "Give the file of a public key, such as ~/.ssh/id_ed25519.pub.");
        }

        var text = new string(buffer, 0, length);
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return new Failure(ExitCode.Usage, $"{file} is a private key, and was not sent.", $"Give the public half, usually {file}.pub.");
        if (length > LargestFile) return new Failure(ExitCode.Usage, $"{file} is too large for a public key.");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length == 1 ? lines[0] : new Failure(ExitCode.Usage, $"{file} holds {lines.Length} lines where one key was expected.");
    }

    private static string? Comment(string line) => line.Split([' ', '\t'], 3, StringSplitOptions.RemoveEmptyEntries) is [_, _, var comment] ? comment : null;
}
