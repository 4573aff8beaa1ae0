using Countersign.Cli.Api;
using Countersign.Cli.Shown;

namespace Countersign.Cli.Commands;

internal static class PeopleList
{
    /// <summary>People as a table.</summary>
    public static Listing<Technician> Shown { get; } = new(
        ApiJson.Default.TechnicianPage,
        "Nobody whom you may see is like that.",
        ["LOGIN", "NAME", "MAIL", "KIND", "STATE", "ID"],
        (person, _) =>
        [
            person.Login ?? "",
            person.Name ?? "",
            person.Mail ?? "",
            Output.Words(person.Kind),
            StateOf(person),
            person.Id ?? "",
        ]);

    /// <summary>Whether they have joined, or what keeps them out.</summary>
    public static string StateOf(Technician person) => Output.Words(person.Status == "active" ? person.State : person.Status);
}
