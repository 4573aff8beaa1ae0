using System.Runtime.InteropServices;
using System.Text;
using Countersign.Access;
using Countersign.Sessions;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;

namespace Countersign.Fuzz.Targets;

/// <summary>The protocol of scp as it passes. The first step is the command.</summary>
internal sealed class ScpStreamTarget : Target
{
    public override string Name => "scp-stream";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Scp;

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        var said = steps.Count > 0 && steps[0].Kind == StepKind.Raw ? Encoding.UTF8.GetString(steps[0].Bytes) : "";
        if (!FileCommand.TryParse(said, out var command) || command.Protocol != FileProtocol.Scp) Require(FileCommand.TryParse(chance.OneIn(2) ? "scp -r -p -t dir" : "scp -r -f dir", out command), "scp is not known");
        var held = chance.OneIn(2) ? PermissionSet.None : PermissionSet.Of(Permission.FileManager, Permission.ManageFiles);
        var (client, device) = (new Way("the device", isDevice: false), new Way("the technician", isDevice: true));
        var events = new List<JournalEvent>();
        var interpreter = new ScpInterpreter(new(client.Out, device.Out, () => false, () => chance.OneIn(16)), command!, () => held, events.Add);
        try
        {
            foreach (var step in steps)
            {
                if (step.Kind is not (StepKind.Client or StepKind.Server)) continue;
                var cut = chance.Below(step.Bytes.Length + 1);
                foreach (var piece in (byte[][])[step.Bytes[..cut], step.Bytes[cut..]])
                {
                    if (step.Kind == StepKind.Client) client.In(piece);
                    else device.In(piece);
                    if (step.Kind == StepKind.Server) interpreter.FromDevice(piece);
                    client.Take(interpreter.FromClient(client.Waiting));
                }
            }
        }
        catch (NotUnderstoodException)
        {
            // The session ends.
        }

        interpreter.Dispose();
        var content = events.OfType<FileTransferred>().Sum(file => file.Bytes);
        var records = client.Lines + device.Lines;
        Require(events.Count <= (3 * records) + 3, $"{events.Count} events for {records} lines");
        Require(events.OfType<DeviceWrote>().Sum(wrote => wrote.Passed) <= Beside.Most, "more of the device's sentences went on than is written down");
        Require(content <= (command!.Direction == FileDirection.ToDevice ? client : device).Came, "more content was written down than came");
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// One direction: what goes on is what came, from its beginning, but that the device's sentences are cleaned and cut, and that a record with a mode that needs
    /// more is left out and answered.
    /// </summary>
    private sealed class Way(string to, bool isDevice)
    {
        private const int LongestSentence = 200;

        private readonly List<byte> _came = [];
        private int _out;
        private int _taken;

        public int Came => _came.Count;

        /// <summary>Ends of lines and answers of one byte: each is at most an event of its own, one for the warnings before it, and one for a mode.</summary>
        public int Lines => _came.Count(one => one is (byte)'C' or (byte)'D' or 0);

        public ReadOnlySpan<byte> Waiting => _came.ToArray().AsSpan(_taken);

        public void In(byte[] bytes) => _came.AddRange(bytes);

        public void Take(int bytes) => _taken += bytes;

        public void Out(ReadOnlySpan<byte> bytes)
        {
            if (isDevice && bytes.EndsWith(", which you don't have here\n"u8)) return;
            while (!Goes(bytes))
            {
                var end = _came.IndexOf((byte)'\n', _out);
                Require(end > 0, $"{to} was told what nobody said");
                var line = _came.GetRange(_out, end - _out).ToArray();
                _out = end + 1;
                if (isDevice && IsSentence(line, bytes)) return;
                Require(!isDevice && IsBeyond(line), $"{to} was told what nobody said");
            }
        }

        private bool Goes(ReadOnlySpan<byte> bytes)
        {
            if (_out + bytes.Length > _came.Count || !CollectionsMarshal.AsSpan(_came).Slice(_out, bytes.Length).SequenceEqual(bytes)) return false;
            _out += bytes.Length;
            return true;
        }

        private static bool IsSentence(byte[] line, ReadOnlySpan<byte> said)
        {
            if (line is not [1 or 2, ..] || said[0] != line[0] || said[^1] != '\n') return false;
            var clean = Encoding.UTF8.GetBytes(PlainLine.Clean(Encoding.UTF8.GetString(line, 1, line.Length - 1), LongestSentence));
            return clean.AsSpan().StartsWith(said[1..^1]);
        }

        private static bool IsBeyond(byte[] line) => line is [(byte)'C', >= (byte)'1' and <= (byte)'7', _, _, _, (byte)' ', ..];
    }
}

/// <summary>The grammar of commands that move files. Each step is a command.</summary>
internal sealed class FileCommandTarget : Target
{
    public override string Name => "file-commands";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Scp;

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        foreach (var step in steps)
        {
            if (!FileCommand.TryParse(Encoding.UTF8.GetString(step.Bytes), out var parsed)) continue;
            var words = ReadWords(parsed.Command);
            Require(words[0] is "scp" or "rsync", $"{parsed.Command}: another program");
            Require(words.All(word => word.All(character => !char.IsControl(character))), $"{parsed.Command}: a control character");
            Require(!words.Any(word => word.Any(character => "\"\\`$&|;<>^!*?".Contains(character, StringComparison.Ordinal) || character is >= '\u2018' and <= '\u201f')), $"{parsed.Command}: what another shell reads");
            Require(parsed.Needs.Intersects(PermissionSet.Of(Permission.SendFiles, Permission.ReceiveFiles)), $"{parsed.Command}: no permission");
            Require(parsed.Direction == FileDirection.FromDevice || parsed.Needs.Contains(Permission.SendFiles), $"{parsed.Command}: sends without the permission");
            Require(FileCommand.TryParse(parsed.Command, out var again) && again.Command == parsed.Command && again.Needs == parsed.Needs, $"{parsed.Command}: is not read as it was put together");
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>What is put together is plain words and single quotes: anything else is a finding.</summary>
    private static List<string> ReadWords(string command)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        for (var at = 0; at <= command.Length; at++)
        {
            if (at == command.Length || command[at] == ' ')
            {
                words.Add(word.ToString());
                word.Clear();
                continue;
            }

            if (command[at] == '\'')
            {
                var end = command.IndexOf('\'', at + 1);
                Require(end > 0, $"{command}: a quote without an end");
                word.Append(command, at + 1, end - at - 1);
                at = end;
                continue;
            }

            Require(char.IsAsciiLetterLower(command[at]) || command[at] is '-' or '~' or '/', $"{command}: {command[at]} outside of quotes");
            word.Append(command[at]);
        }

        return words;
    }
}
