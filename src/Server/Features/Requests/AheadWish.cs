using System.Collections.Immutable;
using Countersign.Access;

namespace Countersign.Server.Features.Requests;

/// <param name="Devices">Ids; or else a group.</param>
/// <param name="DeviceGroup">Its devices at approval, of those that one may ask for.</param>
/// <param name="Role">One of those that the organization lets people ask for; left out: the only one.</param>
/// <param name="Account">At the devices; left out: their default one, where it is the same on all.</param>
/// <param name="Reason">At most 400 characters.</param>
internal sealed record AskAhead(
    RequestTimeForm Time, IReadOnlyList<Guid>? Devices = null, Guid? DeviceGroup = null, Guid? Role = null, string? Account = null, string Reason = "");

/// <summary>A wish for access ahead that may be asked for; only <see cref="Read"/> makes one.</summary>
internal sealed record AheadWish
{
    /// <summary>Devices of one wish.</summary>
    private const int MostDevices = 100;

    /// <summary>Nothing begins or ends later than that from now: an instant with a mistyped year is no wish.</summary>
    public static readonly TimeSpan Farthest = TimeSpan.FromDays(731);

    private AheadWish()
    {
    }

    public required RoleRow Role { get; init; }

    public required string Account { get; init; }

    public required ImmutableArray<DeviceId> Devices { get; init; }

    public required DeviceGroupRow? Group { get; init; }

    public required RequestTimeForm Time { get; init; }

    /// <summary>In seconds.</summary>
    public required long? Duration { get; init; }

    /// <param name="wrong">The field and what is wrong with it; null: nothing is.</param>
    public static AheadWish? Read(AskAhead asked, PolicySnapshot policy, PersonId requester, DateTimeOffset now, out (string Field, string Message)? wrong)
    {
        (wrong, var (time, duration)) = ReadTime(asked.Time, policy.RequestLongest, now);
        if (wrong is not null) return null;
        if (RoleOf(asked.Role, policy) is not { } role)
        {
            wrong = ("role", asked.Role is null ? "Say which: there is not exactly one that may be asked for." : "It is none of the roles that may be asked for.");
            return null;
        }

        wrong = ReadDevices(asked, policy, requester, now, out var devices, out var group, out var account);
        if (wrong is not null) return null;

        // With none of it within the ceiling an approval would give nothing.
        if (devices.All(device => !policy.WouldHold(requester, device, account, role.Permissions, now).Intersects(PermissionCatalogue.Connections)))
        {
            wrong = ("role", "Nothing of it would be yours: it is above what your technician groups allow.");
            return null;
        }

        return new() { Role = role, Account = account, Devices = devices, Group = group, Time = time, Duration = duration };
    }

    /// <summary>Windows are half open, to the second.</summary>
    public static DateTimeOffset? ToTheSecond(DateTimeOffset? at) => at is { } instant ? new(instant.UtcTicks - instant.UtcTicks % TimeSpan.TicksPerSecond, TimeSpan.Zero) : null;

    private static RoleRow? RoleOf(Guid? asked, PolicySnapshot policy) => asked is { } id
        ? policy.RequestableRoles.FirstOrDefault(role => role.Id.Value == id)
        : policy.RequestableRoles is [var only] ? only : null;

    private static (string Field, string Message)? ReadDevices(
        AskAhead asked, PolicySnapshot policy, PersonId requester, DateTimeOffset now, out ImmutableArray<DeviceId> devices, out DeviceGroupRow? group, out string account)
    {
        (devices, group, account) = ([], null, "");
        if (asked.Devices is null == asked.DeviceGroup is null) return ("devices", "Say which: devices, or a group of them.");
        if (asked.Devices is { } ids)
        {
            if (ids.Count is 0 or > MostDevices) return ("devices", $"They are 1 to {MostDevices}.");

            // Not there, and not theirs to ask for: one answer.
            for (var index = 0; index < ids.Count; index++)
            {
                if (!policy.MayRequestAccess(requester, new(ids[index]), now)) return ($"devices[{index}]", "There is no such device that you may ask for.");
            }

            devices = [.. ids.Distinct().Select(id => new DeviceId(id))];
        }
        else
        {
            var below = new DeviceGroupId(asked.DeviceGroup!.Value);
            devices = [.. policy.DevicesIn(below).Select(device => device.Id).Where(device => policy.MayRequestAccess(requester, device, now))];
            if (devices.IsEmpty) return ("deviceGroup", "There is no such group with a device that you may ask for.");
            group = policy.Find(new(PolicyTable.DeviceGroup, below.Value)) as DeviceGroupRow;
        }

        return ReadAccount(asked, policy, ref devices, out account);
    }

    private static (string Field, string Message)? ReadAccount(AskAhead asked, PolicySnapshot policy, ref ImmutableArray<DeviceId> devices, out string account)
    {
        account = asked.Account ?? "";
        if (asked.Account is null)
        {
            if (devices.Select(device => policy.AccountsOf(device).FirstOrDefault(row => row.IsDefault)?.Name).Distinct().ToList() is not [{ } common])
                return ("account", "Say which: the default accounts of the devices are not the same.");
            account = common;
        }

        var name = account;
        var having = devices.Where(device => policy.AccountsOf(device).Any(row => row.Name == name)).ToImmutableArray();
        if (having.IsEmpty || (asked.DeviceGroup is null && having.Length < devices.Length)) return ("account", "Not all of the devices have this account.");
        devices = having;
        return null;
    }

    private static ((string Field, string Message)? Wrong, (RequestTimeForm Time, long? Duration) Read) ReadTime(RequestTimeForm asked, TimeSpan? longest, DateTimeOffset now)
    {
        var time = asked with { From = ToTheSecond(asked.From), To = ToTheSecond(asked.To), LatestStart = ToTheSecond(asked.LatestStart) };
        return asked.Kind == RequestTimeKind.Fixed ? (WrongWindow(ref time, asked, longest, now), (time, null)) : ReadDuration(time, longest, now);
    }

    private static (string Field, string Message)? WrongWindow(ref RequestTimeForm time, RequestTimeForm asked, TimeSpan? longest, DateTimeOffset now)
    {
        if (asked.Duration is not null) return ("time.duration", "A fixed window has none.");
        if (asked.LatestStart is not null) return ("time.latestStart", "A fixed window has none.");
        var current = ToTheSecond(now)!.Value;
        time = time with { From = time.From ?? current };
        if (time.From < current) return ("time.from", "It starts in the past.");
        if (time.From > now + Farthest) return ("time.from", "It is too far away.");
        if (time.To is not { } to) return ("time.to", "Say when it ends.");
        if (to <= time.From) return ("time.to", "It ends before it starts.");
        return to > now + Farthest || to - time.From > longest ? ("time.to", TooLong(longest)) : null;
    }

    private static ((string Field, string Message)? Wrong, (RequestTimeForm Time, long? Duration) Read) ReadDuration(RequestTimeForm time, TimeSpan? longest, DateTimeOffset now)
    {
        if (time.From is not null) return (("time.from", "Only a fixed window has one."), default);
        if (time.To is not null) return (("time.to", "Only a fixed window has one."), default);
        if (time.Duration is not { } text) return (("time.duration", "Say how long."), default);
        if (!Access.Settings.TryDuration(text, out var duration, out var problem)) return (("time.duration", problem), default);
        if (duration is not { } length) return (("time.duration", "Say how long."), default);
        if (length > longest) return (("time.duration", TooLong(longest)), default);
        var begins = time.Kind == RequestTimeKind.FromFirstUse;
        if (!begins && time.LatestStart is not null) return (("time.latestStart", "It is only for a time from the first use."), default);
        if (begins && time.LatestStart is null) return (("time.latestStart", "Say until when it has to be used first."), default);
        if (time.LatestStart <= now) return (("time.latestStart", "It is in the past."), default);
        return time.LatestStart > now + Farthest ? (("time.latestStart", "It is too far away."), default) : (null, (time, (long)length.TotalSeconds));
    }

    private static string TooLong(TimeSpan? longest) => longest is null ? "It is too long." : $"It may last {Access.Settings.Write(longest)} at most.";
}
