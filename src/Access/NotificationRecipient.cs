using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>The order is that of the canonical spelling.</summary>
public enum NotificationRecipientKind : byte
{
    /// <summary><c>managers</c>: of the technician groups of the person concerned.</summary>
    Managers = 1,

    /// <summary><c>master</c>: the master administrators.</summary>
    MasterAdministrators = 2,

    /// <summary><c>holders:PERMISSION</c>: who holds a permission for devices effectively on the device.</summary>
    Holders = 3,

    /// <summary><c>person:ID</c>.</summary>
    Person = 4,

    /// <summary><c>mail:ADDRESS</c>: whoever reads there, of the organization or not.</summary>
    Mail = 5,
}

/// <summary>One of those whom a setting names to be told.</summary>
/// <param name="Permission">Of <see cref="NotificationRecipientKind.Holders"/>; null for the others.</param>
/// <param name="Person">Of <see cref="NotificationRecipientKind.Person"/>; null for the others. They need not be there any more.</param>
/// <param name="Address">Of <see cref="NotificationRecipientKind.Mail"/>; empty for the others.</param>
public sealed record NotificationRecipient(NotificationRecipientKind Kind, Permission? Permission = null, PersonId? Person = null, string Address = "")
{
    private static readonly Dictionary<string, Permission> Holdable =
        PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups).ToDictionary(permission => permission.ToString(), StringComparer.Ordinal);

    /// <summary>The canonical spelling.</summary>
    public override string ToString() => Kind switch
    {
        NotificationRecipientKind.Managers => "managers",
        NotificationRecipientKind.MasterAdministrators => "master",
        NotificationRecipientKind.Holders => $"holders:{Permission}",
        NotificationRecipientKind.Person => $"person:{Person}",
        _ => $"mail:{Address}",
    };

    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out NotificationRecipient? recipient, out string problem)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var kind = colon < 0 ? text : text[..colon];
        var name = colon < 0 ? null : text[(colon + 1)..];
        recipient = kind switch
        {
            "managers" when name is null => new(NotificationRecipientKind.Managers),
            "master" when name is null => new(NotificationRecipientKind.MasterAdministrators),
            "holders" when name is not null && Holdable.TryGetValue(name, out var permission) => new(NotificationRecipientKind.Holders, permission),
            "person" when Guid.TryParseExact(name, "D", out var id) => new(NotificationRecipientKind.Person, Person: new(id)),
            "mail" when name is not null && Names.IsMail(name) => new(NotificationRecipientKind.Mail, Address: Canonical(name)),
            _ => null,
        };
        problem = recipient is not null ? "" : kind switch
        {
            "holders" => "After holders: comes a permission for devices, such as ConnectionHistory.",
            "person" => "After person: comes a person's id.",
            "mail" => $"After mail: comes one mail address of at most {Names.MostOfMail} characters, such as ops@example.org.",
            _ => "Recipients are managers, master, holders:PERMISSION, person:ID and mail:ADDRESS, with commas between.",
        };
        return recipient is not null;
    }

    /// <summary>Only the domain is the same in capitals; what stands before the @ is for its host to read.</summary>
    private static string Canonical(string address)
    {
        var at = address.IndexOf('@', StringComparison.Ordinal);
        return address[..at] + address[at..].ToLowerInvariant();
    }
}
