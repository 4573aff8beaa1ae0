using System.Diagnostics;
using System.Text;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>What a command answered. A command that a signal ended has 128 + its number, as in a shell.</summary>
public sealed record Outcome(int ExitCode, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);

    public override string ToString() => $"exit {ExitCode}\n--- stdout\n{Text}\n--- stderr\n{Error}";
}

/// <summary>A program of the system in a process of its own; disposing kills it with all its children.</summary>
public sealed class RunningCommand : IAsyncDisposable
{
    private readonly Process _process;
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly Task _pumps;

    private RunningCommand(Process process)
    {
        _process = process;
        OutputEnded = PumpAsync(process.StandardOutput.BaseStream, _output);
        _pumps = Task.WhenAll(OutputEnded, PumpAsync(process.StandardError.BaseStream, _error));
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>It has closed its standard output.</summary>
    public Task OutputEnded { get; }

    public Stream Input => _process.StandardInput.BaseStream;

    public string OutputSoFar => Encoding.UTF8.GetString(Copy(_output));

    public string ErrorSoFar => Encoding.UTF8.GetString(Copy(_error));

    public static RunningCommand Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        // Whoever runs the tests may have an agent or a screen: neither is part of a test.
        start.Environment.Remove("SSH_AUTH_SOCK");
        start.Environment.Remove("DISPLAY");
        start.Environment.Remove("TMUX");
        start.Environment["LC_ALL"] = "C.UTF-8";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return new(Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start."));
    }

    /// <summary>Runs to the end. With no <paramref name="input"/> the program reads an empty input.</summary>
    public static async Task<Outcome> RunAsync(
        string program,
        IEnumerable<string> arguments,
        ReadOnlyMemory<byte> input = default,
        IReadOnlyDictionary<string, string>? environment = null,
        TimeSpan? patience = null)
    {
        await using var command = Start(program, arguments, environment);
        await command.SendAsync(input);
        return await command.EndAsync(patience);
    }

    /// <summary>Like <see cref="RunAsync"/>, for what a test merely needs: an exit code other than 0 is an exception.</summary>
    public static async Task<string> MustAsync(string program, params string[] arguments)
    {
        var outcome = await RunAsync(program, arguments);
        return outcome.ExitCode == 0 ? outcome.Text : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {outcome}");
    }

    /// <summary>Gives <paramref name="input"/> and then the end of the input.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> input)
    {
        try
        {
            await Input.WriteAsync(input, TestContext.Current.CancellationToken);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read everything. What it has to say is in its exit code and its output.
        }
    }

    /// <exception cref="TimeoutException">It did not end; the message holds what it had written, and it is killed.</exception>
    public async Task<Outcome> EndAsync(TimeSpan? patience = null)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(patience ?? TimeSpan.FromSeconds(60));
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
            await _pumps.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            Kill();
            throw new TimeoutException(
                $"{_process.StartInfo.FileName} did not end.\n--- stdout\n{OutputSoFar}\n--- stderr\n{ErrorSoFar}");
        }

        return new(_process.ExitCode, Copy(_output), ErrorSoFar);
    }

    /// <summary>Asks it to end, as a service manager does (SIGTERM).</summary>
    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{Id}"]);
        kill.WaitForExit();
    }

    public void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
    }

    private static async Task PumpAsync(Stream from, MemoryStream to)
    {
        var buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReadAsync(buffer) is > 0 and var count)
            {
                lock (to)
                    to.Write(buffer, 0, count);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The command was disposed of while it was still writing.
        }
    }

    private static byte[] Copy(MemoryStream stream)
    {
        lock (stream)
            return stream.ToArray();
    }
}
