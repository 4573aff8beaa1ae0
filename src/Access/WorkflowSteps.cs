using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Countersign.Access;

public enum ApproverKind : byte
{
    /// <summary>One person.</summary>
    Person = 1,

    /// <summary>The managers of a technician group.</summary>
    Managers = 2,

    /// <summary>The members of a technician group and of those below it.</summary>
    Members = 3,

    /// <summary>Whoever has AcceptAccessRequests on the device.</summary>
    DeviceApprovers = 4,
}

/// <param name="Id">The person's or technician group's; empty for the device's approvers.</param>
public readonly record struct Approver(ApproverKind Kind, Guid Id = default);

/// <param name="Needed">How many of the approvers have to approve: 1 to 20.</param>
/// <param name="ExpireAfter">How long the step waits, counted from when it opens; null: as the organization says.</param>
public sealed record WorkflowStep(int Needed, TimeSpan? ExpireAfter, ImmutableArray<Approver> Approvers)
{
    public bool Equals(WorkflowStep? other) =>
        other is not null && Needed == other.Needed && ExpireAfter == other.ExpireAfter && Approvers.AsSpan().SequenceEqual(other.Approvers.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Needed, ExpireAfter, Approvers.Length);
}

/// <summary>
/// A workflow's steps as text, one spelling each: <c>2 of managers:ID, person:ID; 30m</c>, with <c> | </c> between steps. Approvers are
/// <c>person:ID</c>, <c>managers:ID</c>, <c>members:ID</c> and <c>device</c>; the time may be left out.
/// </summary>
public static class WorkflowSteps
{
    /// <summary>Longest text that is looked at.</summary>
    public const int MaxLength = 8000;

    private const int MostSteps = 10;
    private const int MostApprovers = 20;

    private static readonly string NumberOfSteps = $"A workflow has 1 to {MostSteps} steps.";

    public static string Write(IEnumerable<WorkflowStep> steps) => string.Join(" | ", steps.Select(Write));

    /// <summary>What is wrong with steps whose approvers may all be there: the field, such as <c>steps[0].needed</c>, and one sentence; null: nothing.</summary>
    public static (string Field, string Message)? Problem(IReadOnlyList<WorkflowStep> steps)
    {
        if (steps.Count is 0 or > MostSteps) return ("steps", NumberOfSteps);
        for (var index = 0; index < steps.Count; index++)
        {
            var step = steps[index];
            if (step.Needed is < 1 or > MostApprovers) return (Field(index, "needed"), $"It is a number from 1 to {MostApprovers}.");
            if (step.ExpireAfter <= TimeSpan.Zero) return (Field(index, "expireAfter"), "A step waits for some time, or, without it, as long as the organization says.");
            if (step.Approvers.Length is 0 or > MostApprovers || step.Approvers.Distinct().Count() < step.Approvers.Length)
                return (Field(index, "approvers"), $"A step names 1 to {MostApprovers} approvers, each once.");
        }

        return null;
    }

    /// <param name="index">From 0 on.</param>
    public static string Field(int index, string part) => string.Create(CultureInfo.InvariantCulture, $"steps[{index}].{part}");

    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ImmutableArray<WorkflowStep>? steps, out string problem)
    {
        steps = null;
        problem = NumberOfSteps;
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxLength) return false;
        var parts = text.Split('|', StringSplitOptions.TrimEntries);
        if (parts.Length > MostSteps) return false;
        var found = ImmutableArray.CreateBuilder<WorkflowStep>(parts.Length);
        foreach (var part in parts)
        {
            if (!TryStep(part, out var step, out problem)) return false;
            found.Add(step);
        }

        problem = "";
        steps = found.MoveToImmutable();
        return true;
    }

    private static bool TryStep(string text, [NotNullWhen(true)] out WorkflowStep? step, out string problem)
    {
        step = null;
        problem = "Write a step such as 1 of managers:ID, person:ID, device; 30m.";
        var halves = text.Split(';', StringSplitOptions.TrimEntries);
        var words = halves[0].Split(" of ", 2, StringSplitOptions.TrimEntries);
        if (halves.Length > 2 || words.Length != 2) return false;
        if (!int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var needed) || needed is < 1 or > MostApprovers) return false;
        TimeSpan? expiry = null;
        if (halves.Length == 2 && (!Settings.TryDuration(halves[1], out expiry, out problem) || expiry is null)) return false;
        problem = $"A step names 1 to {MostApprovers} approvers: person:ID, managers:ID, members:ID or device, each once.";
        var approvers = new HashSet<Approver>();
        foreach (var name in words[1].Split(',', StringSplitOptions.TrimEntries))
        {
            if (ApproverOf(name) is not { } approver || !approvers.Add(approver) || approvers.Count > MostApprovers) return false;
        }

        problem = "";
        step = new(needed, expiry, [.. approvers]);
        return true;
    }

    private static Approver? ApproverOf(string text)
    {
        if (text == "device") return new(ApproverKind.DeviceApprovers);
        var pair = text.Split(':');
        if (pair.Length != 2 || !Guid.TryParseExact(pair[1], "D", out var id)) return null;
        return pair[0] switch
        {
            "person" => new(ApproverKind.Person, id),
            "managers" => new(ApproverKind.Managers, id),
            "members" => new(ApproverKind.Members, id),
            _ => null,
        };
    }

    private static string Write(WorkflowStep step)
    {
        var names = step.Approvers.Select(approver => approver.Kind switch
        {
            ApproverKind.Person => $"person:{approver.Id}",
            ApproverKind.Managers => $"managers:{approver.Id}",
            ApproverKind.Members => $"members:{approver.Id}",
            _ => "device",
        });
        var text = string.Create(CultureInfo.InvariantCulture, $"{step.Needed} of {string.Join(", ", names)}");
        return step.ExpireAfter is { } expiry ? $"{text}; {Settings.Write(expiry)}" : text;
    }
}
