using System.Buffers;
using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Serving;

/// <summary>Carries bytes between a channel and a process, and tells the client how the process ended.</summary>
internal static class ProcessRelay
{
    private const int BufferSize = 32 * 1024;

    /// <summary>
    /// How long a terminal must be silent after its process has ended, when something in the background holds it open. Without that, its end is
    /// seen at once; pipes are read to their end however long that takes, as sshd does it.
    /// </summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);

    /// <summary>Runs until the process has ended and all of its output is sent, or the channel is closed; then the process group is ended.</summary>
    /// <param name="child">Reaped in any case.</param>
    /// <param name="closed">The client closed the channel or is gone.</param>
    public static async Task RunAsync(ChildProcess child, SshChannel channel, ChannelInput input, ChannelOutput output, TimeProvider time, CancellationToken closed)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(closed);
        var feeding = FeedAsync(child, input, over.Token);
        var carrying = CarryAsync(child, output, time);
        var reaped = false;
        try
        {
            await carrying.WaitAsync(closed).ConfigureAwait(false);
            // Status first, end of output second: OpenSSH closes a channel when it has seen the end, and would miss what comes after.
            channel.SendExit(await child.Exit.WaitAsync(closed).ConfigureAwait(false));
            channel.SendEof();
            await child.ReapAsync().ConfigureAwait(false);
            reaped = true;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client is gone: there is nobody to tell.
        }
        finally
        {
            if (!reaped) await child.KillAsync(time).ConfigureAwait(false);
            await over.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(feeding, carrying).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static Task CarryAsync(ChildProcess child, ChannelOutput output, TimeProvider time) => Task.WhenAll(
        CarryAsync(child, child.Output, data => output.WriteAsync(data), time),
        child.Error is { } error ? CarryAsync(child, error, output.WriteErrorAsync, time) : Task.CompletedTask);

    private static async Task CarryAsync(ChildProcess child, PolledFile source, Func<ReadOnlyMemory<byte>, ValueTask> write, TimeProvider time)
    {
        while (await WaitAsync(child, source, time).ConfigureAwait(false))
        {
            // Rented when there is something to read: an idle session holds no buffers.
            var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
            try
            {
                while (source.TryRead(buffer, out var count))
                {
                    if (count == 0) return;
                    await write(buffer.AsMemory(0, count)).ConfigureAwait(false);
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }

    /// <summary>False: the process has ended, and its terminal is silent.</summary>
    private static async Task<bool> WaitAsync(ChildProcess child, PolledFile source, TimeProvider time)
    {
        if (!child.IsOnTerminal || !child.Exit.IsCompleted)
        {
            await source.WaitReadableAsync().ConfigureAwait(false);
            return true;
        }

        try
        {
            await source.WaitReadableAsync().WaitAsync(Quiet, time).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>
    /// Gives the process its input. The end of the client's input closes a pipe; a terminal has no such end (the client types one). What a process
    /// does not want any more is left where it is, so that the client stops sending.
    /// </summary>
    private static async Task FeedAsync(ChildProcess child, ChannelInput input, CancellationToken over)
    {
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(over).ConfigureAwait(false);
                foreach (var segment in read.Buffer)
                {
                    if (!await child.Input.WriteAsync(segment).ConfigureAwait(false)) return;
                }

                input.AdvanceTo(read.Buffer.End);
                if (!read.IsCompleted) continue;
                if (!child.IsOnTerminal) child.Input.Dispose();
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The process is done.
        }
    }
}
