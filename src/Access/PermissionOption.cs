using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Countersign.Access;

/// <summary>
/// How a permission may be used, for the few that a technician group's policy can narrow without denying them:
/// Chat <c>on</c> · <c>off</c> (at session start); RecordSessions <c>allowed</c> · <c>consent</c>; TransferSessions and Collaborate <c>any</c> ·
/// <c>named:</c> and ids of groups with commas between; InviteExternal <c>anyone</c> · <c>approved</c>. The second is the stricter one.
/// </summary>
public sealed class PermissionOption : IEquatable<PermissionOption>
{
    /// <summary>Longest text that is looked at.</summary>
    public const int MaxLength = 2000;

    private const string NamedPrefix = "named:";

    private static readonly Dictionary<Permission, (string Wide, string Strict, string Default)> Forms = new()
    {
        [Permission.Chat] = ("on", "off", "on"),
        [Permission.RecordSessions] = ("allowed", "consent", "allowed"),
        [Permission.TransferSessions] = ("any", NamedPrefix, "any"),
        [Permission.Collaborate] = ("any", NamedPrefix, "any"),
        [Permission.InviteExternal] = ("anyone", "approved", "approved"),
    };

    private PermissionOption(string text, bool isStrict, Guid[] named)
    {
        Text = text;
        IsStrict = isStrict;
        Named = named;
    }

    /// <summary>The permissions that have one.</summary>
    public static IReadOnlyList<Permission> Having { get; } = [.. Forms.Keys];

    public string Text { get; }

    /// <summary>The stricter of the two forms.</summary>
    public bool IsStrict { get; }

    /// <summary>The groups or channels named; sorted.</summary>
    public IReadOnlyList<Guid> Named { get; }

    /// <summary>The widest that there is: what binds nobody.</summary>
    public static PermissionOption Widest(Permission permission) => new(Forms[permission].Wide, isStrict: false, []);

    /// <summary>The strictest that there is: of named lists the empty one.</summary>
    public static PermissionOption Strictest(Permission permission) =>
        Forms[permission].Strict == NamedPrefix ? ForNamed([]) : new(Forms[permission].Strict, isStrict: true, []);

    /// <param name="text">Empty: the default.</param>
    /// <param name="problem">One sentence that says what is wrong with the text; empty if nothing is.</param>
    public static bool TryParse(Permission permission, string? text, [NotNullWhen(true)] out PermissionOption? option, out string problem)
    {
        option = null;
        problem = "";
        if (!Forms.TryGetValue(permission, out var form))
        {
            problem = "This permission has no options.";
            return false;
        }

        if (string.IsNullOrEmpty(text)) text = form.Default;
        if (text == form.Wide) option = new(text, isStrict: false, []);
        else if (form.Strict != NamedPrefix) option = text == form.Strict ? new(text, isStrict: true, []) : null;
        else if (text.Length <= MaxLength && text.StartsWith(NamedPrefix, StringComparison.Ordinal) && Ids(text[NamedPrefix.Length..]) is { } named) option = ForNamed(named);
        if (option is null) problem = form.Strict == NamedPrefix ? "Write any, or named: and ids of groups with commas between." : $"Write {form.Wide} or {form.Strict}.";
        return option is not null;
    }

    /// <summary>Without one of those named; the list may become empty, which names nobody.</summary>
    public PermissionOption Without(Guid id) => Named.Contains(id) ? ForNamed([.. Named.Where(other => other != id)]) : this;

    /// <summary>What both allow.</summary>
    public PermissionOption Stricter(PermissionOption other)
    {
        if (!IsStrict || !other.IsStrict) return IsStrict ? this : other;
        return Text.StartsWith(NamedPrefix, StringComparison.Ordinal) ? ForNamed([.. Named.Intersect(other.Named)]) : this;
    }

    /// <summary>What either allows.</summary>
    public PermissionOption Wider(PermissionOption other)
    {
        if (!IsStrict || !other.IsStrict) return IsStrict ? other : this;
        return Text.StartsWith(NamedPrefix, StringComparison.Ordinal) ? ForNamed([.. Named.Union(other.Named)]) : this;
    }

    public bool Equals(PermissionOption? other) => other is not null && string.Equals(Text, other.Text, StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as PermissionOption);

    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    public override string ToString() => Text;

    private static PermissionOption ForNamed(Guid[] ids)
    {
        var sorted = ids.Distinct().Order().ToArray();
        return new(NamedPrefix + string.Join(',', sorted), isStrict: true, sorted);
    }

    private static Guid[]? Ids(string text)
    {
        if (text.Length == 0) return [];
        var ids = new List<Guid>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Guid.TryParseExact(part, "D", out var id)) return null;
            ids.Add(id);
        }

        return [.. ids];
    }
}

/// <summary>How one person may use what they are permitted, as their technician groups leave it.</summary>
public sealed class PermissionOptions : IEquatable<PermissionOptions>
{
    private readonly PermissionOption[] _options;

    internal PermissionOptions(PermissionOption[] options) => _options = options;

    /// <summary>The options that bind nobody.</summary>
    internal static IEnumerable<PermissionOption> Widest => PermissionOption.Having.Select(PermissionOption.Widest);

    /// <summary>The end user is asked once for all that is done in a session, and not for each kind of action when it begins.</summary>
    public bool SinglePrompt { get; internal init; }

    /// <summary>Where InviteExternal is for approved people only: the external groups whose members they are; in order.</summary>
    public ImmutableArray<ExternalGroupId> ApprovedExternals { get; internal init; } = [];

    /// <exception cref="ArgumentOutOfRangeException">It has no options.</exception>
    public PermissionOption this[Permission permission] => _options[PlaceOf(permission)];

    public bool Equals(PermissionOptions? other) =>
        other is not null
        && SinglePrompt == other.SinglePrompt
        && ApprovedExternals.AsSpan().SequenceEqual(other.ApprovedExternals.AsSpan())
        && _options.AsSpan().SequenceEqual(other._options);

    /// <summary>For explanations and comparisons: one text for each way to be bound.</summary>
    public override string ToString() =>
        string.Join("; ", PermissionOption.Having.Select(permission => this[permission].Text))
        + (SinglePrompt ? "; single prompt" : "")
        + (ApprovedExternals.IsEmpty ? "" : $"; approved: {ExternalGroups.Write(ApprovedExternals)}");

    /// <summary>The same as far as it counts for whoever holds no more than that.</summary>
    internal string Of(PermissionSet held)
    {
        var counting = PermissionOption.Having.Where(held.Contains).Select(permission => $"{permission}: {this[permission].Text}").ToList();
        if (SinglePrompt) counting.Add("single prompt");
        if (held.Contains(Permission.InviteExternal) && this[Permission.InviteExternal].IsStrict) counting.Add($"approved: {ExternalGroups.Write(ApprovedExternals)}");
        return string.Join("; ", counting);
    }

    public override bool Equals(object? obj) => Equals(obj as PermissionOptions);

    public override int GetHashCode() => _options[0].GetHashCode();

    internal static int PlaceOf(Permission permission)
    {
        for (var place = 0; place < PermissionOption.Having.Count; place++)
        {
            if (PermissionOption.Having[place] == permission) return place;
        }

        throw new ArgumentOutOfRangeException(nameof(permission), permission, "has no options");
    }
}
