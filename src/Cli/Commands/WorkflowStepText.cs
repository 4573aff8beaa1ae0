using System.Globalization;
using Countersign.Cli.Api;

namespace Countersign.Cli.Commands;

/// <summary>
/// A step as one writes it: <c>2 of managers:Support, members:Berlin / Night shift, person:anna, device; 30m</c>. How many is 1 where it is not said, and
/// how long as the organization says.
/// </summary>
/// <param name="Place">Which step it is to be, from 1 on, as written in front of it: <c>1: person:anna</c>. Null: the one behind the others.</param>
internal sealed record WorkflowStepText(int? Place, int Needed, IReadOnlyList<(string Kind, string Name)> Approvers, string? ExpireAfter)
{
    public const string Help = "[N of] APPROVER[, APPROVER…][; DURATION], where an approver is person:WHO, managers:GROUP, members:GROUP, or device: those who may approve for the device";

    private const string Device = "device";

    /// <summary>How many are needed at the most, and how long, is for the server to say.</summary>
    public static Answer<WorkflowStepText> Read(string text)
    {
        var wrong = new Failure(ExitCode.Usage, $"\"{text}\" is no step.", $"Write {Help}.");
        int? place = null;
        if (text.Split(':', 2, StringSplitOptions.TrimEntries) is [var front, var behind] && IsNumber(front))
        {
            if (!int.TryParse(front, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at < 1) return wrong;
            (place, text) = (at, behind);
        }

        var halves = text.Split(';', StringSplitOptions.TrimEntries);
        if (halves.Length > 2 || halves is [_, ""]) return wrong;
        var (needed, names) = (1, halves[0]);
        if (halves[0].Split(" of ", 2, StringSplitOptions.TrimEntries) is [var number, var rest] && IsNumber(number))
        {
            if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out needed)) return wrong;
            names = rest;
        }

        var approvers = new List<(string, string)>();
        foreach (var approver in names.Split(',', StringSplitOptions.TrimEntries))
        {
            var colon = approver.IndexOf(':', StringComparison.Ordinal);
            var (kind, name) = colon < 0 ? (approver, "") : (approver[..colon], approver[(colon + 1)..].Trim());
            if (!(kind == Device ? colon < 0 : kind is "person" or "managers" or "members" && name.Length > 0)) return wrong;
            approvers.Add((kind, name));
        }

        return new WorkflowStepText(place, needed, approvers, halves.Length > 1 ? halves[1] : null);
    }

    /// <summary>As the API wants it, with ids for names.</summary>
    public async Task<Answer<WorkflowStep>> FindAsync(ApiClient client, CancellationToken cancellation)
    {
        var found = new List<KindAndId>();
        foreach (var (kind, name) in Approvers)
        {
            if (kind == Device)
            {
                found.Add(new("deviceApprovers", null));
                continue;
            }

            var approver = kind == "person" ? await NamedThings.PersonAsync(client, name, cancellation) : await GroupTree.FindAsync(client, GroupTree.OfTechnicians, name, cancellation);
            if (!approver.TryGet(out var id, out var failure)) return failure;
            found.Add(new(kind, id));
        }

        return new WorkflowStep(found, Needed, ExpireAfter);
    }

    /// <summary>In the form that is read.</summary>
    public static string Write(WorkflowStep step, KnownNames names)
    {
        var approvers = string.Join(", ", (step.Approvers ?? []).Select(approver => approver.Kind == "deviceApprovers" ? Device : $"{approver.Kind}:{names[approver.Id]}"));
        var text = string.Create(CultureInfo.InvariantCulture, $"{step.Needed ?? 1} of {approvers}");
        return step.ExpireAfter is null ? text : $"{text}; {step.ExpireAfter}";
    }

    private static bool IsNumber(string text) => text.Length > 0 && text.All(char.IsAsciiDigit);
}
