namespace Countersign.Access.Tests;

/// <summary>What a device is spoken to by: one service of a protocol, each with its port and what it has to show.</summary>
public sealed class DeviceServiceTests
{
    private const string Key = "ssh-ed25519 AAAA";
    private static readonly string _hash = string.Concat(Enumerable.Repeat("0123456789abcdef", 4));
    private static readonly string _certificate = "sha256:" + _hash;

    private readonly Sample _sample = new();

    private PolicySnapshot Policy => _sample.Snapshot;

    [Fact]
    public void A_device_is_added_with_its_services_each_at_its_usual_port_unless_another_is_given()
    {
        var id = new DeviceId(_sample.Next());
        var after = Apply(new PolicyCommand.AddDevice(id, _sample.Servers, "db01", "", "192.0.2.1", [])
        {
            Services = [new(ServiceProtocol.Https, 8443, Certificate: _certificate), new(ServiceProtocol.Vnc), new(ServiceProtocol.Ssh, HostKey: Key), new(ServiceProtocol.Rdp), new(ServiceProtocol.Http)],
        });
        after.ServicesOf(id).ShouldBe(
        [
            new(id, ServiceProtocol.Ssh, 22, Key), new(id, ServiceProtocol.Rdp, 3389, ""), new(id, ServiceProtocol.Vnc, 5900, ""), new(id, ServiceProtocol.Http, 80, ""),
            new(id, ServiceProtocol.Https, 8443, _certificate),
        ]);
        after.Endpoint(id, ServiceProtocol.Https)!.Service.Port.ShouldBe(8443);
    }

    [Fact]
    public void A_device_may_have_none()
    {
        var id = new DeviceId(_sample.Next());
        Apply(new PolicyCommand.AddDevice(id, _sample.Servers, "db01", "", "192.0.2.1", ["root"])).ServicesOf(id).ShouldBeEmpty();
        Apply(Edit([])).Endpoint(_sample.Web01, ServiceProtocol.Ssh).ShouldBeNull();
    }

    [Fact]
    public void What_a_wish_leaves_out_stays_and_a_service_that_is_left_out_goes()
    {
        Put(new(ServiceProtocol.Ssh, 2022, Key), new(ServiceProtocol.Rdp, Certificate: _certificate), new(ServiceProtocol.Vnc));
        var delta = Planned(Edit([new(ServiceProtocol.Ssh), new(ServiceProtocol.Rdp, 3390)]));
        delta.Changes.ShouldBe(
        [
            new(new DeviceServiceRow(_sample.Web01, ServiceProtocol.Vnc, 5900, ""), null),
            new(new DeviceServiceRow(_sample.Web01, ServiceProtocol.Rdp, 3389, _certificate), new DeviceServiceRow(_sample.Web01, ServiceProtocol.Rdp, 3390, _certificate)),
        ]);
        Policy.Apply(delta).ServicesOf(_sample.Web01).ShouldBe([new(_sample.Web01, ServiceProtocol.Ssh, 2022, Key), new(_sample.Web01, ServiceProtocol.Rdp, 3390, _certificate)]);
        Planned(Edit([new(ServiceProtocol.Ssh, HostKey: ""), new(ServiceProtocol.Rdp), new(ServiceProtocol.Vnc)])).Changes.ShouldHaveSingleItem().After
            .ShouldBe(new DeviceServiceRow(_sample.Web01, ServiceProtocol.Ssh, 2022, ""));
    }

    [Fact]
    public void Single_services_are_put_and_removed_beside_the_others()
    {
        Put(new ServiceWish(ServiceProtocol.Rdp));
        Put(new ServiceWish(ServiceProtocol.Ssh, 2022));
        Policy.ServicesOf(_sample.Web01).Select(service => (service.Protocol, service.Port)).ShouldBe([(ServiceProtocol.Ssh, 2022), (ServiceProtocol.Rdp, 3389)]);
        Do(Planned(new PolicyCommand.EditDevice(_sample.Web01) { RemovedServices = [ServiceProtocol.Ssh, ServiceProtocol.Https] }));
        Policy.ServicesOf(_sample.Web01).ShouldHaveSingleItem().Protocol.ShouldBe(ServiceProtocol.Rdp);
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_beside_it()
    {
        (ServiceWish Wish, string Field)[] wrong =
        [
            (new(default), "services[0].protocol"), (new((ServiceProtocol)6), "services[0].protocol"), (null!, "services[0].protocol"),
            (new(ServiceProtocol.Rdp, 0), "services[0].port"), (new(ServiceProtocol.Rdp, 65536), "services[0].port"), (new(ServiceProtocol.Rdp, -1), "services[0].port"),
            (new(ServiceProtocol.Rdp, HostKey: Key), "services[0].hostKey"), (new(ServiceProtocol.Ssh, Certificate: _certificate), "services[0].certificate"),
            (new(ServiceProtocol.Ssh, HostKey: "nonsense"), "services[0].hostKey"), (new(ServiceProtocol.Https, Certificate: _hash), "services[0].certificate"),
            (new(ServiceProtocol.Https, Certificate: _certificate[..^1]), "services[0].certificate"), (new(ServiceProtocol.Https, Certificate: _certificate[..^1] + "g"), "services[0].certificate"),
            (new(ServiceProtocol.Vnc, Certificate: _certificate), "services[0].certificate"), (new(ServiceProtocol.Http, HostKey: Key), "services[0].hostKey"),
        ];
        foreach (var (wish, field) in wrong) Invalid(Edit([wish])).ShouldBe([field], $"{wish}");
        Invalid(Edit([new(ServiceProtocol.Ssh), new(ServiceProtocol.Ssh, 0), new(ServiceProtocol.Rdp, Certificate: "x")])).ShouldBe(["services[1].protocol", "services[1].port", "services[2].certificate"]);
        Invalid(Edit([.. Enumerable.Repeat(new ServiceWish(ServiceProtocol.Ssh), 6)])).ShouldBe(["services"]);
    }

    [Fact]
    public void A_certificate_may_be_written_as_tools_print_it()
    {
        var printed = "SHA256:" + string.Join(':', _hash.ToUpperInvariant().Chunk(2).Select(pair => new string(pair)));
        Apply(Edit([new(ServiceProtocol.Rdp, Certificate: $" {printed} ")])).ServicesOf(_sample.Web01).ShouldHaveSingleItem().Pin.ShouldBe(_certificate);
    }

    [Fact]
    public void Whoever_may_change_the_device_changes_its_services_and_nobody_else_does()
    {
        var (tom, ida, nora) = (_sample.Technician("tom"), _sample.Technician("ida"), _sample.Technician("nora"));
        _sample.Grant(tom, _sample.Web01, Permission.ModifyDevice);
        _sample.Grant(ida, _sample.Web01, Permission.Terminal);
        var delta = Policy.Plan(Edit([]), tom, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;
        Policy.Plan(Edit([]), ida, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>();
        Policy.Plan(Edit([]), nora, Sample.Noon).ShouldBeOfType<PlanResult.NotFound>();

        // And takes it back by the same right.
        Do(delta);
        var undo = new PolicyCommand.Undo(delta, new HashSet<RowKey>());
        Policy.Plan(undo, ida, Sample.Noon).ShouldBeOfType<PlanResult.Forbidden>();
        Policy.Plan(undo, tom, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta.Changes.ShouldHaveSingleItem().After.ShouldBe(new DeviceServiceRow(_sample.Web01, ServiceProtocol.Ssh, 22, ""));
    }

    [Fact]
    public void A_service_that_was_changed_since_is_not_undone()
    {
        var delta = Planned(Edit([new(ServiceProtocol.Ssh, 2022)]));
        Do(delta);
        Put(new ServiceWish(ServiceProtocol.Ssh, 2222));
        Policy.Plan(new PolicyCommand.Undo(delta, new HashSet<RowKey>()), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>().Message.ShouldBe("The device web01 was changed since.");
    }

    [Fact]
    public void A_deleted_device_comes_back_with_its_services()
    {
        Put(new ServiceWish(ServiceProtocol.Vnc, 5901));
        var before = Policy.ServicesOf(_sample.Web01);
        var delta = Planned(new PolicyCommand.DeleteDevice(_sample.Web01));
        Do(delta);
        Policy.All<DeviceServiceRow>().ShouldNotContain(row => row.Device == _sample.Web01);
        Do(Planned(new PolicyCommand.Undo(delta, new HashSet<RowKey>())));
        Policy.ServicesOf(_sample.Web01).ShouldBe(before);
    }

    [Fact]
    public void Rows_that_can_not_be_make_no_snapshot()
    {
        DeviceServiceRow[] wrong =
        [
            new(_sample.Web01, (ServiceProtocol)9, 22, ""), new(_sample.Web01, ServiceProtocol.Rdp, 0, ""), new(_sample.Web01, ServiceProtocol.Rdp, 65536, ""),
            new(_sample.Web01, ServiceProtocol.Rdp, 3389, Key), new(_sample.Web01, ServiceProtocol.Vnc, 5900, _certificate), new(_sample.Web01, ServiceProtocol.Https, 443, _certificate.ToUpperInvariant()),
            new(new(_sample.Next()), ServiceProtocol.Ssh, 22, ""),
        ];
        var rows = Policy.All<PolicyRow>().ToList();
        foreach (var row in wrong)
        {
            Should.Throw<PolicyException>(() => PolicySnapshot.Compile(Policy.Organization, 1, [.. rows, row]), $"{row}").Message.ShouldStartWith("DeviceService ");
            Should.Throw<PolicyException>(() => Policy.Apply(new(Policy.Organization, Policy.Version, "", [new(null, row)])), $"{row}");
        }

        Should.Throw<PolicyException>(() => PolicySnapshot.Compile(Policy.Organization, 1, [.. rows, new DeviceServiceRow(_sample.Web01, ServiceProtocol.Ssh, 23, "")])).Message.ShouldContain("two rows");
    }

    [Fact]
    public void Devices_are_found_by_a_protocol_and_by_whoever_may_know_it_by_a_port()
    {
        var (tom, nora) = (_sample.Technician("tom"), _sample.Technician("nora"));
        _sample.Grant(tom, _sample.Web01, Permission.Terminal);
        Put(new ServiceWish(ServiceProtocol.Rdp, 3390));
        (Found(_sample.Olga, "service:RDP"), Found(_sample.Olga, "service:rd"), Found(_sample.Olga, "service:2"), Found(_sample.Olga, "service:vnc")).ShouldBe(("web01", "", "", ""));
        (Found(_sample.Olga, "port:3390 service:ssh"), Found(_sample.Olga, "port:339"), Found(_sample.Olga, "port:+3390"), Found(_sample.Olga, "port:x")).ShouldBe(("web01", "", "", ""));
        (Found(tom, "service:rdp"), Found(tom, "port:3390")).ShouldBe(("web01", ""));
        Found(nora, "service:rdp").ShouldBeEmpty();
    }

    [Fact]
    public void Each_protocol_has_a_port_a_pin_and_permissions_that_connect_by_it()
    {
        foreach (var protocol in ServiceProtocols.All)
        {
            ServiceProtocols.UsualPort(protocol).ShouldBeInRange(1, 65535);
            ServiceProtocols.ConnectedBy(protocol).IsEmpty.ShouldBeFalse();
            ServiceProtocols.TryParse(ServiceProtocols.Word(protocol), out var read).ShouldBeTrue();
            read.ShouldBe(protocol);
            ServiceProtocols.TryPin(protocol, "", out _, out _).ShouldBeTrue();
        }
    }

    private PolicyCommand.EditDevice Edit(IReadOnlyList<ServiceWish> services) => new(_sample.Web01) { Services = services };

    private void Put(params ServiceWish[] services) => Do(Planned(new PolicyCommand.EditDevice(_sample.Web01) { PutServices = services }));

    private PolicyDelta Planned(PolicyCommand command) => Policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta;

    private void Do(PolicyDelta delta)
    {
        foreach (var change in delta.Changes)
        {
            if (change.After is { } row) _sample.Put(row);
            else _sample.Remove(change.Key);
        }
    }

    private PolicySnapshot Apply(PolicyCommand command) => Policy.Apply(Planned(command));

    private IEnumerable<string> Invalid(PolicyCommand command)
    {
        var invalid = Policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Invalid>();
        return new[] { invalid }.Concat(invalid.Others).Select(one => one.Field);
    }

    private string Found(PersonId person, string search)
    {
        DeviceQuery.TryParse(search, out var query, out _).ShouldBeTrue();
        return string.Join(' ', Policy.Search(person, query, Sample.Noon).Select(device => device.Name));
    }
}
