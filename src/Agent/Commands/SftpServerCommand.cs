using System.CommandLine;
using System.IO.Pipelines;
using Countersign.Agent.Serving;
using Countersign.Ssh.Sftp;

namespace Countersign.Agent.Commands;

/// <summary><c>countersign-agent sftp-server</c>: the files over standard input and output, as sshd's program of that name.</summary>
internal static class SftpServerCommand
{
    private const int Failed = 1, BufferSize = 64 * 1024;

    public static Command Create()
    {
        var start = new Option<string?>("--start-directory") { Description = "Where relative paths begin. By default the account's home directory.", HelpName = "DIR" };
        var command = new Command(
            "sftp-server",
            """
            Speaks SFTP version 3 on standard input and output. For an sshd's Subsystem line, or for trying it without a network.

            Example:
              sftp -D "countersign-agent sftp-server"
            """)
        {
            start,
        };
        command.SetAction((arguments, cancellation) => RunAsync(arguments.GetValue(start), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string? start, CancellationToken cancellation)
    {
        var input = PipeReader.Create(Console.OpenStandardInput(), new(bufferSize: BufferSize, minimumReadSize: BufferSize / 4));
        var output = PipeWriter.Create(Console.OpenStandardOutput(), new(minimumBufferSize: BufferSize));
        try
        {
            var options = new SftpServerOptions { StartDirectory = start is null ? OsAccount.Current().StartDirectory : Path.GetFullPath(start) };
            await SftpServer.RunAsync(input, output, options, cancellation).ConfigureAwait(false);
            return 0;
        }
        catch (Exception e) when (e is IOException or SftpProtocolException)
        {
            await Console.Error.WriteLineAsync($"countersign-agent: {e.Message}").ConfigureAwait(false);
            return Failed;
        }
    }
}
