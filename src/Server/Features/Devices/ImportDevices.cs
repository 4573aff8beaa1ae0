using System.Globalization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

/// <summary>All rows were taken.</summary>
/// <param name="Changed">Devices that were there, and are not as they were.</param>
/// <param name="Groups">Groups that were made.</param>
internal sealed record ImportAnswer(long Version, int Added, int Changed, int Groups);

/// <summary>Why nothing was imported.</summary>
/// <param name="Line">Of the file, from 1.</param>
/// <param name="Column">Its heading; empty where it is the whole line.</param>
internal sealed record ImportFault(int Line, string Column, string Message);

/// <summary>
/// Takes devices from a table with the columns of <see cref="DeviceColumns"/>, in any order. A column that is left out stays as it is; one that is there
/// is what the device has from then on. All rows are one change, or nothing is; with <c>?preview=true</c> it is a dry run.
/// </summary>
internal static class ImportDevices
{
    /// <summary>So that storing them keeps nobody waiting for long: there is one writer.</summary>
    public const int MostRows = 10_000;

    /// <param name="body">The table.</param>
    /// <param name="createGroups">Groups that are not there are made; otherwise they are an error of their row.</param>
    /// <param name="update">Devices that are there are changed to what their row says; otherwise they are an error of their row.</param>
    public static async Task<Results<Ok<ImportAnswer>, ProblemHttpResult>> HandleAsync(
        CsvBody body, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation, bool? createGroups = null, bool? update = null)
    {
        if (!DeviceTable.TryRead(body.Text, MostRows, out var table, out var misshapen)) return Problem(misshapen);
        ImportPlan? plan = null;
        IReadOnlyList<RefusedStep> refused = [];
        var outcome = await writer.ApplyPlannedAheadAsync(
            caller,
            (_, policy, _) =>
            {
                refused = [];
                plan = new(policy, caller.Person, time.GetUtcNow(), misshapen) { CreatesGroups = createGroups == true, Updates = update == true };
                foreach (var row in table) plan.Take(row);
                if (plan.Faults.Count == 0) return ValueTask.FromResult<PolicyCommand?>(plan.Command);

                // Nothing is done. What else would be wrong is told all the same, so that a file is put right in one go.
                if (policy.Plan(plan.Command, caller.Person, time.GetUtcNow()) is PlanResult.SomeRefused some) refused = some.Steps;
                return ValueTask.FromResult<PolicyCommand?>(null);
            },
            cancellation,
            (db, _, stop) => HostKeyBook.ConfirmWhereNamedAsync(db, plan!.Command, stop));
        return outcome switch
        {
            PolicyOutcome.Applied applied => TypedResults.Ok(Answer(applied)),
            PolicyOutcome.Refused { Reason: PlanResult.SomeRefused some } => Problem(plan!.WithRefused(some.Steps)),
            _ when plan is { Faults.Count: > 0 } => Problem(plan.WithRefused(refused)),
            _ => outcome.Refusal(),
        };
    }

    private static ImportAnswer Answer(PolicyOutcome.Applied applied)
    {
        var devices = applied.Delta.Changes.Where(change => change.Key.Table is PolicyTable.Device or PolicyTable.DeviceAccount or PolicyTable.DeviceService).GroupBy(change => change.Key.Id).ToList();
        var added = devices.Count(device => device.Any(change => change is { Key.Table: PolicyTable.Device, Before: null }));
        return new(applied.Version, added, devices.Count - added, applied.Delta.Changes.Count(change => change.Key.Table == PolicyTable.DeviceGroup));
    }

    private static ProblemHttpResult Problem(IReadOnlyList<ImportFault> faults)
    {
        // All of them: there are no more than the rows and columns of a table that is bounded itself.
        var shown = faults.OrderBy(fault => fault.Line).ToArray();
        var problem = Problems.Invalid(
            shown.Select(fault => (string.Create(CultureInfo.InvariantCulture, $"line {fault.Line}{(fault.Column.Length == 0 ? "" : $", {fault.Column}")}"), fault.Message)),
            $"Nothing was imported: {(faults.Count == 1 ? "1 error" : $"{faults.Count} errors")}.");
        problem.ProblemDetails.Extensions["rows"] = shown;
        return problem;
    }
}
