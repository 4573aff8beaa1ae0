namespace Countersign.Access;

/// <summary>A grant with its role and window looked up, ready to be asked.</summary>
internal sealed class CompiledGrant
{
    public required GrantRow Row { get; init; }

    public required RoleRow Role { get; init; }

    public required PermissionSet Permissions { get; init; }

    /// <summary>Empty unless the rule is <see cref="AccountRule.Named"/>.</summary>
    public required string[] AccountNames { get; init; }

    public required WeeklyHours? Hours { get; init; }

    public bool IsUnlimited => Hours is null && Row.Window.From is null && Row.Window.To is null;

    public bool InForce(DateTimeOffset at) =>
        (Row.Window.From is not { } from || at >= from)
        && (Row.Window.To is not { } to || at < to)
        && (Hours is null || Hours.IsOpen(at));

    /// <summary>The earliest instant after <paramref name="at"/> at which it may come into force or stop; null: never.</summary>
    public DateTimeOffset? NextChange(DateTimeOffset at)
    {
        if (Row.Window.To is { } to && at >= to) return null;
        if (Row.Window.From is { } from && at < from) return from;
        var next = Hours?.NextChange(at);
        return Row.Window.To is { } end && (next is null || end < next) ? end : next;
    }

    /// <summary>Whether it is for the account. The default rule stands for the device as such too, where no account is meant.</summary>
    public bool IsFor(in AccountAsked account) => Row.Accounts.Rule switch
    {
        AccountRule.Any => true,
        AccountRule.Default => account.IsDefault,
        AccountRule.Named => account.Name is not null && Array.IndexOf(AccountNames, account.Name) >= 0,
        _ => false,
    };

    /// <summary>Whether it is for any account that the device has, or for the device as such.</summary>
    public bool IsForAnyOf(DeviceNode device)
    {
        if (Row.Accounts.Rule != AccountRule.Named) return true;
        foreach (var account in device.Accounts)
        {
            if (Array.IndexOf(AccountNames, account.Name) >= 0) return true;
        }

        return false;
    }
}

/// <summary>The account that a question is about.</summary>
/// <param name="Name">Null: the device as such.</param>
internal readonly record struct AccountAsked(string? Name, bool IsDefault)
{
    public static AccountAsked TheDeviceItself => new(null, true);
}
