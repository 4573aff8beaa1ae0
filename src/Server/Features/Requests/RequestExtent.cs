using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Countersign.Access;

namespace Countersign.Server.Features.Requests;

internal sealed record RequestRole(Guid Id, string Name);

/// <summary>When access ahead is in force. Instants are cut to whole seconds.</summary>
/// <param name="From">Of a fixed window, included; left out when asking: now.</param>
/// <param name="To">Of a fixed window, not included.</param>
/// <param name="Duration">From approval, or from the first use: such as <c>90m</c> or <c>8h</c>.</param>
/// <param name="LatestStart">The first use is before this instant.</param>
internal sealed record RequestTimeForm(RequestTimeKind Kind, DateTimeOffset? From = null, DateTimeOffset? To = null, string? Duration = null, DateTimeOffset? LatestStart = null)
{
    public static RequestTimeForm Of(AccessRequest request) => new(
        request.TimeKind!.Value,
        request.WindowFrom,
        request.WindowTo,
        request.Duration is { } seconds ? Access.Settings.Write(TimeSpan.FromSeconds(seconds)) : null,
        request.LatestStart);
}

/// <summary>How much a request for access ahead is for.</summary>
internal sealed record RequestExtent(RequestRole Role, RequestTimeForm Time, IReadOnlyList<Guid> Devices)
{
    public static RequestExtent Of(AccessRequest request, IEnumerable<DeviceId> devices) =>
        new(new(request.Role!.Value.Value, request.RoleName ?? ""), RequestTimeForm.Of(request), [.. devices.Select(device => device.Value)]);
}

/// <summary>Less than was asked for, by an approver.</summary>
internal sealed record RequestEdit(RequestPerson By, DateTimeOffset At, string Channel, RequestExtent Before, RequestExtent After);

/// <summary>What an approver leaves of a request; what is left out stays.</summary>
/// <param name="Role">One whose permissions the role asked for has all.</param>
/// <param name="Devices">Some of its devices.</param>
internal sealed record RequestLess(
    DateTimeOffset? From = null, DateTimeOffset? To = null, string? Duration = null, DateTimeOffset? LatestStart = null, Guid? Role = null, IReadOnlyList<Guid>? Devices = null);

/// <summary>Edits a request that waits, and only to less.</summary>
internal static class RequestEdits
{
    public static IReadOnlyList<RequestEdit> Of(AccessRequest request) =>
        string.IsNullOrEmpty(request.Edits) ? [] : JsonSerializer.Deserialize(request.Edits, RequestEditJson.Default.ListRequestEdit)!;

    /// <summary>Changes nothing where something is wrong.</summary>
    /// <returns>The field and what is wrong with it; null: it was done.</returns>
    public static (string Field, string Message)? Apply(AccessRequest request, RequestLess less, PolicySnapshot policy, RequestActor actor, DateTimeOffset now)
    {
        if (!request.IsAhead) return ("only", "Only access that is asked for ahead is approved in part.");
        var devices = AheadDevices.Of(policy, request, now);
        var before = RequestExtent.Of(request, devices);
        if (TimeProblem(request, less, now, out var time) is { } wrong) return wrong;
        RoleRow? role = null;
        if (less.Role is { } id)
        {
            role = policy.Role(new(id));
            if (role is not { Purpose: RolePurpose.DevicesAndGroups } || role.Permissions.IsEmpty || !request.Permissions.Covers(role.Permissions))
                return ("only.role", "It is no role for devices whose permissions the role that was asked for has all.");
        }

        if (less.Devices is { } some)
        {
            ImmutableArray<DeviceId> left = [.. some.Distinct().Select(device => new DeviceId(device))];
            if (left.IsEmpty || left.Any(device => !devices.Contains(device))) return ("only.devices", "They are some of its devices, and at least one.");
            request.Devices = left;
        }

        if (role is not null) (request.Role, request.RoleName, request.Permissions) = (role.Id, role.Name, role.Permissions);
        (request.WindowFrom, request.WindowTo, request.Duration, request.LatestStart) = time;
        var after = RequestExtent.Of(request, less.Devices is null ? devices : request.Devices);
        var edit = new RequestEdit(new(actor.Person!.Value.Value, actor.Name), now, actor.Channel, before, after);
        request.Edits = JsonSerializer.Serialize([.. Of(request), edit], RequestEditJson.Default.ListRequestEdit);
        return null;
    }

    private static (string Field, string Message)? TimeProblem(
        AccessRequest request, RequestLess less, DateTimeOffset now, out (DateTimeOffset? From, DateTimeOffset? To, long? Duration, DateTimeOffset? LatestStart) time)
    {
        time = (AheadWish.ToTheSecond(less.From) ?? request.WindowFrom, AheadWish.ToTheSecond(less.To) ?? request.WindowTo, request.Duration, AheadWish.ToTheSecond(less.LatestStart) ?? request.LatestStart);
        if (less.From is not null && !(time.From >= request.WindowFrom)) return ("only.from", "It is not earlier than what was asked for.");
        if (less.To is not null && !(time.To <= request.WindowTo)) return ("only.to", "It is not later than what was asked for.");
        if (time.To <= time.From || time.To <= now) return (less.To is null ? "only.from" : "only.to", "Nothing would be left of the time.");
        if (less.LatestStart is not null && !(time.LatestStart <= request.LatestStart && time.LatestStart > now)) return ("only.latestStart", "It is to come, and not later than what was asked for.");
        if (less.Duration is not { } text) return null;
        if (!Access.Settings.TryDuration(text, out var duration, out var problem) || duration is null) return ("only.duration", problem.Length > 0 ? problem : "It is a duration.");
        time.Duration = (long)duration.Value.TotalSeconds;
        return time.Duration <= request.Duration ? null : ("only.duration", "It is not longer than what was asked for.");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<RequestEdit>))]
internal sealed partial class RequestEditJson : JsonSerializerContext;
