namespace Countersign.Access;

internal sealed partial class SelfEscalation
{
    private string? OverDevices()
    {
        foreach (var device in _after.Devices.Values)
        {
            if (!_before.Devices.TryGetValue(device.Id, out var earlier)) continue;
            if (device.Rules != earlier.Rules && Loosened(earlier, device) is { } loosened) return loosened;
            if (IsReachedAlike(earlier, device)) continue;
            foreach (var person in _after.People.Values)
            {
                if (!person.IsOwner && Reached(earlier, device, person) is { } reached) return reached;
            }
        }

        return null;
    }

    private static bool IsReachedAlike(DeviceNode earlier, DeviceNode device) =>
        (earlier.Row.Enabled || !device.Row.Enabled)
        && earlier.ScopesAbove.AsSpan().SequenceEqual(device.ScopesAbove)
        && string.Equals(earlier.DefaultAccount, device.DefaultAccount, StringComparison.Ordinal);

    /// <summary>Grants that come to apply to the device, account by account; the actor has to hold what they bring.</summary>
    private string? Reached(DeviceNode earlier, DeviceNode device, PersonNode person)
    {
        var all = person.Sources.SelectMany(source => source.All).Aggregate(PermissionSet.None, (set, grant) => set | grant.Permissions);
        foreach (var name in device.Accounts.Select(account => account.Name).Where(earlier.HasAccount).Append(null))
        {
            var (asked, askedEarlier) = (Asked(device, name), Asked(earlier, name));
            foreach (var grant in person.Sources.SelectMany(source => source.All))
            {
                if (!device.Row.Enabled || !device.IsCoveredBy(grant.Row.Scope) || !grant.IsFor(asked)) continue;
                if (earlier.Row.Enabled && earlier.IsCoveredBy(grant.Row.Scope) && grant.IsFor(askedEarlier)) continue;
                var held = Held([earlier.OwnScope, .. earlier.ScopesAbove], own => own.IsFor(askedEarlier) && CoversWindow(own, grant));
                var uncovered = Flowing(person, grant.Permissions, all) - held;
                if (!uncovered.IsEmpty)
                {
                    return $"It would give {person.Row.Name} {Describe.Labels(uncovered)} on {device.Row.Name}, which you don't hold there yourself.";
                }
            }
        }

        return null;
    }

    private static AccountAsked Asked(DeviceNode device, string? name) =>
        name is null ? AccountAsked.TheDeviceItself : new(name, string.Equals(name, device.DefaultAccount, StringComparison.Ordinal));

    private string? Loosened(DeviceNode earlier, DeviceNode device)
    {
        var (was, now) = (earlier.Rules, device.Rules);

        // Recording that is no longer required gives Tunnel back to whoever was granted it, which is more than a restriction less.
        if (was.Recording == RecordingRule.Required && now.Recording != RecordingRule.Required)
        {
            return $"Only master administrators may end the duty to record on {device.Row.Name}.";
        }
        var looser = LoosensConsent(was.Consent, now.Consent)
            || (was.RequiresApproval && !now.RequiresApproval)
            || now.Recording < was.Recording
            || IsLonger(now.MaxSession, was.MaxSession)
            || IsLonger(now.IdleTimeout, was.IdleTimeout)
            || (was.SessionHours is { } hours && (now.SessionHours is null || !hours.Covers(now.SessionHours)));
        return looser && (Binds(earlier) || Binds(device)) ? $"It would loosen a setting on {device.Row.Name} that binds you too." : null;
    }

    private static bool LoosensConsent(RemoteControlApproval was, RemoteControlApproval now)
    {
        var hurried = now.TimeToAnswer < was.TimeToAnswer;
        for (var kind = ConsentKind.Screen; kind <= ConsentKind.Actions; kind++)
        {
            if (now.For(kind) < was.For(kind) || (hurried && now.For(kind) == ConsentMode.AskThenConnect)) return true;
        }

        return false;
    }

    private static bool IsLonger(TimeSpan? now, TimeSpan? was) => was is { } limit && (now is not { } time || time > limit);

    /// <summary>Whether anything lets the actor connect to the device, or ask to, at any time: its settings bind them then.</summary>
    private bool Binds(DeviceNode device) => Held([device.OwnScope, .. device.ScopesAbove], _ => true).Intersects(Connecting);
}
