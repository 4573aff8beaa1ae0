using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Audit;

/// <param name="Person">Whose records: those of what they did, and those about them.</param>
/// <param name="Fields">actor, actorLogin, source, subject, subjectId, and details.NAME.</param>
/// <param name="Reason">Stands in the record of the erasure, 1 to 200 characters.</param>
/// <param name="Preview">Only counts.</param>
internal sealed record ErasureRequest(Guid Person, IReadOnlyList<string> Fields, string Reason, bool Preview = false);

/// <param name="Records">How many lost something, or would.</param>
internal sealed record ErasureAnswer(long Records);

/// <summary>
/// Erases personal data for good. Reading the log is not enough for it, nor can anybody erase their own traces: it is of a person, who must be out, and what was done by
/// somebody who is in tells on what.
/// </summary>
internal static class EraseAudit
{
    private const int MostFields = 32;
    private const int LongestReason = 200;

    public static async Task<Results<Ok<ErasureAnswer>, ProblemHttpResult>> HandleAsync(
        ErasureRequest request, Caller caller, CallersPolicy policy, AuditSealer sealer, AuditEraser eraser, CancellationToken cancellation)
    {
        if (Refusal(policy.Snapshot, caller.Person, request.Person, policy.At) is { } refused) return refused;
        if (request.Fields.Count is 0 or > MostFields) return Problems.Invalid("fields", $"They are 1 to {MostFields}.");
        if (request.Fields.FirstOrDefault(name => !AuditEraser.IsField(name)) is { } unknown)
            return Problems.Invalid("fields", $"\"{unknown}\" is none: they are actor, actorLogin, source, subject, subjectId, and details.NAME.");
        if (request.Reason.Length is 0 or > LongestReason || request.Reason.Any(char.IsControl))
            return Problems.Invalid("reason", $"It has 1 to {LongestReason} characters, and no control characters.");
        if (!await eraser.IsOrWasPersonAsync(policy.Snapshot, new(request.Person), cancellation))
            return Problems.Invalid("person", "Personal data is of people: this is nobody who is, or was, in the organization.");

        // What waits has no commitments yet.
        await sealer.SealAsync(caller.Organization, cancellation);
        var (records, ended) = await eraser.EraseAsync(caller, request, cancellation);
        return ended is null ? TypedResults.Ok(new ErasureAnswer(records)) : ended;
    }

    /// <summary>Null: by this policy the caller may erase what there is of the person. Asked again for every batch.</summary>
    public static ProblemHttpResult? Refusal(PolicySnapshot policy, PersonId caller, Guid person, DateTimeOffset at)
    {
        if (!policy.HoldsOverTeam(caller, Permission.ManageTechnicians, at)) return Problems.Forbidden("Only the owner and those who manage technicians erase personal data.");
        return IsIn(policy, new(person)) ? Problems.Conflict("Somebody who still takes part keeps their records: disable or remove the person first.") : null;
    }

    /// <summary>Also before they have joined: whoever may come in is not out.</summary>
    public static bool IsIn(PolicySnapshot policy, PersonId person) => policy.Person(person) is { Status: PersonStatus.Active };
}
