using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>What only a real terminal shows of the command line tool; what it says to the server is tested beside it.</summary>
public sealed class CommandLineToolTests : IDisposable
{
    private readonly TempFolder _home = new();

    [Fact]
    public async Task A_password_is_not_shown_while_it_is_typed()
    {
        // Nobody listens on port 1: the tool says so once it has the password, and ends with 5.
        await using var terminal = await StartAsync("login", "--server", "http://127.0.0.1:1", "anna");
        await terminal.WaitForAsync("Password of anna: ");
        await terminal.TypeAsync("hunterX");
        await terminal.PressAsync("BSpace");
        await terminal.EnterAsync("2");
        (await terminal.WaitForEndAsync()).ShouldBe(5);
        var screen = await terminal.ScreenAsync();
        screen.ShouldContain("can't be reached");
        screen.ShouldNotContain("hunter");
    }

    [Fact]
    public async Task An_interrupt_at_the_password_ends_it()
    {
        await using var terminal = await StartAsync("login", "--server", "http://127.0.0.1:1", "anna");
        await terminal.WaitForAsync("Password of anna: ");
        await terminal.PressAsync("C-c");
        (await terminal.WaitForEndAsync()).ShouldBe(130);
    }

    public void Dispose() => _home.Dispose();

    private Task<Terminal> StartAsync(params string[] arguments) => Terminal.StartAsync(
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "countersign.dll"), .. arguments],
        new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _home.Path });
}
