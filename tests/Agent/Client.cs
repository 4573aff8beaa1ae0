using System.Diagnostics;
using System.Text;

namespace Countersign.Agent.Tests;

/// <summary>What a program of the machine answered.</summary>
internal sealed record Client(int ExitCode, byte[] OutputBytes, string Error)
{
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>The agent that was built with these tests.</summary>
    public static string Agent => Path.Combine(AppContext.BaseDirectory, "countersign-agent");

    /// <summary>Runs a program to its end, which is killed with the test.</summary>
    public static async Task<Client> RunAsync(string program, IEnumerable<string> arguments, ReadOnlyMemory<byte> input = default)
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var process = Start(program, arguments);
        try
        {
            using var output = new MemoryStream();
            var reading = process.StandardOutput.BaseStream.CopyToAsync(output, cancellation);
            var complaining = process.StandardError.ReadToEndAsync(cancellation);
            try
            {
                await process.StandardInput.BaseStream.WriteAsync(input, cancellation);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // It ended without reading everything: its exit status tells.
            }

            await reading;
            await process.WaitForExitAsync(cancellation);
            return new(process.ExitCode, output.ToArray(), await complaining);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    public static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        start.Environment.Remove("SSH_AUTH_SOCK");
        start.Environment["LC_ALL"] = "C.UTF-8";
        return Process.Start(start)!;
    }
}
