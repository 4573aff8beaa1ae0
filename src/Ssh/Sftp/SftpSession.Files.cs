using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Countersign.Ssh.Sftp;

/// <summary>Requests about open files.</summary>
internal sealed partial class SftpSession
{
    private void Open(in SftpRequest request)
    {
        var flags = request.Flags;
        if ((flags & (SftpOpenFlags.Read | SftpOpenFlags.Write)) == 0)
        {
            Status(request.Id, SftpStatus.BadMessage, "A file is opened for reading, writing or both.");
            return;
        }

        // O_TRUNC would also cut a file that is opened for reading.
        if ((flags & SftpOpenFlags.Write) == 0 && (flags & SftpOpenFlags.Truncate) != 0)
        {
            Status(request.Id, SftpStatus.BadMessage, "Only a file opened for writing can be truncated.");
            return;
        }

        if (_handles.IsFull)
        {
            TooMany(request.Id);
            return;
        }

        var error = _path.Set(request.Path);
        SafeFileHandle? file = null;
        if (error == 0) error = PosixFiles.Open(_path.Bytes, SystemFlags(flags), (request.Attributes.Permissions ?? 0x1B6) & 0xFFF, out file);
        if (error == 0) error = PosixFiles.FStat(file!, out var metadata) is var failed and not 0 ? failed : Openable(metadata.Mode);
        if (error != 0)
        {
            file?.Dispose();
            Result(request.Id, error);
            return;
        }

        SendHandle(request.Id, file!);
    }

    private void Close(in SftpRequest request)
    {
        if (_handles.TryClose(request.Handle)) Result(request.Id, 0);
        else NotOpen(request.Id);
    }

    private void Read(in SftpRequest request)
    {
        if (!_handles.TryGet<SafeFileHandle>(request.Handle, out var file))
        {
            NotOpen(request.Id);
            return;
        }

        // The payload goes from the file into the transport's own buffer, behind room for length, type, id and the payload's length.
        const int Header = 13;
        var most = (int)Math.Min(request.Length, SftpLimits.Payload);
        var answer = _output.GetSpan(Header + most);
        var error = PosixFiles.Read(file, answer.Slice(Header, most), request.Offset, out var count);
        if (error != 0)
        {
            Result(request.Id, error);
        }
        else if (count == 0)
        {
            Status(request.Id, SftpStatus.EndOfFile, "This is the end of the file.");
        }
        else
        {
            BinaryPrimitives.WriteInt32BigEndian(answer, Header - 4 + count);
            answer[4] = (byte)SftpType.Data;
            BinaryPrimitives.WriteUInt32BigEndian(answer[5..], request.Id);
            BinaryPrimitives.WriteInt32BigEndian(answer[9..], count);
            _output.Advance(Header + count);
        }
    }

    private void Write(in SftpRequest request)
    {
        if (_handles.TryGet<SafeFileHandle>(request.Handle, out var file)) Result(request.Id, PosixFiles.Write(file, request.Data, request.Offset));
        else NotOpen(request.Id);
    }

    private void FStat(in SftpRequest request)
    {
        if (!_handles.TryGet<SafeFileHandle>(request.Handle, out var file))
        {
            NotOpen(request.Id);
            return;
        }

        var error = PosixFiles.FStat(file, out var metadata);
        if (error != 0) Result(request.Id, error);
        else SendAttributes(request.Id, metadata);
    }

    private void FSetStat(in SftpRequest request)
    {
        if (!_handles.TryGet<SafeFileHandle>(request.Handle, out var file))
        {
            NotOpen(request.Id);
            return;
        }

        var wanted = request.Attributes;
        var error = wanted.Size is { } size ? PosixFiles.SetLength(file, size) : 0;
        if (error == 0 && wanted.Owner is { } owner) error = PosixFiles.SetOwner(file, owner);
        if (error == 0 && wanted.Permissions is { } mode) error = PosixFiles.SetMode(file, mode & 0xFFF);
        if (error == 0 && wanted.Times is { } times) error = PosixFiles.SetTimes(file, times);
        Result(request.Id, error);
    }

    private void FSync(in SftpRequest request)
    {
        if (_handles.TryGet<SafeFileHandle>(request.Handle, out var file)) Result(request.Id, PosixFiles.Sync(file));
        else NotOpen(request.Id);
    }

    private void FStatVfs(in SftpRequest request)
    {
        if (!_handles.TryGet<SafeFileHandle>(request.Handle, out var file))
        {
            NotOpen(request.Id);
            return;
        }

        var error = PosixFiles.StatVfs(file, out var system);
        if (error != 0) Result(request.Id, error);
        else SendFileSystem(request.Id, system);
    }

    private void SendHandle(uint id, SafeHandle open)
    {
        Span<byte> handle = stackalloc byte[SftpHandles.Length];
        _handles.Add(open, handle);
        _writer.Begin(SftpType.Handle, id).String(handle);
        Send();
    }

    private void TooMany(uint id) => Status(id, SftpStatus.Failure, $"At most {_options.MaxHandles} files and directories can be open at once.");

    private static int SystemFlags(SftpOpenFlags flags)
    {
        var result = (flags & (SftpOpenFlags.Read | SftpOpenFlags.Write)) switch
        {
            SftpOpenFlags.Read => PosixFiles.ReadOnly,
            SftpOpenFlags.Write => PosixFiles.WriteOnly,
            _ => PosixFiles.ReadWrite,
        };
        if ((flags & SftpOpenFlags.Append) != 0) result |= PosixFiles.Append;
        if ((flags & SftpOpenFlags.Create) != 0) result |= PosixFiles.Create;
        if ((flags & SftpOpenFlags.Truncate) != 0) result |= PosixFiles.Truncate;
        if ((flags & SftpOpenFlags.Exclusive) != 0) result |= PosixFiles.Exclusive;
        return result;
    }

    // Pipes and sockets have no offsets; what would have blocked until somebody opens the other end is not worth waiting for.
    private static int Openable(uint mode) => (int)(mode & PosixFiles.TypeMask) switch
    {
        PosixFiles.TypeRegular or PosixFiles.TypeBlock or PosixFiles.TypeCharacter => 0,
        PosixFiles.TypeDirectory => Errno.IsDirectory,
        _ => Errno.IllegalSeek,
    };
}
