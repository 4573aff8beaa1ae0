using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>A list of external groups as text, one spelling each: ids in order with commas between.</summary>
public static class ExternalGroups
{
    /// <summary>How many groups one technician group can approve.</summary>
    public const int Most = 50;

    /// <summary>Longest text.</summary>
    public const int MaxLength = 2000;

    public static string Write(IEnumerable<ExternalGroupId> groups) => string.Join(',', groups.Select(group => group.Value).Distinct().Order());

    /// <summary>False for a text in any other form.</summary>
    public static bool TryRead(string text, [NotNullWhen(true)] out ImmutableArray<ExternalGroupId>? groups)
    {
        groups = null;
        if (text.Length > MaxLength) return false;
        var found = ImmutableArray.CreateBuilder<ExternalGroupId>();
        foreach (var part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (found.Count == Most || !Guid.TryParseExact(part, "D", out var id)) return false;
            found.Add(new(id));
        }

        if (!string.Equals(Write(found), text, StringComparison.Ordinal)) return false;
        groups = found.DrainToImmutable();
        return true;
    }
}
