namespace Countersign.Access;

/// <summary>A grant with its role and window looked up, ready to be asked.</summary>
internal sealed class CompiledGrant
{
    private readonly ulong _accountBits;
    private readonly bool _haveAllBits;

    public CompiledGrant(GrantRow row, RoleRow role, string[] accountNames, WeeklyHours? hours, AccountNames numbers)
    {
        Row = row;
        Role = role;
        AccountNames = accountNames;
        if (row.Window.From is not null || row.Window.To is not null || hours is not null) Window = new(row.Window.From, row.Window.To, hours);
        _accountBits = numbers.BitsOf(accountNames, out _haveAllBits);
    }

    public GrantRow Row { get; }

    public RoleRow Role { get; }

    public PermissionSet Permissions => Role.Permissions;

    /// <summary>Empty unless the rule is <see cref="AccountRule.Named"/>.</summary>
    public string[] AccountNames { get; }

    /// <summary>Null: always.</summary>
    public Window? Window { get; }

    public WeeklyHours? Hours => Window?.Hours;

    public bool IsOverSection => Row.Scope.Kind is ScopeKind.QuickSupport or ScopeKind.Team;

    /// <summary>Where its scope lies. Set once, before anybody asks: who moves the scope makes the grant anew.</summary>
    public Placement Place { get; set; }

    /// <summary>What it gives depends on the instant or on the account's name.</summary>
    public bool IsConditional => Window is not null || Row.Accounts.Rule == AccountRule.Named;

    public Condition Condition => new(Permissions, Window, Row.Accounts.Rule, _accountBits, _haveAllBits ? null : AccountNames);

    public bool InForce(DateTimeOffset at) => Window is null || Window.IsOpen(at);

    /// <summary>The earliest instant after <paramref name="at"/> at which it comes into force or stops; null: never.</summary>
    public DateTimeOffset? NextChange(DateTimeOffset at) => Window?.NextChange(at);

    /// <summary>Whether it is for the account. The default rule stands for the device as such too, where no account is meant.</summary>
    public bool IsFor(in AccountAsked account) => Row.Accounts.Rule switch
    {
        AccountRule.Any => true,
        AccountRule.Default => account.IsDefault,
        AccountRule.Named => account.Name is not null && Array.IndexOf(AccountNames, account.Name) >= 0,
        _ => false,
    };

    /// <summary>Whether it is for any account that the device has, or for the device as such.</summary>
    public bool IsForAnyOf(DeviceNode device) =>
        Row.Accounts.Rule != AccountRule.Named || Array.Exists(device.Accounts, account => Array.IndexOf(AccountNames, account.Name) >= 0);
}

/// <summary>When something holds: from an instant (included) to another (excluded), and within weekly hours.</summary>
/// <param name="Hours">Null: at all hours.</param>
internal sealed record Window(DateTimeOffset? From, DateTimeOffset? To, WeeklyHours? Hours)
{
    public bool IsOpen(DateTimeOffset at) => !(at < From) && !(at >= To) && (Hours is null || Hours.IsOpen(at));

    /// <summary>The earliest instant after <paramref name="at"/> at which it opens or closes; null: never.</summary>
    public DateTimeOffset? NextChange(DateTimeOffset at)
    {
        if (at >= To) return null;
        if (Hours is null) return at < From ? From : To;
        var begins = at < From ? From.Value : at;
        var isOpen = Hours.IsOpen(begins);
        if (isOpen && begins > at) return begins;
        return Hours.NextChange(begins) is { } next && !(To <= next) ? next : isOpen ? To : null;
    }
}

/// <summary>The account that a question is about.</summary>
/// <param name="Name">Null: the device as such.</param>
/// <param name="Bit">Of the name, if it has one.</param>
internal readonly record struct AccountAsked(string? Name, bool IsDefault, ulong Bit)
{
    public static AccountAsked TheDeviceItself => new(null, true, 0);
}
