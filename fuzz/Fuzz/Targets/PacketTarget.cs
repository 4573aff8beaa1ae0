using System.Buffers.Binary;
using Countersign.Ssh;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets;

/// <summary>Packets under every cipher, with lengths and padding that lie, and with bits that are changed after they were sealed.</summary>
internal sealed class PacketTarget : Target
{
    private static readonly DirectionKind?[] Kinds =
        [null, .. CipherKind.All.SelectMany(cipher => cipher.Protection == PacketProtection.Ctr ? MacKind.All.Select(mac => new DirectionKind(cipher, mac)) : [new DirectionKind(cipher, null)])];

    public override string Name => "packets";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Ssh;

    public override async ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        var kind = chance.Pick(Kinds);
        var key = new byte[64];
        chance.Fill(key);
        using var sealer = kind is null ? PacketSealer.None : PacketSealer.Create(kind, key.AsSpan(0, kind.Cipher.KeyLength), key.AsSpan(0, kind.Cipher.IvLength), key.AsSpan(0, kind.Mac?.Length ?? 0));
        using var opener = kind is null ? PacketOpener.None : PacketOpener.Create(kind, key.AsSpan(0, kind.Cipher.KeyLength), key.AsSpan(0, kind.Cipher.IvLength), key.AsSpan(0, kind.Mac?.Length ?? 0));
        var sent = new List<byte[]>();
        var bytes = new List<byte>();
        var crooked = int.MaxValue;
        foreach (var step in steps)
        {
            var isCrooked = step.Kind == StepKind.Crooked && step.Bytes.Length > 5;
            var message = isCrooked ? step.Bytes[5..] : step.Bytes;
            if (message.Length == 0) continue;
            if (isCrooked) crooked = Math.Min(crooked, sent.Count);
            bytes.AddRange(Packet(sealer, (uint)sent.Count, message, isCrooked ? step.Bytes : null));
            sent.Add(message);
        }

        var wire = bytes.ToArray();
        var changed = wire.Length;
        if (wire.Length > 0 && chance.OneIn(3))
        {
            changed = chance.Below(wire.Length);
            wire[changed] ^= (byte)(1 << chance.Below(8));
        }

        var intact = kind is null ? Math.Min(crooked, Within(sealer, sent, changed)) : Within(sealer, sent, changed);
        await ReadAsync(wire, opener, sent, kind is null ? (intact, int.MaxValue) : (Math.Min(intact, crooked), intact), chance);
    }

    /// <summary>So many packets are whole before a byte.</summary>
    private static int Within(PacketSealer sealer, List<byte[]> sent, int changed)
    {
        var at = 0;
        for (var count = 0; count < sent.Count; count++)
        {
            at += Size(sealer, sent[count].Length);
            if (at > changed) return count;
        }

        return sent.Count;
    }

    private static async Task ReadAsync(byte[] wire, PacketOpener opener, List<byte[]> sent, (int Surely, int AtMost) whole, Chance chance)
    {
        using var input = new PacketInput(new Cut(wire, chance));
        input.TakeKeys(opener, resetSequence: true);
        if (chance.OneIn(2)) input.Authenticated();
        var read = 0;
        try
        {
            do
            {
                while (TryRead(input, out var message))
                {
                    Require(read < whole.AtMost, "a packet counts that was changed on its way");
                    Require(read >= whole.Surely || message.AsSpan().SequenceEqual(sent[read]), "a packet is not what was sent");
                    read++;
                }
            }
            while (await input.FillAsync(CancellationToken.None));
            Require(read >= whole.Surely, $"{read} packets were read of {whole.Surely}");
        }
        catch (SshConnectionException)
        {
            Require(read >= whole.Surely || sent[read].Length > 30_000, $"a good packet was refused: {read} of {whole.Surely}");
        }
    }

    private static bool TryRead(PacketInput input, out byte[] message)
    {
        message = [];
        if (!input.TryRead(out var payload)) return false;
        message = payload.ToArray();
        return true;
    }

    private static int Padding(PacketSealer sealer, int length)
    {
        var padding = sealer.Block - ((length + (sealer.LengthIsApart ? 1 : 5)) % sealer.Block);
        return padding < 4 ? padding + sealer.Block : padding;
    }

    private static int Size(PacketSealer sealer, int length) => 5 + length + Padding(sealer, length) + sealer.Tag;

    private static byte[] Packet(PacketSealer sealer, uint sequence, byte[] message, byte[]? crooked)
    {
        var padding = Padding(sealer, message.Length);
        var packet = new byte[Size(sealer, message.Length)];
        BinaryPrimitives.WriteUInt32BigEndian(packet, unchecked((uint)(1 + message.Length + padding) + (crooked is null ? 0 : BinaryPrimitives.ReadUInt32BigEndian(crooked.AsSpan(1)))));
        packet[4] = crooked is null ? (byte)padding : crooked[0];
        sealer.Seal(sequence, packet, 5, message);
        return packet;
    }

    private sealed class Cut(byte[] bytes, Chance chance) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            buffer.IsEmpty ? ValueTask.FromResult(0) : base.ReadAsync(buffer[..Math.Min(buffer.Length, chance.OneIn(2) ? buffer.Length : 1 + chance.Below(64))], cancellationToken);
    }
}
