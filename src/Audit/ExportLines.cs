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

    /// <summary>Null: erased.</summary>
    public required PersonalPart? Personal { get; init; }

    /// <summary>Of the personal part.</summary>
    public required byte[]? Salt { get; init; }

    /// <summary>In place of an erased personal part.</summary>
    public byte[]? Commitment { get; init; }

    /// <summary><see cref="ExportProofs.Next"/>.</summary>
    public required IReadOnlyList<byte[]> Proof { get; init; }

    public byte[] Leaf() =>
        RecordSeal.Leaf(Record, Personal is null ? Commitment! : RecordSeal.Commit(Personal, Salt!));
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
            exported.Personal is { } personal
                ? new(personal.Actor, personal.ActorLogin, personal.Source, personal.Subject, personal.SubjectId, personal.Details)
                : null,
            exported.Salt,
            exported.Commitment,
            exported.Proof),
        ExportJson.Strict.RecordLine);

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

        // Either opened by its salt or erased and replaced by its commitment, and never something of both.
        var isWhole = read is { Personal: not null, Salt.Length: RecordSeal.SaltLength, Commitment: null };
        var isErased = read is { Personal: null, Salt: null, Commitment.Length: MerkleTree.HashLength };
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
            Personal = read.Personal is { } personal
                ? new(personal.Actor, personal.ActorLogin, personal.Source, personal.Subject, personal.SubjectId, personal.Details)
                : null,
            Salt = read.Salt,
            Commitment = read.Commitment,
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
    PersonalLine? Personal,
    byte[]? Salt,
    byte[]? Commitment,
    IReadOnlyList<byte[]> Proof);

// Metadata only: the generated writers turn a missing byte[] into an empty text.
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(CheckpointLine))]
[JsonSerializable(typeof(RecordLine))]
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
