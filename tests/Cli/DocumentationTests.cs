using System.Globalization;
using System.Reflection;

namespace Countersign.Cli;

public sealed class DocumentationTests
{
    [Fact]
    public async Task The_documented_exit_codes_are_those_of_the_code()
    {
        var codes = typeof(ExitCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (int)field.GetRawConstantValue()!);
        var documented = (await DocumentationAsync())
            .SkipWhile(line => line != "## Exit codes").TakeWhile(line => line.Length > 0)
            .Select(line => line.Split('|')).Where(cells => cells.Length > 1 && int.TryParse(cells[1], out _))
            .Select(cells => int.Parse(cells[1], CultureInfo.InvariantCulture));
        documented.ShouldBe(codes.Order());
    }

    [Fact]
    public async Task Every_command_is_documented()
    {
        using var terminal = new FakeTerminal();
        var names = CommandLine.Create(terminal.Surroundings(TextWriter.Null, TextWriter.Null)).Subcommands.Select(command => command.Name).Order(StringComparer.Ordinal);
        var documented = (await DocumentationAsync())
            .SkipWhile(line => !line.StartsWith("| command |", StringComparison.Ordinal)).TakeWhile(line => line.Length > 0)
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .Select(line => line.Split('`')[1].Split(' ')[0]).Distinct().Order(StringComparer.Ordinal);
        documented.ShouldBe(names);
    }

    private static async Task<string[]> DocumentationAsync()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Countersign.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run from inside the repository.");
        return await File.ReadAllLinesAsync(Path.Combine(folder.FullName, "docs", "cli.md"), TestContext.Current.CancellationToken);
    }
}
