using System.Globalization;
using System.Text;

namespace Countersign.Ssh.Sftp;

/// <summary>The line that <c>ls -l</c> shows for a file, which clients print as it comes. Names of accounts are looked up once per session.</summary>
internal sealed class SftpLongName(TimeProvider time)
{
    private readonly Dictionary<uint, string> _users = [];
    private readonly Dictionary<uint, string> _groups = [];

    public byte[] Format(ReadOnlySpan<byte> name, in PosixFiles.Metadata metadata)
    {
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"{Mode(metadata.Mode)} {metadata.Links,4} {User(metadata.User),-8} {Group(metadata.Group),-8} {metadata.Size,8} {Date(metadata.Modified)} ");
        var line = new byte[Encoding.UTF8.GetByteCount(head) + name.Length];
        name.CopyTo(line.AsSpan(Encoding.UTF8.GetBytes(head, line)));
        return line;
    }

    private static string Mode(uint mode)
    {
        var type = (int)(mode & PosixFiles.TypeMask) switch
        {
            PosixFiles.TypeRegular => '-',
            PosixFiles.TypeDirectory => 'd',
            PosixFiles.TypeLink => 'l',
            PosixFiles.TypeBlock => 'b',
            PosixFiles.TypeCharacter => 'c',
            PosixFiles.TypeFifo => 'p',
            PosixFiles.TypeSocket => 's',
            _ => '?',
        };
        return string.Create(10, (type, mode), static (text, state) =>
        {
            text[0] = state.type;
            for (var i = 0; i < 9; i++) text[i + 1] = (state.mode & (0x100u >> i)) != 0 ? "rwx"[i % 3] : '-';
            // Set user id, set group id and sticky are shown in the place of the execute bits.
            if ((state.mode & 0x800) != 0) text[3] = text[3] == 'x' ? 's' : 'S';
            if ((state.mode & 0x400) != 0) text[6] = text[6] == 'x' ? 's' : 'S';
            if ((state.mode & 0x200) != 0) text[9] = text[9] == 'x' ? 't' : 'T';
        });
    }

    private string User(uint id)
    {
        if (!_users.TryGetValue(id, out var name)) _users[id] = name = PosixFiles.UserName(id) ?? id.ToString(CultureInfo.InvariantCulture);
        return name;
    }

    private string Group(uint id)
    {
        if (!_groups.TryGetValue(id, out var name)) _groups[id] = name = PosixFiles.GroupName(id) ?? id.ToString(CultureInfo.InvariantCulture);
        return name;
    }

    // As ls does it: the time of day for the last half year, the year for what is older or in the future.
    private string Date(long seconds)
    {
        const long HalfYear = 365 * 24 * 60 * 60 / 2;
        var then = DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, DateTimeOffset.MinValue.ToUnixTimeSeconds(), DateTimeOffset.MaxValue.ToUnixTimeSeconds()));
        var local = TimeZoneInfo.ConvertTime(then, time.LocalTimeZone);
        var age = time.GetUtcNow().ToUnixTimeSeconds() - seconds;
        var form = age is >= 0 and < HalfYear ? "HH:mm" : " yyyy";
        return string.Create(CultureInfo.InvariantCulture, $"{local.ToString("MMM", CultureInfo.InvariantCulture)} {local.Day,2} {local.ToString(form, CultureInfo.InvariantCulture)}");
    }
}
