namespace Countersign.Sessions.Tests.Journal;

/// <summary>A disk that can be held up, and gets full.</summary>
internal sealed class SlowDisk(Stream? under = null) : MemoryStream
{
    private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _held;

    public int Writes { get; private set; }

    public long Room { get; set; } = long.MaxValue;

    /// <summary>A write is being held up.</summary>
    public Task Waiting => _waiting.Task;

    public void Hold() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Release() => _held?.TrySetResult();

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var fits = (int)Math.Min(buffer.Length, Room - Length);
        base.Write(buffer[..fits]);
        under?.Write(buffer[..fits]);
        if (fits < buffer.Length) throw new IOException("No space left on device");
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_held is { } held)
        {
            _waiting.TrySetResult();
            await held.Task;
        }

        Writes++;
        Write(buffer.Span);
    }

    protected override void Dispose(bool disposing)
    {
        under?.Dispose();
        base.Dispose(disposing);
    }
}
