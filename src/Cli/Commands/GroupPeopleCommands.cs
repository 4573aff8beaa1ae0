using System.CommandLine;

namespace Countersign.Cli.Commands;

/// <summary>Who is in a technician group, manages it, runs its branch.</summary>
internal static class GroupPeopleCommands
{
    private static readonly string[] _roles = ["member", "manager", "administrator"];

    public static Command CreateAdmit(CommonOptions common) => Create(
        common,
        "admit",
        "Puts people into a group, or makes them its managers, who approve, or administrators, who run what is below it.",
        "As what: member (the default), manager or administrator. Managers and administrators are for master administrators to name.",
        PolicyRequest.Put,
        "Admitted",
        ["countersign groups admit Support anna tina", "countersign groups admit Support max --as manager --preview"]);

    public static Command CreateDismiss(CommonOptions common) => Create(
        common,
        "dismiss",
        "Takes people out of a group, or from among its managers or administrators.",
        "From among what: members (the default), managers or administrators.",
        PolicyRequest.Delete,
        "Dismissed",
        ["countersign groups dismiss Support anna --preview", "countersign groups dismiss Support max --as manager"]);

    private static DocumentedCommand Create(
        CommonOptions common, string verb, string description, string asWhat, Func<string, string, PolicyRequest> change, string done, string[] examples)
    {
        var group = GroupsCommand.Named();
        var people = new Argument<string[]>("WHO") { Description = "Logins, mail addresses or IDs.", Arity = ArgumentArity.OneOrMore };
        var role = new Option<string>("--as") { Description = asWhat, HelpName = "ROLE", DefaultValueFactory = _ => "member" };
        role.AcceptOnlyFromAmong(_roles);
        var edit = new PolicyEdit(common);
        var command = new DocumentedCommand(verb, description, examples) { group, people, role, edit.Preview };
        command.SetAction((parsed, cancellation) => edit.RunAsync(
            parsed,
            async Task<Answer<List<PolicyRequest>>> (client, stop) =>
            {
                if (!(await GroupsCommand.FindAsync(client, parsed.GetRequiredValue(group), stop)).TryGet(out var found, out var failure)) return failure;
                var named = parsed.GetRequiredValue(role);
                var changes = new List<PolicyRequest>();
                foreach (var who in parsed.GetRequiredValue(people))
                {
                    if (!(await NamedThings.PersonAsync(client, who, stop)).TryGet(out var person, out failure)) return failure;
                    changes.Add(change($"technician-groups/{found.Value.Id}/{named}s/{person}", $"{done} {who}{(named == _roles[0] ? "" : $" as {named}")}.") with { Read = found.Value.Version });
                }

                return changes;
            },
            cancellation));
        return command;
    }
}
