using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>A permission in an address or a query: its name in the catalogue, to the letter, and nothing that merely parses as one, such as a number.</summary>
internal static class PermissionText
{
    public static bool TryRead(string text, out Permission permission) =>
        Enum.TryParse(text, out permission) && Enum.IsDefined(permission) && permission.ToString() == text;
}
