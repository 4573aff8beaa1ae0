using System.Buffers.Binary;
using Countersign.Ssh;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets.Connections;

/// <summary>
/// The stream of the end that is tested. Behind it is the fuzzer: it plays its steps when the tested end reads, and looks at what that end writes. It waits
/// only for what has to come: so a case takes the same course each time, and one that does not end is a finding.
/// </summary>
internal sealed class FarEnd : Stream
{
    /// <summary>For what may never come, because the other end can't tell where a packet ends: then nothing is lost but the rest of the case.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(8);

    private readonly Lock _gate = new();
    private readonly FarWire _wire;
    private readonly IReadOnlyList<Step> _steps;
    private readonly Chance _chance;
    private readonly HashSet<byte> _heard = [];
    private readonly HashSet<byte> _said = [];
    private IEnumerator<Func<bool>>? _playing;
    private Func<bool>? _until;
    private TaskCompletionSource? _woken;
    private byte[] _current = [];
    private int _at;
    private int _step;
    private bool _disposed;
    private bool _gaveUp;

    /// <param name="side">Of the fuzzer.</param>
    /// <param name="steps">Played in order; then the stream ends.</param>
    public FarEnd(Side side, IReadOnlyList<Step> steps, Chance chance, SshPrivateKey? hostKey)
    {
        _steps = steps;
        _chance = chance;
        _wire = new(side, Offers.Pick(side, chance))
        {
            HostKey = hostKey,
            Heard = message =>
            {
                _heard.Add(message[0]);
                Heard?.Invoke(message);
            },
        };
    }

    /// <summary>Each message that the tested end says. One at a time.</summary>
    public Action<byte[]>? Heard { get; init; }

    /// <summary>Each message that is said, before it is.</summary>
    public Action<byte[], StepKind>? Says { get; init; }

    /// <summary>Makes a credential that counts, of which kind the number says, for the session with this identifier.</summary>
    public Func<byte, byte[], byte[]>? Prove { get; init; }

    /// <summary>Changes it.</summary>
    public Func<byte[], Chance, byte[]>? Change { get; init; }

    /// <summary>Nothing more is said before this is true.</summary>
    public Func<bool>? IsAnswered { get; init; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public bool HasHeard(byte number)
    {
        lock (_gate) return _heard.Contains(number);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at == _current.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_until is not null) await UntilAsync(cancellationToken);
            if (!TryGoOn()) return 0;
        }

        var length = Math.Min(buffer.Length, _current.Length - _at);
        if (length > 1 && _chance.OneIn(8)) length = 1 + _chance.Below(length);
        _current.AsSpan(_at, length).CopyTo(buffer.Span);
        _at += length;
        return length;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        TaskCompletionSource? woken;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _wire.Hear(buffer.Span);
            woken = _woken;
        }

        woken?.TrySetResult();
        return ValueTask.CompletedTask;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            _disposed = true;
            _wire.Dispose();
            _woken?.TrySetResult();
        }

        base.Dispose(disposing);
    }

    /// <summary>Bytes to be read, or something to wait for, or nothing: then more is to be done. False: it is over.</summary>
    private bool TryGoOn()
    {
        lock (_gate)
        {
            if (_disposed || _gaveUp) return false;
            if (_wire.Leaving.TryDequeue(out var next))
            {
                (_current, _at) = (next, 0);
                return true;
            }

            if (_wire.IsBroken) return false;
            if (_playing?.MoveNext() == true)
            {
                _until = _playing.Current;
                if (_wire.Leaving.Count == 0) return true;

                // It has to leave before it can be answered.
                (_current, _at) = (Gather(), 0);
                return true;
            }

            if (_step == _steps.Count) return false;
            _playing = Play(_steps[_step++]).GetEnumerator();
            return true;
        }
    }

    private byte[] Gather()
    {
        var all = _wire.Leaving.SelectMany(bytes => bytes).ToArray();
        _wire.Leaving.Clear();
        return all;
    }

    private IEnumerable<Func<bool>> Play(Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Raw:
                _wire.SayRaw(step.Bytes);
                break;
            case StepKind.Client or StepKind.Server when step.Bytes.Length > 0:
                Say(step.Bytes, step.Kind);
                break;
            case StepKind.Crooked when step.Bytes.Length > 5:
                Says?.Invoke(step.Bytes[5..], step.Kind);
                _wire.SayCrooked(step.Bytes.AsSpan(5), step.Bytes[0], BinaryPrimitives.ReadUInt32BigEndian(step.Bytes.AsSpan(1)));
                break;
            case StepKind.Exchange:
                foreach (var condition in _wire.Exchange()) yield return condition;
                yield break;
            case StepKind.Proof when Prove is not null && step.Bytes.Length > 0 && _wire.Session.Length > 0:
                var proof = Prove(step.Bytes[0], _wire.Session);
                if (step.Bytes.Length == 9) proof = Change!(proof, new Chance(BinaryPrimitives.ReadUInt64BigEndian(step.Bytes.AsSpan(1))));
                if (proof.Length > 0) Say(proof, step.Kind);
                break;
            case StepKind.Wait when step.Bytes.Length == 2 && (step.Bytes[1] == 0 ? _wire.Session.Length > 0 : _said.Contains(step.Bytes[1])):
                yield return () => _heard.Contains(step.Bytes[0]) || _wire.IsHeldBack;
                yield break;
        }

        if (IsAnswered is not null) yield return () => IsAnswered() || _wire.IsHeldBack;
    }

    private void Say(byte[] message, StepKind kind)
    {
        Says?.Invoke(message, kind);
        _said.Add(message[0]);
        _wire.Say(message);
    }

    private async ValueTask UntilAsync(CancellationToken cancellation)
    {
        while (true)
        {
            TaskCompletionSource woken;
            lock (_gate)
            {
                if (_disposed || _wire.IsBroken || _until!()) break;
                woken = _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            try
            {
                await woken.Task.WaitAsync(_wire.IsMurky ? Patience : Timeout.InfiniteTimeSpan, cancellation);
            }
            catch (TimeoutException)
            {
                _gaveUp = true;
                break;
            }
        }

        _until = null;
    }
}

/// <summary>What the fuzzer offers: one cipher at a time, so that each is used.</summary>
internal static class Offers
{
    private static readonly AlgorithmOffer[] All =
    [
        Of("aes256-gcm@openssh.com", "hmac-sha2-256"), Of("aes128-ctr", "hmac-sha2-256-etm@openssh.com"), Of("aes256-ctr", "hmac-sha2-256"), Of("aes128-gcm@openssh.com", "hmac-sha2-256"),
        Of("chacha20-poly1305@openssh.com", "hmac-sha2-256"), Of("aes256-ctr", "hmac-sha2-512-etm@openssh.com"),
    ];

    public static KexInit Pick(Side side, Chance chance) => KexInit.Create(chance.Pick(All), side);

    private static AlgorithmOffer Of(string cipher, string mac) => new() { KeyExchanges = ["curve25519-sha256"], HostKeys = ["ssh-ed25519"], Ciphers = [cipher], Macs = [mac] };
}

/// <summary>Time that stands: nothing in a case may depend on it. Only a wait as short as that for new keys is over at once, since the case would not end before.</summary>
internal sealed class StillTime : TimeProvider
{
    public static readonly StillTime Instance = new();

    public override DateTimeOffset GetUtcNow() => new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long GetTimestamp() => 0;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime >= TimeSpan.Zero && dueTime <= TimeSpan.FromSeconds(1.0 / RenewalAllowance.PerSecond)) ThreadPool.UnsafeQueueUserWorkItem(_ => callback(state), null);
        return new NoTimer();
    }

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
