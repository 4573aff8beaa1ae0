using Countersign.Cli.Api;

namespace Countersign.Cli;

public sealed class ServerAddressTests
{
    [Theory]
    [InlineData("https://gate.example.org", "https://gate.example.org/")]
    [InlineData("gate.example.org", "https://gate.example.org/")]
    [InlineData("gate.example.org:8443", "https://gate.example.org:8443/")]
    [InlineData("https://gate.example.org/remote", "https://gate.example.org/remote/")]
    [InlineData("http://localhost:8080", "http://localhost:8080/")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://127.9.9.9/", "http://127.9.9.9/")]
    [InlineData("http://[::1]:8080", "http://[::1]:8080/")]
    public void An_address_is_https_or_this_machine(string text, string root)
    {
        ServerAddress.Parse(text).TryGet(out var address, out _).ShouldBeTrue();
        address!.Root.AbsoluteUri.ShouldBe(root);
    }

    [Theory]
    [InlineData("http://gate.example.org")]
    [InlineData("http://10.0.0.1")]
    [InlineData("http://0.0.0.0")]
    [InlineData("http://[::]")]
    [InlineData("http://localhost.example.org")]
    [InlineData("http://127.0.0.1.example.org")]
    [InlineData("http://localhost@gate.example.org")]
    [InlineData("http://2130706433.example.org")]
    public void Plain_http_to_another_machine_is_refused(string text)
    {
        ServerAddress.Parse(text).TryGet(out _, out var failure).ShouldBeFalse();
        failure!.ExitCode.ShouldBe(2);
    }

    [Theory]
    [InlineData("")]
    [InlineData("https://")]
    [InlineData("ftp://gate.example.org")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://anna:secret@gate.example.org")]
    [InlineData("https://gate.example.org?x=1")]
    [InlineData("https://gate.example.org#x")]
    [InlineData("two words")]
    public void What_is_no_address_is_refused(string text)
    {
        ServerAddress.Parse(text).TryGet(out _, out var failure).ShouldBeFalse();
        failure!.ExitCode.ShouldBe(2);
    }
}
