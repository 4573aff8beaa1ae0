using System.Net;
using System.Text.Json.Nodes;

namespace Countersign.Server.Tests.Identity.Passkeys;

/// <summary>The same with a real browser: what it sends, and what it makes of what it is sent.</summary>
public sealed class BrowserPasskeyTests
{
    private const string Calls = """
        const call = async (path, body) => {
          const answer = await fetch('/api/v1/' + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
          if (!answer.ok) throw new Error(path + ' ' + answer.status + ' ' + await answer.text());
          return answer.status === 204 ? null : answer.json();
        };
        const sign = async asked => {
          const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
          const credential = (await navigator.credentials.get({ publicKey })).toJSON();
          return call('sign-in/passkey', { ceremony: asked.ceremony, credential, as: 'cookie' });
        };
        """;

    [Fact]
    public async Task A_real_browser_adds_a_passkey_and_signs_in_with_it_alone_and_after_the_password()
    {
        await using var lab = await IdentityLab.StartAsync(address: "http://localhost/");

        // The browser has a clock of its own, by which cookies end.
        lab.Clock.Advance(TimeProvider.System.GetUtcNow() - lab.Clock.GetUtcNow());
        await using var browser = await Chromium.StartAsync(lab.Server.HttpAddress);
        await browser.OpenAsync("http://localhost/join");
        await browser.TellAsync("WebAuthn.enable", []);
        await browser.TellAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new JsonObject
            {
                ["protocol"] = "ctap2",
                ["transport"] = "internal",
                ["hasResidentKey"] = true,
                ["hasUserVerification"] = true,
                ["isUserVerified"] = true,
                ["automaticPresenceSimulation"] = true,
            },
        });

        var added = await browser.RunAsync($$"""
            {{Calls}}
            await call('sign-in', { login: 'tom', password: '{{IdentityLab.Password}}', as: 'cookie' });
            const asked = await call('me/passkeys/options', { password: '{{IdentityLab.Password}}' });
            const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.publicKey);
            const credential = (await navigator.credentials.create({ publicKey })).toJSON();
            const made = await call('me/passkeys', { ceremony: asked.ceremony, label: 'browser', credential });
            await call('sign-out', {});
            return made.passkey.label + ' ' + made.recoveryCodes.length;
            """);
        added.ShouldBe("browser 10");

        (await browser.RunAsync($"{Calls} return (await sign(await call('sign-in/passkey/options', {{}}))).person.login;")).ShouldBe("tom");
        (await browser.RunAsync("const me = await (await fetch('/api/v1/me')).json(); return me.signIn;")).ShouldBe("twoFactor");
        (await browser.RunAsync($$"""
            {{Calls}}
            const first = await call('sign-in', { login: 'tom', password: '{{IdentityLab.Password}}', as: 'cookie' });
            return (await sign(await call('sign-in/passkey/options', { ticket: first.ticket }))).person.login;
            """)).ShouldBe("tom");
        (await lab.AuditAsync()).Where(record => record.Kind == "sign-in.succeeded").Select(record => JsonNode.Parse(record.Details)!["method"]!.GetValue<string>())
            .ShouldBe(["password", "passkey", "password and passkey"]);
    }

    [Fact]
    public async Task A_server_without_a_name_has_no_passkeys_and_says_so()
    {
        foreach (var address in (string[])["http://127.0.0.1/", "http://gate.example.org/", "https://[::1]/"])
        {
            await using var lab = await IdentityLab.StartAsync(address: address);
            (await lab.AskToAddAsync(await lab.TokenOfAsync("tom"))).Status.ShouldBe(HttpStatusCode.Conflict, address);
            (await lab.AskToSignInAsync()).Json["detail"]!.GetValue<string>().ShouldContain("--public");
        }
    }
}
