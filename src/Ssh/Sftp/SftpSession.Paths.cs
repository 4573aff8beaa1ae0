namespace Countersign.Ssh.Sftp;

/// <summary>Requests about paths and open directories.</summary>
internal sealed partial class SftpSession
{
    private const int NamesPerAnswer = 128, NameBytesPerAnswer = 64 * 1024;

    private void Stat(in SftpRequest request, StatCall call)
    {
        var error = _path.Set(request.Path);
        var metadata = default(PosixFiles.Metadata);
        if (error == 0) error = call(_path.Bytes, out metadata);
        if (error != 0) Result(request.Id, error);
        else SendAttributes(request.Id, metadata);
    }

    // Changing the owner clears the set-user-id bit, so it comes before the mode; everything touches the time, so that comes last.
    private void SetStat(in SftpRequest request)
    {
        var wanted = request.Attributes;
        var error = _path.Set(request.Path);
        if (error == 0 && wanted.Size is { } size) error = PosixFiles.SetLength(_path.Bytes, size);
        if (error == 0 && wanted.Owner is { } owner) error = PosixFiles.SetOwner(_path.Bytes, owner);
        if (error == 0 && wanted.Permissions is { } mode) error = PosixFiles.SetMode(_path.Bytes, mode & 0xFFF);
        if (error == 0 && wanted.Times is { } times) error = PosixFiles.SetTimes(_path.Bytes, times);
        Result(request.Id, error);
    }

    private void MakeDirectory(in SftpRequest request)
    {
        var error = _path.Set(request.Path);
        Result(request.Id, error != 0 ? error : PosixFiles.MakeDirectory(_path.Bytes, (request.Attributes.Permissions ?? 0x1FF) & 0xFFF));
    }

    private void OpenDirectory(in SftpRequest request)
    {
        if (_handles.IsFull)
        {
            TooMany(request.Id);
            return;
        }

        var error = _path.Set(request.Path);
        PosixDirectory? directory = null;
        if (error == 0) error = PosixDirectory.Open(_path.Bytes, out directory);
        if (error != 0) Result(request.Id, error);
        else SendHandle(request.Id, directory!);
    }

    private void ReadDirectory(in SftpRequest request)
    {
        if (!_handles.TryGet<PosixDirectory>(request.Handle, out var directory))
        {
            NotOpen(request.Id);
            return;
        }

        _writer.Begin(SftpType.Name, request.Id);
        var countAt = _writer.Length;
        _writer.UInt32(0);
        uint count = 0;
        var error = 0;
        while (count < NamesPerAnswer && _writer.Length < NameBytesPerAnswer)
        {
            error = directory.Next(out var name);
            if (error != 0 || name.IsEmpty) break;
            if (TryWriteName(directory, name)) count++;
        }

        if (count > 0)
        {
            _writer.Patch(countAt, count);
            Send();
        }
        else if (error != 0)
        {
            Result(request.Id, error);
        }
        else
        {
            Status(request.Id, SftpStatus.EndOfFile, "This is the end of the directory.");
        }
    }

    private bool TryWriteName(PosixDirectory directory, ReadOnlySpan<byte> name)
    {
        var text = name[..^1];
        var error = PosixFiles.LStatIn(directory, name, out var metadata);
        // Removed since it was listed.
        if (error == Errno.NoEntry) return false;
        _writer.String(text);
        // A directory may be readable without the right to look at what it lists: then the names are all there is.
        if (error != 0) _writer.String(text).Attributes(default);
        else _writer.String(_longName.Format(text, metadata)).Attributes(ToAttributes(metadata));
        return true;
    }

    private void RealPath(in SftpRequest request)
    {
        var error = _path.Set(request.Path);
        if (error == 0) error = _path.Canonicalize();
        if (error != 0) Result(request.Id, error);
        else SendName(request.Id, _path.Text);
    }

    private void ReadLink(in SftpRequest request)
    {
        Span<byte> target = stackalloc byte[PosixFiles.PathMax];
        var length = 0;
        var error = _path.Set(request.Path);
        if (error == 0) error = PosixFiles.ReadLink(_path.Bytes, target, out length);
        if (error != 0) Result(request.Id, error);
        else SendName(request.Id, target[..length]);
    }

    private void SymbolicLink(in SftpRequest request)
    {
        var error = _path.Set(request.Path);
        if (error == 0 && request.LinkTarget.Contains((byte)0)) error = Errno.Invalid;
        if (error == 0 && request.LinkTarget.Length >= PosixFiles.PathMax) error = Errno.NameTooLong;
        Result(request.Id, error != 0 ? error : PosixFiles.SymbolicLink([.. request.LinkTarget, 0], _path.Bytes));
    }

    private void StatVfs(in SftpRequest request)
    {
        var error = _path.Set(request.Path);
        var system = default(PosixFiles.FileSystem);
        if (error == 0) error = PosixFiles.StatVfs(_path.Bytes, out system);
        if (error != 0) Result(request.Id, error);
        else SendFileSystem(request.Id, system);
    }

    private void SendName(uint id, ReadOnlySpan<byte> name)
    {
        _writer.Begin(SftpType.Name, id).UInt32(1).String(name).String(name).Attributes(default);
        Send();
    }

    private void SendFileSystem(uint id, in PosixFiles.FileSystem system)
    {
        // Of the flags, the extension defines read-only and no-set-user-id, with the system's own values.
        _writer.Begin(SftpType.ExtendedReply, id)
            .UInt64(system.BlockSize).UInt64(system.FragmentSize).UInt64(system.Blocks).UInt64(system.BlocksFree).UInt64(system.BlocksAvailable)
            .UInt64(system.Files).UInt64(system.FilesFree).UInt64(system.FilesAvailable).UInt64(system.Id).UInt64(system.Flags & 3).UInt64(system.LongestName);
        Send();
    }
}
