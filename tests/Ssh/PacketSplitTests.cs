using System.Buffers.Binary;
using System.Security.Cryptography;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>Packets under each cipher, wherever the network cuts them.</summary>
public sealed class PacketSplitTests
{
    private static readonly byte[][] Messages = [[2], RandomNumberGenerator.GetBytes(100), RandomNumberGenerator.GetBytes(700), [3, 1]];

    public static TheoryData<string, string> Kinds => new(CipherKind.All.SelectMany(cipher => cipher.Protection == PacketProtection.Ctr ? MacKind.All.Select(mac => (cipher.Name, mac.Name)) : [(cipher.Name, "")]));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_split_point_gives_the_same_packets(string cipher, string mac)
    {
        var kind = new DirectionKind(CipherKind.Get(cipher), mac.Length == 0 ? null : MacKind.Get(mac));
        var keys = RandomNumberGenerator.GetBytes(64);
        var wire = Seal(kind, keys);
        for (var at = 1; at < wire.Length; at++) (await ReadAsync(kind, keys, wire, at)).ShouldBe(Messages.AsEnumerable(), $"at {at}");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_packet_counts_until_the_first_changed_byte_and_none_after_it(string cipher, string mac)
    {
        var kind = new DirectionKind(CipherKind.Get(cipher), mac.Length == 0 ? null : MacKind.Get(mac));
        var keys = RandomNumberGenerator.GetBytes(64);
        var wire = Seal(kind, keys);
        var ends = Ends(kind, keys);
        for (var at = 0; at < wire.Length; at++)
        {
            var changed = wire.ToArray();
            changed[at] ^= 1;
            var read = await ReadAsync(kind, keys, changed, wire.Length);
            read.ShouldBe(Messages.Take(ends.Count(end => end <= at)), $"at {at}");
        }
    }

    private static byte[] Seal(DirectionKind kind, byte[] keys) => [.. Packets(kind, keys).SelectMany(packet => packet)];

    private static List<int> Ends(DirectionKind kind, byte[] keys)
    {
        var end = 0;
        return [.. Packets(kind, keys).Select(packet => end += packet.Length)];
    }

    private static List<byte[]> Packets(DirectionKind kind, byte[] keys)
    {
        using var sealer = PacketSealer.Create(kind, keys.AsSpan(0, kind.Cipher.KeyLength), keys.AsSpan(0, kind.Cipher.IvLength), keys.AsSpan(0, kind.Mac?.Length ?? 0));
        var packets = new List<byte[]>();
        foreach (var message in Messages)
        {
            var padding = sealer.Block - ((message.Length + (sealer.LengthIsApart ? 1 : 5)) % sealer.Block);
            if (padding < 4) padding += sealer.Block;
            var packet = new byte[5 + message.Length + padding + sealer.Tag];
            BinaryPrimitives.WriteInt32BigEndian(packet, 1 + message.Length + padding);
            packet[4] = (byte)padding;
            sealer.Seal((uint)packets.Count, packet, 5, message);
            packets.Add(packet);
        }

        return packets;
    }

    /// <summary>What was read until the end, or until something was not right.</summary>
    private static async Task<List<byte[]>> ReadAsync(DirectionKind kind, byte[] keys, byte[] wire, int cut)
    {
        using var input = new PacketInput(new TwoPieces(wire, cut));
        input.TakeKeys(PacketOpener.Create(kind, keys.AsSpan(0, kind.Cipher.KeyLength), keys.AsSpan(0, kind.Cipher.IvLength), keys.AsSpan(0, kind.Mac?.Length ?? 0)), resetSequence: true);
        var messages = new List<byte[]>();
        try
        {
            do
            {
                while (TryRead(input, out var message)) messages.Add(message);
            }
            while (await input.FillAsync(TestContext.Current.CancellationToken));
        }
        catch (SshConnectionException)
        {
            // What came before it counts.
        }

        return messages;
    }

    private static bool TryRead(PacketInput input, out byte[] message)
    {
        message = [];
        if (!input.TryRead(out var payload)) return false;
        message = payload.ToArray();
        return true;
    }

    private sealed class TwoPieces(byte[] bytes, int cut) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.IsEmpty) return ValueTask.FromResult(0);
            var most = Position < cut ? cut - (int)Position : buffer.Length;
            return base.ReadAsync(buffer[..Math.Min(buffer.Length, most)], cancellationToken);
        }
    }
}
