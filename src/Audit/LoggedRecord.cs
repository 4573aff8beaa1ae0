using System.Text.Json;
using System.Text.Json.Serialization;

namespace Countersign.Audit;

/// <summary>What a record tells of people and things, field by field. Each can be erased: then its commitment stands in its place and the log still proves the rest.</summary>
/// <param name="Details">The text of a JSON object as it was stored. Each of its members is a field of its own.</param>
public sealed record PersonalPart(Guid? Actor, string ActorLogin, string? Source, string Subject, Guid? SubjectId, string Details)
{
    /// <summary>In front of the name of a member of <see cref="Details"/>.</summary>
    public const string DetailsPrefix = "details.";

    /// <summary>The fields in the order in which they are sealed; a member of the details as the text of its JSON.</summary>
    public IReadOnlyList<(string Name, string? Value)> Fields() =>
    [
        ("actor", Actor?.ToString("D")),
        ("actorLogin", ActorLogin),
        ("source", Source),
        ("subject", Subject),
        ("subjectId", SubjectId?.ToString("D")),
        .. DetailFields(),
    ];

    /// <summary>Without the fields of these names.</summary>
    public PersonalPart Without(IReadOnlySet<string> names) => new(
        names.Contains("actor") ? null : Actor,
        names.Contains("actorLogin") ? "" : ActorLogin,
        names.Contains("source") ? null : Source,
        names.Contains("subject") ? "" : Subject,
        names.Contains("subjectId") ? null : SubjectId,
        DetailFields().All(field => !names.Contains(field.Name))
            ? Details
            : Join(DetailFields()
                .Where(field => field.Name.StartsWith(DetailsPrefix, StringComparison.Ordinal) && !names.Contains(field.Name))
                .Select(field => (field.Name[DetailsPrefix.Length..], field.Value!))));

    private IEnumerable<(string Name, string? Value)> DetailFields()
    {
        try
        {
            using var details = JsonDocument.Parse(Details, new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (details.RootElement.ValueKind == JsonValueKind.Object)
            {
                var members = details.RootElement.EnumerateObject().Select(member => (member.Name, Value: member.Value.GetRawText())).ToList();
                if (Join(members) == Details) return [.. members.Select(member => (DetailsPrefix + member.Name, (string?)member.Value))];
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // Told below.
        }

        // Not as a server writes it, in a space even: the text as a whole is one field then, which was never sealed.
        return [("details", Details)];
    }

    /// <summary>The text of an object with these members, as a server writes it.</summary>
    private static string Join(IEnumerable<(string Name, string Value)> members) =>
        $"{{{string.Join(',', members.Select(member => $"\"{member.Name}\":{member.Value}"))}}}";
}

/// <summary>What proves one field of a personal part: the salt of its commitment, or, when it was erased, the commitment.</summary>
/// <param name="Name">As <see cref="PersonalPart.Fields"/> has it.</param>
public sealed record FieldOpening(string Name, byte[]? Salt, byte[]? Commitment)
{
    [JsonIgnore]
    public bool IsErased => Salt is null;

    /// <summary>One of both, in its length.</summary>
    [JsonIgnore]
    public bool IsWhole => this is { Salt.Length: RecordSeal.SaltLength, Commitment: null } or { Salt: null, Commitment.Length: MerkleTree.HashLength };
}

/// <summary>One record of an organization's log as it is sealed.</summary>
public sealed record LoggedRecord
{
    public required Guid Organization { get; init; }

    /// <summary>From 1 on, without gaps, in the order of sealing.</summary>
    public required long Number { get; init; }

    /// <summary>As the server's lists show it; grows, with gaps.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Kind { get; init; }

    public required string Channel { get; init; }

    public required string Outcome { get; init; }

    public required string Correlation { get; init; }
}
