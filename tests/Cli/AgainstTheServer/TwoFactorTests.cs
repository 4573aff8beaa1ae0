using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Identity.Passkeys;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Cli.AgainstTheServer;

public sealed class TwoFactorTests : IAsyncLifetime
{
    private readonly FakeTerminal _terminal = new() { CanAsk = true };
    private LiveServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await LiveServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _terminal.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_second_factor_is_set_up_asked_for_and_taken_away()
    {
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
        await RunAsync(0, ["two-factor", "status"]);
        _terminal.Output.ShouldBe("Off. Set it up: countersign two-factor enable\n");
        var recovery = await EnableAsync();
        await RunAsync(0, ["two-factor", "status"]);
        _terminal.Output.ShouldStartWith("On: an app since ");
        _terminal.Output.ShouldEndWith(", 10 recovery codes left.\n");
        await RunAsync(0, ["whoami"]);
        _terminal.Output.ShouldContain("Signed in with: two factors\n");

        await RunAsync(1, ["login", "olga"], LiveServer.Password, "000000");
        _terminal.Error.ShouldContain("The code is wrong");
        await RunAsync(0, ["login", "olga"], LiveServer.Password, recovery[0]);
        _terminal.Input = $"{LiveServer.Password}\n{recovery[1]}\n";
        await RunAsync(0, ["login", "--password-stdin", "olga"]);
        _terminal.Input = LiveServer.Password + "\n";
        await RunAsync(2, ["login", "--password-stdin", "olga"]);
        _terminal.Error.ShouldContain("the code on the second");

        await RunAsync(0, ["two-factor", "codes"], LiveServer.Password, recovery[2]);
        var renewed = CodesIn(_terminal.Error);
        renewed.Count.ShouldBe(10);
        await RunAsync(1, ["two-factor", "disable"], LiveServer.Password, recovery[3]);
        await RunAsync(0, ["two-factor", "disable"], LiveServer.Password, renewed[0]);
        await RunAsync(0, ["login", "olga"], LiveServer.Password);
    }

    [Fact]
    public async Task Passkeys_are_listed_renamed_and_removed()
    {
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
        await RunAsync(0, ["passkeys", "list"]);
        _terminal.Error.ShouldStartWith("You have no passkey here.");
        var id = await AddPasskeyAsync();
        await RunAsync(0, ["passkeys", "rename", id, "blue stick"]);
        _terminal.Output.ShouldBe("It is called blue stick.\n");
        await RunAsync(1, ["passkeys", "rename", id, " "]);
        _terminal.Error.ShouldContain("label: ");
        await RunAsync(0, ["passkeys", "list"]);
        _terminal.Output.ShouldContain("blue stick");
        await RunAsync(0, ["two-factor", "status"]);
        _terminal.Output.ShouldStartWith("On: a passkey, ");
        await RunAsync(1, ["passkeys", "remove", id], "wrong");
        _terminal.Error.ShouldContain("This is not the password.");
        await RunAsync(0, ["passkeys", "remove", id], LiveServer.Password);
        _terminal.Output.ShouldBe($"Removed {id}. Your other sign-ins have ended.\n");
        await RunAsync(4, ["passkeys", "remove", id], LiveServer.Password);
        _terminal.CanAsk = false;
        await RunAsync(2, ["passkeys", "remove", id]);
    }

    [Fact]
    public async Task On_a_terminal_the_secret_is_drawn_as_well()
    {
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
        _terminal.IsTerminal = true;
        await RunAsync(2, ["two-factor", "enable"], LiveServer.Password);
        _terminal.Error.Split('\n').Count(line => line.Contains('█')).ShouldBeGreaterThan(15);
        _terminal.Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task Sign_ins_are_listed_and_ended()
    {
        using var other = new FakeTerminal { CanAsk = true };
        other.Secrets.Enqueue(LiveServer.Password);
        (await other.RunAsync("login", "--server", _server.Address, "olga")).ShouldBe(0, other.Error);
        await RunAsync(0, ["login", "--server", _server.Address, "olga"], LiveServer.Password);
        await RunAsync(0, ["signins", "list"]);
        _terminal.Output.ShouldContain("token (this)");
        _terminal.Output.ShouldContain("countersign-cli/");
        await RunAsync(0, ["signins", "list", "--json"]);
        using var list = JsonDocument.Parse(_terminal.Output);
        var items = list.RootElement.GetProperty("items").EnumerateArray().ToList();
        items.Count.ShouldBe(3);
        var id = items.Single(item => item.GetProperty("label").GetString() == "set-up").GetProperty("id").GetString()!;
        await RunAsync(0, ["signins", "end", id]);
        await RunAsync(4, ["signins", "end", id]);
        await RunAsync(0, ["signins", "end", "--others"]);
        (await other.RunAsync("whoami")).ShouldBe(3);
        await RunAsync(0, ["whoami"]);
        await RunAsync(2, ["signins", "end"]);
        await RunAsync(2, ["signins", "end", id, "--others"]);
    }

    /// <summary>One of olga's that nobody can sign in with, as if a browser had added it in her sign-ins.</summary>
    private async Task<string> AddPasskeyAsync()
    {
        var policy = _server.Services.GetRequiredService<PolicySource>().All.Single();
        var row = new Passkey
        {
            OrganizationId = policy.Organization,
            Id = Guid.NewGuid(),
            Person = policy.All<PersonRow>().Single(person => person.Login == "olga").Id,
            CredentialId = [1, 2, 3],
            PublicKey = [4],
            Label = "browser",
            SignCount = 0,
            BackupEligible = false,
            BackedUp = false,
            Added = TimeProvider.System.GetUtcNow(),
        };
        await _server.Services.GetRequiredService<WriteQueue>().WriteAsync(
            policy.Organization,
            (db, stop) =>
            {
                db.Add(row);
                return db.Set<ApiToken>().ExecuteUpdateAsync(set => set.SetProperty(token => token.Strength, SignInStrength.TwoFactor), stop);
            },
            TestContext.Current.CancellationToken);
        return row.Id.ToString();
    }

    /// <summary>The app sees the secret once it is shown, which is when the code is asked for.</summary>
    private async Task<IReadOnlyList<string>> EnableAsync()
    {
        _terminal.Secrets.Enqueue(LiveServer.Password);
        _terminal.Answering = shown => Now(shown.Split('\n').Single(line => line.StartsWith("  ", StringComparison.Ordinal)).Trim());
        (await _terminal.RunAsync("two-factor", "enable")).ShouldBe(0, _terminal.Error);
        _terminal.Answering = null;
        _terminal.Output.ShouldStartWith("From now on you sign in with a code, too.");
        var codes = CodesIn(_terminal.Error);
        codes.Count.ShouldBe(10);
        return codes;
    }

    private async Task RunAsync(int exit, string[] arguments, params string[] secrets)
    {
        _terminal.Secrets.Clear();
        foreach (var secret in secrets) _terminal.Secrets.Enqueue(secret);
        (await _terminal.RunAsync(arguments)).ShouldBe(exit, _terminal.Error);
    }

    private static IReadOnlyList<string> CodesIn(string shown) =>
        [.. shown.Split('\n').Where(line => line.StartsWith("  ", StringComparison.Ordinal) && line.Count(character => character == '-') == 3).Select(line => line.Trim())];

    private static string Now(string secret)
    {
        var bits = string.Concat(secret.Select(character => Convert.ToString(Base32.Alphabet.IndexOf(character), 2).PadLeft(5, '0')));
        return Totp.Code([.. bits.Chunk(8).Select(chunk => Convert.ToByte(new string(chunk), 2))], Totp.StepAt(TimeProvider.System.GetUtcNow()));
    }
}
