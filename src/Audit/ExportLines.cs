using System.Diagnostics.CodeAnalysis;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Countersign.Audit;

/// <summary>A line of an export behind the first: a record, what opens its commitment, and its proof.</summary>
public sealed record ExportedRecord
{
    public required LoggedRecord Record { get; init; }

    /// <summary>Without what was erased.</summary>
    public required PersonalPart Personal { get; init; }

    /// <summary>Of the personal part; null: fields of it were erased.</summary>
    public required byte[]? Salt { get; init; }

    /// <summary>Where fields were erased: what opens each of the others.</summary>
    public IReadOnlyList<FieldOpening>? Openings { get; init; }

    /// <summary>Of a whole export <see cref="ExportProofs.Next"/>; of an excerpt the record's inclusion in the tree.</summary>
    public required IReadOnlyList<byte[]> Proof { get; init; }

    /// <summary>Null: the personal part is not what the openings open.</summary>
    public byte[]? Leaf()
    {
        var commitment = Openings is { } openings ? RecordSeal.Commit(Personal, openings) : RecordSeal.Commit(Personal, Salt!);
        return commitment is null ? null : RecordSeal.Leaf(Record, commitment);
    }
}

/// <summary>The second line of an export that is not the whole log: what was asked for, and how it hangs on a checkpoint that was kept before.</summary>
public sealed record Excerpt
{
    /// <summary>What was asked for, for people to read: names and values.</summary>
    public required IReadOnlyDictionary<string, string> Filter { get; init; }

    /// <summary>How many records follow.</summary>
    public required long Records { get; init; }

    /// <summary>The size of the checkpoint that the export was told of; null: of none.</summary>
    public required long? Since { get; init; }

    /// <summary>That the tree of that size has grown into the export's own (RFC 6962 section 2.1.2).</summary>
    public required IReadOnlyList<byte[]> Consistency { get; init; }
}

/// <summary>
/// The text form of an export: JSON, a line each, in UTF-8. The first line is the checkpoint that the export ends with, then come its records. Members
/// that are unknown or there twice make a line unreadable: whatever is read in an export has been proved.
/// </summary>
public static class ExportLines
{
    /// <summary>In bytes, for a line that is read.</summary>
    public const int LongestLine = 4 * 1024 * 1024;

    public static byte[] Write(Checkpoint checkpoint) => JsonSerializer.SerializeToUtf8Bytes(
        new CheckpointLine(checkpoint.Organization, checkpoint.Size, checkpoint.Root, checkpoint.At.ToUniversalTime(), checkpoint.Key, checkpoint.Signature),
        ExportJson.Strict.CheckpointLine);

    public static byte[] Write(ExportedRecord exported) => JsonSerializer.SerializeToUtf8Bytes(
        new RecordLine(
            exported.Record.Number,
            exported.Record.Id,
            exported.Record.At.ToUniversalTime(),
            exported.Record.Kind,
            exported.Record.Channel,
            exported.Record.Outcome,
            exported.Record.Correlation,
            new(exported.Personal.Actor, exported.Personal.ActorLogin, exported.Personal.Source, exported.Personal.Subject, exported.Personal.SubjectId, exported.Personal.Details),
            exported.Salt,
            exported.Openings,
            exported.Proof),
        ExportJson.Strict.RecordLine);

    public static byte[] Write(Excerpt excerpt) => JsonSerializer.SerializeToUtf8Bytes(
        new ExcerptLine(new(excerpt.Filter), excerpt.Records, excerpt.Since, excerpt.Consistency), ExportJson.Strict.ExcerptLine);

    /// <summary>What opens the fields of a record of which some are erased, as the server keeps it.</summary>
    public static string Write(IReadOnlyList<FieldOpening> openings) => JsonSerializer.Serialize(openings, ExportJson.Strict.IReadOnlyListFieldOpening);

    public static bool TryReadOpenings(string text, [NotNullWhen(true)] out IReadOnlyList<FieldOpening>? openings)
    {
        openings = Read(System.Text.Encoding.UTF8.GetBytes(text), ExportJson.Strict.IReadOnlyListFieldOpening);
        return openings?.All(opening => opening is { IsWhole: true }) == true;
    }

    public static bool TryReadExcerpt(ReadOnlySpan<byte> line, [NotNullWhen(true)] out Excerpt? excerpt)
    {
        excerpt = Read(line, ExportJson.Strict.ExcerptLine) is { } read && read.Consistency.All(hash => hash is not null)
            ? new() { Filter = read.Filter, Records = read.Records, Since = read.Since, Consistency = read.Consistency }
            : null;
        return excerpt is not null;
    }

    public static bool TryReadCheckpoint(ReadOnlySpan<byte> line, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = Read(line, ExportJson.Strict.CheckpointLine) is { } read
            ? new() { Organization = read.Organization, Size = read.Size, Root = read.Root, At = read.At, Key = read.Key, Signature = read.Signature }
            : null;
        return checkpoint is not null;
    }

    /// <param name="organization">Whose export it is: lines don't repeat it.</param>
    public static bool TryReadRecord(ReadOnlySpan<byte> line, Guid organization, [NotNullWhen(true)] out ExportedRecord? exported)
    {
        exported = null;
        if (Read(line, ExportJson.Strict.RecordLine) is not { } read) return false;

        // Either opened by one salt or field by field, and never something of both.
        var isWhole = read is { Salt.Length: RecordSeal.SaltLength, Openings: null };
        var isErased = read is { Salt: null, Openings: { } each } && each.All(opening => opening is { IsWhole: true });
        if (!isWhole && !isErased || read.Proof.Any(hash => hash is null)) return false;
        exported = new()
        {
            Record = new()
            {
                Organization = organization,
                Number = read.Number,
                Id = read.Id,
                At = read.At,
                Kind = read.Kind,
                Channel = read.Channel,
                Outcome = read.Outcome,
                Correlation = read.Correlation,
            },
            Personal = new(read.Personal.Actor, read.Personal.ActorLogin, read.Personal.Source, read.Personal.Subject, read.Personal.SubjectId, read.Personal.Details),
            Salt = read.Salt,
            Openings = read.Openings,
            Proof = read.Proof,
        };
        return true;
    }

    private static T? Read<T>(ReadOnlySpan<byte> line, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

internal sealed record CheckpointLine(Guid Organization, long Size, byte[] Root, DateTimeOffset At, byte[] Key, byte[] Signature);

internal sealed record PersonalLine(Guid? Actor, string ActorLogin, string? Source, string Subject, Guid? SubjectId, string Details);

internal sealed record RecordLine(
    long Number,
    long Id,
    DateTimeOffset At,
    string Kind,
    string Channel,
    string Outcome,
    string Correlation,
    PersonalLine Personal,
    byte[]? Salt,
    IReadOnlyList<FieldOpening>? Openings,
    IReadOnlyList<byte[]> Proof);

internal sealed record ExcerptLine(Dictionary<string, string> Filter, long Records, long? Since, IReadOnlyList<byte[]> Consistency);

// Metadata only: the generated writers turn a missing byte[] into an empty text.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CheckpointLine))]
[JsonSerializable(typeof(RecordLine))]
[JsonSerializable(typeof(ExcerptLine))]
[JsonSerializable(typeof(IReadOnlyList<FieldOpening>))]
internal sealed partial class ExportJson : JsonSerializerContext
{
    /// <summary>Strict in reading. In writing it escapes what JSON wants escaped: nobody puts these lines into HTML, and base64 stays short.</summary>
    public static ExportJson Strict { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.Strict,
        MaxDepth = 4,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
