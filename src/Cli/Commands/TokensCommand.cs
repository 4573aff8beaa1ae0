using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>Tokens that the caller makes for programs.</summary>
internal static class TokensCommand
{
    private static readonly Listing<TokenItem> _list = Listing("You have made no token. Make one: countersign tokens create --label NAME --scope read");

    /// <param name="none">What is said where there is none.</param>
    public static Listing<TokenItem> Listing(string none) => new(
        ApiJson.Default.TokenPage,
        none,
        ["ID", "LABEL", "SCOPES", "EXPIRES", "LAST USED"],
        (token, output) =>
        [
            token.Id ?? "",
            token.Current == true ? $"{token.Label} (this)" : token.Label ?? "",
            string.Join(' ', token.Scopes ?? []),
            output.Time(token.Expires),
            output.Time(token.LastUsed),
        ]);

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "tokens",
        "Tokens for programs, each good for some of what you may do.",
        "countersign tokens create --label inventory --scope devices:read",
        "countersign tokens list",
        "countersign tokens remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
    {
        CreateList(common),
        CreateCreate(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists the tokens that you have made.", "countersign tokens list", "countersign tokens list --json") { paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) => _list.RunAsync(common, parsed, $"me/tokens?{paging.Query(parsed)}", cancellation));
        return command;
    }

    private static DocumentedCommand CreateCreate(CommonOptions common)
    {
        var label = new Option<string>("--label") { Description = "What it is for.", HelpName = "TEXT", Required = true };
        var scopes = new Option<string[]>("--scope")
        {
            Description = "What it is good for: read (everything, but only to read), write (everything), or areas: policy, devices, people, sessions, recordings, requests, audit, account; with :read behind one only to read there. Repeatable.",
            HelpName = "SCOPE",
            Required = true,
        };
        var days = new Option<int>("--days") { Description = "How long it is good, at most 1,830 days.", HelpName = "N", DefaultValueFactory = _ => 90, CustomParser = ReadDays };
        var command = new DocumentedCommand(
            "create",
            "Makes a token and shows it, this once.",
            "countersign tokens create --label inventory --scope devices:read",
            "countersign tokens create --label shipper --scope audit:read --days 365")
        {
            label, scopes, days,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var output = common.OutputFor(parsed);
            if (!(await common.ConnectAsync(parsed, cancellation)).TryGet(out var api, out var failure)) return output.Fail(failure);
            using var client = api;
            var wanted = new NewToken(parsed.GetRequiredValue(label), parsed.GetRequiredValue(scopes), common.Around.Time.GetUtcNow().AddDays(parsed.GetValue(days)));
            if (!(await client.PostAsync("me/tokens", wanted, ApiJson.Default.NewToken, ApiJson.Default.MadeToken, cancellation)).TryGet(out var reply, out failure)) return output.Fail(failure);
            if (output.IsJson)
            {
                output.Json(reply.Json);
                return ExitCode.Ok;
            }

            output.Line(reply.Value.Token ?? "");
            output.Note($"Good until {output.Time(reply.Value.Expires)} for {string.Join(", ", reply.Value.Scopes ?? [])}. It is not shown again.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var id = IdArgument.Create("ID", "The token's ID, as \"countersign tokens list\" shows it.");
        var command = new DocumentedCommand(
            "remove", "Removes a token of yours, and those that were made with it. They are good for nothing any more, at once.", "countersign tokens remove 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
        {
            id,
        };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(
            common, parsed, (client, stop) => client.DeleteAsync($"me/tokens/{parsed.GetValue(id)}", stop), $"Removed {parsed.GetValue(id)}.", cancellation));
        return command;
    }

    private static int ReadDays(System.CommandLine.Parsing.ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is >= 1 and <= 1830) return days;
        result.AddError($"--days is a number from 1 to 1830, and not \"{text}\".");
        return default;
    }
}
