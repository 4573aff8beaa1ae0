using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>
/// What the client sends on a channel, as a pipe. The peer is granted as much as has been read out of it, so that at most one window is ever held.
/// </summary>
internal sealed class ChannelInput : PipeReader
{
    /// <summary>What the peer may send ahead of the reader.</summary>
    public const uint Window = 2 * 1024 * 1024;

    // Half a window at a time: few adjustments, and none that comes only when the peer has stopped already.
    private const uint GrantFrom = Window / 2;

    // Never pauses: what the peer may send is bounded by the window already.
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 32 * 1024, useSynchronizationContext: false));
    private SshChannel? _channel;
    private ReadOnlySequence<byte> _lent;
    private long _consumed;
    private bool _ended;

    /// <summary>On the receive loop only.</summary>
    public void Add(SshChannel channel, ReadOnlySpan<byte> data)
    {
        _channel = channel;
        if (_ended) return;
        _pipe.Writer.Write(data);
        var flushing = _pipe.Writer.FlushAsync(CancellationToken.None);
        if (!flushing.IsCompletedSuccessfully) throw new UnreachableException("a pipe without a threshold paused its writer");
    }

    /// <summary>The client sends no more. On the receive loop only.</summary>
    public void End()
    {
        if (_ended) return;
        _ended = true;
        _pipe.Writer.Complete();
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        _consumed += _lent.Slice(0, consumed).Length;
        _lent = default;
        _pipe.Reader.AdvanceTo(consumed, examined);
        if (_consumed < GrantFrom) return;
        _channel?.GrantWindow((uint)_consumed);
        _consumed = 0;
    }

    public override void CancelPendingRead() => _pipe.Reader.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _pipe.Reader.Complete(exception);

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var result = await _pipe.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        _lent = result.Buffer;
        return result;
    }

    public override bool TryRead(out ReadResult result)
    {
        var there = _pipe.Reader.TryRead(out result);
        if (there) _lent = result.Buffer;
        return there;
    }
}
