using System.CommandLine;

namespace Countersign.Cli.Commands;

internal static class KeysRemoveCommand
{
    public static Command Create(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The key's ID, as \"countersign keys list\" shows it.");
        var command = new DocumentedCommand(
            "remove",
            "Removes a public key of yours. Whoever holds its private half does not sign in with it any more.",
            "countersign keys remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            id,
        };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common, parsed, (client, stop) => client.DeleteAsync($"me/keys/{parsed.GetValue(id)}", stop), $"Removed {parsed.GetValue(id)}.", cancellation));
        return command;
    }
}
