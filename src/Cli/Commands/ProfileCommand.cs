using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>What people say of themselves.</summary>
internal static class ProfileCommand
{
    public static Command Create(CommonOptions common)
    {
        var name = new Option<string>("--name") { Description = "What you are called.", HelpName = "NAME", Required = true };
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "profile",
            "Changes what you are called. Login and mail address are changed by those who manage technicians.",
            "countersign profile --name \"Eve Adams\"",
            "countersign profile --name \"Eve Adams\" --preview")
        {
            name, edit.Preview,
        };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async (client, stop) => (await client.GetAsync("me", ApiJson.Default.Me, stop)).TryGet(out var me, out var failure)
                ? PolicyRequest.Patch("me", new(parsed.GetRequiredValue(name)), ApiJson.Default.ProfileChange, $"You are called {parsed.GetRequiredValue(name)} from now on.") with { Read = me.Value.Version }
                : failure,
            cancellation));
        return command;
    }
}
