using System.Buffers.Binary;
using Countersign.Access;
using Countersign.Sessions.Files;
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
        private int _events;
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
            _interpreter = new(new(bytes => Out(_toDevice, bytes), bytes => Out(_toClient, bytes), () => ClientIsBehind), () => Held, _ => _events++);
        }

        public PermissionSet Held { get; set; } = PermissionSet.Of(Bits);

        public bool ClientIsBehind { get; set; }

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
            _interpreter.Dispose();
            _isOver = true;
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

/// <summary>Reads lengths, types and ids in a stream of SFTP, and nothing else; told at the first moment at which both are there.</summary>
internal sealed class SftpStreamWatch(Action<SftpType, uint> begins)
{
    private readonly byte[] _head = new byte[9];
    private int _filled;
    private long _left;

    public void Take(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_filled < _head.Length)
            {
                _head[_filled++] = bytes[0];
                bytes = bytes[1..];
                if (_filled < _head.Length) continue;
                _left = (long)BinaryPrimitives.ReadUInt32BigEndian(_head) - 5;
                begins((SftpType)_head[4], BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(5)));
            }

            var taken = (int)Math.Clamp(_left, 0, bytes.Length);
            bytes = bytes[taken..];
            _left -= taken;
            if (_left <= 0) _filled = 0;
        }
    }
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
