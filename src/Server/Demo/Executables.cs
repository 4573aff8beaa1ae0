namespace Countersign.Server.Demo;

/// <summary>Where the other programs of Countersign are: beside the server when published, in a folder of their own after a build.</summary>
internal static class Executables
{
    public static string Find(string project, string program)
    {
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        string[] places = [Path.Combine(here, program), Path.Combine(here, "..", "..", project, Path.GetFileName(here), program)];
        return places.Select(Path.GetFullPath).FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"{program} was not found beside the server; build the whole solution first: dotnet build Countersign.slnx");
    }
}
