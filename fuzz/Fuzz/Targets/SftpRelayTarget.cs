using System.Buffers.Binary;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Fuzz.Targets;

/// <summary>The relay's understood parser, both ways, under permissions that change.</summary>
internal sealed class SftpRelayTarget : Target
{
    private static readonly Permission[] Bits = [Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles, Permission.ManageFiles];

    public override string Name => "sftp-relay";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Sftp;

    public override Step Mend(Step step, Chance chance) => SftpMessages.Mend(step, chance);

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        using var relay = new Played();
        try
        {
            foreach (var step in steps)
            {
                if (step.Kind == StepKind.Permissions) relay.Held = Permissions(step.Bytes);
                else if (step.Kind is StepKind.Client or StepKind.Server) Deliver(relay, step, chance);
            }
        }
        catch (NotUnderstoodException)
        {
            // The session ends.
        }

        relay.Dispose();
        relay.RequireSeen();
        return ValueTask.CompletedTask;
    }

    private static PermissionSet Permissions(byte[] bits)
    {
        var given = bits.Length == 0 ? 0 : bits[0];
        return PermissionSet.Of([.. Bits.Where((_, bit) => (given & (1 << bit)) != 0)]);
    }

    private static void Deliver(Played relay, Step step, Chance chance)
    {
        for (var rest = step.Bytes.AsMemory(); !rest.IsEmpty;)
        {
            var piece = rest[..(chance.OneIn(2) ? rest.Length : 1 + chance.Below(rest.Length))];
            rest = rest[piece.Length..];
            relay.ClientIsBehind = chance.OneIn(16);
            relay.JournalIsBehind = chance.OneIn(16);
            if (step.Kind == StepKind.Client) relay.FromClient(piece.Span);
            else relay.FromDevice(piece.Span);
        }
    }

    /// <summary>The relay's parser, with a watch on what goes in and what comes out.</summary>
    private sealed class Played : IDisposable
    {
        private readonly SftpInterpreter _interpreter;
        private readonly SftpStreamWatch _asked;
        private readonly SftpStreamWatch _toDevice;
        private readonly SftpStreamWatch _toClient;
        private readonly Dictionary<uint, int> _open = [];
        private readonly List<byte> _waiting = [];
        private readonly List<FileTransferred> _files = [];
        private bool _isOver;

        public Played()
        {
            _asked = new((type, id) =>
            {
                if (type != SftpType.Init) _open[id] = _open.GetValueOrDefault(id) + 1;
            });
            _toDevice = new((type, _) => Require(Held.Covers(Least(type)), $"the device was asked for {type} without the permission"));
            _toClient = new((type, id) =>
            {
                if (type == SftpType.Version) return;
                Require(type != SftpType.Data || Held.Contains(Permission.ReceiveFiles), "the client was given content without the permission");
                Require(_open.TryGetValue(id, out var times) && times > 0, $"the client was told {type} for an id that is not open");
                _open[id]--;
            });
            _interpreter = new(new(bytes => Out(_toDevice, bytes), bytes => Out(_toClient, bytes), () => ClientIsBehind, () => JournalIsBehind), () => Held, Note);
        }

        public PermissionSet Held { get; set; } = PermissionSet.Of(Bits);

        public bool ClientIsBehind { get; set; }

        public bool JournalIsBehind { get; set; }

        public void FromClient(ReadOnlySpan<byte> data)
        {
            _asked.Take(data);
            _waiting.AddRange(data);
            Retry();
        }

        public void FromDevice(ReadOnlySpan<byte> data)
        {
            _interpreter.FromDevice(data);
            Retry();
        }

        public void Dispose()
        {
            if (_isOver) return;
            _interpreter.Dispose();
            _isOver = true;
        }

        /// <summary>After the end: the journal has the content that went, each way, byte for byte.</summary>
        public void RequireSeen()
        {
            foreach (var (watch, direction) in ((SftpStreamWatch, FileDirection)[])[(_toClient, FileDirection.FromDevice), (_toDevice, FileDirection.ToDevice)])
            {
                var told = _files.Where(file => file.Direction == direction).Sum(file => file.Bytes);
                Require(told == watch.Content, $"{watch.Content} bytes of content went and the journal has {told}, {direction}");
            }
        }

        private void Note(JournalEvent one)
        {
            if (one is FileTransferred file) _files.Add(file);
        }

        private void Retry()
        {
            var bytes = _waiting.ToArray();
            var taken = _interpreter.FromClient(bytes);
            Require(taken >= 0 && taken <= bytes.Length, "more was taken than there was");
            _waiting.RemoveRange(0, taken);
        }

        private void Out(SftpStreamWatch watch, ReadOnlySpan<byte> bytes)
        {
            Require(!_isOver, "something was passed on after the end");
            watch.Take(bytes);
        }

        /// <summary>Written down once more, coarser than in the product: what a type needs at least.</summary>
        private static PermissionSet Least(SftpType type) => type switch
        {
            SftpType.Write => PermissionSet.Of(Permission.SendFiles),
            SftpType.Read => PermissionSet.Of(Permission.ReceiveFiles),
            SftpType.OpenDirectory or SftpType.ReadDirectory or SftpType.ReadLink => PermissionSet.Of(Permission.FileManager),
            SftpType.Remove or SftpType.MakeDirectory or SftpType.RemoveDirectory or SftpType.SymbolicLink => PermissionSet.Of(Permission.FileManager, Permission.ManageFiles),
            _ => PermissionSet.None,
        };
    }
}

/// <summary>Reads lengths, types, ids and how much content goes in a stream of SFTP, and nothing else; told of a message at the first moment at which type and id are there.</summary>
internal sealed class SftpStreamWatch(Action<SftpType, uint> begins)
{
    /// <summary>Length, type, id, and the first field behind them.</summary>
    private const int Known = 13;

    private readonly byte[] _head = new byte[Known];
    private long _at;
    private long _end = 9;
    private long _content = long.MaxValue;

    /// <summary>Bytes of SSH_FXP_DATA's and SSH_FXP_WRITE's content.</summary>
    public long Content { get; private set; }

    public void Take(ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
        {
            if (_at < Known) _head[_at] = one;
            if (_at++ >= _content) Content++;
            if (_at == 9)
            {
                _end = Math.Max(9, 4 + (long)BinaryPrimitives.ReadUInt32BigEndian(_head));
                begins((SftpType)_head[4], BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(5)));
            }

            if (_at == Known) _content = ContentAt((SftpType)_head[4], BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(9)));
            if (_at < 9 || _at < _end) continue;
            (_at, _end, _content) = (0, 9, long.MaxValue);
        }
    }

    /// <summary>Behind the announced length of the content; of a write behind its handle and offset, too.</summary>
    private static long ContentAt(SftpType type, uint first) => type switch
    {
        SftpType.Data => Known,
        SftpType.Write => Known + first + 8L + 4,
        _ => long.MaxValue,
    };
}

internal static class SftpMessages
{
    public static Step Mend(Step step, Chance chance)
    {
        if (step.Kind is not (StepKind.Client or StepKind.Server) || step.Bytes.Length < 5 || chance.OneIn(6)) return step;
        var mended = step.Bytes.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(mended, (uint)(mended.Length - 4));
        return step with { Bytes = mended };
    }
}
