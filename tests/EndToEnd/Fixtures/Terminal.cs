using System.Globalization;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>
/// A program in a real terminal (tmux on a socket of its own), driven like a person would: type, press, resize, read the screen.
/// What it showed last stays readable after it has ended.
/// </summary>
public sealed class Terminal : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private string _lastScreen = "";

    private Terminal(TempFolder folder) => _folder = folder;

    public static async Task<Terminal> StartAsync(
        IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null, int columns = 80, int rows = 24)
    {
        var folder = new TempFolder();
        // No status line: the program has all the rows. remain-on-exit keeps the screen when it has ended.
        var config = folder.Write("tmux.conf", """
            set -g status off
            set -g remain-on-exit on
            set -g remain-on-exit-format ""
            set -g default-terminal screen-256color
            set -g history-limit 5000

            """);
        var terminal = new Terminal(folder);
        List<string> arguments = ["-u", "-f", config, "new-session", "-d", "-x", Number(columns), "-y", Number(rows)];
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            arguments.AddRange(["-e", $"{name}={value}"]);
        try
        {
            await terminal.TmuxAsync([.. arguments, "--", .. command]);
            return terminal;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Types text, as it stands, without Enter.</summary>
    public Task TypeAsync(string text) => TmuxAsync("send-keys", "-l", "--", text);

    public async Task EnterAsync(string line)
    {
        await TypeAsync(line);
        await PressAsync("Enter");
    }

    /// <summary>A key by tmux's name: <c>Enter</c>, <c>C-c</c>, <c>Up</c>, <c>F1</c>.</summary>
    public Task PressAsync(string key) => TmuxAsync("send-keys", key);

    public Task ResizeAsync(int columns, int rows) => TmuxAsync("resize-window", "-x", Number(columns), "-y", Number(rows));

    /// <summary>The screen with what has scrolled off it, lines that were wrapped put together again.</summary>
    public async Task<string> ScreenAsync() => _lastScreen = await TmuxAsync("capture-pane", "-p", "-J", "-S", "-");

    /// <summary>What the screen shows now, row by row.</summary>
    public Task<string> VisibleAsync() => TmuxAsync("capture-pane", "-p");

    /// <summary>Waits until the screen shows a text; returns the screen.</summary>
    public Task<string> WaitForAsync(string text, TimeSpan? patience = null) => Eventually.SomeAsync(
        async () => await ScreenAsync() is var screen && screen.Contains(text, StringComparison.Ordinal) ? screen : null,
        $"the terminal to show \"{text}\"",
        () => _lastScreen,
        patience);

    /// <summary>Waits until the program has ended; returns its exit status, or 128 + the number of the signal that ended it.</summary>
    public async Task<int> WaitForEndAsync(TimeSpan? patience = null)
    {
        var state = await Eventually.SomeAsync(
            async () =>
            {
                await ScreenAsync();
                var answer = (await TmuxAsync("display-message", "-p", "#{pane_dead} #{pane_dead_status} #{pane_dead_signal}")).Trim('\n').Split(' ');
                if (answer[0] != "1") return null;
                if (answer[1].Length > 0 || answer[2].Length > 0) return answer;

                // tmux saw the terminal close but missed that its child can be waited for: once in a dozen runs on a busy machine, and for good.
                // The end of another child makes it look at all of them.
                await TmuxAsync("run-shell", "true");
                return null;
            },
            "the program in the terminal to end",
            () => _lastScreen,
            patience);
        return state[1].Length > 0 ? int.Parse(state[1], CultureInfo.InvariantCulture) : 128 + int.Parse(state[2], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await RunningCommand.RunAsync("tmux", ["-S", _folder["tmux"], "kill-server"]);
        _folder.Dispose();
    }

    private async Task<string> TmuxAsync(params string[] arguments) =>
        await RunningCommand.MustAsync("tmux", ["-S", _folder["tmux"], .. arguments]);

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
