using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

internal static class KeysListCommand
{
    private static readonly Listing<Key> _list = Listing("You have no key here. Add one: countersign keys add ~/.ssh/id_ed25519.pub");

    /// <param name="none">What is noted where there is none.</param>
    public static Listing<Key> Listing(string none) => new(
        ApiJson.Default.KeyPage,
        none,
        ["ID", "LABEL", "TYPE", "FINGERPRINT", "ADDED"],
        (key, output) => [key.Id ?? "", key.Label ?? "", key.Type ?? "", key.Fingerprint ?? "", output.Time(key.Added)]);

    public static Command Create(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists your public keys.", "countersign keys list", "countersign keys list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => _list.RunAsync(common, parsed, $"me/keys?{paging.Query(parsed)}", cancellation));
        return command;
    }
}
