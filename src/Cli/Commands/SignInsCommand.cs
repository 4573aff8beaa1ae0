using System.CommandLine;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Where the caller is signed in.</summary>
internal static class SignInsCommand
{
    private static readonly Listing<SignInItem> _list = Listing("You are signed in nowhere.");

    /// <param name="none">What is noted where there is nothing.</param>
    public static Listing<SignInItem> Listing(string none) => new(
        ApiJson.Default.SignInPage,
        none,
        ["ID", "KIND", "FACTORS", "FROM", "SINCE", "LAST SEEN", "CLIENT"],
        (item, output) =>
        [
            item.Id ?? "",
            item.Current == true ? $"{item.Kind} (this)" : item.Kind ?? "",
            item.SignIn == "twoFactor" ? "2" : "1",
            item.Address ?? "",
            output.Time(item.Since),
            output.Time(item.LastSeen),
            item.Client ?? "",
        ]);

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "signins",
        "Where you are signed in: programs, browsers, SSH connections.",
        "countersign signins list",
        "countersign signins end --others")
    {
        CreateList(common),
        CreateEnd(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists where you are signed in.", "countersign signins list", "countersign signins list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => _list.RunAsync(common, parsed, $"me/sign-ins?{paging.Query(parsed)}", cancellation));
        return command;
    }

    private static DocumentedCommand CreateEnd(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The sign-in's ID, as \"countersign signins list\" shows it.");
        id.Arity = ArgumentArity.ZeroOrOne;
        var others = new Option<bool>("--others") { Description = "All but the one that this command uses." };
        var command = new DocumentedCommand(
            "end",
            "Ends a sign-in of yours, or all but this one. Connections through it are closed.",
            "countersign signins end 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68",
            "countersign signins end --others")
        {
            id,
            others,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(others) == (result.GetValue(id) != Guid.Empty)) result.AddError("Give the ID of one, or --others.");
        });
        command.SetAction((parsed, cancellation) => parsed.GetValue(others)
            ? Acting.RunAsync(common, parsed, (client, stop) => client.DeleteAsync("me/sign-ins", stop), "You are signed in here only.", cancellation)
            : Acting.RunAsync(common, parsed, (client, stop) => client.DeleteAsync($"me/sign-ins/{parsed.GetValue(id)}", stop), $"Ended {parsed.GetValue(id)}.", cancellation));
        return command;
    }
}
