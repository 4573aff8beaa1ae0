using Countersign.Access;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Identity;
using Countersign.Ssh;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Vault;

public sealed class AccountVaultTests
{
    [Fact]
    public async Task What_is_stored_opens_and_is_replaced_by_what_is_stored_next()
    {
        await using var lab = await IdentityLab.StartAsync();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "first");
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "first"));
        await StoreAsync(lab, lab.Web, "root", CredentialKind.PrivateKey, "second");
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.PrivateKey, "second"));
        (await lab.OpenedAsync(lab.Web, "deploy")).ShouldBeNull();
        (await lab.OpenedAsync(lab.Mail, "root")).ShouldBeNull();
    }

    [Fact]
    public async Task A_ciphertext_opens_in_no_other_row_and_as_nothing_else()
    {
        await using var lab = await IdentityLab.StartAsync();
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "of web01 root");
        await StoreAsync(lab, lab.Web, "deploy", CredentialKind.Password, "of web01 deploy");
        await StoreAsync(lab, lab.Mail, "root", CredentialKind.Password, "of mail01 root");
        var stolen = (await RowsAsync(lab)).Single(row => row.Device == lab.Web.Id && row.Account == "root").Ciphertext;

        await OverwriteAsync(lab, row => row.Account == "deploy" || row.Device == lab.Mail.Id, row => row.Ciphertext = stolen);
        (await lab.OpenedAsync(lab.Web, "deploy")).ShouldBeNull();
        (await lab.OpenedAsync(lab.Mail, "root")).ShouldBeNull();
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBe((CredentialKind.Password, "of web01 root"));

        await OverwriteAsync(lab, row => row.Device == lab.Web.Id && row.Account == "root", row => row.Kind = CredentialKind.PrivateKey);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
        lab.Log.Lines.ShouldContain(line => line.Contains("does not open") && line.StartsWith("Error"));
    }

    [Fact]
    public async Task A_changed_ciphertext_does_not_open()
    {
        await using var lab = await IdentityLab.StartAsync();
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "secret");
        await OverwriteAsync(lab, _ => true, row => row.Ciphertext = [.. row.Ciphertext[..^1], (byte)(row.Ciphertext[^1] ^ 1)]);
        (await lab.OpenedAsync(lab.Web, "root")).ShouldBeNull();
    }

    [Fact]
    public async Task Another_host_and_whatever_changes_of_the_services_drops_the_secrets_and_another_name_does_not()
    {
        await using var lab = await IdentityLab.StartAsync();
        var (web, ssh) = (lab.Web, lab.WebSsh);
        RowChange[] elsewhere =
        [
            new(web, web with { Host = "192.0.2.2" }), new(ssh, ssh with { Port = 2022 }), new(ssh, ssh with { Pin = "ssh-ed25519 BBBB" }), new(ssh, ssh with { Pin = "" }),
            new(ssh, null), new(null, new DeviceServiceRow(web.Id, ServiceProtocol.Vnc, 5900, "")),
        ];
        foreach (var change in elsewhere)
        {
            await StoreAsync(lab, web, "root", CredentialKind.Password, "secret");
            await StoreAsync(lab, web, "deploy", CredentialKind.Password, "secret");
            await StoreAsync(lab, lab.Mail, "root", CredentialKind.Password, "secret");
            await DropAsync(lab, new(web, web with { Name = "other", Description = "other", Enabled = false }));
            (await RowsAsync(lab)).Count.ShouldBe(3);
            await DropAsync(lab, change);
            (await RowsAsync(lab)).ShouldHaveSingleItem().Device.ShouldBe(lab.Mail.Id);
        }

        (await lab.AuditAsync()).Count(record => record.Kind == "account.secrets-dropped" && record.SubjectId == web.Id.Value && record.Subject == "web01").ShouldBe(elsewhere.Length);
    }

    [Theory]
    [InlineData("pinned", 0)]
    [InlineData("firstUse", 1)]
    public async Task A_first_host_key_keeps_the_secrets_where_whoever_is_seen_first_is_believed(string trust, int left)
    {
        await using var lab = await IdentityLab.StartAsync();
        lab.Change(new SettingRow(SettingNode.Organization, SettingKind.HostKeyTrust, trust, 1));
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "secret");
        await DropAsync(lab, new(lab.WebSsh with { Pin = "" }, lab.WebSsh));
        (await RowsAsync(lab)).Count.ShouldBe(left);
        await DropAsync(lab, new(lab.WebSsh, lab.WebSsh with { Pin = "" }));
        (await RowsAsync(lab)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_first_certificate_drops_them_and_so_does_a_first_host_key_with_another_port_whoever_is_believed()
    {
        await using var lab = await IdentityLab.StartAsync();
        lab.Change(new SettingRow(SettingNode.Organization, SettingKind.HostKeyTrust, "firstUse", 1));
        var rdp = new DeviceServiceRow(lab.Web.Id, ServiceProtocol.Rdp, 3389, "");
        foreach (var change in (RowChange[])[new(rdp, rdp with { Pin = "sha256:" + new string('a', 64) }), new(lab.WebSsh with { Pin = "" }, lab.WebSsh with { Port = 2022 })])
        {
            await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "secret");
            await DropAsync(lab, change);
            (await RowsAsync(lab)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_secret_goes_with_its_account()
    {
        await using var lab = await IdentityLab.StartAsync();
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "secret");
        await StoreAsync(lab, lab.Web, "deploy", CredentialKind.Password, "secret");
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            (db, stop) => db.Set<DeviceAccountRow>().Where(row => row.Device == lab.Web.Id && row.Name == "deploy").ExecuteDeleteAsync(stop),
            IdentityLab.Stop);
        (await RowsAsync(lab)).ShouldHaveSingleItem().Account.ShouldBe("root");
    }

    [Fact]
    public async Task A_database_with_another_master_key_does_not_start()
    {
        await using var lab = await IdentityLab.StartAsync();
        await StoreAsync(lab, lab.Web, "root", CredentialKind.Password, "secret");
        using var other = MasterKey.Open(Directory.CreateDirectory(Path.Combine(lab.DataDirectory, "other")).FullName);
        using var vault = new AccountVault(
            other, lab.Get<AccountCertificates>(), lab.Get<PolicySource>(), lab.Get<Database>(), lab.Get<AuditLog>(), lab.Clock, Microsoft.Extensions.Logging.Abstractions.NullLogger<AccountVault>.Instance);
        (await Should.ThrowAsync<KeyFileException>(() => vault.CheckKeyAsync([lab.Organization], IdentityLab.Stop))).Message.ShouldContain("backup");
        await lab.Get<AccountVault>().CheckKeyAsync([lab.Organization], IdentityLab.Stop);
    }

    [Fact]
    public async Task The_front_door_has_the_same_keys_after_a_restart_in_files_for_the_server_alone()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        string[] first;
        using (var keys = HostKeys.Open(lab.DataDirectory)) first = [.. keys.Keys.Select(key => key.PublicKey.Fingerprint)];
        using (var keys = HostKeys.Open(lab.DataDirectory)) keys.Keys.Select(key => key.PublicKey.Fingerprint).ShouldBe(first);
        using (var keys = HostKeys.Open(lab.DataDirectory)) keys.Keys.Select(key => key.PublicKey.Type).ShouldBe(["ssh-ed25519", "ssh-rsa"]);
        if (OperatingSystem.IsWindows()) return;
        foreach (var file in Directory.GetFiles(lab.DataDirectory, "*key")) File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task A_host_key_file_that_is_no_key_stops_the_server_and_is_not_shown()
    {
        await using var lab = await IdentityLab.StartEmptyAsync();
        var file = Path.Combine(lab.DataDirectory, "ssh_host_ed25519_key");
        File.WriteAllText(file, "nonsense-that-must-not-be-shown");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var failure = Should.Throw<KeyFileException>(() => HostKeys.Open(lab.DataDirectory));
        failure.Message.ShouldContain(file);
        failure.ToString().ShouldNotContain("nonsense");
    }

    private static async Task StoreAsync(IdentityLab lab, DeviceRow device, string account, CredentialKind kind, string text)
    {
        using var secret = Secret.FromText(text);
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization, (db, stop) => lab.Get<AccountVault>().StoreAsync(db, lab.AsAnn, device, account, kind, secret, stop), IdentityLab.Stop);
    }

    private static async Task<List<AccountSecret>> RowsAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return await db.Set<AccountSecret>().AsNoTracking().ToListAsync(IdentityLab.Stop);
    }

    private static Task OverwriteAsync(IdentityLab lab, Func<AccountSecret, bool> which, Action<AccountSecret> change) => lab.Get<WriteQueue>().WriteAsync(
        lab.Organization,
        async (db, stop) =>
        {
            foreach (var row in (await db.Set<AccountSecret>().ToListAsync(stop)).Where(which)) change(row);
        },
        IdentityLab.Stop);

    private static Task DropAsync(IdentityLab lab, RowChange change) => lab.Get<WriteQueue>().WriteAsync(
        lab.Organization,
        (db, stop) => lab.Get<AccountVault>().DropWhereReachedElsewhereAsync(db, new(lab.Organization, 1, "test", [change]), stop),
        IdentityLab.Stop);
}
