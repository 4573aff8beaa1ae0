using System.Globalization;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;

namespace Countersign.Sessions.Files;

/// <summary>
/// Reads the protocol of <c>scp -t</c> and <c>scp -f</c> as it passes, so that each file is written down. One end, the source, sends records: <c>C</c>
/// with a file, <c>D</c> and <c>E</c> around a directory's, <c>T</c> with times; the other, the sink, answers each. Nothing is changed on its way; what is
/// not this protocol goes no further.
/// </summary>
internal sealed class ScpInterpreter(Outlets outlets, FileCommand command, Func<PermissionSet> held, Action<JournalEvent> note) : Interpreter
{
    // Ends that stop reading a line sooner (OpenSSH and Dropbear at 2,047 bytes with its end) would read the rest as the next record.
    private const int LongestLine = 2046;
    private const int MostDepth = 256;
    private const byte Ok = 0, Warning = 1, Fatal = 2, LineEnd = (byte)'\n';

    /// <summary>Octal 777: a mode beyond it sets user, group or the sticky bit.</summary>
    private const int PlainMode = 0x1FF;

    private readonly List<byte> _line = [];
    private readonly List<byte> _reply = [];
    private readonly List<string> _directories = [];
    private State _state = State.Ready;
    private char _record;
    private string _name = "";
    private long _left;
    private FileContent? _content;
    private string _path = "";
    private bool _sourceFailed;
    private bool _warned;
    private int _moreWarnings;

    /// <summary>Whose turn it is, and for what.</summary>
    private enum State
    {
        /// <summary>The sink says that it is there.</summary>
        Ready,

        /// <summary>The source sends a record.</summary>
        Record,

        /// <summary>The sink answers the record.</summary>
        Reply,

        /// <summary>The source sends a file's bytes.</summary>
        Content,

        /// <summary>The source says whether they were all right.</summary>
        Verdict,

        /// <summary>The sink says whether they are stored.</summary>
        Stored,

        /// <summary>One end has given up: nothing more goes on.</summary>
        Over,
    }

    private bool ClientIsSource => command.Direction == FileDirection.ToDevice;

    public override int FromClient(ReadOnlySpan<byte> data)
    {
        // What it sends is an event or two for each turn; the device's are bounded by these turns.
        if (outlets.JournalIsBehind()) return 0;
        var taken = Take(data, ClientIsSource, out var passes);
        outlets.ToDevice(data[..passes]);
        return taken;
    }

    public override void FromDevice(ReadOnlySpan<byte> data)
    {
        // It waits for its turn by the protocol; nothing is kept for a device that does not.
        if (Take(data, !ClientIsSource, out var passes) < data.Length) throw Broken("out of turn");
        outlets.ToClient(data[..passes]);
    }

    public override void Dispose() => Cut();

    private void Cut()
    {
        TellWarnings();
        if (_content is not null) Tell(FileOutcome.Interrupted);
    }

    /// <param name="passes">How much of it goes on: what comes after an end has given up is taken, and goes nowhere.</param>
    /// <returns>How much of it is for now.</returns>
    private int Take(ReadOnlySpan<byte> data, bool fromSource, out int passes)
    {
        passes = 0;
        var rest = data;
        while (!rest.IsEmpty && (_state == State.Over || IsTurnOf(fromSource)))
        {
            if (_state == State.Over) return data.Length;
            if (_state == State.Content)
            {
                var piece = rest[..(int)Math.Min(_left, rest.Length)];
                _content!.Add(_content.Bytes, piece);
                _left -= piece.Length;
                rest = rest[piece.Length..];
                if (_left == 0) _state = State.Verdict;
            }
            else
            {
                OnByte(rest[0], fromSource ? _line : _reply);
                rest = rest[1..];
            }

            passes = data.Length - rest.Length;
        }

        return data.Length - rest.Length;
    }

    private bool IsTurnOf(bool source) => source == _state is State.Record or State.Content or State.Verdict;

    private void OnByte(byte one, List<byte> line)
    {
        if (line.Count == 0 && one == Ok && _state != State.Record)
        {
            OnSaid(Ok);
            return;
        }

        if (line.Count == 0 && !IsBeginning(one)) throw Broken("an unknown record");
        if (one != LineEnd)
        {
            if (line.Count == LongestLine) throw Broken("a line without an end");
            line.Add(one);
            return;
        }

        var kind = line[0];
        if (kind is Warning or Fatal) OnSaid(kind);
        else OnRecord(Encoding.UTF8.GetString([.. line]));
        line.Clear();
    }

    private bool IsBeginning(byte one) => one is Warning or Fatal || (_state == State.Record && one is (byte)'C' or (byte)'D' or (byte)'E' or (byte)'T');

    /// <summary>A word about what went before: fine, a warning, or the end.</summary>
    private void OnSaid(byte word)
    {
        switch (_state)
        {
            case State.Ready:
                _state = State.Record;
                break;
            case State.Record:
                // The source could not read something, says so, and goes on with the next.
                OnWarning();
                break;
            case State.Reply:
                OnReply(isFine: word == Ok ? Fine.Yes : Fine.No);
                break;
            case State.Verdict:
                _sourceFailed = word != Ok;
                _state = State.Stored;
                break;
            case State.Stored:
                // The device's word counts: a client must not call a file that was stored a failure.
                Tell((ClientIsSource ? word == Ok : !_sourceFailed) ? FileOutcome.Ok : FileOutcome.Failed);
                _state = State.Record;
                break;
        }

        if (word != Fatal) return;
        Cut();
        _state = State.Over;
    }

    /// <summary>Nobody answers it, so it may come as often as there is credit: the first is written down at once, those that follow by their number.</summary>
    private void OnWarning()
    {
        if (_warned) _moreWarnings++;
        else note(NotOpened(1));
        _warned = true;
    }

    private void TellWarnings()
    {
        if (_moreWarnings > 0) note(NotOpened(_moreWarnings));
        _moreWarnings = 0;
        _warned = false;
    }

    private FileActed NotOpened(int times) => new(
        FileAction.Open, command.Path.Length > FileNames.LongestPath ? command.Path[..FileNames.LongestPath] : command.Path, null, null, FileOutcome.Failed, times);

    private enum Fine
    {
        No,
        Yes,
    }

    private void OnReply(Fine isFine)
    {
        _state = State.Record;
        switch (_record)
        {
            case 'C' when isFine == Fine.Yes:
                _state = _left > 0 ? State.Content : State.Verdict;
                break;
            case 'C':
                Tell(FileOutcome.Failed);
                break;
            case 'D':
                note(new FileActed(
                    ClientIsSource ? FileAction.MakeDirectory : FileAction.List, PathOf(_name), null, null, isFine == Fine.Yes ? FileOutcome.Ok : FileOutcome.Failed));
                if (isFine == Fine.Yes) _directories.Add(_name);
                break;
        }
    }

    private void OnRecord(string line)
    {
        TellWarnings();
        _record = line[0];
        _state = State.Reply;
        switch (_record)
        {
            case 'E' when line.Length == 1 && _directories.Count > 0:
                _directories.RemoveAt(_directories.Count - 1);
                return;
            case 'T' when line[1..].Split(' ') is { Length: 4 } times && times.All(IsNumber):
                return;
            case 'C':
                _left = ReadEntry(line);
                _content = new();
                _path = PathOf(_name);
                return;
            case 'D' when command.IsRecursive && _directories.Count < MostDepth:
                ReadEntry(line);
                return;
            default:
                throw Broken("a record that does not fit");
        }
    }

    /// <summary>Mode, size and name. Returns the size.</summary>
    private long ReadEntry(string line)
    {
        var parts = line[1..].Split(' ', 3);
        if (parts.Length != 3 || parts[0].Length != 4 || parts[0].Any(digit => digit is < '0' or > '7') || !IsNumber(parts[1])) throw Broken("a record that can't be read");
        if (parts[2] is "" or "." or ".." || parts[2].Contains('/', StringComparison.Ordinal) || parts[2].Contains('\0', StringComparison.Ordinal)) throw Broken("a name that is none");
        if (ClientIsSource && Convert.ToInt32(parts[0], 8) > PlainMode && !held().Covers(FileCommand.Manage))
            throw new NotUnderstoodException($"the mode {parts[0]} needs {FileNames.Labels(FileCommand.Manage)}");
        _name = parts[2];
        return long.Parse(parts[1], CultureInfo.InvariantCulture);
    }

    private static bool IsNumber(string text) => text.Length is > 0 and <= 18 && text.All(char.IsAsciiDigit);

    /// <summary>
    /// A single file goes to the path itself, unless that is a directory, which is not known here: then the name that was sent stands behind it, after
    /// a blank and in brackets.
    /// </summary>
    private string PathOf(string name)
    {
        var path = command.Path;
        if (ClientIsSource ? command.IsIntoDirectory || _directories.Count > 0 : _directories.Count > 0)
        {
            path = string.Join('/', [path.TrimEnd('/'), .. ClientIsSource ? _directories : _directories.Skip(1), name]);
        }
        else if (!path.EndsWith($"/{name}", StringComparison.Ordinal) && path != name)
        {
            path = $"{path} ({name})";
        }

        return path.Length > FileNames.LongestPath ? path[..FileNames.LongestPath] : path;
    }

    private void Tell(FileOutcome outcome)
    {
        note(_content!.Tell(command.Direction, _path, outcome));
        _content.Dispose();
        _content = null;
    }

    private static NotUnderstoodException Broken(string what) => new($"what came was not the protocol of scp: {what}");
}
