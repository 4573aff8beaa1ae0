using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>
/// The value of <see cref="SettingKind.Notifications"/>: which events go to whom. Spelled <c>none</c>, or
/// <c>session.refused: managers, mail:ops@example.org; recording.failed: master</c>: each event at most once, each with 1 to 32 recipients, each of
/// those once. It restricts nobody and gives nobody anything.
/// </summary>
public sealed class NotificationRules
{
    private const int MostRecipients = 32;

    private readonly Dictionary<string, NotificationRecipient[]> _recipients;

    private NotificationRules(Dictionary<string, NotificationRecipient[]> recipients)
    {
        _recipients = recipients;
        var named = Events.Where(recipients.ContainsKey).Select(name => $"{name}: {string.Join(", ", recipients[name].Select(recipient => recipient.ToString()))}");
        Canonical = recipients.Count == 0 ? "none" : string.Join("; ", named);
    }

    /// <summary>What can be told, by the kinds of the audit log's records, in the order of the canonical spelling.</summary>
    public static IReadOnlyList<string> Events { get; } =
    [
        "session.began",
        "session.refused",
        "session.terminated",
        "session.ended",
        "recording.failed",
        "journal.failed",
        "device.hostKeyChanged",
        "request.asked",
        "request.blocked",
        "request.approved",
        "request.rejected",
        "request.expired",
        "request.cancelled",
        "request.revoked",
    ];

    /// <summary>Nobody is told anything.</summary>
    public static NotificationRules None { get; } = new([]);

    /// <summary>The one spelling, which reads as these rules again; at most <see cref="Settings.MaxLength"/> characters.</summary>
    public string Canonical { get; }

    /// <summary>Each recipient with the event that they are told of.</summary>
    public IEnumerable<(string Event, NotificationRecipient Recipient)> Pairs =>
        _recipients.SelectMany(entry => entry.Value.Select(recipient => (entry.Key, recipient)));

    /// <summary>Empty for events that are not named, or that there are not.</summary>
    public IReadOnlyList<NotificationRecipient> For(string name) => _recipients.GetValueOrDefault(name) ?? [];

    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out NotificationRules? rules, out string problem)
    {
        rules = null;
        problem = "";
        if (text == "none")
        {
            rules = None;
            return true;
        }

        // Before it is cut into parts, so that there are never more of them than fit.
        var tooLong = $"A setting's value has at most {Settings.MaxLength} characters.";
        if (text.Length > Settings.MaxLength) return Fails(tooLong, out problem);
        var found = new Dictionary<string, NotificationRecipient[]>(StringComparer.Ordinal);
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries))
        {
            var colon = part.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) return Fails("Write none, or EVENT: RECIPIENT, RECIPIENT with semicolons between, such as session.refused: managers.", out problem);
            var name = part[..colon].TrimEnd();
            if (!Events.Contains(name)) return Fails($"Events are {string.Join(", ", Events)}.", out problem);
            if (!TryRecipients(name, part[(colon + 1)..], out var recipients, out problem)) return false;
            if (!found.TryAdd(name, recipients)) return Fails($"{name} stands there twice.", out problem);
        }

        var read = new NotificationRules(found);
        if (read.Canonical.Length > Settings.MaxLength) return Fails(tooLong, out problem);
        rules = read;
        return true;
    }

    private static bool TryRecipients(string name, string text, [NotNullWhen(true)] out NotificationRecipient[]? recipients, out string problem)
    {
        recipients = null;
        var found = new HashSet<NotificationRecipient>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!NotificationRecipient.TryParse(part, out var recipient, out problem)) return false;
            if (!found.Add(recipient)) return Fails($"A recipient of {name} stands there twice.", out problem);
            if (found.Count > MostRecipients) return Fails($"{name} has more than {MostRecipients} recipients.", out problem);
        }

        problem = "";
        recipients = [.. found.OrderBy(recipient => recipient.Kind).ThenBy(recipient => recipient.ToString(), StringComparer.Ordinal)];
        return true;
    }

    private static bool Fails(string why, out string problem)
    {
        problem = why;
        return false;
    }
}
