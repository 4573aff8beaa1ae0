using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Vault;
using Countersign.Ssh;

namespace Countersign.Server.Tests.Identity;

/// <summary>Secrets are planted wherever the API takes them, and then looked for wherever the server writes.</summary>
public sealed class SecretsStayTests
{
    private const string NewPassword = "planted-new-password-orchid";
    private const string WrongPassword = "planted-wrong-password-orchid";
    private const string AccountPassword = "planted-account-password-orchid";

    [Fact]
    public async Task No_secret_is_in_the_files_the_log_the_audit_records_or_an_error()
    {
        await using var lab = await IdentityLab.StartAsync();
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        using var keyText = key.Export();
        // The first and last lines of every key are alike; its middle is its own.
        var keyMiddle = keyText.ExposeText().Split('\n')[3];
        var refusals = new List<Answer>();
        var token = await lab.TokenOfAsync("tom");
        var made = (await lab.SendAsync(HttpMethod.Post, "me/tokens", new JsonObject { ["label"] = "x", ["scopes"] = new JsonArray("read") }, token)).Json["token"]!.GetValue<string>();
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

        string[] secrets = [IdentityLab.Password, NewPassword, WrongPassword, AccountPassword, token, made, keyMiddle, token["cst_".Length..], made["cst_".Length..],
            app.SecretText, Convert.ToHexString(app.Secret), Convert.ToHexStringLower(app.Secret), ticket, spent, app.RecoveryCodes[2], app.RecoveryCodes[2].Replace("-", "").ToUpperInvariant()];
        refusals.ShouldAllBe(answer => (int)answer.Status >= 400);
        foreach (var secret in secrets)
        {
            refusals.ShouldAllBe(answer => !answer.Text.Contains(secret));
            lab.Log.Lines.ShouldAllBe(line => !line.Contains(secret));
        }

        lab.Log.Lines.Count.ShouldBeGreaterThan(100);
        (await lab.AuditAsync()).Count.ShouldBeGreaterThan(5);
        var files = Directory.GetFiles(lab.DataDirectory, "*", SearchOption.AllDirectories);
        files.ShouldContain(file => file.EndsWith("countersign.db"));
        foreach (var file in files)
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[stream.Length];
            await stream.ReadExactlyAsync(bytes, IdentityLab.Stop);
            foreach (var secret in secrets)
            {
                bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)).ShouldBe(-1, file);
                bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(secret)).ShouldBe(-1, file);
            }

            bytes.AsSpan().IndexOf(app.Secret).ShouldBe(-1, file);

            // What may be there is there: the search does find things.
            if (file.EndsWith("countersign.db-wal")) bytes.AsSpan().IndexOf("tom@example.org"u8).ShouldBeGreaterThan(0);
        }
    }

    private static async Task StoreAsync(IdentityLab lab, string account, CredentialKind kind, string text)
    {
        using var secret = Secret.FromText(text);
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization, (db, stop) => lab.Get<AccountVault>().StoreAsync(db, lab.AsAnn, lab.Web, account, kind, secret, stop), IdentityLab.Stop);
    }
}
