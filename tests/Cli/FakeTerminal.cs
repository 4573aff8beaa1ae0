using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Countersign.Ssh;

namespace Countersign.Cli;

/// <summary>A terminal with a home of its own, in which commands run like a person's: what is typed goes in, what is shown comes out.</summary>
public sealed class FakeTerminal : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("countersign-cli-").FullName;
    private readonly Dictionary<string, string> _variables = [];

    public FakeTerminal()
    {
        _variables["XDG_CONFIG_HOME"] = _home;
        _variables["HOME"] = _home;
    }

    public string ConfigFolder => Path.Combine(_home, "countersign");

    public string ConfigFile => Path.Combine(ConfigFolder, "config.json");

    /// <summary>What is typed where a secret is asked for, in order.</summary>
    public Queue<string> Secrets { get; } = new();

    /// <summary>Where no secret waits: works one out from what was shown until then; null: it is given up.</summary>
    public Func<string, string>? Answering { get; set; }

    public string Input { get; set; } = "";

    public bool IsTerminal { get; set; }

    public bool CanAsk { get; set; }

    public int Width { get; set; } = 100;

    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Programs that were started, with their arguments.</summary>
    public List<IReadOnlyList<string>> Programs { get; } = [];

    /// <summary>Null: none can be started.</summary>
    public int? ProgramsExitWith { get; set; } = 0;

    /// <summary>What is typed while something plays; null: nobody can type.</summary>
    public ChannelReader<char>? Keys { get; set; }

    public string Output { get; private set; } = "";

    public string Error { get; private set; } = "";

    public string this[string variable]
    {
        set => _variables[variable] = value;
    }

    public string PathOf(string file) => Path.Combine(_home, file);

    /// <summary>Everything that was shown is of this run alone.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync(params string[] arguments)
    {
        var output = new StringWriter(CultureInfo.InvariantCulture);
        var error = new StringWriter(CultureInfo.InvariantCulture);
        var code = await CommandLine.RunAsync(arguments, Surroundings(output, error), TestContext.Current.CancellationToken);
        Output = output.ToString();
        Error = error.ToString();
        return code;
    }

    internal Surroundings Surroundings(TextWriter output, TextWriter error) => new()
    {
        Input = new StringReader(Input),
        Output = output,
        Error = error,
        OutputIsTerminal = IsTerminal,
        CanAsk = CanAsk,
        Width = Width,
        Variable = name => _variables.GetValueOrDefault(name),
        AskSecret = prompt =>
        {
            error.Write(prompt);
            return Secrets.TryDequeue(out var secret) ? Secret.FromText(secret) : Answering is { } answer ? Secret.FromText(answer(error.ToString()!)) : null;
        },
        Time = Time,
        RunProgram = (program, arguments) =>
        {
            Programs.Add([program, .. arguments]);
            return Task.FromResult(ProgramsExitWith);
        },
        OpenOutput = () => new ShownBytes(output),
        ListenForKeys = Keys is null ? null : () => Keys,
    };

    public void Dispose() => Directory.Delete(_home, recursive: true);
}

/// <summary>Bytes among what is shown.</summary>
internal sealed class ShownBytes(TextWriter output) : MemoryStream
{
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        output.Write(Encoding.UTF8.GetString(buffer.Span));
        return ValueTask.CompletedTask;
    }
}

/// <summary>A clock that stands still, somewhere with a zone.</summary>
internal sealed class StandingTime(DateTimeOffset now, TimeSpan zone) : TimeProvider
{
    public override TimeZoneInfo LocalTimeZone { get; } = TimeZoneInfo.CreateCustomTimeZone("there", zone, "there", "there");

    public override DateTimeOffset GetUtcNow() => now;
}
