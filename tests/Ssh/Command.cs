using System.Diagnostics;
using System.Text;

namespace Countersign.Ssh.Tests;

/// <summary>A program of the machine, run to its end.</summary>
internal sealed record Command(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    public static Task<Command> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation) =>
        RunAsync(program, arguments, ReadOnlyMemory<byte>.Empty, cancellation);

    public static async Task<Command> RunAsync(string program, IEnumerable<string> arguments, ReadOnlyMemory<byte> input, CancellationToken cancellation, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        try
        {
            using var output = new MemoryStream();
            var copying = process.StandardOutput.BaseStream.CopyToAsync(output, cancellation);
            var error = process.StandardError.ReadToEndAsync(cancellation);
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(input, cancellation);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading everything: its exit status tells.
            }

            await copying;
            await process.WaitForExitAsync(cancellation);
            return new Command(process.ExitCode, output.ToArray(), await error);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
