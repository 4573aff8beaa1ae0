using System.Buffers.Binary;
using System.Text;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>A client that sends what the test wants, byte for byte, and reads what comes; with keys only once <see cref="ExchangeKeysAsync"/> has been called.</summary>
internal sealed class PlainPeer(Stream stream) : IDisposable
{
    private readonly PacketInput _input = new(stream);
    private PacketSealer _sealer = PacketSealer.None;
    private uint _sequence;

    public ValueTask SendAsync(ReadOnlySpan<byte> bytes, CancellationToken cancellation) => stream.WriteAsync(bytes.ToArray(), cancellation);

    public ValueTask SendAsync(string text, CancellationToken cancellation) => SendAsync(Encoding.ASCII.GetBytes(text), cancellation);

    /// <summary>A packet under the keys that there are.</summary>
    public ValueTask SendPacketAsync(SshWriter payload, CancellationToken cancellation)
    {
        var body = payload.Written.Span;
        var padding = _sealer.Block - ((body.Length + (_sealer.LengthIsApart ? 1 : 5)) % _sealer.Block);
        if (padding < 4) padding += _sealer.Block;
        var packet = new byte[5 + body.Length + padding + _sealer.Tag];
        BinaryPrimitives.WriteUInt32BigEndian(packet, (uint)(1 + body.Length + padding));
        packet[4] = (byte)padding;
        _sealer.Seal(_sequence++, packet, 5, body);
        return SendAsync(packet, cancellation);
    }

    /// <summary>An unencrypted packet with as much padding as needed.</summary>
    public static byte[] Packet(ReadOnlySpan<byte> payload)
    {
        var padding = 8 - ((payload.Length + 5) % 8);
        if (padding < 4) padding += 8;
        return Packet(1 + payload.Length + padding, padding, payload, padding);
    }

    /// <summary>A packet with whatever lengths.</summary>
    public static byte[] Packet(long length, int padding, ReadOnlySpan<byte> payload, int paddingThere)
    {
        var packet = new byte[5 + payload.Length + paddingThere];
        BinaryPrimitives.WriteUInt32BigEndian(packet, (uint)length);
        packet[4] = (byte)padding;
        payload.CopyTo(packet.AsSpan(5));
        return packet;
    }

    public async Task<string> ReadLineAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TryReadLine(out var line)) return line;
            if (!await _input.FillAsync(cancellation)) throw new IOException("ended");
        }
    }

    /// <summary>The next packet's payload, or null at the end.</summary>
    public async Task<byte[]?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (TryRead(out var payload)) return payload;
            if (!await _input.FillAsync(cancellation)) return null;
        }
    }

    /// <summary>Both identifications and both SSH_MSG_KEXINIT.</summary>
    public async Task<KexInit> OpenAsync(KexInit own, CancellationToken cancellation)
    {
        await SendAsync("SSH-2.0-Plain\r\n", cancellation);
        await SendAsync(Packet(own.Payload), cancellation);
        await ReadLineAsync(cancellation);
        return KexInit.Parse(await ReadAsync(cancellation));
    }

    /// <summary>A whole first exchange, strict, with what the first offers of both lead to.</summary>
    public async Task ExchangeKeysAsync(KexInit own, CancellationToken cancellation)
    {
        await SendAsync("SSH-2.0-Plain\r\n", cancellation);
        await SendPacketAsync(new SshWriter().Raw(own.Payload), cancellation);
        var version = Encoding.ASCII.GetBytes(await ReadLineAsync(cancellation));
        var theirs = KexInit.Parse(await ReadAsync(cancellation));
        using var exchange = new KeyExchange(new ExchangeContext(Agreement.Between(own, theirs, Side.Client), "SSH-2.0-Plain"u8.ToArray(), version, own, theirs));
        await SendPacketAsync(new SshWriter().Raw(exchange.Init()), cancellation);
        exchange.Finish(await ReadAsync(cancellation));
        (await ReadAsync(cancellation)).ShouldBe([SshMessage.NewKeys]);
        await SendPacketAsync(new SshWriter().Byte(SshMessage.NewKeys), cancellation);
        _input.TakeKeys(exchange.Opener(Side.Client, exchange.Hash.Span), resetSequence: true);
        _sealer = exchange.Sealer(Side.Client, exchange.Hash.Span);
        _sequence = 0;
        (await ReadAsync(cancellation))![0].ShouldBe(SshMessage.ExtInfo);
    }

    /// <summary>Reads to the end; what SSH_MSG_DISCONNECT said, if there was one.</summary>
    public async Task<string?> DisconnectedAsync(CancellationToken cancellation)
    {
        while (await ReadAsync(cancellation) is { } payload)
        {
            if (payload[0] != SshMessage.Disconnect) continue;
            var reader = new SshReader(payload.AsSpan(5));
            reader.TryReadText(out var message, 1000).ShouldBeTrue();
            return message;
        }

        return null;
    }

    public void Dispose()
    {
        _input.Dispose();
        _sealer.Dispose();
    }

    private bool TryReadLine(out string line)
    {
        line = "";
        if (!_input.TryReadLine(255, out var bytes)) return false;
        line = Encoding.ASCII.GetString(bytes);
        return true;
    }

    private bool TryRead(out byte[] payload)
    {
        payload = [];
        if (!_input.TryRead(out var bytes)) return false;
        payload = bytes.ToArray();
        return true;
    }
}
