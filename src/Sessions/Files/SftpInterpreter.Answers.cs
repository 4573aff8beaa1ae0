using System.Buffers.Binary;
using System.Text;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Files;

/// <summary>
/// What the device tells, put together anew where it holds more than it is for: who may not receive files is not to be handed their content in a status's
/// sentence, behind a path, or between attributes.
/// </summary>
internal sealed partial class SftpInterpreter
{
    private const int LongestSentence = 200;

    /// <summary>Of a status with a short sentence and the name of its language.</summary>
    private const int ShortStatus = 240;

    /// <summary>Eleven numbers (OpenSSH's PROTOCOL, 4.4).</summary>
    private const int SpaceLength = 88;

    private static bool PassesAsItIs(in SftpResponse status, int length) => length <= ShortStatus && !status.Sentence.ContainsAnyExceptInRange((byte)' ', (byte)'~');

    private static bool PassesAsItIs(SftpAsked asked, in SftpResponse told) => told.Type switch
    {
        SftpType.Attributes => !told.Attributes.HadExtended,
        SftpType.Name => asked.Type == SftpType.ReadDirectory && !HaveExtended(told.Names),
        SftpType.ExtendedReply => false,
        _ => true,
    };

    private static bool HaveExtended(SftpNames names)
    {
        foreach (var name in names)
        {
            if (name.Attributes.HadExtended) return true;
        }

        return false;
    }

    private ReadOnlySpan<byte> Anew(in SftpResponse status) =>
        _writer.Status(status.Id, status.Status, PlainLine.Clean(Encoding.UTF8.GetString(status.Sentence), LongestSentence));

    private ReadOnlySpan<byte> Anew(SftpAsked asked, in SftpResponse told)
    {
        _writer.Begin(told.Type, told.Id);
        switch (told.Type)
        {
            case SftpType.Attributes:
                return _writer.Attributes(told.Attributes).End();
            case SftpType.Name when asked.Type == SftpType.ReadDirectory:
                _writer.UInt32(told.Names.Count);
                foreach (var name in told.Names) _writer.String(name.FileName).String(name.LongName).Attributes(name.Attributes);
                return _writer.End();
            case SftpType.Name:
                // A path is one, and its attributes are dummies (draft-ietf-secsh-filexfer-02 section 6.11).
                var path = told.Names;
                if (path.Count != 1 || !path.MoveNext() || path.Current.FileName.Length > FileNames.LongestPath) throw Broken("the device named another number of paths than one");
                return _writer.UInt32(1).String(path.Current.FileName).String(path.Current.FileName).Attributes(default).End();
            case SftpType.ExtendedReply when asked.Extension == SftpExtension.UsersGroups:
                var names = Names(told.Data, asked.Length);
                return _writer.String(names.Users).String(names.Groups).End();
            default:
                if (told.Data.Length < SpaceLength) throw Broken("an answer of the device can't be read");
                for (var at = 0; at < SpaceLength; at += 8) _writer.UInt64(BinaryPrimitives.ReadUInt64BigEndian(told.Data[at..]));
                return _writer.End();
        }
    }

    /// <summary>What is written down of an answer: the path that a path was answered with, the names that numbers have.</summary>
    private static string? Told(SftpAsked asked, in SftpResponse told)
    {
        if (told.Type == SftpType.ExtendedReply && asked.Extension == SftpExtension.UsersGroups) return Names(told.Data, asked.Length).Text;
        if (told.Type != SftpType.Name || asked.Type == SftpType.ReadDirectory) return null;
        var names = told.Names;
        return names.MoveNext() ? FileNames.Text(names.Current.FileName) : null;
    }

    /// <summary>
    /// Users' names, then groups' (OpenSSH's PROTOCOL, 4.11). At most as many as numbers were asked for, and together no more than is written down of them: those
    /// that find no room, or that no line holds, are empty, as those are that the device does not know.
    /// </summary>
    private static (byte[] Users, byte[] Groups, string Text) Names(ReadOnlySpan<byte> data, uint most)
    {
        var reader = new Ssh.SshReader(data);
        if (!reader.TryReadString(out var users) || !reader.TryReadString(out var groups)) throw Broken("an answer of the device can't be read");
        var text = new StringBuilder();
        var left = most;
        var ofUsers = List(users);
        var ofGroups = List(groups);
        return (ofUsers, ofGroups, text.ToString());

        byte[] List(ReadOnlySpan<byte> list)
        {
            var names = new Ssh.SshReader(list);
            var anew = new Ssh.SshWriter();
            while (!names.IsAtEnd)
            {
                if (left-- == 0 || !names.TryReadString(out var name)) throw Broken("an answer of the device can't be read");
                var shown = Encoding.UTF8.GetString(name);
                if (shown.Length + text.Length >= FileNames.LongestPath || !PlainLine.IsPlain(shown)) shown = "";
                anew.String(shown);
                if (shown.Length > 0) text.Append(text.Length > 0 ? " " : "").Append(shown);
            }

            return anew.Written.ToArray();
        }
    }

    private static bool Pass(scoped ReadOnlySpan<byte> bytes, ref Relay.Passing passing)
    {
        passing.Pass(bytes);
        return true;
    }

    /// <summary>What the device takes, as far as it can be taken here (OpenSSH's PROTOCOL, 4.8); zero there means that nothing is said.</summary>
    private ReadOnlySpan<byte> Clamp(uint id, ReadOnlySpan<byte> limits)
    {
        if (limits.Length < 32) throw Broken("an answer of the device can't be read");
        _writer.Begin(SftpType.ExtendedReply, id);
        foreach (var (at, most) in ((int, ulong)[])[(0, SftpLimits.Packet), (8, SftpLimits.Payload), (16, SftpLimits.Payload), (24, OpenFiles.Most)])
        {
            var theirs = BinaryPrimitives.ReadUInt64BigEndian(limits[at..]);
            _writer.UInt64(theirs == 0 ? most : Math.Min(theirs, most));
        }

        return _writer.End();
    }
}
