namespace Countersign.Access.Tests;

/// <summary>How devices are recognized: what an organization may say, and what is pinned at a first connection.</summary>
public sealed class HostTrustTests
{
    private const string Key = "ssh-ed25519 AAAA";

    private readonly Sample _sample = new();
    private readonly PersonId _tina;

    public HostTrustTests()
    {
        _tina = _sample.Technician("tina");
        _sample.Grant(_tina, _sample.Web01, Permission.Terminal);
    }

    [Fact]
    public void Host_keys_are_pinned_beforehand_unless_a_master_administrator_says_otherwise()
    {
        _sample.Snapshot.HostTrust.Unpinned.ShouldBe(HostKeyTrust.Pinned);
        _sample.Snapshot.HostTrust.Authorities.ShouldBeEmpty();
        var admin = _sample.Technician("adam");
        _sample.Grant(admin, _sample.Web01, Permission.ModifyDevice, Permission.ManageSecurity);
        foreach (var setting in (SettingKind[])[SettingKind.HostKeyTrust, SettingKind.TrustedHostAuthorities])
        {
            Plan(new PolicyCommand.SetSetting(SettingNode.Organization, setting, setting == SettingKind.HostKeyTrust ? "firstUse" : Key), admin)
                .ShouldBe(new PlanResult.Forbidden("Only master administrators may change how devices are recognized."));
            Plan(new PolicyCommand.SetSetting(SettingNode.Of(_sample.Web01), setting, "firstUse"), _sample.Olga).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("setting");
        }

        _sample.Set(SettingNode.Organization, SettingKind.HostKeyTrust, "firstUse");
        _sample.Set(SettingNode.Organization, SettingKind.TrustedHostAuthorities, "ssh-rsa BBBB, ssh-ed25519 AAAA");
        _sample.Snapshot.HostTrust.Unpinned.ShouldBe(HostKeyTrust.FirstUse);
        _sample.Snapshot.HostTrust.Authorities.ShouldBe(["ssh-ed25519 AAAA", "ssh-rsa BBBB"]);
    }

    [Fact]
    public void A_first_key_is_pinned_for_whoever_sees_the_device_and_only_where_the_organization_trusts_it()
    {
        Plan(new PolicyCommand.PinHostKey(_sample.Web01, Key), _tina).ShouldBeOfType<PlanResult.Forbidden>();
        _sample.Set(SettingNode.Organization, SettingKind.HostKeyTrust, "firstUse");
        Plan(new PolicyCommand.PinHostKey(_sample.Web01, Key), _sample.Technician("nora")).ShouldBeOfType<PlanResult.NotFound>();
        Plan(new PolicyCommand.PinHostKey(_sample.Web01, ""), _tina).ShouldBeOfType<PlanResult.Invalid>().Field.ShouldBe("hostKey");
        var delta = Plan(new PolicyCommand.PinHostKey(_sample.Web01, Key), _tina).ShouldBeOfType<PlanResult.Planned>().Delta;
        var change = delta.Changes.ShouldHaveSingleItem();
        change.After.ShouldBe(((DeviceServiceRow)change.Before!) with { Pin = Key });
    }

    [Fact]
    public void A_key_that_is_pinned_is_not_replaced_by_one_that_is_seen()
    {
        _sample.Set(SettingNode.Organization, SettingKind.HostKeyTrust, "firstUse");
        _sample.Put(new DeviceServiceRow(_sample.Web01, ServiceProtocol.Ssh, 22, Key));
        Plan(new PolicyCommand.PinHostKey(_sample.Web01, "ssh-ed25519 BBBB"), _tina).ShouldBeOfType<PlanResult.Conflict>();
        Plan(new PolicyCommand.PinHostKey(_sample.Web01, Key), _sample.Olga).ShouldBeOfType<PlanResult.Conflict>();
    }

    private PlanResult Plan(PolicyCommand command, PersonId actor) => _sample.Snapshot.Plan(command, actor, Sample.Noon);
}
