using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;
using Countersign.Ssh;

namespace Countersign.Cli;

/// <summary>What the tool has from the operating system, in one place, so that a test can be the terminal.</summary>
internal sealed record Surroundings
{
    public const int LongestPassword = 1024;

    public required TextReader Input { get; init; }

    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>Whether a person at a terminal reads the output: then it has colours and fits the width.</summary>
    public required bool OutputIsTerminal { get; init; }

    /// <summary>Whether a person can be asked.</summary>
    public required bool CanAsk { get; init; }

    /// <summary>Columns of the terminal.</summary>
    public required int Width { get; init; }

    public required Func<string, string?> Variable { get; init; }

    /// <summary>Asks for a secret without showing what is typed; null: given up. The caller disposes it.</summary>
    public required Func<string, Secret?> AskSecret { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The output for bytes that are not ours. The caller disposes it.</summary>
    public required Func<Stream> OpenOutput { get; init; }

    /// <summary>From here on what is typed comes key by key, and is not shown; null: nobody can type.</summary>
    public Func<ChannelReader<char>>? ListenForKeys { get; init; }

    /// <summary>Until what is returned is disposed, Ctrl+C and its like call this and do nothing else; null: they can't be had.</summary>
    public Func<Action, IDisposable>? OnInterrupt { get; init; }

    /// <summary>Runs a program with these arguments as they are, on this terminal; its exit code, or null: it can't be started.</summary>
    public required Func<string, IReadOnlyList<string>, Task<int?>> RunProgram { get; init; }

    public static Surroundings OfThisProcess() => new()
    {
        Input = Console.In,
        Output = Console.Out,
        Error = Console.Error,
        OutputIsTerminal = !Console.IsOutputRedirected,
        CanAsk = !Console.IsInputRedirected,
        Width = Console.IsOutputRedirected ? 0 : Math.Max(40, Console.WindowWidth),
        Variable = Environment.GetEnvironmentVariable,
        AskSecret = AskOnConsole,
        OpenOutput = Console.OpenStandardOutput,
        ListenForKeys = Console.IsInputRedirected ? null : ListenOnConsole,
        OnInterrupt = interrupted => new Interrupts(interrupted),
        RunProgram = RunOnConsoleAsync,
    };

    private static async Task<int?> RunOnConsoleAsync(string program, IReadOnlyList<string> arguments)
    {
        // Ctrl+C is the program's to understand; this process waits for what becomes of it.
        using var interrupts = new Interrupts(() => { });
        try
        {
            using var running = Process.Start(program, arguments);
            await running.WaitForExitAsync();
            return running.ExitCode;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static ChannelReader<char> ListenOnConsole()
    {
        var keys = Channel.CreateBounded<char>(new BoundedChannelOptions(16) { FullMode = BoundedChannelFullMode.DropOldest });
        new Thread(() =>
        {
            try
            {
                while (true) keys.Writer.TryWrite(Console.ReadKey(intercept: true).KeyChar);
            }
            catch (InvalidOperationException)
            {
                // The terminal is gone.
                keys.Writer.TryComplete();
            }
        })
        { IsBackground = true }.Start();
        return keys.Reader;
    }

    private static Secret? AskOnConsole(string prompt)
    {
        // On the error stream: the output may go to a file.
        Console.Error.Write(prompt);
        var typed = new char[LongestPassword];
        var length = 0;
        try
        {
            while (true)
            {
                var key = Console.ReadKey(intercept: true);
                switch (key)
                {
                    case { Key: ConsoleKey.Enter }:
                        return Encode(typed.AsSpan(0, length));
                    case { Key: ConsoleKey.Backspace }:
                        length = Math.Max(0, length - 1);
                        break;
                    case { Key: ConsoleKey.U, Modifiers: ConsoleModifiers.Control }:
                        length = 0;
                        break;
                    case { Key: ConsoleKey.D, Modifiers: ConsoleModifiers.Control } or { Key: ConsoleKey.Escape }:
                        return null;
                    default:
                        if (key.KeyChar >= ' ' && length < typed.Length) typed[length++] = key.KeyChar;
                        break;
                }
            }
        }
        finally
        {
            typed.AsSpan().Clear();
            Console.Error.WriteLine();
        }
    }

    private static Secret Encode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var count = Encoding.UTF8.GetBytes(text, bytes);
        var secret = new Secret(bytes.AsSpan(0, count));
        bytes.AsSpan().Clear();
        return secret;
    }

    private sealed class Interrupts : IDisposable
    {
        private readonly PosixSignalRegistration[] _signals;

        public Interrupts(Action interrupted)
        {
            void Handle(PosixSignalContext context)
            {
                context.Cancel = true;
                interrupted();
            }

            _signals = [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle), PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle)];
        }

        public void Dispose()
        {
            foreach (var signal in _signals) signal.Dispose();
        }
    }
}
