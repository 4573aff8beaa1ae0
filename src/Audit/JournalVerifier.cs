using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Countersign.Audit;

public enum JournalFault
{
    None,

    /// <summary>It does not begin with the line that names its session.</summary>
    Unreadable,

    /// <summary>The export of the log can't be relied on.</summary>
    LogNotProved,

    /// <summary>The log's export has no anchor of this session.</summary>
    NotAnchored,

    /// <summary>An event was changed, moved, added or removed before an anchor.</summary>
    Changed,

    /// <summary>Fewer events than the last anchor has.</summary>
    CutTail,

    /// <summary>More events than the anchor of the session's end has.</summary>
    Surplus,
}

/// <summary>What is known of an exported journal after it was held against the log.</summary>
public sealed record JournalVerdict
{
    public required JournalFault Fault { get; init; }

    /// <summary>One sentence for a person. May hold text of the export.</summary>
    public required string Message { get; init; }

    /// <summary>Events that an anchor proves.</summary>
    public long Proved { get; init; }

    public bool IsIntact => Fault == JournalFault.None;
}

/// <summary>Holds a session's exported journal against its anchors in an export of the log, which is itself proved first. Needs neither server nor key.</summary>
public static class JournalVerifier
{
    /// <summary>The record of a session's end, with its journal's last anchor.</summary>
    public const string EndKind = "session.ended";

    /// <summary>An anchor while the session runs.</summary>
    public const string AnchorKind = "session.journal";

    /// <param name="journal">The line that <see cref="WriteHead"/> makes, then the events, a line each, letter by letter.</param>
    /// <param name="log">An export of the log, whole or an excerpt.</param>
    /// <param name="kept">Checkpoints that were kept elsewhere.</param>
    public static async Task<JournalVerdict> VerifyAsync(Stream journal, Stream log, Stream kept, CancellationToken cancellation)
    {
        await using var lines = new LineReader(journal);
        try
        {
            if (await lines.NextAsync(cancellation) is not { } first || !TryReadHead(first, out var head))
                return Broken(JournalFault.Unreadable, "The journal does not begin with the line that names its session.");
            var anchors = new List<Anchor>();
            var verdict = await AuditVerifier.VerifyAsync(log, kept, cancellation, record => Collect(record, head, anchors));
            if (!verdict.IsIntact) return Broken(JournalFault.LogNotProved, $"The log that it is held against is not as it was sealed. {verdict.Message}");
            if (anchors.Count == 0) return Broken(JournalFault.NotAnchored, $"The log's export has no anchor of the journal of session {head.Session}.");
            return await WalkAsync(head, anchors, lines, cancellation);
        }
        catch (InvalidDataException tooLong)
        {
            return Broken(JournalFault.Unreadable, tooLong.Message);
        }
    }

    public static byte[] WriteHead(Guid organization, Guid session) => JsonSerializer.SerializeToUtf8Bytes(new JournalHeadLine(1, organization, session), JournalLineJson.Strict.JournalHeadLine);

    private static async Task<JournalVerdict> WalkAsync(JournalHeadLine head, List<Anchor> anchors, LineReader lines, CancellationToken cancellation)
    {
        var chain = new JournalChain(head.Organization, head.Session);
        var byCount = anchors.ToLookup(anchor => anchor.Events);
        var agreed = 0L;
        while (await lines.NextAsync(cancellation) is { } line)
        {
            chain.Add(line);
            foreach (var anchor in byCount[chain.Events])
            {
                if (!chain.Head.Hash.Span.SequenceEqual(anchor.Head))
                    return Broken(JournalFault.Changed, $"Somewhere in events {agreed + 1} to {chain.Events} the journal is not what record {anchor.Record} of the log saw: one was changed, moved, added or removed.");
                agreed = chain.Events;
            }
        }

        var last = anchors.MaxBy(anchor => anchor.Events)!;
        if (chain.Events < last.Events) return Broken(JournalFault.CutTail, $"The tail is cut: the journal has {chain.Events} events, and record {last.Record} of the log saw {last.Events}.");
        var rest = chain.Events - last.Events;
        var end = anchors.Find(anchor => anchor.IsEnd);
        if (end is not null && rest > 0) return Broken(JournalFault.Surplus, $"The journal has {chain.Events} events, and the session ended with {end.Events}: others were added.");
        return new()
        {
            Fault = JournalFault.None,
            Proved = last.Events,
            Message = string.Create(
                CultureInfo.InvariantCulture,
                $"{last.Events} events, complete and unedited{(end?.Cut is { } cut ? $"; the journal itself was cut when it was written: {cut}" : "")}.{(rest > 0 ? $" {rest} came after the last anchor and are not proved: the log does not tell of the session's end." : "")}"),
        };
    }

    private static void Collect(ExportedRecord exported, JournalHeadLine head, List<Anchor> anchors)
    {
        var record = exported.Record;
        if (record.Organization != head.Organization || record.Kind is not (EndKind or AnchorKind) || record.Correlation != head.Session.ToString("D")) return;

        // Of a proved record: what can't be read as an anchor is none.
        if (exported.Personal.Fields().FirstOrDefault(field => field.Name == $"{PersonalPart.DetailsPrefix}journal").Value is not { } text) return;
        try
        {
            if (JsonSerializer.Deserialize(text, JournalLineJson.Strict.AnchorText) is not { } told) return;
            anchors.Add(new(record.Number, told.Events, Convert.FromHexString(told.Head), record.Kind == EndKind, told.Cut ? told.Failure ?? "" : null));
        }
        catch (Exception broken) when (broken is JsonException or FormatException)
        {
            return;
        }
    }

    private static bool TryReadHead(ReadOnlySpan<byte> line, [NotNullWhen(true)] out JournalHeadLine? head)
    {
        try
        {
            head = JsonSerializer.Deserialize(line, JournalLineJson.Strict.JournalHeadLine);
            return head is { Journal: 1 };
        }
        catch (JsonException)
        {
            head = null;
            return false;
        }
    }

    private static JournalVerdict Broken(JournalFault fault, string message) => new() { Fault = fault, Message = message };

    private sealed record Anchor(long Record, long Events, byte[] Head, bool IsEnd, string? Cut);
}

/// <param name="Journal">The version of the form.</param>
internal sealed record JournalHeadLine(int Journal, Guid Organization, Guid Session);

/// <summary>The member <c>journal</c> of a record's details.</summary>
internal sealed record AnchorText(long Events, string Head, bool Cut = false, string? Failure = null);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(JournalHeadLine))]
[JsonSerializable(typeof(AnchorText))]
internal sealed partial class JournalLineJson : JsonSerializerContext
{
    public static JournalLineJson Strict { get; } = new(new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
        RespectRequiredConstructorParameters = true,
        NumberHandling = JsonNumberHandling.Strict,
        MaxDepth = 2,
    });
}
