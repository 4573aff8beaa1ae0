using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;

namespace Countersign.Access;

/// <summary>What the fields of commands may hold. A refused one gives the answer to return; null: it is fine.</summary>
internal static class Fields
{
    private const int MaxText = 200;

    /// <summary>A character is composed of at most four, and blanks may stand around it.</summary>
    private const int MaxGiven = 2000;

    public static PlanResult? Id(Guid id, string field = "id") => id == Guid.Empty ? Invalid(field, "An id is missing.") : null;

    public static PlanResult? Name(string? text, out string name, string field = "name")
    {
        name = Written(text);
        return name.Length is 0 or > MaxText || !IsPlain(name) || !Shows(name) ? Invalid(field, $"A name has 1 to {MaxText} characters on one line, all of which show.") : null;
    }

    public static PlanResult? Description(string? text, out string description)
    {
        description = Written(text);
        return description.Length > MaxText || !IsPlain(description)
            ? Invalid("description", $"A description has at most {MaxText} characters on one line.")
            : null;
    }

    /// <summary>As it is kept, compared and looked for: composed, and without blanks around it. What is far too long is left as it is, to be refused.</summary>
    private static string Written(string? text) => text is null || text.Length > MaxGiven ? text ?? "" : Names.Composed(text.Trim());

    public static PlanResult? Login(string? text) =>
        text is null || !Names.IsLogin(text)
            ? Invalid("login", "A login is made of a-z, 0-9, dot, underscore and dash, starts with a letter or digit, and has at most 64 characters.")
            : null;

    public static PlanResult? Mail(string? text, out string mail)
    {
        mail = text?.Trim() ?? "";
        if (mail.Length == 0) return null;
        return Names.IsMail(mail) ? null : Invalid("mail", "This is no mail address: one such as ann@example.org is wanted.");
    }

    public static PlanResult? DeviceName(string? text) =>
        text is null || !Names.IsDevice(text)
            ? Invalid("name", "A device's name is made of a-z, 0-9, dot and dash, starts with a letter or digit, and has at most 253 characters.")
            : null;

    public static PlanResult? Account(string? text, string field) =>
        text is null || !Names.IsAccount(text)
            ? Invalid(field, "An account's name has 1 to 64 characters, and no blanks, commas, plus signs or control characters.")
            : null;

    /// <summary>A host name or an address, nothing that a shell or a URL would read more into.</summary>
    public static PlanResult? Host(string? text)
    {
        var isName = text is { Length: > 0 and <= 253 }
            && char.IsAsciiLetterOrDigit(text[0])
            && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_');
        var isAddress = text is { Length: <= 64 }
            && text.Contains(':', StringComparison.Ordinal)
            && !text.Contains('[', StringComparison.Ordinal)
            && IPAddress.TryParse(text, out _);
        return isName || isAddress ? null : Invalid("host", "Write a host name or an IP address.");
    }

    public static PlanResult? Port(int port, string field) => port is >= 1 and <= 65535 ? null : Invalid(field, "A port is a number from 1 to 65535.");

    public static PlanResult? Tags(IEnumerable<string>? tags, out string written)
    {
        written = "";
        if (tags is null) return Invalid("tags", "Tags are missing.");
        return DeviceTags.TryWrite([.. tags], out written, out var problem) ? null : Invalid("tags", problem);
    }

    /// <summary>Everything that is wrong at once, so that nobody has to try again field by field. Null: nothing is.</summary>
    public static PlanResult? All(params ReadOnlySpan<PlanResult?> checks)
    {
        var found = new List<PlanResult.Invalid>();
        foreach (var check in checks)
        {
            if (check is PlanResult.Invalid invalid) found.AddRange([invalid with { Others = [] }, .. invalid.Others]);
            else if (check is not null) return check;
        }

        return found.Count switch
        {
            0 => null,
            1 => found[0],
            _ => found[0] with { Others = found[1..] },
        };
    }

    public static PlanResult? Defined<T>(T value, string field)
        where T : struct, Enum => Enum.IsDefined(value) ? null : Invalid(field, "There is no such value.");

    public static PlanResult? Accounts(GrantAccounts accounts, out GrantAccounts canonical)
    {
        canonical = default;
        if (Defined(accounts.Rule, "accounts") is { } undefined) return undefined;
        if (accounts.Rule != AccountRule.Named)
        {
            canonical = new(accounts.Rule);
            return string.IsNullOrEmpty(accounts.Names) ? null : Invalid("accounts", "Names are given only with the rule for named accounts.");
        }

        var names = (accounts.Names ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length is 0 or > 100) return Invalid("accounts", "Name 1 to 100 accounts.");
        foreach (var name in names)
        {
            if (Account(name, "accounts") is { } invalid) return invalid;
        }

        canonical = new(AccountRule.Named, string.Join(',', names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)));
        return null;
    }

    public static PlanResult? Window(GrantWindow? window, [NotNull] out GrantWindow? canonical)
    {
        canonical = GrantWindow.Always;
        if (window is null) return null;
        if (window is { From: { } from, To: { } to } && to <= from) return Invalid("window", "The window ends before it starts.");
        WeeklyHours? hours = null;
        if (!string.IsNullOrEmpty(window.Hours) && !WeeklyHours.TryParse(window.Hours, out hours, out var problem)) return Invalid("window", problem);
        canonical = new(window.From?.ToUniversalTime(), window.To?.ToUniversalTime(), hours?.ToString() ?? "");
        return null;
    }

    public static PlanResult Invalid(string field, string message) => new PlanResult.Invalid(field, message);

    // Control characters, halves of characters, and marks that turn the direction of writing: names stand in logs and terminals.
    public static bool IsPlain(string text)
    {
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == 0xFFFD || IsHidden(rune.Value)) return false;
        }

        return true;
    }

    /// <summary>
    /// Nothing in it is there without being seen, but for what joins letters or keeps them apart, as some scripts need it.
    /// </summary>
    private static bool Shows(string text)
    {
        var before = default(Rune);
        var isJoined = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (isJoined && !IsOfLetter(rune)) return false;
            isJoined = IsJoiner(rune);
            if (isJoined ? !IsOfLetter(before) : Rune.GetUnicodeCategory(rune) == UnicodeCategory.Format) return false;
            before = rune;
        }

        return !isJoined;
    }

    /// <summary>The text as it is seen: less what joins letters and keeps them apart, and may have kept a mark from its letter.</summary>
    public static string Seen(string text) => text.AsSpan().IndexOfAny('\u200c', '\u200d') < 0
        ? text
        : Names.Composed(text.Replace("\u200c", "", StringComparison.Ordinal).Replace("\u200d", "", StringComparison.Ordinal));

    private static bool IsJoiner(Rune rune) => rune.Value is 0x200C or 0x200D;

    /// <summary>A letter, or a mark on one.</summary>
    private static bool IsOfLetter(Rune rune) => Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;

    private static bool IsHidden(int value) =>
        value is < 0x20 or (>= 0x7F and < 0xA0) or 0x2028 or 0x2029 or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);
}
