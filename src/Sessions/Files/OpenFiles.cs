using System.Diagnostics.CodeAnalysis;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>A file or directory that the device has opened for the session.</summary>
/// <param name="upload">What it is to the session; null: nothing that it uploads.</param>
internal sealed class OpenFile(string path, SftpOpenFlags flags, bool isDirectory, OwnUpload? upload)
{
    private readonly FileStart _start = SftpRights.StartOf(flags);
    private FileContent? _read;
    private FileContent? _written;
    private FileOutcome _readOutcome = FileOutcome.Ok;
    private FileOutcome _writeOutcome = FileOutcome.Ok;
    private FileOutcome? _closed;
    private int _underWay;
    private bool _told;

    public string Path { get; } = path;

    public bool IsDirectory { get; } = isDirectory;

    public bool IsForWriting { get; } = !isDirectory && SftpRights.Writes(flags);

    public UploadKind Upload => upload?.Kind ?? UploadKind.None;

    public bool IsForReading { get; } = !isDirectory && SftpRights.Reads(flags);

    public void Read(long offset, ReadOnlySpan<byte> bytes) => (_read ??= new()).Add(offset, bytes);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        _written ??= new();

        // With this flag the device puts the bytes where it likes.
        if ((flags & SftpOpenFlags.Append) != 0) _written.Scatter();
        _written.Add(offset, bytes);
    }

    /// <summary>The device has stored some of what was written.</summary>
    public void Stored() => upload?.Stored();

    public void ReadFailed(FileOutcome outcome) => _readOutcome = outcome;

    public void WriteFailed(FileOutcome outcome) => _writeOutcome = outcome;

    /// <summary>Content was asked for, or is being stored.</summary>
    public void Begin() => _underWay++;

    /// <summary>What was begun has been answered. True: the file had been closed, and with this it is at its end.</summary>
    public bool Finish(Action<JournalEvent> note)
    {
        _underWay--;
        return _closed is { } outcome && TryTell(outcome, note);
    }

    /// <summary>
    /// The device has answered the close. It may do so before it answers what was asked before that: then the file's end is when all of it has come.
    /// </summary>
    /// <returns>Whether it is at its end, and has been written down.</returns>
    public bool Close(FileOutcome outcome, Action<JournalEvent> note)
    {
        _closed = outcome;
        return TryTell(outcome, note);
    }

    /// <summary>The session is over: nothing more comes.</summary>
    public void Cut(Action<JournalEvent> note)
    {
        _underWay = 0;
        TryTell(FileOutcome.Interrupted, note);
    }

    private bool TryTell(FileOutcome outcome, Action<JournalEvent> note)
    {
        if (_underWay > 0 || _told) return false;
        _told = true;

        // Whatever it was opened for: where bytes went, it is told. Of a file that was opened for both, the direction that was used, and what its opening may have
        // done to it.
        if (_written is not null || (IsForWriting && (_read is null || _start != FileStart.AsItWas))) note((_written ??= new()).Tell(FileDirection.ToDevice, Path, Worse(_writeOutcome, outcome), _start));
        if (_read is not null || (IsForReading && !IsForWriting)) note((_read ??= new()).Tell(FileDirection.FromDevice, Path, Worse(_readOutcome, outcome)));
        _read?.Dispose();
        _written?.Dispose();
        return true;
    }

    private static FileOutcome Worse(FileOutcome one, FileOutcome other) => one == FileOutcome.Ok ? other : one;
}

/// <summary>
/// What is open, by the handles that the device gave. Files that are being opened, and those whose close has not come to its end, have their places here,
/// too: what is written down of all of them at once, should the session be cut, is bounded.
/// </summary>
internal sealed class OpenFiles
{
    /// <summary>Places.</summary>
    public const int Most = 1024;

    /// <summary>Characters of all their paths together.</summary>
    public const int MostText = 128 * 1024;

    private readonly Dictionary<byte[], OpenFile> _files;
    private readonly Dictionary<byte[], OpenFile>.AlternateLookup<ReadOnlySpan<byte>> _byHandle;
    private int _places;
    private int _text;

    public OpenFiles()
    {
        _files = new(new ByBytes());
        _byHandle = _files.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public IEnumerable<OpenFile> All => _files.Values;

    /// <summary>False: there is no place.</summary>
    public bool TryTakePlace(string path)
    {
        if (_places == Most || _text + path.Length > MostText) return false;
        _places++;
        _text += path.Length;
        return true;
    }

    public void GiveBackPlace(string path)
    {
        _places--;
        _text -= path.Length;
    }

    /// <summary>False: the handle is taken.</summary>
    public bool TryAdd(ReadOnlySpan<byte> handle, OpenFile file) => _byHandle.TryAdd(handle, file);

    public bool TryGet(ReadOnlySpan<byte> handle, [NotNullWhen(true)] out OpenFile? file) => _byHandle.TryGetValue(handle, out file);

    public void Remove(ReadOnlySpan<byte> handle) => _byHandle.Remove(handle);

    private sealed class ByBytes : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}

/// <summary>
/// The paths that the session wrote last: who may upload may finish the upload, by setting its times or giving it its name. A path is forgotten as soon as the
/// device is asked for something by which another file could have it.
/// </summary>
internal sealed class OwnUploads
{
    public const int Most = 64;

    private readonly List<OwnUpload> _oldestFirst = [];

    /// <summary>What was said of the same path before counts no more.</summary>
    public void Add(OwnUpload upload)
    {
        Forget(own => own.Is(upload.Path));
        if (_oldestFirst.Count == Most) _oldestFirst.RemoveAt(0);
        _oldestFirst.Add(upload);
    }

    public OwnUpload? Of(ReadOnlySpan<byte> path)
    {
        foreach (var own in _oldestFirst)
        {
            if (own.Is(path)) return own;
        }

        return null;
    }

    public void Forget(Predicate<OwnUpload> which) => _oldestFirst.RemoveAll(which);
}

/// <summary>A path that is written to, or that what was written has been given.</summary>
internal sealed class OwnUpload(byte[] path, UploadKind kind)
{
    public byte[] Path => path;

    public UploadKind Kind { get; private set; } = kind;

    public bool Is(ReadOnlySpan<byte> other) => other.SequenceEqual(path);

    /// <summary>The same file under another name.</summary>
    public OwnUpload At(ReadOnlySpan<byte> other) => new(other.ToArray(), Kind);

    /// <summary>Some of it has been written.</summary>
    public void Stored()
    {
        if (Kind == UploadKind.Opened) Kind = UploadKind.Onto;
    }
}
