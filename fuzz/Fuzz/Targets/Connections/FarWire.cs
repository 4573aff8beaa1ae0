using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Countersign.Ssh;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>The fuzzer's side of the transport: frames what it says under the keys that there are, and reads what it hears. It holds both keys.</summary>
internal sealed class FarWire(Side side, KexInit offer) : IDisposable
{
    private static readonly byte[] OwnName = "SSH-2.0-Far_1.0"u8.ToArray();

    private readonly List<byte> _arrived = [];
    private PacketOpener _opener = PacketOpener.None;
    private PacketSealer _sealer = PacketSealer.None;
    private KeyExchange? _exchange;
    private int _length = -1;
    private uint _received;
    private uint _sent;
    private byte[]? _name;
    private byte[]? _theirName;
    private KexInit? _theirOffer;
    private byte[]? _start;
    private bool _strict;
    private bool _saidNewKeys;
    private bool _heardNewKeys;

    public SshPrivateKey? HostKey { get; init; }

    public byte[] Session { get; private set; } = [];

    /// <summary>The keys are not what the other end takes them for: nothing more can be said or heard.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The other end waits for the rest of an exchange of keys, which nobody plays: until then it says nothing else.</summary>
    public bool IsHeldBack => _theirOffer is not null;

    /// <summary>Bytes to be sent.</summary>
    public Queue<byte[]> Leaving { get; } = [];

    /// <summary>Each message that is heard.</summary>
    public required Action<byte[]> Heard { get; init; }

    /// <summary>Something was said that is no packet: the other end may be in the middle of one, and wait for the rest of it.</summary>
    public bool IsMurky { get; private set; }

    public void SayRaw(byte[] bytes)
    {
        if (_name is null && bytes.AsSpan().StartsWith("SSH-"u8) && bytes.AsSpan().IndexOf((byte)'\n') == bytes.Length - 1) _name = bytes.AsSpan().TrimEnd("\r\n"u8).ToArray();
        else IsMurky = true;
        Leaving.Enqueue(bytes);
    }

    public void Say(ReadOnlySpan<byte> message) => Send(message, null, 0);

    public void SayCrooked(ReadOnlySpan<byte> message, byte padding, uint more) => Send(message, padding, more);

    /// <summary>One exchange of keys as it should be. Each condition is waited for before it goes on.</summary>
    public IEnumerable<Func<bool>> Exchange()
    {
        if (_name is null) SayRaw([.. OwnName, (byte)'\r', (byte)'\n']);
        (_saidNewKeys, _heardNewKeys) = (false, false);
        Say(offer.Payload);
        yield return () => _theirOffer is not null;
        if (!TryAgree()) yield break;
        if (side == Side.Client)
        {
            Say(_exchange!.Init());
            yield return () => _heardNewKeys;
        }
        else
        {
            yield return () => _start is not null;
            if (!TryReply(out var reply)) yield break;
            Say(reply);
        }

        if (IsBroken) yield break;
        Say([SshMessage.NewKeys]);
        _sealer.Dispose();
        _sealer = _exchange!.Sealer(side, Session);
        if (_strict) _sent = 0;
        _saidNewKeys = true;
        if (side == Side.Server) yield return () => _heardNewKeys;
        Finish();
    }

    public void Hear(ReadOnlySpan<byte> bytes)
    {
        _arrived.AddRange(bytes);
        while (!IsBroken && (_theirName is null ? TryHearName() : TryHearPacket()))
        {
        }
    }

    public void Dispose()
    {
        _opener.Dispose();
        _sealer.Dispose();
        _exchange?.Dispose();
    }

    private void Finish()
    {
        if (!_saidNewKeys || !_heardNewKeys) return;
        _exchange?.Dispose();
        _exchange = null;
        _theirOffer = null;
        _start = null;
    }

    private bool TryAgree()
    {
        var (client, server) = side == Side.Client ? (offer, _theirOffer!) : (_theirOffer!, offer);
        if (Session.Length == 0) _strict = client.IsStrict(Side.Client) && server.IsStrict(Side.Server);
        var (clientName, serverName) = side == Side.Client ? (_name!, _theirName!) : (_theirName!, _name!);
        try
        {
            _exchange = new KeyExchange(new ExchangeContext(Agreement.Between(client, server, side), clientName, serverName, client, server));
        }
        catch (SshConnectionException)
        {
            IsBroken = true;
        }

        return !IsBroken;
    }

    private bool TryReply(out byte[] reply)
    {
        reply = [];
        try
        {
            reply = _exchange!.Reply(_start, new HostIdentity(HostKey!, HostKey!.PublicKey.Blob));
            if (Session.Length == 0) Session = _exchange.Hash.ToArray();
        }
        catch (SshConnectionException)
        {
            IsBroken = true;
        }

        return !IsBroken;
    }

    private void Send(ReadOnlySpan<byte> message, byte? crooked, uint more)
    {
        IsMurky |= crooked is not null || _name is null;
        var padding = _sealer.Block - ((message.Length + (_sealer.LengthIsApart ? 1 : 5)) % _sealer.Block);
        if (padding < 4) padding += _sealer.Block;
        var packet = new byte[5 + message.Length + padding + _sealer.Tag];
        BinaryPrimitives.WriteUInt32BigEndian(packet, unchecked((uint)(1 + message.Length + padding) + more));
        packet[4] = crooked ?? (byte)padding;
        _sealer.Seal(_sent, packet, 5, message);
        unchecked
        {
            _sent++;
        }

        Leaving.Enqueue(packet);
    }

    private bool TryHearName()
    {
        var end = _arrived.IndexOf((byte)'\n');
        if (end < 0) return false;
        _theirName = [.. _arrived.Take(end)];
        if (_theirName.Length > 0 && _theirName[^1] == '\r') _theirName = _theirName[..^1];
        _arrived.RemoveRange(0, end + 1);
        return true;
    }

    private bool TryHearPacket()
    {
        var bytes = CollectionsMarshal.AsSpan(_arrived);
        if (_length < 0)
        {
            if (bytes.Length < _opener.Head) return false;
            _length = (int)_opener.Length(_received, bytes[.._opener.Head]);
            if (_length is < 6 or > 300_000)
            {
                IsBroken = true;
                return false;
            }
        }

        var total = 4 + _length + _opener.Tag;
        if (bytes.Length < total) return false;
        if (!_opener.Open(_received, bytes[..total]))
        {
            IsBroken = true;
            return false;
        }

        var message = bytes[5..(4 + _length - bytes[4])].ToArray();
        _arrived.RemoveRange(0, total);
        _length = -1;
        unchecked
        {
            _received++;
        }

        Note(message);
        Heard(message);
        return true;
    }

    private void Note(byte[] message)
    {
        switch (message[0])
        {
            case SshMessage.KexInit:
                _theirOffer = KexInit.Parse(message);
                break;
            case SshMessage.KexStart when side == Side.Server:
                _start = message;
                break;
            case SshMessage.KexReply when side == Side.Client:
                TryFinish(message);
                break;
            case SshMessage.NewKeys:
                HearNewKeys();
                break;
        }
    }

    /// <summary>What was changed on the way is in the hash: then the signature is not right, and the conversation is over.</summary>
    private void TryFinish(byte[] reply)
    {
        try
        {
            if (_exchange is null) IsBroken = true;
            else _exchange.Finish(reply);
            if (_exchange is not null && Session.Length == 0) Session = _exchange.Hash.ToArray();
        }
        catch (SshConnectionException)
        {
            IsBroken = true;
        }
    }

    private void HearNewKeys()
    {
        if (_exchange is null || _exchange.Hash.IsEmpty)
        {
            IsBroken = true;
            return;
        }

        _opener.Dispose();
        _opener = _exchange.Opener(side, Session);
        if (_strict) _received = 0;
        _heardNewKeys = true;
        Finish();
    }
}
