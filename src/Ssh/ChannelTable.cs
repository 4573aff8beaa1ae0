using System.Text;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh;

/// <summary>The channels of one connection by our numbers for them, and the messages that concern them (RFC 4254 section 5).</summary>
internal sealed class ChannelTable(SshConnection connection)
{
    /// <summary>A peer that takes less in one message would have us send mostly overhead.</summary>
    private const uint LeastPeerPacket = 256;

    private const int MaxTypeLength = 64;

    private readonly Lock _gate = new();
    private Slot?[] _slots = new Slot?[4];
    private int _count;
    private bool _over;

    public int Count => Volatile.Read(ref _count);

    public async Task<SshChannel> OpenAsync(string type, ReadOnlyMemory<byte> extra, SshChannelHandler handler, uint window, CancellationToken cancellation)
    {
        var opening = new Opening(handler, window);
        var id = Add(new Slot { Opening = opening }) ?? throw Over();
        connection.Transport.Send(PacketUse.Control, new SshWriter()
            .Byte(SshMessage.ChannelOpen).String(type).UInt32(id).UInt32(window).UInt32(SshChannel.MaxPacket).Raw(extra.Span));
        try
        {
            return await opening.Completion.Task.WaitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            // If the peer still confirms, nobody is there to be told: it is closed at once.
            if (!opening.Abandon()) (await opening.Completion.Task).Close();
            throw;
        }
    }

    /// <summary>One message, 90 to 100.</summary>
    public void OnMessage(byte number, ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        if (number == SshMessage.ChannelOpen)
        {
            OnOpen(ref reader);
            return;
        }

        if (!reader.TryReadUInt32(out var id)) throw Malformed(number);
        var slot = Find(id);
        switch (number)
        {
            case SshMessage.ChannelOpenConfirmation:
                OnConfirmation(id, slot, ref reader);
                return;
            case SshMessage.ChannelOpenFailure:
                OnFailure(id, slot, ref reader);
                return;
        }

        var channel = slot?.Channel ?? throw Unknown(id);
        switch (number)
        {
            case SshMessage.ChannelWindowAdjust when reader.TryReadUInt32(out var bytes) && reader.IsAtEnd:
                channel.ReceivedAdjust(bytes);
                break;
            case SshMessage.ChannelData when reader.TryReadString(out var data) && reader.IsAtEnd:
                channel.Received(0, data);
                break;
            case SshMessage.ChannelExtendedData when reader.TryReadUInt32(out var type) && type != 0 && reader.TryReadString(out var data) && reader.IsAtEnd:
                channel.Received(type, data);
                break;
            case SshMessage.ChannelEof when reader.IsAtEnd:
                channel.ReceivedEof();
                break;
            case SshMessage.ChannelClose when reader.IsAtEnd:
                Remove(id);
                channel.ReceivedClose();
                break;
            case SshMessage.ChannelRequest when reader.TryReadString(out var name, MaxTypeLength) && Ascii.IsValid(name) && reader.TryReadBoolean(out var wantsReply):
                channel.ReceivedRequest(new SshChannelRequest(channel, Encoding.ASCII.GetString(name), wantsReply, reader.Rest.ToArray()));
                break;
            case SshMessage.ChannelSuccess when reader.IsAtEnd:
                channel.ReceivedReply(SshReply.Success);
                break;
            case SshMessage.ChannelFailure when reader.IsAtEnd:
                channel.ReceivedReply(SshReply.Failure);
                break;
            default:
                throw Malformed(number);
        }
    }

    /// <summary>The connection is over: every channel and every opening hears of it, once.</summary>
    public void End()
    {
        Slot?[] slots;
        lock (_gate)
        {
            _over = true;
            slots = _slots;
            _slots = [];
            _count = 0;
        }

        foreach (var slot in slots)
        {
            slot?.Opening?.Completion.TrySetException(Over());
            try
            {
                slot?.Channel?.Finish();
            }
            catch (Exception error)
            {
                // From a handler, which is foreign code: the other channels' handlers are told all the same.
                connection.Transport.OnHandlerFault(error);
            }
        }
    }

    private void OnOpen(ref SshReader reader)
    {
        if (!reader.TryReadString(out var typeBytes, MaxTypeLength) || !Ascii.IsValid(typeBytes)
            || !reader.TryReadUInt32(out var peerId) || !reader.TryReadUInt32(out var window) || !reader.TryReadUInt32(out var maxPacket))
        {
            throw Malformed(SshMessage.ChannelOpen);
        }

        var type = Encoding.ASCII.GetString(typeBytes);
        var answer = Count >= connection.MaxPeerChannels
            ? new SshChannelAnswer.Refuse(SshOpenFailure.ResourceShortage, "too many channels on this connection")
            : maxPacket < LeastPeerPacket
                ? new SshChannelAnswer.Refuse(SshOpenFailure.ResourceShortage, $"packets of at most {maxPacket} bytes are too small")
                : connection.AnswerOpen(type, reader.Rest);
        if (answer is SshChannelAnswer.Refuse refuse)
        {
            SendRefusal(peerId, refuse);
            return;
        }

        var slot = new Slot();
        if (Add(slot) is not { } id) return;
        var asked = new ChannelTerms(id, peerId, window, 0, maxPacket);
        if (answer is SshChannelAnswer.Later later) _ = SettleAsync(slot, asked, later.Answer);
        else Accept(slot, asked, (SshChannelAnswer.Accept)answer);
    }

    private async Task SettleAsync(Slot slot, ChannelTerms asked, Task<SshChannelAnswer> coming)
    {
        try
        {
            var answer = await coming.ConfigureAwait(false);
            if (answer is SshChannelAnswer.Accept accept)
            {
                Accept(slot, asked, accept);
                return;
            }

            Remove(asked.OwnId);
            SendRefusal(asked.PeerId, answer as SshChannelAnswer.Refuse ?? new(2, "it can't be opened"));
        }
        catch (Exception error)
        {
            // From a handler, which is foreign code: it costs the connection, as a fault in any of its other calls does.
            connection.Transport.OnHandlerFault(error);
        }
    }

    private void Accept(Slot slot, ChannelTerms asked, SshChannelAnswer.Accept accept)
    {
        var channel = new SshChannel(connection, asked with { ReceiveWindow = accept.Window }, accept.Handler) { IsOpening = true };
        bool isOver;
        lock (_gate)
        {
            // An answer that took its time may find the connection gone: then nobody tells the handler but we.
            isOver = _over;
            if (!isOver) slot.Channel = channel;
        }

        connection.Transport.Send(PacketUse.Control, new SshWriter()
            .Byte(SshMessage.ChannelOpenConfirmation).UInt32(asked.PeerId).UInt32(asked.OwnId).UInt32(accept.Window).UInt32(SshChannel.MaxPacket));
        try
        {
            accept.Handler.OnOpened(channel);
            if (isOver) channel.Finish();
        }
        finally
        {
            channel.Opened();
        }
    }

    private void SendRefusal(uint peerId, SshChannelAnswer.Refuse refuse) => connection.Transport.Send(PacketUse.Control, new SshWriter()
        .Byte(SshMessage.ChannelOpenFailure).UInt32(peerId).UInt32(refuse.Reason).String(refuse.Description).String(""));

    private void OnConfirmation(uint id, Slot? slot, ref SshReader reader)
    {
        if (slot?.Opening is not { } opening) throw Unknown(id);
        if (!reader.TryReadUInt32(out var peerId) || !reader.TryReadUInt32(out var window) || !reader.TryReadUInt32(out var maxPacket) || maxPacket < LeastPeerPacket)
        {
            throw Malformed(SshMessage.ChannelOpenConfirmation);
        }

        var wanted = opening.Confirm();
        var channel = new SshChannel(connection, new ChannelTerms(id, peerId, window, opening.Window, maxPacket), wanted ? opening.Handler : new Nobody());
        slot.Opening = null;
        slot.Channel = channel;
        if (wanted) opening.Completion.TrySetResult(channel);
        else channel.Close();
    }

    private void OnFailure(uint id, Slot? slot, ref SshReader reader)
    {
        if (slot?.Opening is not { } opening) throw Unknown(id);
        if (!reader.TryReadUInt32(out var reason) || !reader.TryReadString(out var description)) throw Malformed(SshMessage.ChannelOpenFailure);
        Remove(id);
        opening.Completion.TrySetException(new SshChannelRefusedException(reason, PeerText.Clean(description, 200)));
    }

    private Slot? Find(uint id)
    {
        lock (_gate)
        {
            return id < (uint)_slots.Length ? _slots[id] : null;
        }
    }

    private uint? Add(Slot slot)
    {
        lock (_gate)
        {
            if (_over) return null;
            var id = Array.IndexOf(_slots, null);
            if (id < 0)
            {
                id = _slots.Length;
                Array.Resize(ref _slots, 2 * id);
            }

            _slots[id] = slot;
            _count++;
            return (uint)id;
        }
    }

    private void Remove(uint id)
    {
        lock (_gate)
        {
            if (id >= (uint)_slots.Length || _slots[id] is null) return;
            _slots[id] = null;
            _count--;
        }
    }

    private SshConnectionException Over() =>
        new(SshDisconnectReason.ConnectionLost, connection.Transport.Error is { } error ? error.Message : "the connection is closed");

    private static SshConnectionException Malformed(byte number) => new(SshDisconnectReason.ProtocolError, $"malformed channel message {number}");

    private static SshConnectionException Unknown(uint id) => new(SshDisconnectReason.ProtocolError, $"there is no channel {id}");

    /// <summary>A channel, or the wish for one, the peer's or ours; set by the receive loop, and where an answer took its time under the lock.</summary>
    private sealed class Slot
    {
        public Opening? Opening { get; set; }

        public SshChannel? Channel { get; set; }
    }

    private sealed class Opening(SshChannelHandler handler, uint window)
    {
        private int _settled;

        public SshChannelHandler Handler { get; } = handler;

        public uint Window { get; } = window;

        public TaskCompletionSource<SshChannel> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>False if the one who wanted the channel has gone.</summary>
        public bool Confirm() => Interlocked.Exchange(ref _settled, 1) == 0;

        /// <summary>False if it has been confirmed already.</summary>
        public bool Abandon() => Interlocked.Exchange(ref _settled, 1) == 0;
    }

    private sealed class Nobody : SshChannelHandler;
}
