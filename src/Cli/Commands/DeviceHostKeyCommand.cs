using System.Buffers.Text;
using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>What a device shows itself by, so that it can be compared, and then pinned.</summary>
internal static class DeviceHostKeyCommand
{
    private const string Prefix = "SHA256:";
    private const int Digits = 43;

    public static Command Create(CommonOptions common)
    {
        var device = DeviceShowCommand.Named();
        var expected = new Option<string?>("--expect") { Description = "The fingerprint that its own people tell: with another one it fails, and shows no key.", HelpName = "SHA256:…" };
        expected.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !IsFingerprint(text)) result.AddError($"\"{text}\" is no fingerprint: it is SHA256: and 43 characters, as \"ssh-keygen -l\" shows it.");
        });
        var command = new DocumentedCommand(
            "host-key",
            "Shows the host key that a device's service by ssh shows now, and on the error stream its fingerprint. Compare that with what its own people say before you pin it.",
            "countersign devices host-key web1",
            "countersign devices host-key web1 --expect SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s")
        {
            device, expected,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetRequiredValue(device), parsed.GetValue(expected), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string device, string? expected, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
        using var client = api;
        if (!(await NamedThings.DevicesAsync(client, [device], cancellation)).TryGet(out var ids, out failure)) return output.Fail(failure);
        if (!(await client.PostAsync("devices/host-key", new HostKeyWanted(ids[0]), ApiJson.Default.HostKeyWanted, ApiJson.Default.HostKeyShown, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);

        // Of the very key that would be pinned, and not what is said beside it.
        var fingerprint = SshPublicKey.TryParse(reply.Value.HostKey ?? "", out var key) ? key.Fingerprint : "nothing that could be read";
        if (expected is not null && !string.Equals(expected, fingerprint, StringComparison.Ordinal))
            return output.Fail(new(ExitCode.Refused, $"{device} shows {fingerprint}, and not {expected}.", "Don't pin it before its own people have told why."));
        if (output.IsJson)
        {
            output.Json(reply.Json);
            return ExitCode.Ok;
        }

        output.Line(reply.Value.HostKey ?? "");
        output.Note(fingerprint);
        return ExitCode.Ok;
    }

    private static bool IsFingerprint(string text) => text.Length == Prefix.Length + Digits && text.StartsWith(Prefix, StringComparison.Ordinal) && Base64.IsValid(text[Prefix.Length..] + "=");
}
