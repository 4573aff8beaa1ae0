using System.Text;
using Countersign.Agent.Processes;
using Countersign.Ssh;

namespace Countersign.Agent.Tests.Processes;

/// <summary>A process of a test, its output gathered as text, and everything of it gone at the end.</summary>
internal sealed class Started : IAsyncDisposable
{
    private readonly ReadinessLoop _loop = new();
    private readonly List<byte> _output = [];
    private bool _ended;

    private Started(string script, WindowSize? size, IReadOnlyList<TerminalMode> modes)
    {
        var launch = new Launch
        {
            Path = "/bin/bash",
            Arguments = ["bash"u8.ToArray(), "-c"u8.ToArray(), Encoding.UTF8.GetBytes(script)],
            Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin", ["TERM"] = "xterm", ["GREETING"] = "hello" },
            Directory = "/",
        };
        Child = size is { } there ? ChildProcess.StartOnTerminal(launch, there, modes, _loop) : ChildProcess.StartWithPipes(launch, _loop);
    }

    public ChildProcess Child { get; }

    public string Output => Encoding.UTF8.GetString([.. _output]);

    public static Started WithPipes(string script) => new(script, null, []);

    public static Started OnTerminal(string script, params TerminalMode[] modes) => new(script, new WindowSize(80, 24, 0, 0), modes);

    public async Task<string> ReadToEndAsync(PolledFile? source = null)
    {
        while (await ReadAsync(source ?? Child.Output))
        {
        }

        return Output;
    }

    public async Task ReadUntilAsync(string text)
    {
        while (!Output.Contains(text, StringComparison.Ordinal)) (await ReadAsync(Child.Output)).ShouldBeTrue($"it ended with: {Output}");
    }

    public async Task WriteAsync(string text) => (await Child.Input.WriteAsync(Encoding.UTF8.GetBytes(text))).ShouldBeTrue();

    public Task<ExitStatus> ExitAsync() => Child.Exit.WaitAsync(TestContext.Current.CancellationToken);

    public async Task ReapAsync()
    {
        _ended = true;
        await Child.ReapAsync();
    }

    public async Task KillAsync()
    {
        _ended = true;
        await Child.KillAsync(TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_ended) await KillAsync();
        _loop.Dispose();
    }

    private async Task<bool> ReadAsync(PolledFile source)
    {
        var buffer = new byte[4096];
        int count;
        while (!source.TryRead(buffer, out count)) await source.WaitReadableAsync().WaitAsync(TestContext.Current.CancellationToken);
        _output.AddRange(buffer.AsSpan(0, count));
        return count > 0;
    }
}
