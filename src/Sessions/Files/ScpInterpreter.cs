using System.Globalization;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;

namespace Countersign.Sessions.Files;

/// <summary>
/// Reads the protocol of <c>scp -t</c> and <c>scp -f</c> as it passes, so that each file is written down. One end, the source, sends records: <c>C</c>
/// with a file, <c>D</c> and <c>E</c> around a directory's, <c>T</c> with times; the other, the sink, answers each. Records and files' bytes go on as they
/// came; the device's sentences as far as they can be written down, since who may only send files could have its shell hand them others' content there; what
/// is not this protocol goes no further.
/// </summary>
internal sealed class ScpInterpreter(Outlets outlets, FileCommand command, Func<PermissionSet> held, Action<JournalEvent> note) : Interpreter
{
    // Ends that stop reading a line sooner (OpenSSH and Dropbear at 2,047 bytes with its end) would read the rest as the next record.
    private const int LongestLine = 2046;
    private const int MostDepth = 256;
    private const byte Ok = 0, Warning = 1, Fatal = 2, LineEnd = (byte)'\n';

    /// <summary>Octal 777: a mode beyond it sets user, group or the sticky bit.</summary>
    private const int PlainMode = 0x1FF;

    private const int LongestSentence = 200;

    private readonly Beside _said = new();
    private readonly List<byte> _line = [];
    private readonly List<byte> _reply = [];
    private readonly List<string> _directories = [];
    private State _state = State.Ready;
    private char _record;
    private string _name = "";
    private string _mode = "";
    private bool _timed;
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
        if (outlets.JournalIsBehind() || outlets.ClientIsBehind()) return 0;
        var passing = new Passing(data, outlets.ToDevice);
        try
        {
            return Take(data, Side.Client, ref passing);
        }
        finally
        {
            // Also before what is not understood: it was let through, and is written down.
            passing.Flush();
        }
    }

    public override void FromDevice(ReadOnlySpan<byte> data)
    {
        // It waits for its turn by the protocol; nothing is kept for a device that does not.
        var passing = new Passing(data, outlets.ToClient);
        try
        {
            if (Take(data, Side.Device, ref passing) < data.Length) throw Broken("out of turn");
        }
        finally
        {
            passing.Flush();
        }
    }

    public override void Dispose()
    {
        Cut();
        if (_said.Tell() is { } said) note(said);
    }

    private void Cut()
    {
        TellWarnings();
        if (_content is not null) Tell(FileOutcome.Interrupted);
    }

    private enum Side
    {
        Client,
        Device,
    }

    /// <returns>How much of it is for now.</returns>
    private int Take(ReadOnlySpan<byte> data, Side side, scoped ref Passing passing)
    {
        var fromSource = ClientIsSource == (side == Side.Client);
        var at = 0;
        while (at < data.Length && _state != State.Over && IsTurnOf(fromSource))
        {
            if (_state == State.Content)
            {
                var length = (int)Math.Min(_left, data.Length - at);
                _content!.Add(_content.Bytes, data.Slice(at, length));
                passing.Pass(at, at + length);
                at += length;
                _left -= length;
                if (_left == 0) _state = State.Verdict;
                continue;
            }

            var line = fromSource ? _line : _reply;
            if (line.Count == 0 && data[at] == Ok && _state != State.Record)
            {
                passing.Pass(at, at + 1);
                OnSaid(Ok);
            }
            else
            {
                OnByte(data[at], line, side, ref passing);
            }

            at++;
        }

        // Behind an end's last word nothing goes on, and all of it is taken.
        return _state == State.Over ? data.Length : at;
    }

    private bool IsTurnOf(bool source) => source == _state is State.Record or State.Content or State.Verdict;

    /// <summary>A line goes on once all of it is there and has been read.</summary>
    private void OnByte(byte one, List<byte> line, Side side, scoped ref Passing passing)
    {
        if (line.Count == 0 && !IsBeginning(one)) throw Broken("an unknown record");
        if (one != LineEnd)
        {
            if (line.Count == LongestLine) throw Broken("a line without an end");
            line.Add(one);
            return;
        }

        var kind = line[0];
        byte[] whole = [.. line, LineEnd];
        line.Clear();
        if (kind is Warning or Fatal)
        {
            passing.Pass(side == Side.Client ? whole : Sentence(whole));
            OnSaid(kind);
        }
        else if (OnRecord(Encoding.UTF8.GetString(whole, 0, whole.Length - 1)))
        {
            passing.Pass(whole);
        }
    }

    /// <summary>A warning of the device's, or its last word, as far as it can be written down.</summary>
    private byte[] Sentence(byte[] line)
    {
        var text = Encoding.UTF8.GetBytes(PlainLine.Clean(Encoding.UTF8.GetString(line, 1, line.Length - 2), LongestSentence));
        return [line[0], .. text.AsSpan(0, _said.Add(text)), LineEnd];
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
                if (ClientIsSource && (IsSpecial(_mode) || command.KeepsAttributes || _timed)) note(new FileActed(FileAction.SetAttributes, _path, null, Attributes(), FileOutcome.Ok));
                _timed = false;
                _state = _left > 0 ? State.Content : State.Verdict;
                break;
            case 'C':
                _timed = false;
                Tell(FileOutcome.Failed);
                break;
            case 'T':
                _timed = isFine == Fine.Yes;
                break;
            case 'D':
                note(new FileActed(
                    ClientIsSource ? FileAction.MakeDirectory : FileAction.List,
                    PathOf(_name),
                    null,
                    ClientIsSource ? Attributes() : null,
                    isFine == Fine.Yes ? FileOutcome.Ok : FileOutcome.Failed));
                _timed = false;
                if (isFine == Fine.Yes) _directories.Add(_name);
                break;
        }
    }

    /// <returns>Whether it goes on: one that is refused is answered here, and the source goes on with the next.</returns>
    private bool OnRecord(string line)
    {
        TellWarnings();
        _record = line[0];
        switch (_record)
        {
            case 'E' when line.Length == 1 && _directories.Count > 0:
                _directories.RemoveAt(_directories.Count - 1);
                break;
            case 'T' when line[1..].Split(' ') is { Length: 4 } times && times.All(IsNumber):
                break;
            case 'C':
                _left = ReadEntry(line);
                if (IsBeyond())
                {
                    Refuse();
                    return false;
                }

                _content = new();
                _path = PathOf(_name);
                break;
            case 'D' when command.IsRecursive && _directories.Count < MostDepth:
                ReadEntry(line);
                if (IsBeyond()) throw new NotUnderstoodException($"the mode {_mode} needs {FileNames.Labels(FileCommand.Manage)}");
                break;
            default:
                throw Broken("a record that does not fit");
        }

        _state = State.Reply;
        return true;
    }

    /// <summary>A mode that sets user, group or the sticky bit is more than sending a file.</summary>
    private bool IsBeyond() => ClientIsSource && IsSpecial(_mode) && !held().Covers(FileCommand.Manage);

    /// <summary>Answers a file's record in the sink's place, which hears nothing of the file.</summary>
    private void Refuse()
    {
        var needs = FileNames.Labels(FileCommand.Manage);
        note(new FileRefused(FileAction.SetAttributes, PathOf(_name), needs, 1));
        outlets.ToClient(Encoding.UTF8.GetBytes($"\u0001{PlainLine.Clean(_name, LongestSentence)}: the mode {_mode} needs {needs}, which you don't have here\n"));
    }

    /// <summary>What the record sets.</summary>
    private string Attributes() => $"mode {Convert.ToString(Convert.ToInt32(_mode, 8), 8)}{(_timed ? ", times" : "")}";

    private static bool IsSpecial(string mode) => Convert.ToInt32(mode, 8) > PlainMode;

    /// <summary>Mode, size and name. Returns the size.</summary>
    private long ReadEntry(string line)
    {
        var parts = line[1..].Split(' ', 3);
        if (parts.Length != 3 || parts[0].Length != 4 || parts[0].Any(digit => digit is < '0' or > '7') || !IsNumber(parts[1])) throw Broken("a record that can't be read");
        if (parts[2] is "" or "." or ".." || parts[2].Contains('/', StringComparison.Ordinal) || parts[2].Contains('\0', StringComparison.Ordinal)) throw Broken("a name that is none");
        (_mode, _name) = (parts[0], parts[2]);
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
