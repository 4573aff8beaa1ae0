using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Settings;

internal sealed record SetSettingRequest(string Value);

/// <param name="Cleared">The nodes below whose own values are gone.</param>
internal sealed record ForcedAnswer(IReadOnlyList<SettingSource> Cleared, long Version);

/// <summary>The four operations on one kind of node.</summary>
internal sealed class SettingRoutes(SettingNodeKind kind)
{
    public Results<Ok<SettingList>, ProblemHttpResult> List(CallersPolicy policy, Guid? id = null)
    {
        var node = new SettingNode(kind, id ?? default);
        return policy.MaySee(node)
            ? TypedResults.Ok(new SettingList([.. Access.Settings.At(kind).Select(setting => Show(policy, node, setting))], policy.Version))
            : Problems.NotFound();
    }

    public async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> SetAsync(
        string setting, SetSettingRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation, Guid? id = null) =>
        TryRead(setting, out var known)
            ? (await writer.ApplyAsync(caller, new PolicyCommand.SetSetting(new(kind, id ?? default), known, request.Value), cancellation)).Answer()
            : Problems.NotFound();

    public async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> ClearAsync(
        string setting, Caller caller, PolicyWriter writer, CancellationToken cancellation, Guid? id = null) =>
        TryRead(setting, out var known)
            ? (await writer.ApplyAsync(caller, new PolicyCommand.ClearSetting(new(kind, id ?? default), known), cancellation)).Answer()
            : Problems.NotFound();

    public async Task<Results<Ok<ForcedAnswer>, ProblemHttpResult>> ForceAsync(
        string setting, SetSettingRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation, Guid? id = null)
    {
        if (!TryRead(setting, out var known)) return Problems.NotFound();
        var outcome = await writer.ApplyAsync(caller, new PolicyCommand.ForceSetting(new(kind, id ?? default), known, request.Value), cancellation);
        return outcome.Answer(snapshot =>
        {
            var policy = new CallersPolicy(snapshot, caller, time.GetUtcNow());
            var cleared = ((PolicyOutcome.Applied)outcome).Delta.Changes.Where(change => change.After is null).Select(change => ((SettingRow)change.Before!).Node);
            return new ForcedAnswer([.. cleared.Select(node => Show(policy, node))], snapshot.Version);
        });
    }

    /// <summary>In camelCase, as everywhere.</summary>
    private static bool TryRead(string text, out SettingKind setting)
    {
        foreach (var known in Access.Settings.All)
        {
            setting = known;
            if (System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(known.ToString()) == text) return true;
        }

        setting = default;
        return false;
    }

    private static SettingAnswer Show(CallersPolicy policy, SettingNode node, SettingKind setting)
    {
        var counts = policy.Snapshot.Setting(node, setting)!.Value;
        return new(setting, counts.Value, Show(policy, counts.Source), counts.Source == node);
    }

    private static SettingSource Show(CallersPolicy policy, SettingNode node) => node.Kind switch
    {
        SettingNodeKind.DeviceGroup => new(node.Kind, node.Id, policy.MaySee(node) ? (policy.Snapshot.Find(new(PolicyTable.DeviceGroup, node.Id)) as DeviceGroupRow)?.Name : null),
        SettingNodeKind.Device => new(node.Kind, node.Id, policy.MaySee(node) ? policy.Snapshot.Device(new(node.Id))?.Name : null),
        _ => new(node.Kind, null, null),
    };
}
