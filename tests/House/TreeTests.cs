using System.Xml.Linq;

namespace Countersign.House;

public sealed class TreeTests
{
    private const long MostBytes = 1024 * 1024;

    [Fact]
    public void No_file_is_larger_than_one_mebibyte() =>
        Repository.Files.Where(file => new FileInfo(Repository.Absolute(file)).Length > MostBytes).ShouldBeEmpty();

    [Fact]
    public void No_private_key_is_in_the_tree() =>
        Repository.Files.Where(file => SourceRules.HoldsAPrivateKey(Repository.Text(file)).Any()).ShouldBeEmpty();

    [Theory]
    [InlineData("OPENSSH ")]
    [InlineData("RSA ")]
    [InlineData("EC ")]
    [InlineData("")]
    public void A_private_key_is_found(string kind)
    {
        var body = new string('A', 64);
        SourceRules.HoldsAPrivateKey($"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n").ShouldHaveSingleItem();
        SourceRules.HoldsAPrivateKey($"\"-----BEGIN {kind}PRIVATE KEY-----\\n\" +\n    \"{body}\"").ShouldHaveSingleItem();
        SourceRules.HoldsAPrivateKey($"throw new FormatException(\"-----BEGIN {kind}PRIVATE KEY----- is missing\")").ShouldBeEmpty();
    }

    [Fact]
    public void Every_package_is_explained_in_the_documentation()
    {
        var packages = XDocument.Load(Repository.Absolute("Directory.Packages.props")).Descendants("PackageVersion")
            .Select(package => (string?)package.Attribute("Include") ?? "").ToList();
        packages.ShouldNotBeEmpty();
        var documented = Repository.Text("docs/dependencies.md").Split('\n')
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]);
        documented.Order(StringComparer.Ordinal).ShouldBe(packages.Order(StringComparer.Ordinal));
    }
}
