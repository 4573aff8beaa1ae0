namespace Countersign.Access;

/// <summary>
/// What a row has to hold to by itself, whoever wrote it: policy that comes from elsewhere than a plan is no looser than what plans make. Looked at for every
/// row that is compiled, so that each check is a look at a few characters.
/// </summary>
internal static class RowRules
{
    /// <exception cref="PolicyException">It does not.</exception>
    public static void Check(PersonRow row)
    {
        if (!Enum.IsDefined(row.Kind) || !Enum.IsDefined(row.State) || !Enum.IsDefined(row.Status)) throw new PolicyException($"{row.Key}: of no known kind or state");
        if (!Names.IsLogin(row.Login)) throw new PolicyException($"{row.Key}: '{row.Login}' is no login");
        if (row is { Kind: PersonKind.Owner, TakesPart: false }) throw new PolicyException($"{row.Key}: the owner is invited or disabled");
    }

    /// <exception cref="PolicyException">It does not.</exception>
    public static void Check(TechnicianGroupRow row)
    {
        if (!Enum.IsDefined(row.Consent)) throw new PolicyException($"{row.Key}: asks for consent in no known way");
        if (row is { ParentId: null, Enabled: false }) throw new PolicyException($"{row.Key}: the root is disabled");
    }

    /// <exception cref="PolicyException">It does not.</exception>
    public static void Check(DeviceRow row)
    {
        if (!Names.IsDevice(row.Name)) throw new PolicyException($"{row.Key}: '{row.Name}' is no device's name");
    }

    /// <exception cref="PolicyException">It does not.</exception>
    public static void Check(DeviceAccountRow row)
    {
        if (!Names.IsAccount(row.Name)) throw new PolicyException($"{row.Key}: '{row.Name}' is no account's name");
    }
}
