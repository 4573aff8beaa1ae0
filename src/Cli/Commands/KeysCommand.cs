using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>The public keys that the caller may sign in with at the SSH front door.</summary>
internal static class KeysCommand
{
    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "keys",
        "Your public keys: with their private halves you sign in over SSH.",
        "countersign keys add ~/.ssh/id_ed25519.pub",
        "countersign keys list")
    {
        KeysListCommand.Create(common),
        KeysAddCommand.Create(common),
        KeysRemoveCommand.Create(common),
    };
}
