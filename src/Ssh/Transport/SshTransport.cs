using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using System.Net.WebSockets;
using Countersign.Ssh.Crypto;

namespace Countersign.Ssh.Transport;

/// <summary>
/// The transport protocol of one connection (RFC 4253): identification, key exchange and its repetition, the receive loop, and the end. What is
/// above it, authentication and channels, is the <see cref="ITransportUser"/>.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "RunAsync, which every transport goes through once, disposes them at its end.")]
internal sealed class SshTransport : IPacketOutputOwner
{
    /// <summary>As many packets as are handled before what they caused is flushed: of the largest, so many fit into one chunk of the output.</summary>
    private const int BatchPackets = 7;

    /// <summary>So many times in a row there may be something to read at once: then others that wait for this thread have their turn.</summary>
    private const int FillsInARow = 8;

    private const long MaxPacketsPerKey = 1L << 30;

    /// <summary>
    /// Packets of a client that has not signed in, of whatever kind: those that mean nothing cost it nothing, before there are keys not even sealing them. Who
    /// offers all keys that an authentication may take and answers each question has sent fewer.
    /// </summary>
    private const int MostAtFirst = 512;

    private const int LingerBytes = 1024 * 1024;
    private static readonly TimeSpan ExchangeLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    private readonly Stream _stream;
    private readonly ITransportUser _user;
    private readonly TransportOptions _options;
    private readonly PacketInput _input;
    private readonly FlushBatch _batch = new();
    private readonly RenewalAllowance _renewals;
    private readonly Lock _exchangeGate = new();
    private readonly Lock _endGate = new();
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _timer;
    private long _due;
    private AlgorithmOffer _offer;
    private KexInit? _ownInit;
    private KexInit? _peerInit;
    private KeyExchange? _exchange;
    private byte[] _peerVersion = [];
    private byte[] _session = [];
    private bool _strict;
    private bool _skipGuess;
    private TimeSpan _wait;
    private byte[]? _deferred;
    private bool _awaitingNewKeys;
    private int _atFirst;
    private bool _hasKeys;
    private volatile bool _ending;
    private bool _peerTold;
    private Exception? _broken;

    public SshTransport(Stream stream, ITransportUser user, TransportOptions options)
    {
        LibCrypto.Require();
        _stream = stream;
        _user = user;
        _options = options;
        _offer = options.Offer;
        _renewals = new RenewalAllowance(options.Time);
        _stop = new CancellationTokenSource(Timeout.InfiniteTimeSpan, options.Time);
        _input = new PacketInput(stream);
        Output = new PacketOutput(stream, this);
    }

    public PacketOutput Output { get; }

    public PacketInput Input => _input;

    public bool IsLoopThread => FlushBatch.Current == _batch;

    /// <summary>Never faults: how it ended is in <see cref="Error"/>.</summary>
    public Task Closed => _closed.Task;

    /// <summary>Why it ended; null for an orderly end, and as long as it lasts.</summary>
    public Exception? Error { get; private set; }

    /// <summary>What a handler threw, which nothing should; null: nothing.</summary>
    public Exception? Fault { get; private set; }

    public bool IsEnding => _ending;

    /// <summary>What the exchange under way, or the last one, has agreed on.</summary>
    public Agreement? Agreement { get; private set; }

    /// <summary>The exchange hash of the first key exchange (RFC 4253 section 7.2).</summary>
    public ReadOnlySpan<byte> Session => _session;

    public string PeerVersion { get; private set; } = "";

    /// <summary>Whether our own half of the exchange that is under way has been computed.</summary>
    public bool HasOwnHalf => _exchange?.HasOwnHalf == true;

    /// <summary>How many key exchanges have been completed.</summary>
    public int Exchanges { get; private set; }

    /// <summary>When the peer was last heard of, as a timestamp of the time provider.</summary>
    public long LastHeard { get; private set; }

    /// <summary>Runs the connection to its end, and disposes the stream. Throws nothing.</summary>
    public async Task RunAsync()
    {
        try
        {
            LastHeard = _options.Time.GetTimestamp();
            Output.SendRaw([.. Identification.Own, (byte)'\r', (byte)'\n']);
            if (_options.Side == Side.Client) StartExchange();
            Output.Flush();
            await ReadVersionAsync();
            await LoopAsync();
        }
        catch (SshConnectionException error)
        {
            End(error, Farewell.Say);
        }
        catch (SshHostKeyException error)
        {
            EndWith(error, SshDisconnectReason.HostKeyNotVerifiable, "the host key is not trusted", Farewell.Say);
        }
        catch (Exception error) when (IsNetwork(error))
        {
            End(Broken(_broken ?? error), Farewell.None);
        }
        catch (Exception error)
        {
            // From a handler, which is foreign code: its connection ends, and nothing else does.
            OnHandlerFault(error);
        }

        await FinishAsync();
    }

    /// <summary>Ends the connection, once: the first reason counts.</summary>
    public void End(SshConnectionException error, Farewell farewell) => EndWith(error, error.Reason, error.Message, farewell);

    /// <summary>Ends the connection in good order.</summary>
    public void Close(uint reason, string message) => EndWith(null, reason, message, Farewell.Say);

    public void Send(PacketUse use, SshWriter message)
    {
        Output.Send(use, message.Written.Span, []);
        Flush();
    }

    /// <summary>Flushes, and renews the keys when they have served long enough.</summary>
    public void Flush()
    {
        Output.Flush();
        if (Output.BytesSinceKeys > _options.RekeyBytes || Output.PacketsSinceKeys > MaxPacketsPerKey) Rekey();
    }

    public void OnOutputOverflow() =>
        End(new SshConnectionException(SshDisconnectReason.ByApplication, "the peer does not read what it is sent"), Farewell.None);

    /// <summary>The peer has closed, and may have said why before: what it sent is still read, for a moment.</summary>
    public void OnOutputBroken(Exception error)
    {
        Interlocked.CompareExchange(ref _broken, error, null);
        _stop.CancelAfter(Linger);
    }

    public void OnHandlerFault(Exception error)
    {
        Fault ??= error;
        var fault = new SshConnectionException(SshDisconnectReason.ByApplication, $"internal error ({error.GetType().Name})", error);
        End(fault, Farewell.Say);
        Error ??= fault;
    }

    private static SshConnectionException Broken(Exception error) => new(SshDisconnectReason.ConnectionLost, $"the connection broke: {error.Message}", error);

    private static bool IsNetwork(Exception error) =>
        error is IOException or ObjectDisposedException or SocketException or WebSocketException or OperationCanceledException;

    private void EndWith(Exception? error, uint reason, string message, Farewell farewell)
    {
        lock (_endGate)
        {
            if (_ending) return;
            Error = error;
            _peerTold = farewell == Farewell.Say;
            if (!_peerTold) Output.Abandon();
            else if (_peerVersion.Length > 0) Output.SendLast(new SshWriter().Byte(SshMessage.Disconnect).UInt32(reason).String(message).String("").Written.Span);
            else if (_options.Side == Side.Server) Output.SendRaw(Identification.NotSsh);

            // Last, so that whoever sees it sees the rest, too.
            _ending = true;
        }

        Output.Flush();

        // Not Cancel: the receive loop would go on, and call handlers, on the stack of whoever ends the connection.
        _ = _stop.CancelAsync();
    }

    private async Task ReadVersionAsync()
    {
        var identification = new Identification(_options.Side);
        while (!identification.TryRead(_input))
        {
            if (!await _input.FillAsync(_stop.Token)) throw new SshConnectionException(SshDisconnectReason.ConnectionLost, "the peer left before it said who it is");
        }

        _peerVersion = identification.Line;
        PeerVersion = identification.Software;
        AnnounceExchange();
    }

    /// <summary>A server waits a moment for the client's offer, so that it can answer it: see <see cref="AlgorithmOffer.For"/>.</summary>
    private void AnnounceExchange()
    {
        lock (_exchangeGate)
        {
            _timer = _options.Time.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            SetTimer(_options.Side == Side.Server ? _options.OfferDelay : ExchangeLimit);
        }
    }

    /// <summary>In the beginning: the client has not made its offer, so we make ours. During an exchange: it takes too long. Else the keys are old.</summary>
    private void OnTimer()
    {
        bool overdue;
        lock (_exchangeGate)
        {
            // It may have come due just when it was set anew, for something else and much later: then it comes again. Timers are good to milliseconds.
            if (_due - _options.Time.GetTimestamp() > _options.Time.TimestampFrequency / 100) return;
            overdue = _ownInit is not null;
        }

        if (overdue) End(new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, "the key exchange took too long"), Farewell.Say);
        else Rekey();
    }

    /// <summary>Under the gate.</summary>
    private void SetTimer(TimeSpan after)
    {
        if (_timer is null) return;
        _due = _options.Time.GetTimestamp() + (long)(after.TotalSeconds * _options.Time.TimestampFrequency);
        _timer.Change(after, Timeout.InfiniteTimeSpan);
    }

    private void Rekey()
    {
        StartExchange();
        Output.Flush();
    }

    /// <summary>Sends our offer, unless it has been sent.</summary>
    private void StartExchange()
    {
        lock (_exchangeGate)
        {
            if (_ownInit is not null || IsEnding) return;

            // A server that speaks first does not know yet whether its client will be strict, and can't take back what it has offered.
            if (_options.Side == Side.Server && _session.Length == 0 && _peerInit is null) _offer = _offer.WithoutStrict();
            _ownInit = KexInit.Create(_offer, _options.Side);
            SetTimer(ExchangeLimit);
            Output.BeginExchange(_ownInit.Payload);
        }
    }

    private async Task LoopAsync()
    {
        var inARow = 0;
        while (true)
        {
            HandlePackets();
            if (IsEnding) return;
            if (_deferred is not null)
            {
                await TakeTurnAsync();
                continue;
            }

            if (_wait > TimeSpan.Zero) await WaitAsync();
            var filling = _input.FillAsync(_stop.Token);
            inARow = filling.IsCompleted ? inARow + 1 : 0;
            var isFilled = await filling;
            if (inARow == FillsInARow)
            {
                inARow = 0;
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }

            if (!isFilled)
            {
                if (!_input.IsEmpty) throw new SshConnectionException(SshDisconnectReason.ConnectionLost, "the connection ended in the middle of a packet");
                OnEndOfInput();
                return;
            }

            LastHeard = _options.Time.GetTimestamp();
        }
    }

    /// <summary>The peer renews the keys faster than it has earned: nothing more of it is read until it has.</summary>
    private async Task WaitAsync()
    {
        await Task.Delay(_wait, _options.Time, _stop.Token);
        _wait = TimeSpan.Zero;
    }

    /// <summary>The first exchange of a client costs the server more than the client: it is computed when it is the client's turn, and nothing is read until then.</summary>
    private async Task TakeTurnAsync()
    {
        using var turn = await _options.Turn!(_stop.Token);
        HandlePackets();
    }

    private void OnEndOfInput()
    {
        if (_broken is { } error) End(Broken(error), Farewell.None);
        else if (_user.IsAuthenticated && _user.IsIdle) EndWith(null, SshDisconnectReason.ByApplication, "", Farewell.Say);
        else End(new SshConnectionException(SshDisconnectReason.ConnectionLost, "the peer closed the connection"), Farewell.Say);
    }

    private void HandlePackets()
    {
        _batch.Begin();
        try
        {
            if (_deferred is { } waiting)
            {
                _deferred = null;
                AnswerExchange(waiting);
            }

            for (var count = 1; !IsEnding && _deferred is null && _input.TryRead(out var payload); count++)
            {
                Handle(payload);
                if (count % BatchPackets == 0) _batch.Flush();
            }
        }
        finally
        {
            _batch.End();
        }
    }

    private void Handle(ReadOnlySpan<byte> payload)
    {
        var number = payload[0];
        if (_options.Side == Side.Server && _input.IsAtFirst && ++_atFirst > MostAtFirst)
            throw new SshConnectionException(SshDisconnectReason.ProtocolError, $"{MostAtFirst} packets, and nobody has signed in");
        switch (number)
        {
            case SshMessage.Disconnect:
                OnDisconnect(payload[1..]);
                return;
            case SshMessage.Ignore or SshMessage.Debug or SshMessage.Unimplemented:
                // The Terrapin attack lives on these: with strict key exchange there are none in the first exchange.
                if (_strict && !_hasKeys) throw Unexpected(number);
                return;
            case SshMessage.KexInit:
                OnKexInit(payload);
                return;
            case SshMessage.NewKeys:
                OnNewKeys(payload);
                return;
            case >= SshMessage.KexStart and <= SshMessage.KexLast:
                OnExchangeMessage(payload);
                return;
        }

        // RFC 4253 section 7.1: from its KEXINIT to its NEWKEYS the peer sends nothing else.
        if (!_hasKeys || _peerInit is not null) throw Unexpected(number);
        _user.OnMessage(payload);
        if (_input.BytesSinceKeys > _options.RekeyBytes || _input.PacketsSinceKeys > MaxPacketsPerKey) Rekey();
    }

    private void OnDisconnect(ReadOnlySpan<byte> rest)
    {
        var reader = new SshReader(rest);
        if (!reader.TryReadUInt32(out var reason) || !reader.TryReadString(out var message)) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "malformed SSH_MSG_DISCONNECT");

        // A client that has finished says so; a server that ends the connection has a reason that somebody wants to know.
        if (reason == SshDisconnectReason.ByApplication && _options.Side == Side.Server && _user.IsAuthenticated) EndWith(null, reason, "", Farewell.None);
        else End(new SshConnectionException(reason, $"the peer disconnected: {PeerText.Clean(message, 200)}"), Farewell.None);
    }

    private void OnKexInit(ReadOnlySpan<byte> payload)
    {
        if (_peerInit is not null) throw Unexpected(SshMessage.KexInit);

        // Nobody needs it, and each exchange costs the server more than the client.
        if (_hasKeys && _options.Side == Side.Server && !_user.IsAuthenticated) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "no new keys before authentication");
        var first = _session.Length == 0;
        var init = KexInit.Parse(payload);
        lock (_exchangeGate)
        {
            if (first && _options.Side == Side.Server) _offer = _offer.For(init);
            if (!first && _ownInit is null) _wait = _renewals.Take(_input.BytesSinceKeys + Output.BytesSinceKeys);
            _peerInit = init;
        }

        StartExchange();
        var own = _ownInit!;
        var (client, server) = _options.Side == Side.Client ? (own, _peerInit) : (_peerInit, own);
        if (first)
        {
            _strict = client.IsStrict(Side.Client) && server.IsStrict(Side.Server);
            if (_strict && _input.LastSequence != 0) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "strict key exchange: SSH_MSG_KEXINIT was not the first packet");
        }

        Agreement = Agreement.Between(client, server, _options.Side);
        if (!_strict && (Agreement.ToServer.Cipher.NeedsStrict || Agreement.ToClient.Cipher.NeedsStrict)) throw new SshConnectionException(SshDisconnectReason.KeyExchangeFailed, "ChaCha20-Poly1305 is used only together with strict key exchange");
        var (clientVersion, serverVersion) = _options.Side == Side.Client ? (Identification.Own, _peerVersion) : (_peerVersion, Identification.Own);
        _skipGuess = _peerInit.GuessFollows && !_peerInit.GuessesAs(own);
        _exchange = new KeyExchange(new ExchangeContext(Agreement, clientVersion, serverVersion, client, server));
        if (_options.Side == Side.Client) Output.Send(PacketUse.Transport, _exchange.Init(), []);
        Output.Flush();
    }

    private void OnExchangeMessage(ReadOnlySpan<byte> payload)
    {
        if (_exchange is null || _awaitingNewKeys) throw Unexpected(payload[0]);
        if (_skipGuess)
        {
            _skipGuess = false;
            return;
        }

        if (payload[0] != (_options.Side == Side.Client ? SshMessage.KexReply : SshMessage.KexStart)) throw Unexpected(payload[0]);
        if (_options.Turn is null || _session.Length > 0) AnswerExchange(payload);
        else if (payload.Length > KeyExchange.LongestInit) throw new SshConnectionException(SshDisconnectReason.ProtocolError, "the key exchange value is longer than any");
        else _deferred = payload.ToArray();
    }

    private void AnswerExchange(ReadOnlySpan<byte> payload)
    {
        byte[] first = [];
        if (_options.Side == Side.Server)
        {
            var reply = _exchange!.Reply(payload, _options.HostKey!(Agreement!.HostKey));
            Output.Send(PacketUse.Transport, reply, []);
            if (_session.Length == 0 && _peerInit!.WantsExtInfo) first = ExtensionInfo.OfServer;
        }
        else
        {
            _user.OnHostKey(_exchange!.Finish(payload));
            if (_session.Length == 0 && _peerInit!.TakesExtInfo) first = ExtensionInfo.OfClient;
        }

        if (_session.Length == 0) _session = _exchange.Hash.ToArray();
        _awaitingNewKeys = true;
        Output.TakeKeys(_exchange.Sealer(_options.Side, _session), _strict, first);
        Output.Flush();
    }

    private void OnNewKeys(ReadOnlySpan<byte> payload)
    {
        if (!_awaitingNewKeys || payload.Length != 1) throw Unexpected(SshMessage.NewKeys);
        _input.TakeKeys(_exchange!.Opener(_options.Side, _session), _strict);
        _exchange.Dispose();
        _exchange = null;
        _peerInit = null;
        _awaitingNewKeys = false;
        var first = !_hasKeys;
        _hasKeys = true;
        Exchanges++;
        lock (_exchangeGate)
        {
            _ownInit = null;
            SetTimer(_options.RekeyAfter);
        }

        if (first) _user.OnReady();
    }

    /// <summary>Whether the packet just read is the first under the first keys, which is where SSH_MSG_EXT_INFO of a client belongs (RFC 8308 section 2.4).</summary>
    public bool IsFirstUnderKeys => Exchanges == 1 && _input.PacketsSinceKeys == 1;

    /// <summary>RFC 4253 section 11.4.</summary>
    public void SendUnimplemented() => Send(PacketUse.Control, new SshWriter().Byte(SshMessage.Unimplemented).UInt32(_input.LastSequence));

    private static SshConnectionException Unexpected(byte number) => new(SshDisconnectReason.ProtocolError, $"message {number} is not expected here");

    private async Task FinishAsync()
    {
        using var limit = new CancellationTokenSource(Linger, _options.Time);
        try
        {
            if (_peerTold)
            {
                await Output.WhenEmpty().WaitAsync(limit.Token);
                await LingerAsync(limit.Token);
            }
        }
        catch (Exception error) when (IsNetwork(error))
        {
            // The peer did not want to hear it.
        }

        await _stream.DisposeAsync();
        lock (_exchangeGate)
        {
            _timer?.Dispose();
        }

        Output.Dispose();
        _input.Dispose();
        _exchange?.Dispose();
        _user.OnEnded();
        _closed.TrySetResult();
    }

    /// <summary>A socket closed with unread bytes resets the connection, and the peer would never see why: so what it still sends is read, for a moment.</summary>
    private async Task LingerAsync(CancellationToken cancellation)
    {
        if (_stream is not NetworkStream network) return;
        network.Socket.Shutdown(SocketShutdown.Send);
        var scratch = new byte[4096];
        for (var total = 0; total < LingerBytes;)
        {
            var read = await network.ReadAsync(scratch, cancellation);
            if (read == 0) return;
            total += read;
        }
    }
}
