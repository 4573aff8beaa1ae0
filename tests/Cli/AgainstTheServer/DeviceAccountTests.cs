using Countersign.Ssh;

namespace Countersign.Cli.AgainstTheServer;

/// <summary>What opens the accounts of a device.</summary>
public sealed class DeviceAccountTests : IAsyncLifetime
{
    private const string Secret = "planted-otter-lantern";

    private SignedIn _olga = null!;

    public async ValueTask InitializeAsync()
    {
        _olga = await SignedIn.StartAsync();
        await _olga.RunAsync(0, "device-groups", "add", "Servers");
        await _olga.RunAsync(0, "devices", "add", "web1", "--group", "Servers", "--host", "192.0.2.1", "--account", "root");
    }

    public ValueTask DisposeAsync() => _olga.DisposeAsync();

    [Fact]
    public async Task A_password_is_asked_for_or_read_and_never_shown()
    {
        _olga.Terminal.Secrets.Enqueue(Secret);
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "root");
        _olga.Output.ShouldBe("root at web1: it is opened by this password from now on.\n");
        _olga.Error.ShouldBe("Password of root at web1: What opened the account before is kept by nobody: this can't be taken back.\n");
        _olga.Terminal.Input = Secret + "\n";
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "deploy", "--password-stdin", "--json");
        ((string)_olga.Json["secret"]!, (bool)_olga.Json["default"]!).ShouldBe(("password", false));
        _olga.Output.ShouldNotContain(Secret);
        await _olga.RunAsync(0, "devices", "show", "web1");
        _olga.Output.ShouldContain("accounts: root, deploy\n");
    }

    [Fact]
    public async Task A_private_key_is_read_from_its_file_and_looked_at_first()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var text = key.Export();
        var file = _olga.Terminal.PathOf("id_deploy");
        await File.WriteAllTextAsync(file, text.ExposeText(), TestContext.Current.CancellationToken);
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "deploy", "--key", file);
        _olga.Output.ShouldBe("Added the account deploy at web1: it is opened by this key from now on.\n");
        _olga.Error.ShouldContain("policy undo");
        _olga.Terminal.Input = text.ExposeText();
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "deploy", "--key", "-", "--json");
        ((string)_olga.Json["secret"]!).ShouldBe("privateKey");

        await File.WriteAllTextAsync(file, key.PublicKey.ToString(), TestContext.Current.CancellationToken);
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "deploy", "--key", file);
        _olga.Error.ShouldContain("holds no private key that can be used");
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "deploy", "--key", file + ".missing");
    }

    [Fact]
    public async Task With_preview_no_secret_is_asked_for_or_sent()
    {
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "deploy", "--preview");
        _olga.Output.ShouldStartWith("Added the account deploy to web1. Stored a password that opens deploy on web1.\n  - added: device account web1 deploy\n");
        _olga.Error.ShouldBe("Nothing was changed.\n");
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "deploy", "--key", "nowhere", "--preview");
        _olga.Output.ShouldContain("Stored a private key that opens deploy on web1.");
        _olga.Terminal.Secrets.Enqueue(Secret);
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "root");
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "root", "--certificate", "--preview");
        _olga.Output.ShouldStartWith("Replaced what opens root on web1 by a certificate.\n");
        await _olga.RunAsync(0, "devices", "account", "remove", "web1", "root", "--preview");
        _olga.Output.ShouldStartWith("Removed the account root from web1. What opened it goes with it, and is kept by nobody.\n");
        _olga.Output.ShouldContain("  - removed: device account web1 root\n");
    }

    [Fact]
    public async Task An_account_is_opened_by_certificates_and_taken_off()
    {
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "root", "--certificate");
        _olga.Output.ShouldBe("root at web1: it is opened by certificates from now on.\n");
        await _olga.RunAsync(0, "devices", "account", "remove", "web1", "root");
        _olga.Output.ShouldBe("Removed root from web1.\n");
        await _olga.RunAsync(4, "devices", "account", "remove", "web1", "root");
    }

    [Fact]
    public async Task What_was_stored_is_removed_and_the_account_stays()
    {
        await _olga.RunAsync(4, "devices", "account", "forget", "web1", "root");
        _olga.Terminal.Secrets.Enqueue(Secret);
        await _olga.RunAsync(0, "devices", "account", "set", "web1", "root");
        await _olga.RunAsync(0, "devices", "account", "forget", "web1", "root");
        _olga.Output.ShouldBe("Nothing is stored any more that opens root at web1.\n");
        _olga.Error.ShouldContain("this can't be taken back");
        await _olga.RunAsync(4, "devices", "account", "forget", "web1", "root");
        await _olga.RunAsync(4, "devices", "account", "forget", "web2", "root");
        await _olga.RunAsync(0, "devices", "show", "web1");
        _olga.Output.ShouldContain("accounts: root\n");
    }

    [Fact]
    public async Task Nothing_is_sent_where_there_is_no_secret_or_two_are_named()
    {
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "root");
        _olga.Error.ShouldContain("No password was given.");
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "root", "--password-stdin");
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "root", "--password-stdin", "--certificate");
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "root", Secret);
        _olga.Terminal.CanAsk = false;
        await _olga.RunAsync(2, "devices", "account", "set", "web1", "root");
        _olga.Error.ShouldContain("--password-stdin");
    }
}
