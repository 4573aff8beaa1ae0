using System.Diagnostics;
using System.Xml.Linq;

namespace Countersign.House;

/// <summary>The working tree as git sees it: what is committed and what would be, without what is ignored.</summary>
internal static class Repository
{
    private static readonly Lazy<string> LazyRoot = new(FindRoot);
    private static readonly Lazy<IReadOnlyList<string>> LazyFiles = new(ListFiles);

    public static string Root => LazyRoot.Value;

    /// <summary>Paths from the root, with slashes.</summary>
    public static IReadOnlyList<string> Files => LazyFiles.Value;

    public static string Absolute(string path) => Path.Combine(Root, path);

    public static string Text(string path) => File.ReadAllText(Absolute(path));

    public static IEnumerable<string> FilesUnder(string folder, params string[] endings) =>
        Files.Where(file => file.StartsWith(folder + "/", StringComparison.Ordinal)
            && (endings.Length == 0 || endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal))));

    public static IEnumerable<Project> Projects(string folder) => FilesUnder(folder, ".csproj").Select(Project.Load);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Countersign.slnx")))
                return folder.FullName;
        }

        throw new InvalidOperationException("The tests run from inside the repository, but no folder above holds Countersign.slnx.");
    }

    private static List<string> ListFiles()
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = Root, RedirectStandardOutput = true };
        // A checkout that belongs to another user, as on a build machine, is only listed and nothing in it is run.
        foreach (var argument in new[] { "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard" })
            start.ArgumentList.Add(argument);
        using var git = Process.Start(start) ?? throw new InvalidOperationException("git did not start.");
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        if (git.ExitCode != 0)
            throw new InvalidOperationException($"git ls-files ended with {git.ExitCode}.");
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Absolute(file)))];
    }
}

/// <summary>What a project file says about itself and about whom it uses.</summary>
internal sealed record Project
{
    public required string Path { get; init; }

    public required string Name { get; init; }

    public required bool IsExecutable { get; init; }

    /// <summary>Names of the projects that it compiles against. Build order alone (<c>ReferenceOutputAssembly="false"</c>) is not use.</summary>
    public required IReadOnlyList<string> Uses { get; init; }

    public static Project Load(string path) => Read(path, XDocument.Load(Repository.Absolute(path)));

    public static Project Read(string path, XDocument xml) => new()
    {
        Path = path,
        Name = System.IO.Path.GetFileNameWithoutExtension(path),
        IsExecutable = (string?)xml.Root?.Attribute("Sdk") == "Microsoft.NET.Sdk.Web"
            || xml.Descendants("OutputType").Any(type => type.Value is "Exe" or "WinExe"),
        Uses = [.. xml.Descendants("ProjectReference")
            .Where(reference => !string.Equals((string?)reference.Attribute("ReferenceOutputAssembly"), "false", StringComparison.OrdinalIgnoreCase))
            .Select(reference => System.IO.Path.GetFileNameWithoutExtension(((string?)reference.Attribute("Include") ?? "").Replace('\\', '/')))],
    };
}
