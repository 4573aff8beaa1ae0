using System.Xml.Linq;

namespace Countersign.House;

/// <summary>Who may use whom. A new line in this table is a decision about the architecture.</summary>
public sealed class ProjectTests
{
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Access"] = [],
        ["Ssh"] = [],
        ["Audit"] = [],
        ["Rfb"] = [],
        ["Rdp"] = [],
        ["Tunnel"] = ["Ssh"],
        ["Sessions"] = ["Access", "Audit", "Ssh", "Rfb", "Rdp"],
        ["Reach"] = ["Sessions", "Ssh", "Tunnel"],
        ["Gateway"] = ["Sessions", "Reach"],
        ["Server"] = ["Access", "Audit", "Ssh", "Rfb", "Rdp", "Tunnel", "Sessions", "Reach", "Gateway"],
        ["Agent"] = ["Ssh", "Tunnel", "Rfb"],
        ["Cli"] = ["Audit", "Ssh"],
    };

    [Fact]
    public void Every_project_uses_only_what_it_may()
    {
        var projects = Repository.Projects("src").ToList();
        projects.ShouldNotBeEmpty();
        projects.SelectMany(Forbidden).ShouldBeEmpty();
    }

    [Fact]
    public void A_forbidden_reference_is_noticed_and_build_order_is_not_one()
    {
        var access = Project.Read("src/Access/Access.csproj", XDocument.Parse(
            """<Project Sdk="Microsoft.NET.Sdk"><ItemGroup><ProjectReference Include="..\Ssh\Ssh.csproj" /></ItemGroup></Project>"""));
        var cli = Project.Read("src/Cli/Cli.csproj", XDocument.Parse(
            """<Project><ItemGroup><ProjectReference Include="../Server/Server.csproj" ReferenceOutputAssembly="false" /></ItemGroup></Project>"""));
        Forbidden(access).ShouldHaveSingleItem();
        Forbidden(cli).ShouldBeEmpty();
    }

    [Fact]
    public void Nothing_uses_an_executable_tests_aside()
    {
        var projects = Repository.Projects("src").ToList();
        var executables = projects.Where(project => project.IsExecutable).Select(project => project.Name).ToHashSet();
        executables.ShouldContain("Server");
        executables.ShouldContain("Cli");
        projects.Where(project => project.Uses.Any(executables.Contains)).Select(project => project.Path).ShouldBeEmpty();
    }

    [Fact]
    public void References_stand_in_project_files_where_this_test_looks()
    {
        Repository.Files
            .Where(file => file.EndsWith(".props", StringComparison.Ordinal) || file.EndsWith(".targets", StringComparison.Ordinal))
            .Where(file => Repository.Text(file).Contains("ProjectReference", StringComparison.Ordinal))
            .ShouldBeEmpty();
    }

    [Fact]
    public void No_project_or_folder_is_a_drawer_for_everything()
    {
        string[] drawers = ["Common", "Core", "Shared", "Helpers", "Utils", "Util", "Helper", "Misc"];
        Repository.FilesUnder("src")
            .Where(file => file.Split('/').Select(Path.GetFileNameWithoutExtension).Intersect(drawers, StringComparer.OrdinalIgnoreCase).Any())
            .ShouldBeEmpty();
    }

    [Fact]
    public void Every_project_of_the_product_and_its_tests_is_in_the_solution_and_what_it_names_is_there()
    {
        var listed = XDocument.Load(Repository.Absolute("Countersign.slnx")).Descendants("Project").Select(project => (string?)project.Attribute("Path") ?? "").ToList();
        Repository.Projects("src").Concat(Repository.Projects("tests")).Select(project => project.Path).Except(listed).ShouldBeEmpty();
        listed.Except(Repository.Files).ShouldBeEmpty();
        listed.Count.ShouldBe(listed.Distinct().Count());
    }

    private static IEnumerable<string> Forbidden(Project project) =>
        MayUse.TryGetValue(project.Name, out var allowed)
            ? project.Uses.Except(allowed).Select(used => $"{project.Path} uses {used}")
            : [$"{project.Path} is not in the table of who may use whom"];
}
