using System.IO.Pipelines;

namespace Countersign.Ssh.Sftp;

public sealed record SftpServerOptions
{
    /// <summary>Where relative paths begin; usually the account's home directory.</summary>
    public required string StartDirectory { get; init; }

    /// <summary>Files and directories open at once.</summary>
    public int MaxHandles { get; init; } = 1024;

    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// Serves this machine's files over SFTP version 3 (draft-ietf-secsh-filexfer-02) with the rights that the process has, on any pair of pipes: an
/// SSH channel, or standard input and output. Requests are carried out one after the other, so that the outcome is the same as if the client had
/// waited for each answer (section 6.1). Linux only.
/// </summary>
public static class SftpServer
{
    // Answers are handed to the transport at the latest when this many bytes are waiting: a client that asks without reading holds up itself.
    private const int UnflushedMost = 256 * 1024;

    /// <summary>Serves until the client's bytes end or the transport does not take any more. Both pipes are completed, all files closed.</summary>
    /// <exception cref="SftpProtocolException">What came is not SFTP; nothing more can be answered.</exception>
    public static async Task RunAsync(PipeReader input, PipeWriter output, SftpServerOptions options, CancellationToken cancellation)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("files are served on Linux only");
        using var session = new SftpSession(options, output);
        using var framer = new SftpFramer();
        Exception? failure = null;
        try
        {
            while (true)
            {
                var read = await input.ReadAsync(cancellation).ConfigureAwait(false);
                foreach (var segment in read.Buffer)
                {
                    for (var rest = segment; !rest.IsEmpty;)
                    {
                        rest = rest[Feed(session, framer, output, rest.Span)..];
                        // Also between two segments of one read: answers may be thousands of times larger than requests.
                        if (output.UnflushedBytes >= UnflushedMost && (await output.FlushAsync(cancellation).ConfigureAwait(false)).IsCompleted) return;
                    }
                }

                input.AdvanceTo(read.Buffer.End);
                if ((await output.FlushAsync(cancellation).ConfigureAwait(false)).IsCompleted) return;
                if (!read.IsCompleted && !read.IsCanceled) continue;
                if (framer.IsInside) throw new SftpProtocolException("the stream ended inside a message");
                return;
            }
        }
        catch (Exception e)
        {
            failure = e;
            throw;
        }
        finally
        {
            await input.CompleteAsync(failure).ConfigureAwait(false);
            await output.CompleteAsync(failure).ConfigureAwait(false);
        }
    }

    /// <summary>Answers messages until the bytes are used up or enough answers wait; returns how many bytes were used.</summary>
    private static int Feed(SftpSession session, SftpFramer framer, PipeWriter output, ReadOnlySpan<byte> bytes)
    {
        var rest = bytes;
        while (output.UnflushedBytes < UnflushedMost && framer.TryRead(ref rest, out var packet)) session.Answer(packet);
        return bytes.Length - rest.Length;
    }
}
