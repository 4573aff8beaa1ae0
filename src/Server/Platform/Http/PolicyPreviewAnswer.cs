using System.Text.Json.Serialization;
using Countersign.Access;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Platform;

internal enum RowFate : byte
{
    Added = 1,
    Changed = 2,
    Removed = 3,

    /// <summary>Not undone, since it was changed after what is undone.</summary>
    Left = 4,
}

internal sealed record TouchedRow(RowFate Fate, PolicyTable Table, Guid Id, Guid? Id2, string? Part)
{
    public static TouchedRow Of(RowChange change) =>
        Of(change.Before is null ? RowFate.Added : change.After is null ? RowFate.Removed : RowFate.Changed, change.Key);

    public static TouchedRow Of(RowFate fate, RowKey key) =>
        new(fate, key.Table, key.Id, key.Id2 == default ? null : key.Id2, key.Part.Length == 0 ? null : key.Part);
}

/// <summary>What a change of policy would do, made by the same plan that would make it.</summary>
/// <param name="Version">Of the policy that it was planned against.</param>
/// <param name="Summary">What the list of changes would say of it.</param>
/// <param name="Rows">What it would do to which rows; none: it changes nothing.</param>
/// <param name="Effects">What that means for whom on which devices, of those that the caller may see.</param>
/// <param name="Complete">False: it means more than is told. The effects are some of it.</param>
internal sealed record PolicyPreviewAnswer(long Version, string Summary, IReadOnlyList<TouchedRow> Rows, IReadOnlyList<PreviewedEffect> Effects, bool Complete)
{
    public const string Parameter = "preview";

    /// <summary>In place of the handler's answer where the caller asked to be shown the change; a refusal stays one.</summary>
    public static async ValueTask<object?> InPlaceOfAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var result = await next(context);
        if (context.HttpContext.Features.Get<Caller>() is not { Preview: { } preview } caller) return result;
        if (preview is { Before: { } before, Planned: { } planned })
        {
            var at = context.HttpContext.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();
            return TypedResults.Ok(Of(planned, new(before, planned.Snapshot, caller.Person, at)));
        }


        var inner = result is INestedHttpResult nested ? nested.Result : result;
        return inner is ProblemHttpResult ? inner : throw new InvalidOperationException("A change of policy was made without being planned.");
    }

    private static PolicyPreviewAnswer Of(PolicyOutcome.Applied planned, PreviewedEffects effects)
    {
        var (told, areComplete) = effects.All();
        IReadOnlyList<TouchedRow> rows = [.. planned.Delta.Changes.Select(TouchedRow.Of), .. planned.Left.Select(key => TouchedRow.Of(RowFate.Left, key))];
        return new(planned.Delta.FromVersion, planned.Delta.Summary, rows, told, areComplete);
    }
}

[JsonSerializable(typeof(PolicyPreviewAnswer))]
internal sealed partial class PolicyPreviewJson : JsonSerializerContext;
