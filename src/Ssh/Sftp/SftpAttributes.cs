namespace Countersign.Ssh.Sftp;

/// <summary>
/// What is known, or to be set, about a file (draft-ietf-secsh-filexfer-02 section 5). Absent members are null. Owner and group come together,
/// as do both times. Extended attributes are skipped when read and never written.
/// </summary>
public readonly record struct SftpAttributes
{
    private const uint HasSize = 1, HasOwner = 2, HasPermissions = 4, HasTimes = 8, HasExtended = 0x80000000;

    public ulong? Size { get; init; }

    public SftpOwner? Owner { get; init; }

    /// <summary>File type and mode bits, as in <c>st_mode</c>.</summary>
    public uint? Permissions { get; init; }

    public SftpTimes? Times { get; init; }

    /// <summary>There were extended ones, which were skipped.</summary>
    public bool HadExtended { get; init; }

    /// <summary>Reads from untrusted bytes. False: they don't suffice, or name flags whose layout version 3 does not define.</summary>
    public static bool TryRead(ref SshReader reader, out SftpAttributes attributes)
    {
        attributes = default;
        if (!reader.TryReadUInt32(out var flags)) return false;
        if ((flags & ~(HasSize | HasOwner | HasPermissions | HasTimes | HasExtended)) != 0) return false;

        ulong size = 0;
        uint user = 0, group = 0, permissions = 0, accessed = 0, modified = 0;
        if ((flags & HasSize) != 0 && !reader.TryReadUInt64(out size)) return false;
        if ((flags & HasOwner) != 0 && !(reader.TryReadUInt32(out user) && reader.TryReadUInt32(out group))) return false;
        if ((flags & HasPermissions) != 0 && !reader.TryReadUInt32(out permissions)) return false;
        if ((flags & HasTimes) != 0 && !(reader.TryReadUInt32(out accessed) && reader.TryReadUInt32(out modified))) return false;
        if ((flags & HasExtended) != 0 && !TrySkipExtended(ref reader)) return false;

        attributes = new()
        {
            Size = (flags & HasSize) != 0 ? size : null,
            Owner = (flags & HasOwner) != 0 ? new(user, group) : null,
            Permissions = (flags & HasPermissions) != 0 ? permissions : null,
            Times = (flags & HasTimes) != 0 ? new(accessed, modified) : null,
            HadExtended = (flags & HasExtended) != 0,
        };
        return true;
    }

    internal void Write(SftpWriter writer)
    {
        writer.UInt32(
            (Size is null ? 0 : HasSize) | (Owner is null ? 0 : HasOwner) | (Permissions is null ? 0 : HasPermissions) | (Times is null ? 0 : HasTimes));
        if (Size is { } size) writer.UInt64(size);
        if (Owner is { } owner) writer.UInt32(owner.User).UInt32(owner.Group);
        if (Permissions is { } permissions) writer.UInt32(permissions);
        if (Times is { } times) writer.UInt32(times.Accessed).UInt32(times.Modified);
    }

    // Each pair takes at least eight bytes, so that the packet bounds the loop whatever the count says.
    private static bool TrySkipExtended(ref SshReader reader)
    {
        if (!reader.TryReadUInt32(out var count)) return false;
        for (uint i = 0; i < count; i++)
        {
            if (!reader.TryReadString(out _) || !reader.TryReadString(out _)) return false;
        }

        return true;
    }
}

public readonly record struct SftpOwner(uint User, uint Group);

/// <summary>Seconds since 1970 in UTC; version 3 has 32 bits for them.</summary>
public readonly record struct SftpTimes(uint Accessed, uint Modified);
