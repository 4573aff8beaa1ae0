using System.CommandLine;
using System.Text.Json;
using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

/// <summary>Who holds which role on what, with which accounts and when.</summary>
internal static class GrantsCommand
{
    private const string Example = "0196f0c2-6a51-7c3e-9d0f-5b1c7a2e4d68";

    public static Command Create(CommonOptions common) => new DocumentedCommand(
        "grants",
        "Who holds which role on what, with which accounts and when.",
        "countersign grants list --group Support",
        "countersign grants add \"Only device connection\" --technician anna --device web1",
        $"countersign grants remove {Example} --preview")
    {
        CreateList(common),
        CreateShow(common),
        CreateAdd(common),
        CreateEdit(common),
        CreateRemove(common),
    };

    private static DocumentedCommand CreateList(CommonOptions common)
    {
        var place = new GrantPlace();
        var paging = new Paging();
        var command = new DocumentedCommand(
            "list",
            "Lists the grants of which you may see both ends; those to one subject, on one device or device group.",
            "countersign grants list",
            "countersign grants list --technician anna",
            "countersign grants list --device-group \"Customers / Contoso\" --json");
        place.NarrowIn(command);
        command.Add(paging.Limit);
        command.Add(paging.Cursor);
        command.SetAction((parsed, cancellation) =>
        {
            var names = new KnownNames();
            var listing = new Listing<Grant>(
                ApiJson.Default.GrantPage,
                "There is no such grant that you may see.",
                ["ID", "WHO", "ROLE", "ON", "ACCOUNTS", "WHEN"],
                (grant, output) => [grant.Id ?? "", names[grant.Subject?.Id], names[grant.Role], On(grant.Scope, names), GrantTerms.Text(grant.Accounts), GrantTerms.Text(grant.Window, output)])
            {
                Prepare = (client, grants, stop) => ReadNamesAsync(names, client, grants, stop),
            };
            return listing.RunAsync(
                common,
                parsed,
                async Task<Answer<string>> (client, stop) =>
                {
                    var filter = "";
                    if (place.Whom(parsed) is not null)
                    {
                        if (!(await place.SubjectAsync(parsed, client, stop)).TryGet(out var subject, out var failure)) return failure;
                        filter += $"subject={subject.Id}&";
                    }

                    if (place.NamesDevices(parsed))
                    {
                        if (!(await place.ScopeAsync(parsed, client, stop)).TryGet(out var scope, out var failure)) return failure;
                        filter += $"scope={scope.Id}&";
                    }

                    return $"grants?{filter}{paging.Query(parsed)}";
                },
                cancellation);
        });
        return command;
    }

    private static DocumentedCommand CreateShow(CommonOptions common)
    {
        var id = Named();
        var command = new DocumentedCommand("show", "Shows a grant: who holds which role on what, with which accounts and when.", $"countersign grants show {Example}", $"countersign grants show {Example} --json") { id };
        command.SetAction((parsed, cancellation) => Telling.RunAsync(
            common,
            parsed,
            (client, stop) => client.GetAsync($"grants/{parsed.GetValue(id)}", ApiJson.Default.Grant, stop),
            async (grant, client, output, stop) =>
            {
                var names = new KnownNames();
                await ReadNamesAsync(names, client, [grant], stop);
                output.Line($"{names[grant.Subject?.Id]}: {names[grant.Role]} on {On(grant.Scope, names)}");
                output.Line($"accounts: {GrantTerms.Text(grant.Accounts)}");
                output.Line($"when: {GrantTerms.Text(grant.Window, output)}");
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateAdd(CommonOptions common)
    {
        var role = new Argument<string>("ROLE") { Description = "The role's name, or its ID." };
        var place = new GrantPlace();
        var terms = new GrantTermOptions(common);
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "add",
            "Grants a role: to somebody or a technician group, on devices or a section.",
            "countersign grants add \"Only device connection\" --technician anna --device web1 --account root --preview",
            "countersign grants add \"Full device access\" --group Support --device-group \"Customers / Contoso\" --any-account --hours \"Europe/Berlin; Mon-Fri 08:00-18:00\"",
            "countersign grants add \"Request access\" --contact carl@customer.example --all-devices --to 2027-01-01T00:00Z",
            "countersign grants add Auditor --technician anna --section team")
        {
            role,
        };
        place.AddTo(command);
        terms.ForAddition(command);
        command.Add(edit.Preview);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                if (!terms.Read(parsed, null).TryGet(out var read, out var failure)) return failure;
                if (!(await NamedThings.RoleAsync(client, parsed.GetRequiredValue(role), stop)).TryGet(out var given, out failure)) return failure;
                if (!(await place.SubjectAsync(parsed, client, stop)).TryGet(out var subject, out failure)) return failure;
                if (!(await place.ScopeAsync(parsed, client, stop)).TryGet(out var scope, out failure)) return failure;
                var done = $"Granted {parsed.GetRequiredValue(role)} to {place.Whom(parsed)} on {place.What(parsed)}";
                return PolicyRequest.Post("grants", new NewGrant(subject, scope, given, read.Accounts, read.Window), ApiJson.Default.NewGrant, "") with
                {
                    Answered = (output, json) => output.Line($"{done}: {JsonSerializer.Deserialize(json, ApiJson.Default.Grant)?.Id}."),
                };
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateEdit(CommonOptions common)
    {
        var id = Named();
        var role = new Option<string?>("--role") { Description = "Another role, by name or ID.", HelpName = "ROLE" };
        var terms = new GrantTermOptions(common);
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(
            "edit",
            "Changes what is granted; to whom and on what stays, and so does what is not named.",
            $"countersign grants edit {Example} --add-account postgres --remove-account root",
            $"countersign grants edit {Example} --to 2027-01-01T00:00Z --hours always --preview")
        {
            id, role,
        };
        command.ChangesSomething([role, .. terms.ForEdit(command)]);
        command.Add(edit.Preview);
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<PolicyRequest>> (client, stop) =>
            {
                string? given = null;
                if (parsed.GetValue(role) is { } named && !(await NamedThings.RoleAsync(client, named, stop)).TryGet(out given, out var failure)) return failure;
                if (!(await client.GetAsync($"grants/{parsed.GetValue(id)}", ApiJson.Default.Grant, stop)).TryGet(out var now, out failure)) return failure;
                if (!terms.Read(parsed, now.Value).TryGet(out var read, out failure)) return failure;
                return PolicyRequest.Patch($"grants/{parsed.GetValue(id)}", new GrantChange(given, read.Accounts, read.Window), ApiJson.Default.GrantChange, $"Changed {parsed.GetValue(id)}.") with { Read = now.Value.Version };
            },
            cancellation));
        return command;
    }

    private static DocumentedCommand CreateRemove(CommonOptions common)
    {
        var id = Named();
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand("remove", "Takes back what was granted; sessions lose it at once.", $"countersign grants remove {Example} --preview", $"countersign grants remove {Example}") { id, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(parsed, PolicyRequest.Delete($"grants/{parsed.GetValue(id)}", $"Removed {parsed.GetValue(id)}."), cancellation));
        return command;
    }

    private static Argument<Guid> Named() => IdArgument.Create("ID", "The grant's ID, as \"countersign grants list\" shows it.");

    private static string On(KindAndId? scope, KnownNames names) => scope?.Kind is "device" or "deviceGroup" ? names[scope.Id] : Output.Words(scope?.Kind);

    private static async Task ReadNamesAsync(KnownNames names, ApiClient client, IReadOnlyList<Grant> grants, CancellationToken cancellation)
    {
        if (grants.Any(grant => grant.Subject?.Kind == "technicianGroup")) await names.ReadGroupsAsync(client, GroupTree.OfTechnicians, cancellation);
        if (grants.Any(grant => grant.Scope?.Kind == "deviceGroup")) await names.ReadGroupsAsync(client, GroupTree.OfDevices, cancellation);
        await names.ReadRolesAsync(client, cancellation);
        await names.ReadPeopleAsync(client, grants.Where(grant => grant.Subject?.Kind == "person").Select(grant => grant.Subject?.Id), cancellation);
        await names.ReadDevicesAsync(client, grants.Where(grant => grant.Scope?.Kind == "device").Select(grant => grant.Scope?.Id), cancellation);
    }
}
