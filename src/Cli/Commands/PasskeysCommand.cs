using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>The caller's passkeys, as far as a terminal can: a new one is made by a browser.</summary>
internal static class PasskeysCommand
{
    private const string ExampleId = "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68";

    private static readonly Listing<PasskeyItem> _list = new(
        ApiJson.Default.PasskeyPage,
        "You have no passkey here. Add one in the browser; for an authenticator app: countersign two-factor enable",
        ["ID", "LABEL", "ADDED", "LAST USED", "SYNCED"],
        (key, output) => [key.Id ?? "", key.Label ?? "", output.Time(key.Added), output.Time(key.LastUsed), key.Synced == true ? "yes" : "no"]);

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "passkeys",
        "Your passkeys, with which you sign in in a browser. They are added there.",
        "countersign passkeys list",
        $"countersign passkeys rename {ExampleId} \"blue stick\"",
        $"countersign passkeys remove {ExampleId}")
    {
        CreateList(common),
        CreateRename(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists your passkeys.", "countersign passkeys list", "countersign passkeys list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => _list.RunAsync(common, parsed, $"me/passkeys?{paging.Query(parsed)}", cancellation));
        return command;
    }

    private static DocumentedCommand CreateRename(CommonOptions common)
    {
        var id = Id();
        var label = new Argument<string>("LABEL") { Description = "What it is called from now on." };
        var command = new DocumentedCommand("rename", "Calls a passkey of yours something else.", $"countersign passkeys rename {ExampleId} \"blue stick\"") { id, label };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common,
            parsed,
            (client, stop) => client.PatchAsync($"me/passkeys/{parsed.GetValue(id)}", new PasskeyNaming(parsed.GetRequiredValue(label)), ApiJson.Default.PasskeyNaming, stop),
            $"It is called {parsed.GetRequiredValue(label)}.",
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var id = Id();
        var command = new DocumentedCommand(
            "remove", "Removes a passkey of yours, and ends your other sign-ins: whoever has it may be in one. Asks for the password.", $"countersign passkeys remove {ExampleId}")
        {
            id,
        };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common,
            parsed,
            async (client, stop) =>
            {
                if (!OwnPassword.Ask(common.Around).TryGet(out var asked, out var failure)) return failure;
                using var password = asked;
                return await client.PostAsync($"me/passkeys/{parsed.GetValue(id)}/remove", new PasskeyRemoval { Password = password.ExposeText() }, ApiJson.Default.PasskeyRemoval, stop);
            },
            $"Removed {parsed.GetValue(id)}. Your other sign-ins have ended.",
            cancellation));
        return command;
    }

    private static Argument<Guid> Id() => IdArgument.Create("ID", "The passkey's ID, as \"countersign passkeys list\" shows it.");
}
