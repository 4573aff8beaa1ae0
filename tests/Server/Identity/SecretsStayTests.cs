using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Vault;
using Countersign.Ssh;
using Countersign.Tests;

namespace Countersign.Server.Tests.Identity;

/// <summary>Secrets are planted wherever the API takes them, and then looked for wherever the server writes.</summary>
public sealed class SecretsStayTests
{
    private const string NewPassword = "planted-new-password-orchid";
    private const string WrongPassword = "planted-wrong-password-orchid";
    private const string FirstPassword = "planted-first-password-orchid";
    private const string AccountPassword = "planted-account-password-orchid";

    [Fact]
    public async Task No_secret_is_in_the_files_the_log_the_audit_records_or_an_error()
    {
        await using var post = await MailServer.StartAsync();
        await using var lab = await IdentityLab.StartAsync(mail: post.Options, with: options => options with { SelfRegistration = true });
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var keyText = key.Export();
        // The first and last lines of every key are alike; its middle is its own.
        var keyMiddle = keyText.ExposeText().Split('\n')[3];
        var refusals = new List<Answer>();
        var token = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Json["token"]!.GetValue<string>();
        var cookie = await CookieAsync(lab);
        var links = await LinksAsync(lab, post, refusals);
        var ceremony = await CeremonyAsync(lab, token, refusals);
        var authorities = await AuthoritiesAsync(lab);
        refusals.Add(await lab.SignInAsync("tom", WrongPassword));
        refusals.Add(await lab.SignInAsync(WrongPassword, WrongPassword));
        refusals.Add(await lab.SendAsync(HttpMethod.Get, "me", token: made[..^1] + "!"));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "sign-in", new JsonObject { ["login"] = "tom", ["password"] = WrongPassword, ["surprise"] = WrongPassword }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "sign-in", new JsonObject { ["login"] = "tom", ["password"] = new JsonArray(WrongPassword) }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "me/keys", new JsonObject { ["label"] = "x", ["key"] = keyText.ExposeText() }, token));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = WrongPassword, ["new"] = NewPassword }, token));
        (await lab.SendAsync(HttpMethod.Post, "me/password", new JsonObject { ["current"] = IdentityLab.Password, ["new"] = NewPassword }, token)).Status.ShouldBe(HttpStatusCode.NoContent);
        var app = await lab.EnrolAsync("ann");
        refusals.Add(await lab.SendCodeAsync(app.RecoveryCodes[0], app.RecoveryCodes[0]));
        var ticket = (await lab.SignInAsync("ann", IdentityLab.Password)).Json["ticket"]!.GetValue<string>();
        var spent = app.RecoveryCodes[1];
        (await lab.SendCodeAsync(ticket, spent)).Status.ShouldBe(HttpStatusCode.OK);
        refusals.Add(await lab.SendCodeAsync(ticket, spent));
        refusals.Add(await lab.SendAsync(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/root", new JsonObject { ["password"] = AccountPassword, ["privateKey"] = keyText.ExposeText() }, token));
        refusals.Add(await lab.SendAsync(HttpMethod.Put, $"devices/{lab.Web.Id}/accounts/root", new JsonObject { ["privateKey"] = keyText.ExposeText()[..^60] }, token));
        await StoreAsync(lab, "root", CredentialKind.Password, AccountPassword);
        await StoreAsync(lab, "deploy", CredentialKind.PrivateKey, keyText.ExposeText());
        foreach (var account in (string[])["root", "deploy"])
        {
            using var opened = await lab.OpenAsync(lab.Web, account);
            opened.ShouldNotBeNull().ToString().ShouldContain("[secret]");
        }

        lab.Clock.Advance(TimeSpan.FromMinutes(1));
        await lab.Get<Server.Platform.RepeatedRefusals>().FlushAsync(IdentityLab.Stop);

        string[] secrets = [.. authorities, cookie, cookie["cst_".Length..], .. links, ceremony, FirstPassword, MailServer.Password, IdentityLab.Password, NewPassword, WrongPassword, AccountPassword, token, made, keyMiddle, token["cst_".Length..], made["cst_".Length..],
            app.SecretText, Convert.ToHexString(app.Secret), Convert.ToHexStringLower(app.Secret), ticket, spent, app.RecoveryCodes[2], app.RecoveryCodes[2].Replace("-", "").ToUpperInvariant()];
        lab.Log.Lines.Count.ShouldBeGreaterThan(100);
        (await lab.AuditAsync()).Count.ShouldBeGreaterThan(5);
        await NowhereAsync(lab, secrets, refusals);
        foreach (var file in FilesOf(lab)) (await BytesAsync(file)).AsSpan().IndexOf(app.Secret).ShouldBe(-1, file);
    }

    [Fact]
    public async Task The_token_that_sets_a_server_up_is_in_no_file_log_or_error()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var token = lab.Get<OrganizationSetup>().IssueToken()!;
        var wanted = new JsonObject { ["organization"] = "Acme", ["login"] = "tom", ["name"] = "Tom", ["mail"] = "tom@example.org", ["password"] = "short" };
        wanted["token"] = token;
        var refusals = new List<Answer> { await lab.SendAsync(HttpMethod.Post, "setup", wanted) };
        wanted["password"] = IdentityLab.Password;
        wanted["login"] = new JsonArray(token);
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "setup", wanted));
        wanted["login"] = "tom";
        (await lab.SendAsync(HttpMethod.Post, "setup", wanted)).Status.ShouldBe(HttpStatusCode.OK);
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "setup", wanted));
        await NowhereAsync(lab, [token, IdentityLab.Password], refusals);
    }

    private static async Task NowhereAsync(IdentityLab lab, string[] secrets, List<Answer> refusals)
    {
        secrets.ShouldAllBe(secret => secret.Length > 5);
        refusals.ShouldAllBe(answer => (int)answer.Status >= 400);
        foreach (var secret in secrets)
        {
            refusals.ShouldAllBe(answer => !answer.Text.Contains(secret));
            lab.Log.Lines.ShouldAllBe(line => !line.Contains(secret));
        }

        lab.Log.Lines.Count.ShouldBeGreaterThan(20);
        var files = FilesOf(lab);
        files.ShouldContain(file => file.EndsWith("countersign.db"));
        foreach (var file in files)
        {
            var bytes = await BytesAsync(file);
            foreach (var secret in secrets)
            {
                bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)).ShouldBe(-1, file);
                bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(secret)).ShouldBe(-1, file);
            }

            // What may be there is there: the search does find things.
            if (file.EndsWith("countersign.db-wal")) bytes.AsSpan().IndexOf("tom@example.org"u8).ShouldBeGreaterThan(0);
        }
    }

    /// <summary>The lock is empty, and .NET does not open it a second time.</summary>
    private static List<string> FilesOf(IdentityLab lab) =>
        [.. Directory.GetFiles(lab.DataDirectory, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock")];

    private static async Task<byte[]> BytesAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[stream.Length];
        await stream.ReadExactlyAsync(bytes, IdentityLab.Stop);
        return bytes;
    }

    /// <summary>What a passkey is asked for with, tried with one that is none.</summary>
    private static async Task<string> CeremonyAsync(IdentityLab lab, string token, List<Answer> refusals)
    {
        var ceremony = (await lab.SendAsync(HttpMethod.Post, "me/passkeys/options", new JsonObject { ["password"] = IdentityLab.Password }, token)).Json["ceremony"]!.GetValue<string>();
        JsonObject Made(JsonNode shown) => new()
        {
            ["ceremony"] = shown,
            ["label"] = "x",
            ["credential"] = new JsonObject { ["id"] = "AA", ["rawId"] = "AA", ["type"] = "public-key", ["response"] = new JsonObject { ["clientDataJSON"] = "AA", ["attestationObject"] = "AA" } },
        };
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "me/passkeys", Made(ceremony), token));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "me/passkeys", Made(new JsonArray(ceremony)), token));
        return ceremony;
    }

    private static async Task<string> CookieAsync(IdentityLab lab)
    {
        using var handler = new SocketsHttpHandler { UseCookies = false };
        using var http = new HttpClient(handler) { BaseAddress = lab.Http.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Post, "sign-in") { Content = JsonContent.Create(new { login = "tom", password = IdentityLab.Password, @as = "cookie" }) };
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var answer = await http.SendAsync(request, IdentityLab.Stop);
        return answer.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().Split(';')[0].Split('=', 2)[1];
    }

    /// <summary>Tokens of mailed links that are good, and have been tried with what they are not good with. Somebody is added with a first password.</summary>
    private static async Task<string[]> LinksAsync(IdentityLab lab, MailServer post, List<Answer> refusals)
    {
        var ann = await lab.TokenOfAsync("ann");
        (await lab.SendAsync(HttpMethod.Post, "technicians", new JsonObject { ["kind"] = "technician", ["login"] = "theo", ["name"] = "Theo", ["password"] = FirstPassword }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "technicians", new JsonObject { ["kind"] = "technician", ["login"] = "theo", ["name"] = "Theo", ["password"] = FirstPassword }, ann));
        (await lab.SendAsync(HttpMethod.Post, "invitations", new JsonObject { ["mail"] = "eve@example.org" }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        var invitation = await LinkAsync(post, "/join#");
        (await lab.SendAsync(HttpMethod.Post, $"technicians/{lab.Kim.Id}/password/reset", token: ann)).Status.ShouldBe(HttpStatusCode.OK);
        var reset = await LinkAsync(post, "/new-password#");
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = invitation, ["login"] = "tom", ["password"] = NewPassword }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "new-password", new JsonObject { ["token"] = invitation, ["password"] = NewPassword }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "new-password", new JsonObject { ["token"] = reset, ["password"] = "short" }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = new JsonArray(reset), ["login"] = reset }));
        (await lab.SendAsync(HttpMethod.Post, "contacts", new JsonObject { ["name"] = "Carl", ["mail"] = "carl@customer.example" }, ann)).Status.ShouldBe(HttpStatusCode.Created);
        (await lab.SendAsync(HttpMethod.Post, "sign-in/link", new JsonObject { ["mail"] = "carl@customer.example" })).Status.ShouldBe(HttpStatusCode.Accepted);
        var contact = await LinkAsync(post, "/contact#");
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "join", new JsonObject { ["token"] = contact, ["login"] = "carl", ["password"] = NewPassword }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "sign-in/link/use", new JsonObject { ["token"] = new JsonArray(contact) }));
        var wanted = new JsonObject { ["organization"] = "New", ["login"] = "rita", ["name"] = "Rita", ["mail"] = "rita@new.example", ["password"] = NewPassword };
        (await lab.SendAsync(HttpMethod.Post, "registrations", wanted)).Status.ShouldBe(HttpStatusCode.Accepted);
        var registration = await LinkAsync(post, "/register#");
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "registrations/use", new JsonObject { ["token"] = registration, ["login"] = "tom" }));
        refusals.Add(await lab.SendAsync(HttpMethod.Post, "registrations/use", new JsonObject { ["token"] = new JsonArray(registration) }));
        return [invitation, reset, contact, registration];
    }

    private static async Task<string> LinkAsync(MailServer post, string page)
    {
        while (true)
        {
            var mail = await post.NextAsync();
            if (mail.Text.Contains(page, StringComparison.Ordinal)) return mail.Token;
        }
    }

    /// <summary>The middles of the authorities' private keys, as they are sealed.</summary>
    private static async Task<IReadOnlyList<string>> AuthoritiesAsync(IdentityLab lab)
    {
        var middles = new List<string>();
        using var envelope = new Envelope(lab.Get<MasterKey>(), "ssh-authority");
        foreach (var purpose in Enum.GetValues<AuthorityPurpose>())
        {
            var row = (await lab.Get<SshAuthorities>().ListAsync(lab.Organization, purpose, IdentityLab.Stop)).ShouldHaveSingleItem();
            using var text = envelope.Open(row.Ciphertext, row.OrganizationId.Value.ToByteArray(bigEndian: true), row.Id.ToByteArray(bigEndian: true), [(byte)purpose]);
            middles.Add(text.ExposeText().Split('\n')[3]);
        }

        return middles;
    }

    private static async Task StoreAsync(IdentityLab lab, string account, CredentialKind kind, string text)
    {
        using var secret = Secret.FromText(text);
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization, (db, stop) => lab.Get<AccountVault>().StoreAsync(db, lab.AsAnn, lab.Web, account, kind, secret, stop), IdentityLab.Stop);
    }
}
