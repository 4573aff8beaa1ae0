using System.Net;
using System.Text.Json.Nodes;
using Countersign.Access;

namespace Countersign.Server.Tests.Api;

/// <summary>An id of another organization, in a body or behind one of one's own, is answered like one that is nobody's, and changes nothing.</summary>
public sealed class ForeignIdTests : FeatureTests
{
    private Tenant _other = null!;

    private Guid _group;

    private Guid _device;

    private Guid _person;

    private Guid _role;

    private Guid _support;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _other = await Tenant.FoundAsync(Running, "umbrella");
        _group = await _other.AddGroupAsync("Theirs");
        _device = await _other.AddDeviceAsync("theirs", _group);
        _person = await _other.AddTechnicianAsync("wesker");
        _role = (await _other.Owner.PostAsync("/api/v1/roles", new { name = "Theirs", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } })).Expect(HttpStatusCode.Created).Id;
        _support = (await Owner.PostAsync("/api/v1/technician-groups", new { parent = Tenant.Everyone, name = "Support" })).Expect(HttpStatusCode.Created).Id;
    }

    [Fact]
    public async Task An_id_of_another_organization_is_like_one_that_is_nobodys()
    {
        var (acme, umbrella) = (Tenant.Policy.Version, _other.Policy.Version);
        var connect = SystemRoles.OnlyDeviceConnection.Id.Value;
        (string What, string Method, Guid Theirs, Func<Guid, (string Path, object? Body)> Request)[] requests =
        [
            ("whom a grant is for", "POST", _person, id => ("grants", Grant("person", id, "device", Web1, connect))),
            ("which group a grant is for", "POST", _other.Everyone, id => ("grants", Grant("technicianGroup", id, "device", Web1, connect))),
            ("the device of a grant", "POST", _device, id => ("grants", Grant("person", Ann, "device", id, connect))),
            ("the device group of a grant", "POST", _group, id => ("grants", Grant("person", Ann, "deviceGroup", id, connect))),
            ("the role of a grant", "POST", _role, id => ("grants", Grant("person", Ann, "device", Web1, id))),
            ("the group of a new device", "POST", _group, id => ("devices", new { group = id, name = "new", host = "192.0.2.9", services = new[] { new { protocol = "ssh" } }, accounts = new[] { "root" } })),
            ("where a device is moved", "PATCH", _group, id => ($"devices/{Web1}", new { group = id })),
            ("the parent of a new device group", "POST", _group, id => ("device-groups", new { name = "new", parent = id })),
            ("the parent of a new technician group", "POST", _other.Everyone, id => ("technician-groups", new { name = "new", parent = id })),
            ("whom a workflow is of", "POST", _other.Everyone, id => ("workflows", Workflow(id, Clients))),
            ("what a workflow is for", "POST", _group, id => ("workflows", Workflow(_support, id))),
            ("one of many devices", "POST", _device, id => ("devices/bulk", new { devices = new[] { Web1, id }, action = "disable" })),
            ("where many devices are moved", "POST", _group, id => ("devices/bulk", new { devices = new[] { Web1 }, action = "move", group = id })),
            ("a member", "PUT", _person, id => ($"technician-groups/{_support}/members/{id}", null)),
            ("a manager", "PUT", _person, id => ($"technician-groups/{_support}/managers/{id}", null)),
            ("an administrator", "PUT", _person, id => ($"technician-groups/{_support}/administrators/{id}", null)),
            ("somebody who is taken out of a group", "DELETE", _person, id => ($"technician-groups/{_support}/members/{id}", null)),
            ("a device that a request is for", "POST", _device, id => ("requests", new { devices = new[] { id }, time = new { kind = "fromApproval", duration = "1h" } })),
        ];
        foreach (var (what, method, theirs, request) in requests)
        {
            var nobodys = Guid.NewGuid();
            var (asked, missing) = (await SendAsync(method, request(theirs)), await SendAsync(method, request(nobodys)));
            ((int)missing.Status).ShouldBeInRange(400, 499, what);
            asked.Status.ShouldBe(missing.Status, what);
            Plain(asked, theirs).ShouldBe(Plain(missing, nobodys), what);
        }

        (Tenant.Policy.Version, _other.Policy.Version).ShouldBe((acme, umbrella));
    }

    private Task<ApiAnswer> SendAsync(string method, (string Path, object? Body) request) => Owner.SendAsync(new(method), $"/api/v1/{request.Path}", request.Body);

    private static object Grant(string subject, Guid whom, string scope, Guid what, Guid role) => new { subject = new { kind = subject, id = whom }, scope = new { kind = scope, id = what }, role };

    private static object Workflow(Guid group, Guid devices) => new { group, devices, name = "Careful", steps = new[] { new { approvers = new[] { new { kind = "deviceApprovers" } } } } };

    /// <summary>Without what names the one request, and the id that was sent.</summary>
    private static string Plain(ApiAnswer answer, Guid sent)
    {
        var body = JsonNode.Parse(answer.Text)!.AsObject();
        body.Remove("traceId");
        return body.ToJsonString().Replace(sent.ToString(), "SENT", StringComparison.Ordinal);
    }
}
