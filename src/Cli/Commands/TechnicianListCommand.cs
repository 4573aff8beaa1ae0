using System.CommandLine;

namespace Countersign.Cli.Commands;

internal static class TechnicianListCommand
{
    public static Command Create(CommonOptions common)
    {
        var search = new Argument<string?>("SEARCH") { Description = "Part of a login, name or mail address.", Arity = ArgumentArity.ZeroOrOne };
        var invitations = new Option<bool>("--invitations") { Description = "Only those who were invited and have not joined." };
        var status = new Option<string?>("--status") { Description = "Only those who are active, disabled or disabledByPlan.", HelpName = "STATUS" };
        status.AcceptOnlyFromAmong("active", "disabled", "disabledByPlan");
        var kind = new Option<string?>("--kind") { Description = "Only the owner, technicians or contacts.", HelpName = "KIND" };
        kind.AcceptOnlyFromAmong("owner", "technician", "contact");
        var group = new Option<string?>("--group") { Description = "Only those who are directly in this technician group. Its name, path or ID.", HelpName = "GROUP" };
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the people of your organization whom you may see.",
            "countersign technicians list --group \"Berlin / Support\"",
            "countersign technicians list --invitations",
            "countersign technicians list --status disabled --json")
        {
            search, invitations, status, kind, group, paging.Limit, paging.Cursor,
        };
        command.SetAction((parsed, cancellation) => PeopleList.Shown.RunAsync(
            common,
            parsed,
            async (client, stop) =>
            {
                string? inside = null;
                if (parsed.GetValue(group) is { } named && !(await GroupTree.FindAsync(client, GroupTree.OfTechnicians, named, stop)).TryGet(out inside, out var failure)) return failure;
                var wanted = new[] { ("search", parsed.GetValue(search)), ("state", parsed.GetValue(invitations) ? "invited" : null), ("status", parsed.GetValue(status)), ("kind", parsed.GetValue(kind)), ("group", inside) };
                return $"technicians?{string.Concat(wanted.Where(one => one.Item2 is not null).Select(one => $"{one.Item1}={Uri.EscapeDataString(one.Item2!)}&"))}{paging.Query(parsed)}";
            },
            cancellation));
        return command;
    }
}
