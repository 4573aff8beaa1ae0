using System.Globalization;

namespace Countersign.Audit;

/// <summary>
/// Holds an export against checkpoints that were kept elsewhere: says that it is complete and unedited, or names the first record that is not. Needs
/// neither server nor network, and memory for a few hashes only.
/// </summary>
/// <remarks>
/// The export's own checkpoint is believed only if the key of the newest kept one has signed it; each record is then proved against it as it is read.
/// Where the records reach the size of a kept checkpoint, their root has to be that checkpoint's: this holds also against whoever has the key.
/// </remarks>
public sealed class AuditVerifier
{
    private readonly SortedSet<string> _erasedFields = new(StringComparer.Ordinal);
    private readonly Action<ExportedRecord>? _onProved;
    private readonly MerkleFrontier _grown = new();
    private readonly List<Checkpoint> _kept;
    private Checkpoint _head = null!;
    private ExportWalk _walk = null!;
    private int _nextKept;
    private long _agreed;
    private long _erased;

    private AuditVerifier(List<Checkpoint> kept, Action<ExportedRecord>? onProved)
    {
        _kept = kept;
        _onProved = onProved;
    }

    /// <param name="export">JSON lines, as the server gave them.</param>
    /// <param name="kept">JSON lines of checkpoints, such as a copy of <c>checkpoints.jsonl</c>. Those of other organizations don't matter.</param>
    /// <param name="onProved">Given each record that is proved. What it was given counts only once the verdict is that the export is intact.</param>
    public static async Task<AuditVerdict> VerifyAsync(
        Stream export, Stream kept, CancellationToken cancellation, Action<ExportedRecord>? onProved = null)
    {
        try
        {
            var checkpoints = new List<Checkpoint>();
            await using var keptLines = new LineReader(kept);
            while (await keptLines.NextAsync(cancellation) is { } line)
            {
                if (!ExportLines.TryReadCheckpoint(line, out var checkpoint))
                    return Broken(AuditFault.Unreadable, null, $"Line {keptLines.Number} of the checkpoints is not a checkpoint.");
                if (!checkpoint.IsGenuine())
                    return Broken(AuditFault.ForgedCheckpoint, null, $"The kept checkpoint in line {keptLines.Number} is forged: its signature does not fit what it says.");
                checkpoints.Add(checkpoint);
            }

            await using var lines = new LineReader(export);
            return await new AuditVerifier(checkpoints, onProved).RunAsync(lines, cancellation);
        }
        catch (InvalidDataException tooLong)
        {
            return Broken(AuditFault.Unreadable, null, tooLong.Message);
        }
    }

    private async Task<AuditVerdict> RunAsync(LineReader lines, CancellationToken cancellation)
    {
        if (await lines.NextAsync(cancellation) is not { } first || !ExportLines.TryReadCheckpoint(first, out var head))
            return Broken(AuditFault.Unreadable, null, "The export does not begin with its checkpoint.");
        _kept.RemoveAll(checkpoint => checkpoint.Organization != head.Organization);
        _kept.Sort((one, other) => one.Size.CompareTo(other.Size));
        if (_kept.Count == 0) return Broken(AuditFault.NoCheckpoint, null, $"There is no kept checkpoint of organization {head.Organization}, whose export it is.");
        if (!head.IsGenuine()) return Broken(AuditFault.ForgedCheckpoint, null, "The export's own checkpoint is forged: its signature does not fit what it says.");
        if (!head.Key.AsSpan().SequenceEqual(_kept[^1].Key))
            return Broken(AuditFault.ForgedCheckpoint, null, "The export's own checkpoint is forged, or the kept one is: they are signed with different keys.");
        _head = head;
        if (await lines.PeekAsync(cancellation) is { } second && ExportLines.TryReadExcerpt(second, out var excerpt)) return await ExcerptAsync(excerpt, lines, cancellation);
        _walk = new(head.Root, head.Size);

        if (await WalkAsync(lines, cancellation) is { } broken) return broken;
        var newest = _kept[^1].Size;
        if (newest > head.Size)
        {
            return Broken(
                AuditFault.CutTail, head.Size + 1, $"The tail is cut: the export ends with record {head.Size}, and the kept checkpoint has {newest}; record {head.Size + 1} is missing.");
        }

        var later = head.Size - newest;
        return new()
        {
            Fault = AuditFault.None,
            Proved = head.Size,
            Erased = _erased,
            ErasedFields = _erasedFields,
            Message = string.Create(
                CultureInfo.InvariantCulture,
                $"{head.Size} records, complete and unedited. The kept checkpoint has {newest} of them{(later > 0 ? $"; {later} came later, under the server's signature alone" : "")}.{ToldOfErased()}"),
        };
    }

    private async Task<AuditVerdict?> WalkAsync(LineReader lines, CancellationToken cancellation)
    {
        if (Disagreement() is { } atOnce) return atOnce;
        while (await lines.NextAsync(cancellation) is { } line)
        {
            var expected = _grown.Size + 1;
            if (!ExportLines.TryReadRecord(line, _head.Organization, out var exported))
                return Broken(AuditFault.Unreadable, expected, $"Line {lines.Number}, where record {expected} should stand, is not a record.");
            var found = exported.Record.Number;
            if (_walk.IsAtEnd)
                return Broken(AuditFault.SurplusRecord, found, $"Record {found} in line {lines.Number} was never sealed: the export's checkpoint has {_head.Size} records.");
            if (found > expected) return await GapAsync(lines, expected, found, cancellation);
            if (found < expected) return Broken(AuditFault.RepeatedRecord, found, $"Record {found} is there a second time, in line {lines.Number}, where record {expected} should stand.");
            if (exported.Leaf() is not { } leaf || !_walk.TryNext(leaf, exported.Proof))
                return await ChangedAsync(lines, exported.Record, cancellation);
            _grown.Add(leaf);
            Proved(exported);
            if (Disagreement() is { } disagreement) return disagreement;
        }

        return _walk.IsAtEnd
            ? null
            : Broken(
                AuditFault.CutTail,
                _grown.Size + 1,
                $"The tail is cut: the export ends after record {_grown.Size}, and its checkpoint has {_head.Size}; record {_grown.Size + 1} is missing.");
    }

    /// <summary>
    /// Each record by itself, in the tree of a checkpoint that one of the kept ones has grown into. That a record is missing which was asked for,
    /// no excerpt can show.
    /// </summary>
    private async Task<AuditVerdict> ExcerptAsync(Excerpt excerpt, LineReader lines, CancellationToken cancellation)
    {
        _ = await lines.NextAsync(cancellation);
        if (Connection(excerpt, out var connected) is { } unconnected) return unconnected;
        var (count, last) = (0L, 0L);
        while (await lines.NextAsync(cancellation) is { } line)
        {
            if (!ExportLines.TryReadRecord(line, _head.Organization, out var exported))
                return Broken(AuditFault.Unreadable, null, $"Line {lines.Number} is not a record.");
            var number = exported.Record.Number;
            if (number == last) return Broken(AuditFault.RepeatedRecord, number, $"Record {number} is there a second time, in line {lines.Number}.");
            if (number < last) return Broken(AuditFault.MovedRecord, number, $"Record {number} was moved: it stands in line {lines.Number}, behind record {last}.");
            if (number > _head.Size)
                return Broken(AuditFault.SurplusRecord, number, $"Record {number} in line {lines.Number} was never sealed: the export's checkpoint has {_head.Size} records.");
            if (exported.Leaf() is not { } leaf || !MerkleTree.VerifyInclusion(leaf, number - 1, _head.Size, exported.Proof, _head.Root))
                return Broken(AuditFault.ChangedRecord, number, $"Record {number} ({exported.Record.Kind}, id {exported.Record.Id}) is not what was sealed: it, or the proof in its line, was changed.");
            Proved(exported);
            (count, last) = (count + 1, number);
        }

        if (count != excerpt.Records) return Broken(AuditFault.CutTail, null, $"The excerpt has {count} records, and says that it has {excerpt.Records}: it was cut, or lines were removed.");
        return new()
        {
            Fault = AuditFault.None,
            Proved = count,
            Erased = _erased,
            ErasedFields = _erasedFields,
            Message = string.Create(
                CultureInfo.InvariantCulture,
                $"{count} records, unedited, each proved to be in the log of {_head.Size}, which has grown out of the {connected} of the kept checkpoint. That there are no others like them, an excerpt can't prove.{ToldOfErased()}"),
        };
    }

    private AuditVerdict? Connection(Excerpt excerpt, out long connected)
    {
        connected = -1;
        foreach (var checkpoint in _kept)
        {
            if (checkpoint.Size != _head.Size && checkpoint.Size != excerpt.Since) continue;
            var fits = checkpoint.Size == _head.Size
                ? checkpoint.Root.AsSpan().SequenceEqual(_head.Root)
                : checkpoint.Size == 0 || MerkleTree.VerifyConsistency(checkpoint.Size, checkpoint.Root, _head.Size, _head.Root, excerpt.Consistency);
            if (!fits)
            {
                return Broken(
                    AuditFault.RewrittenHistory,
                    null,
                    $"The log of {_head.Size} records that the export's checkpoint tells of has not grown out of the {checkpoint.Size} that the kept one of {checkpoint.At:u} saw, although it is signed: history was rewritten, or the proof of it changed.");
            }

            connected = checkpoint.Size;
        }

        return connected >= 0
            ? null
            : Broken(
                AuditFault.UnconnectedCheckpoint,
                null,
                $"Nothing shows that the log of {_head.Size} records grew out of what a kept checkpoint saw: make the export again and name the kept checkpoints with --checkpoint.");
    }

    private void Proved(ExportedRecord exported)
    {
        if (exported.Openings?.Any(opening => opening.IsErased) == true) _erased++;
        foreach (var opening in exported.Openings ?? [])
            if (opening.IsErased) _erasedFields.Add(opening.Name);
        _onProved?.Invoke(exported);
    }

    private string ToldOfErased() =>
        _erased == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" Personal fields of {_erased} were erased: {string.Join(", ", _erasedFields)}.");

    /// <summary>Tells of the next gap, too: a record that is gone with its seal leaves the lines before it without a proof.</summary>
    private static async Task<AuditVerdict> ChangedAsync(LineReader lines, LoggedRecord record, CancellationToken cancellation)
    {
        var message = $"Record {record.Number} ({record.Kind}, id {record.Id}) is not what was sealed: it, or the proof in its line, was changed.";
        for (var expected = record.Number + 1; await lines.NextAsync(cancellation) is { } line; expected++)
        {
            if (!ExportLines.TryReadRecord(line, record.Organization, out var later)) break;
            if (later.Record.Number == expected) continue;
            message += $" Nor does record {expected} stand in its place, behind record {expected - 1}.";
            break;
        }

        return Broken(AuditFault.ChangedRecord, record.Number, message);
    }

    /// <summary>Removed, or only somewhere else? The rest of the export tells.</summary>
    private async Task<AuditVerdict> GapAsync(LineReader lines, long expected, long found, CancellationToken cancellation)
    {
        while (await lines.NextAsync(cancellation) is { } line)
        {
            if (ExportLines.TryReadRecord(line, _head.Organization, out var later) && later.Record.Number == expected)
                return Broken(AuditFault.MovedRecord, expected, $"Record {expected} was moved: record {found} stands in its place, and it itself in line {lines.Number}.");
        }

        return Broken(AuditFault.MissingRecord, expected, $"Record {expected} was removed: record {found} follows record {expected - 1}.");
    }

    /// <summary>Whether a kept checkpoint of just this size saw other records.</summary>
    private AuditVerdict? Disagreement()
    {
        var size = _grown.Size;
        for (; _nextKept < _kept.Count && _kept[_nextKept].Size == size; _nextKept++)
        {
            var checkpoint = _kept[_nextKept];
            if (!checkpoint.Root.AsSpan().SequenceEqual(_grown.Root()))
            {
                return Broken(
                    AuditFault.RewrittenHistory,
                    Math.Min(_agreed + 1, Math.Max(size, 1)),
                    $"History was rewritten: somewhere in records {_agreed + 1} to {size} the export is not what the kept checkpoint of {checkpoint.At:u} saw, although it is signed.");
            }

            _agreed = size;
        }

        return null;
    }

    private static AuditVerdict Broken(AuditFault fault, long? record, string message) => new() { Fault = fault, Record = record, Message = message };
}
