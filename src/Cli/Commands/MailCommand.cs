using System.CommandLine;
using System.Globalization;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>What the server mails, for master administrators.</summary>
internal static class MailCommand
{
    private static readonly Listing<MailItem> _list = new(
        ApiJson.Default.MailPage,
        "There is no such mail.",
        ["ID", "KIND", "TO", "STATE", "TRIED", "CREATED", "PROBLEM"],
        (mail, output) =>
        [
            mail.Id ?? "",
            mail.Kind ?? "",
            mail.To ?? "",
            Output.Words(mail.State),
            mail.Attempts?.ToString(CultureInfo.InvariantCulture) ?? "",
            output.Time(mail.Created),
            mail.Problem ?? "",
        ]);

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "mail",
        "The mails that the server sends for your organization, and what became of them.",
        "countersign mail list --state waiting",
        "countersign mail retry 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68")
    {
        CreateList(common),
        CreateChange(common, "retry", "Has a mail that waits tried again now.", "It is tried now.", (client, id, cancellation) => client.PostAsync($"mail/{id}/retry", cancellation)),
        CreateChange(common, "drop", "Has a mail that waits not sent any more.", "Dropped.", (client, id, cancellation) => client.DeleteAsync($"mail/{id}", cancellation)),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var state = new Option<string?>("--state") { Description = "Only those that are waiting, sent or givenUp.", HelpName = "STATE" };
        state.AcceptOnlyFromAmong("waiting", "sent", "givenUp");
        var paging = new Paging();
        var command = new DocumentedCommand("list", "Lists mails, newest first.", "countersign mail list", "countersign mail list --state givenUp --json") { state, paging.Limit, paging.Cursor };
        command.SetAction((parsed, cancellation) =>
            _list.RunAsync(common, parsed, $"mail?{(parsed.GetValue(state) is { } wanted ? $"state={wanted}&" : "")}{paging.Query(parsed)}", cancellation));
        return command;
    }

    private static DocumentedCommand CreateChange(
        CommonOptions common, string verb, string description, string done, Func<ApiClient, Guid, CancellationToken, Task<Answer<string>>> change)
    {
        var id = IdArgument.Create("ID", "The mail's ID, as \"countersign mail list\" shows it.");
        var command = new DocumentedCommand(verb, description, $"countersign mail {verb} 0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68") { id };
        command.SetAction((parsed, cancellation) => Acting.RunAsync(common, parsed, (client, stop) => change(client, parsed.GetValue(id), stop), done, cancellation));
        return command;
    }
}
