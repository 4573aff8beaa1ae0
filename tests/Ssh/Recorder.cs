namespace Countersign.Ssh.Tests;

/// <summary>A handler that counts what it is told, and on which a test can wait.</summary>
internal sealed class Recorder : SshChannelHandler
{
    private readonly Lock _gate = new();
    private readonly List<(Func<bool> Condition, TaskCompletionSource Met)> _waiting = [];

    public Action<SshChannelRequest>? Request { get; init; }

    public SshChannel? Channel { get; private set; }

    public long Bytes { get; private set; }

    public int Drains { get; private set; }

    public int Eofs { get; private set; }

    public int Closes { get; private set; }

    public Task UntilAsync(Func<bool> condition, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (condition()) return Task.CompletedTask;
            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((condition, met));
            return met.Task.WaitAsync(cancellation);
        }
    }

    public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
    {
        var length = data.Length;
        Note(channel, () => Bytes += length);
    }

    public override void OnDrained(SshChannel channel) => Note(channel, () => Drains++);

    public override void OnEof(SshChannel channel) => Note(channel, () => Eofs++);

    public override void OnRequest(SshChannel channel, SshChannelRequest request)
    {
        if (Request is null) base.OnRequest(channel, request);
        else Note(channel, () => Request(request));
    }

    public override void OnClosed(SshChannel channel) => Note(channel, () => Closes++);

    private void Note(SshChannel channel, Action what)
    {
        lock (_gate)
        {
            Channel = channel;
            what();
            foreach (var (condition, met) in _waiting)
            {
                if (condition()) met.TrySetResult();
            }
        }
    }
}
