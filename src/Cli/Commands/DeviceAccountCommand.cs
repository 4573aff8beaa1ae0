using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>The accounts of a device and what opens them: a password, a key, or certificates of the organization. A secret is never on the command line, and never shown again.</summary>
internal static class DeviceAccountCommand
{
    private const int LargestKey = 16 * 1024;
    private const string KeptByNobody = "What opened the account before is kept by nobody: this can't be taken back.";

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "account",
        "The accounts of a device, and what the server opens them with.",
        "countersign devices account set web1 root",
        "countersign devices account remove web1 deploy")
    {
        CreateSet(common),
        CreateForget(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateSet(CommonOptions common)
    {
        var (device, account) = (DeviceShowCommand.Named(), Account());
        var fromInput = new Option<bool>("--password-stdin") { Description = "Reads the password from the first line of the standard input." };
        var key = new Option<string?>("--key") { Description = "The file of an OpenSSH private key without a passphrase, or - for the standard input, in place of a password.", HelpName = "FILE" };
        var certificate = new Option<bool>("--certificate") { Description = "It is opened by certificates of the organization's authority, and by nothing stored. For master administrators." };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "set",
            "Stores what opens an account, in place of what was stored; an account that is not there is added. Asks for the password without showing it. With --preview no secret is asked for or sent.",
            "countersign devices account set web1 root",
            "pass show web1 | countersign devices account set web1 root --password-stdin",
            "countersign devices account set web1 deploy --key ./id_deploy")
        {
            device, account, fromInput, key, certificate, edit.Preview,
        };
        command.AtMostOneOf(fromInput, key, certificate);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (name, place) = (parsed.GetRequiredValue(account), parsed.GetRequiredValue(device));
            Answer<AccountChange> read =
                parsed.GetValue(certificate) ? new AccountChange { Certificate = true }
                : parsed.GetValue(edit.Preview) ? new AccountChange { Kind = parsed.GetValue(key) is null ? "password" : "privateKey" }
                : parsed.GetValue(key) is { } file ? await ReadKeyAsync(common.Around, file, cancellation)
                : ReadPassword(common.Around, parsed.GetValue(fromInput), $"Password of {name} at {place}: ");
            if (!read.TryGet(out var change, out var failure)) return common.OutputFor(parsed).Fail(failure);
            return await edit.RunAsync(
                parsed,
                async (client, stop) =>
                {
                    if (!(await NamedThings.DeviceAsync(client, place, stop)).TryGet(out var found, out var unknown)) return unknown;
                    var isThere = (found.Value.Accounts ?? []).Any(other => other.Name == name);
                    return PolicyRequest.Put(Path(found.Value, name), change, ApiJson.Default.AccountChange, Done(found.Value, name, isThere, change)) with
                    {
                        Read = found.Value.Version,
                        ForGood = isThere ? KeptByNobody : null,
                    };
                },
                cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var (device, account, edit) = (DeviceShowCommand.Named(), Account(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "remove",
            "Takes an account off, and what was stored for it. Taking the change back brings the account again, without its secret.",
            "countersign devices account remove web1 deploy --preview",
            "countersign devices account remove web1 deploy")
        {
            device, account, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.DeviceAsync(client, parsed.GetRequiredValue(device), stop)).TryGet(out var found, out var failure)
                ? PolicyRequest.Delete(Path(found.Value, parsed.GetRequiredValue(account)), $"Removed {parsed.GetRequiredValue(account)} from {found.Value.Name}.") with { Read = found.Value.Version }
                : failure,
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateForget(CommonOptions common)
    {
        var (device, account, edit) = (DeviceShowCommand.Named(), Account(), new PolicyEdit(common));
        var command = new DocumentedCommand(
            "forget",
            "Removes what was stored for an account. The account stays, and nobody gets in by it until something is stored again; sessions go on. It can't be taken back.",
            "countersign devices account forget web1 root")
        {
            device, account, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await NamedThings.DeviceAsync(client, parsed.GetRequiredValue(device), stop)).TryGet(out var found, out var failure)
                ? PolicyRequest.Delete(
                    $"{Path(found.Value, parsed.GetRequiredValue(account))}/secret", $"Nothing is stored any more that opens {parsed.GetRequiredValue(account)} at {found.Value.Name}.") with
                {
                    Read = found.Value.Version,
                    ForGood = KeptByNobody,
                }
                : failure,
            cancellation));
        return command;
    }

    private static string Path(Device device, string account) => $"devices/{Uri.EscapeDataString(device.Id ?? "")}/accounts/{Uri.EscapeDataString(account)}";

    private static string Done(Device device, string account, bool isThere, AccountChange change)
    {
        var opened = change.Certificate == true ? "it is opened by certificates" : change.PrivateKey is null ? "it is opened by this password" : "it is opened by this key";
        return $"{(isThere ? "" : "Added the account ")}{account} at {device.Name}: {opened} from now on.";
    }

    private static Argument<string> Account() => new("ACCOUNT") { Description = "The account's name at the device." };

    private static Answer<AccountChange> ReadPassword(Surroundings around, bool fromInput, string prompt)
    {
        if (!TypedPassword.Read(around, fromInput, prompt).TryGet(out var typed, out var failure)) return failure;
        using var password = typed;
        return new AccountChange { Password = password.ExposeText() };
    }

    private static async Task<Answer<AccountChange>> ReadKeyAsync(Surroundings around, string file, CancellationToken cancellation)
    {
        if (!(await TextFile.ReadAsync(around, file, LargestKey, cancellation)).TryGet(out var text, out var failure)) return failure;
        using var secret = Secret.FromText(text);
        try
        {
            SshPrivateKey.Parse(secret).Dispose();
            return new AccountChange { PrivateKey = text };
        }
        catch (FormatException problem)
        {
            return new Failure(ExitCode.Usage, $"{file} holds no private key that can be used: {problem.Message.TrimEnd('.')}.", "Wanted is an OpenSSH private key without a passphrase.");
        }
    }
}
