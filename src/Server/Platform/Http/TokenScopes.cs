using System.Text.Json;

namespace Countersign.Server.Platform;

/// <summary>
/// What a token may be used for: everything, reading everything, or some areas of the API, to read there or also to change. A token gives nobody more
/// than its person may. Numbers are stored.
/// </summary>
[Flags]
public enum TokenScopes : uint
{
    /// <summary>For a route: any token is good for it. Of a token: it is good for what has to be done before everything else.</summary>
    None = 0,

    /// <summary>Reading in every area.</summary>
    Read = 1,

    /// <summary>Everything.</summary>
    Write = 2 | Read,

    /// <summary>Who may do what: grants, roles, settings, workflows, and the changes of all that.</summary>
    PolicyRead = 1 << 8,
    Policy = 1 << 9 | PolicyRead,

    /// <summary>Devices, their groups, and what opens their accounts.</summary>
    DevicesRead = 1 << 10,
    Devices = 1 << 11 | DevicesRead,

    /// <summary>Technicians, contacts, their groups, and what they are mailed.</summary>
    PeopleRead = 1 << 12,
    People = 1 << 13 | PeopleRead,

    /// <summary>Sessions and what happened in them.</summary>
    SessionsRead = 1 << 14,
    Sessions = 1 << 15 | SessionsRead,

    RecordingsRead = 1 << 16,
    Recordings = 1 << 17 | RecordingsRead,

    /// <summary>Asking for access, and deciding about it.</summary>
    RequestsRead = 1 << 18,
    Requests = 1 << 19 | RequestsRead,

    AuditRead = 1 << 20,
    Audit = 1 << 21 | AuditRead,

    /// <summary>The person's own tokens, keys, sign-ins and second factor.</summary>
    AccountRead = 1 << 22,
    Account = 1 << 23 | AccountRead,
}

/// <summary>Scopes as the API writes them, and what covers what.</summary>
internal static class ScopeNames
{
    private const string ToRead = ":read";

    private static readonly (TokenScopes Reading, TokenScopes All)[] _areas =
    [
        (TokenScopes.PolicyRead, TokenScopes.Policy), (TokenScopes.DevicesRead, TokenScopes.Devices), (TokenScopes.PeopleRead, TokenScopes.People),
        (TokenScopes.SessionsRead, TokenScopes.Sessions), (TokenScopes.RecordingsRead, TokenScopes.Recordings), (TokenScopes.RequestsRead, TokenScopes.Requests),
        (TokenScopes.AuditRead, TokenScopes.Audit), (TokenScopes.AccountRead, TokenScopes.Account),
    ];

    private static readonly Dictionary<string, TokenScopes> _byName = Named().ToDictionary(entry => entry.Name, entry => entry.Scope, StringComparer.Ordinal);

    /// <summary>The closed list.</summary>
    public static IReadOnlyCollection<string> All => _byName.Keys;

    /// <summary>The scopes of areas, one by one: to read there, and to change things there.</summary>
    public static IEnumerable<(TokenScopes Reading, TokenScopes All)> Areas => _areas;

    /// <summary>Whether a token with the one may do what takes the other.</summary>
    public static bool Cover(this TokenScopes held, TokenScopes wanted)
    {
        foreach (var (reading, all) in _areas)
        {
            if (held.HasFlag(TokenScopes.Write)) held |= all;
            else if (held.HasFlag(TokenScopes.Read)) held |= reading;
        }

        return (held & wanted) == wanted;
    }

    public static IReadOnlyList<string> Of(TokenScopes scopes)
    {
        if (scopes.HasFlag(TokenScopes.Write)) return ["read", "write"];
        var names = new List<string>();
        if (scopes.HasFlag(TokenScopes.Read)) names.Add("read");
        foreach (var (reading, all) in _areas)
        {
            if (scopes.HasFlag(all)) names.Add(NameOf(all));
            else if (scopes.HasFlag(reading)) names.Add(NameOf(all) + ToRead);
        }

        return names;
    }

    /// <summary>False: none, or one that is not of the list.</summary>
    public static bool TryRead(IReadOnlyList<string> names, out TokenScopes scopes)
    {
        scopes = TokenScopes.None;
        foreach (var name in names)
        {
            if (!_byName.TryGetValue(name, out var scope)) return false;
            scopes |= scope;
        }

        return scopes != TokenScopes.None;
    }

    private static IEnumerable<(string Name, TokenScopes Scope)> Named()
    {
        yield return ("read", TokenScopes.Read);
        yield return ("write", TokenScopes.Write);
        foreach (var (reading, all) in _areas)
        {
            yield return (NameOf(all), all);
            yield return (NameOf(all) + ToRead, reading);
        }
    }

    private static string NameOf(TokenScopes area) => JsonNamingPolicy.CamelCase.ConvertName(area.ToString());
}
