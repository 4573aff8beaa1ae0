using Countersign.Access;
using Countersign.Audit;
using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Journal;

/// <summary>
/// Reads a journal frame by frame, also one that was cut and one that is still being written: a frame is given once it is there as a whole, and
/// asking again later goes on exactly behind the last one.
/// </summary>
/// <param name="file">Must be seekable. Not disposed here.</param>
/// <param name="wrapping">The key that the journal's own key is wrapped under. Not disposed here.</param>
public sealed class JournalReader(Stream file, OrganizationId organization, SessionId session, Secret wrapping) : IDisposable
{
    private readonly byte[] _frameHeader = new byte[RecordingFormat.FrameHeaderLength];
    private readonly JournalChain _chain = new(organization.Value, session.Value);
    private RecordingFormat.RecordingKeys? _keys;
    private byte[] _frames = [];
    private long _size;
    private uint _sequence;
    private bool _damaged;

    /// <summary>Over the events that were read.</summary>
    public JournalHead Head => _chain.Head;

    /// <summary>The session's end, once it has been read. If it is not there, the journal was cut, or goes on.</summary>
    public SessionEnded? End { get; private set; }

    /// <summary>The next frame's events, each as the text that was appended; empty: no whole frame is there, or not yet.</summary>
    /// <exception cref="JournalDamagedException">The file was changed. What was given before is good; nothing more can be read.</exception>
    public async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ReadAsync(CancellationToken cancellation)
    {
        if (_damaged) throw Damaged("it is damaged");
        if (_keys is null && !await ReadHeaderAsync(cancellation)) return [];
        file.Position = _size;
        var read = await file.ReadAtLeastAsync(_frameHeader, _frameHeader.Length, throwOnEndOfStream: false, cancellation);
        if (End is not null && read > 0) throw Damaged("something was added after the end");
        if (read < _frameHeader.Length) return [];
        if (_keys!.OpenFrameHeader(_frameHeader, _sequence, _frames) is not { } length) throw Damaged("the head of its next part is not the one that belongs there");
        var frame = new byte[_frameHeader.Length + length];
        _frameHeader.CopyTo(frame, 0);
        if (await file.ReadAtLeastAsync(frame.AsMemory(_frameHeader.Length), length, throwOnEndOfStream: false, cancellation) < length) return [];
        var plain = _keys.Open(frame, _sequence, _frames) ?? throw Damaged("its next part was changed");
        var lines = new List<ReadOnlyMemory<byte>>();
        if (!JournalFormat.TryReadEvents(plain, lines)) throw Damaged("its next part holds no events");
        RecordingFormat.AdvanceChain(_frames, frame);
        _size += frame.Length;
        _sequence++;
        foreach (var line in lines) _chain.Add(line.Span);
        End = JournalJson.Read(lines[^1].Span) as SessionEnded;
        return lines;
    }

    public void Dispose() => _keys?.Dispose();

    private async ValueTask<bool> ReadHeaderAsync(CancellationToken cancellation)
    {
        var header = new byte[RecordingFormat.HeaderLength];
        file.Position = 0;
        if (await file.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellation) < header.Length) return false;
        _keys = RecordingFormat.OpenHeader(JournalFormat.Magic, header, session, wrapping);
        if (_keys is null) throw Damaged("its header was changed, or is not this session's, or was made under another key");
        _frames = RecordingFormat.Chain(header);
        _size = header.Length;
        return true;
    }

    private JournalDamagedException Damaged(string what)
    {
        _damaged = true;
        return new($"the journal is damaged behind event {_chain.Events}: {what}");
    }
}

/// <summary>A journal that was changed, or that the disk has spoilt.</summary>
public sealed class JournalDamagedException(string message) : Exception(message);
