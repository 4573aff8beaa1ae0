using System.Diagnostics.CodeAnalysis;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>A file or directory that the device has opened for the session.</summary>
internal sealed class OpenFile(string path, SftpOpenFlags flags, bool isDirectory)
{
    private FileContent? _read;
    private FileContent? _written;
    private FileOutcome _readOutcome = FileOutcome.Ok;
    private FileOutcome _writeOutcome = FileOutcome.Ok;

    public string Path { get; } = path;

    public bool IsForWriting { get; } = !isDirectory && SftpRights.Writes(flags);

    private bool IsForReading { get; } = !isDirectory && SftpRights.Reads(flags);

    public void Read(long offset, ReadOnlySpan<byte> bytes) => (_read ??= new()).Add(offset, bytes);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        _written ??= new();

        // With this flag the device puts the bytes where it likes.
        if ((flags & SftpOpenFlags.Append) != 0) _written.Scatter();
        _written.Add(offset, bytes);
    }

    public void ReadFailed(FileOutcome outcome) => _readOutcome = outcome;

    public void WriteFailed(FileOutcome outcome) => _writeOutcome = outcome;

    /// <summary>Writes down what was done with it.</summary>
    public void Close(FileOutcome outcome, Action<JournalEvent> note)
    {
        if (IsForWriting && (_written is not null || _read is null)) note((_written ??= new()).Tell(FileDirection.ToDevice, Path, Worse(_writeOutcome, outcome)));
        if (IsForReading && (_read is not null || !IsForWriting)) note((_read ??= new()).Tell(FileDirection.FromDevice, Path, Worse(_readOutcome, outcome)));
        _read?.Dispose();
        _written?.Dispose();
    }

    private static FileOutcome Worse(FileOutcome one, FileOutcome other) => one == FileOutcome.Ok ? other : one;
}

/// <summary>What is open, by the handles that the device gave.</summary>
internal sealed class OpenFiles
{
    /// <summary>Open at once, and being opened.</summary>
    public const int Most = 1024;

    private readonly Dictionary<byte[], OpenFile> _files;
    private readonly Dictionary<byte[], OpenFile>.AlternateLookup<ReadOnlySpan<byte>> _byHandle;

    public OpenFiles()
    {
        _files = new(new ByBytes());
        _byHandle = _files.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public int Count => _files.Count;

    public IEnumerable<OpenFile> All => _files.Values;

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

/// <summary>The paths that the session wrote last: who may upload may finish the upload, by setting its times or giving it its name.</summary>
internal sealed class OwnUploads
{
    public const int Most = 64;

    private readonly Queue<byte[]> _paths = [];

    public void Add(byte[] path)
    {
        if (Contains(path)) return;
        if (_paths.Count == Most) _paths.Dequeue();
        _paths.Enqueue(path);
    }

    public bool Contains(ReadOnlySpan<byte> path)
    {
        foreach (var own in _paths)
        {
            if (path.SequenceEqual(own)) return true;
        }

        return false;
    }
}
