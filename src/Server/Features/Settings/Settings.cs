using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Features.Settings;

/// <param name="Id">Null for the organization.</param>
/// <param name="Name">Null: the caller may not see that node; the value binds them all the same.</param>
internal sealed record SettingSource(SettingNodeKind Kind, Guid? Id, string? Name);

/// <param name="Value">In the one spelling of its kind.</param>
/// <param name="Own">Whether the node itself has it.</param>
internal sealed record SettingAnswer(SettingKind Setting, string Value, SettingSource Source, bool Own);

internal sealed record SettingList(IReadOnlyList<SettingAnswer> Items, long Version) : IVersioned;

/// <summary>Device-side settings, with where each value comes from.</summary>
public static class SettingsComposition
{
    public static IServiceCollection AddSettings(this IServiceCollection services) => services.AddApiTypes(SettingsJson.Default);

    public static void MapSettings(this IEndpointRouteBuilder routes)
    {
        var settings = routes.MapGroup("/settings").WithTags("Settings");
        foreach (var (kind, path) in ((SettingNodeKind, string)[])
        [
            (SettingNodeKind.Organization, "/organization"), (SettingNodeKind.DeviceGroup, "/device-groups/{id:guid}"), (SettingNodeKind.Device, "/devices/{id:guid}"),
        ])
        {
            var at = new SettingRoutes(kind);
            settings.MapGet(path, at.List).Requires(TokenScopes.PolicyRead);
            settings.MapPut(path + "/{setting}", at.SetAsync).ChangesPolicy(TokenScopes.Policy);
            settings.MapDelete(path + "/{setting}", at.ClearAsync).ChangesPolicy(TokenScopes.Policy);
            settings.MapPost(path + "/{setting}/force", at.ForceAsync).ChangesPolicy(TokenScopes.Policy);
        }
    }
}

[JsonSerializable(typeof(SettingList))]
[JsonSerializable(typeof(SetSettingRequest))]
[JsonSerializable(typeof(ForcedAnswer))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class SettingsJson : JsonSerializerContext;
