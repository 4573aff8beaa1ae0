using System.Net;
using System.Text;
using Countersign.Access;
using Countersign.Ssh;

namespace Countersign.Server.Tests.Platform;

/// <summary>One of everything, fresh for each route, and for each route a call that the owner may make.</summary>
internal sealed class RouteStage
{
    public required Guid Person { get; init; }

    public required Guid Group { get; init; }

    public required Guid DeviceGroup { get; init; }

    public required Guid EmptyDeviceGroup { get; init; }

    public required Guid Device { get; init; }

    public required Guid Role { get; init; }

    public required Guid Grant { get; init; }

    public required Guid Workflow { get; init; }

    public required Guid ExternalGroup { get; init; }

    public required Guid Contact { get; init; }

    public required Guid Invited { get; init; }

    /// <summary>Of <see cref="Person"/>; made only where it is needed.</summary>
    public Guid Key { get; private set; }

    /// <summary>Made only where it is needed: there are at most 50.</summary>
    public Guid OwnersKey { get; private set; }

    /// <summary>Begun only where it is needed.</summary>
    public Guid Session { get; set; }

    /// <summary>The number of a request or of a change of policy; asked or made only where it is needed.</summary>
    public long Request { get; private set; }

    /// <summary>Made only where it is needed: there are at most 50.</summary>
    public Guid OwnersToken { get; private set; }

    /// <summary>Of <see cref="Person"/>; made only where it is needed.</summary>
    public Guid Token { get; private set; }

    /// <summary>Made only where it is needed.</summary>
    public Guid OwnersSignIn { get; private set; }

    /// <summary>Of <see cref="Person"/>; made only where it is needed.</summary>
    public Guid SignIn { get; private set; }

    /// <summary>Made only where it is needed.</summary>
    public Guid OwnersPasskey { get; private set; }

    /// <summary>Waits; made only where it is needed.</summary>
    public Guid Mail { get; private set; }

    /// <summary>The key before the newest of the authority; made only where it is needed.</summary>
    public Guid OldAuthority { get; private set; }

    public required string Unique { get; init; }

    public required RouteBranches Branches { get; init; }

    /// <summary>What tells of something that stands here, wherever it is shown.</summary>
    public IEnumerable<(string Name, string Value)> Names =>
    [
        ("a name", Unique), ("the person", $"{Person}"), ("the group", $"{Group}"), ("the device group", $"{DeviceGroup}"), ("the empty device group", $"{EmptyDeviceGroup}"),
        ("the device", $"{Device}"), ("the role", $"{Role}"), ("the grant", $"{Grant}"), ("the workflow", $"{Workflow}"), ("the external group", $"{ExternalGroup}"),
        ("the contact", $"{Contact}"), ("who is invited", $"{Invited}"), ("the branch of devices", $"{Branches.Devices}"), ("the branch of technicians", $"{Branches.Technicians}"),
    ];

    public static async Task<RouteStage> SetAsync(Tenant tenant, RouteBranches branches)
    {
        var unique = Guid.NewGuid().ToString("N")[..12];
        var person = await tenant.AddTechnicianAsync($"p{unique}", $"p{unique}@example.org");
        var invited = (await tenant.Owner.PostAsync("/api/v1/invitations", new { mail = "invited@example.org" })).Expect(HttpStatusCode.Created).Id;
        foreach (var member in (Guid[])[person, invited])
            (await tenant.Owner.PutAsync($"/api/v1/technician-groups/{branches.Technicians}/members/{member}")).Expect(HttpStatusCode.OK);
        var deviceGroup = await tenant.AddGroupAsync($"g{unique}", branches.Devices);
        var device = await tenant.AddDeviceAsync($"d{unique}", deviceGroup, "root", "deploy");
        var group = (await tenant.Owner.PostAsync("/api/v1/technician-groups", new { parent = branches.Technicians, name = unique })).Expect(HttpStatusCode.Created).Id;
        return new()
        {
            Unique = unique,
            Branches = branches,
            Person = person,
            Invited = invited,
            DeviceGroup = deviceGroup,
            Device = device,
            EmptyDeviceGroup = await tenant.AddGroupAsync($"e{unique}", branches.Devices),
            Group = group,
            ExternalGroup = (await tenant.Owner.PostAsync("/api/v1/external-groups", new { name = unique })).Expect(HttpStatusCode.Created).Id,
            Contact = (await tenant.Owner.PostAsync("/api/v1/contacts", new { name = "Contact", mail = $"c{unique}@example.org" })).Expect(HttpStatusCode.Created).Id,
            Workflow = (await tenant.Owner.PostAsync("/api/v1/workflows", NewWorkflow(group, deviceGroup))).Expect(HttpStatusCode.Created).Id,
            Role = (await tenant.Owner.PostAsync("/api/v1/roles", new { name = unique, purpose = "devicesAndGroups", permissions = new[] { "Terminal" } }))
                .Expect(HttpStatusCode.Created).Id,
            Grant = await tenant.GrantAsync(person, device, SystemRoles.OnlyDeviceConnection.Id),
        };
    }

    /// <summary>What only this route needs.</summary>
    public async Task PrepareAsync(Tenant tenant, string pattern)
    {
        OwnersKey = pattern == "/api/v1/me/keys/{id}" ? await AddKeyAsync(tenant) : default;
        Key = pattern == "/api/v1/technicians/{id}/keys/{key}" ? (await tenant.Owner.PostAsync($"/api/v1/technicians/{Person}/keys", NewKey())).Expect(HttpStatusCode.Created).Id : default;
        OwnersToken = pattern == "/api/v1/me/tokens/{id}" ? await AddTokenAsync(tenant) : default;
        OldAuthority = pattern is "/api/v1/ssh/ca/{id}" or "/api/v1/ssh/door-ca/{id}" ? await OldAuthorityAsync(tenant, pattern.Replace("/{id}", "", StringComparison.Ordinal)) : default;
        if (pattern.EndsWith("/rotate", StringComparison.Ordinal)) await RemoveOldAuthorityAsync(tenant, pattern.Replace("/rotate", "", StringComparison.Ordinal));
        OwnersPasskey = pattern.StartsWith("/api/v1/me/passkeys/{id}", StringComparison.Ordinal) ? await tenant.AddPasskeyAsync() : default;
        Mail = pattern.StartsWith("/api/v1/mail/", StringComparison.Ordinal) ? await tenant.AddMailAsync() : default;
        OwnersSignIn = pattern == "/api/v1/me/sign-ins/{id}" ? await tenant.AddSignInAsync(tenant.OwnerId) : default;
        Token = pattern == "/api/v1/technicians/{id}/tokens/{token}" ? await tenant.AddTokenAsync(new(Person)) : default;
        SignIn = pattern == "/api/v1/technicians/{id}/sign-ins/{signIn}" ? await tenant.AddSignInAsync(new(Person)) : default;
        Session = pattern.StartsWith("/api/v1/sessions/", StringComparison.Ordinal) ? await tenant.BeginSessionAsync(Unique) : default;
        if (pattern.StartsWith("/api/v1/recordings/", StringComparison.Ordinal)) Session = await tenant.RecordSessionAsync(Person, $"d{Unique}");
        if (pattern == "/api/v1/audit/erase") (await tenant.Owner.PostAsync($"/api/v1/technicians/{Person}/disable")).Expect(HttpStatusCode.OK);
        if (pattern == "/api/v1/devices/{id}/accounts/{name}/secret")
            (await tenant.Owner.PutAsync($"/api/v1/devices/{Device}/accounts/deploy", new { password = "secret" })).Expect(HttpStatusCode.OK);
        if (pattern.Contains("{number}", StringComparison.Ordinal)) await AskAsync(tenant, pattern);
    }

    /// <summary>A request that the owner may do that with.</summary>
    private async Task AskAsync(Tenant tenant, string pattern)
    {
        if (pattern.Contains("/changes/", StringComparison.Ordinal))
        {
            Request = (await tenant.Owner.PatchAsync($"/api/v1/devices/{Device}", new { description = $"before {Unique}" })).Expect(HttpStatusCode.OK).Version;
            return;
        }

        if (pattern.EndsWith("/extension", StringComparison.Ordinal))
        {
            await tenant.GrantAsync(Person, Device, SystemRoles.AcceptsAccessRequests.Id);
            Request = (await tenant.Owner.PostAsync("/api/v1/requests", Body("POST", "/api/v1/requests"))).Expect(HttpStatusCode.Created).Items[0].GetProperty("number").GetInt64();
            (await tenant.As(Person).PostAsync($"/api/v1/requests/{Request}/approve")).Expect(HttpStatusCode.OK);
            return;
        }

        (await tenant.Owner.PutAsync($"/api/v1/settings/devices/{Device}/managerialApproval", new { value = "required" })).Expect(HttpStatusCode.OK);
        Request = await tenant.AskAsync(pattern.EndsWith("/cancel", StringComparison.Ordinal) ? tenant.OwnerId.Value : Person, Device);
        if (pattern.EndsWith("{number}", StringComparison.Ordinal))
        {
            // What is read is read on the stage of all that is read: connections to the device go on without approval.
            (await tenant.Owner.DeleteAsync($"/api/v1/settings/devices/{Device}/managerialApproval")).Expect(HttpStatusCode.OK);
        }

        if (pattern.EndsWith("/revoke", StringComparison.Ordinal)) (await tenant.Owner.PostAsync($"/api/v1/requests/{Request}/approve")).Expect(HttpStatusCode.OK);
    }

    private static async Task<Guid> OldAuthorityAsync(Tenant tenant, string path)
    {
        // There are two at most: whoever was here before may have made the second one.
        await tenant.Owner.PostAsync($"{path}/rotate");
        return (await tenant.Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Body.GetProperty("authorities")[1].GetProperty("id").GetGuid();
    }

    private static async Task RemoveOldAuthorityAsync(Tenant tenant, string path)
    {
        foreach (var old in (await tenant.Owner.GetAsync(path)).Expect(HttpStatusCode.OK).Body.GetProperty("authorities").EnumerateArray().Skip(1))
            (await tenant.Owner.DeleteAsync($"{path}/{old.GetProperty("id").GetGuid()}")).Expect(HttpStatusCode.OK);
    }

    private static async Task<Guid> AddTokenAsync(Tenant tenant) =>
        (await tenant.Owner.PostAsync("/api/v1/me/tokens", new { label = "old", scopes = new[] { "read" } })).Expect(HttpStatusCode.Created).Id;

    private static async Task<Guid> AddKeyAsync(Tenant tenant) => (await tenant.Owner.PostAsync("/api/v1/me/keys", NewKey())).Expect(HttpStatusCode.Created).Id;

    public string Path(string method, string pattern)
    {
        var id = (method, pattern) switch
        {
            ("DELETE", "/api/v1/device-groups/{id}") => EmptyDeviceGroup,
            (_, "/api/v1/me/keys/{id}") => OwnersKey,
            (_, "/api/v1/me/tokens/{id}") => OwnersToken,
            (_, "/api/v1/me/passkeys/{id}" or "/api/v1/me/passkeys/{id}/remove") => OwnersPasskey,
            _ when pattern.StartsWith("/api/v1/mail/", StringComparison.Ordinal) => Mail,
            (_, "/api/v1/me/sign-ins/{id}") => OwnersSignIn,
            (_, "/api/v1/technicians/{id}/invitation") => Invited,
            (_, "/api/v1/ssh/ca/{id}" or "/api/v1/ssh/door-ca/{id}") => OldAuthority,
            _ when pattern.StartsWith("/api/v1/technicians/", StringComparison.Ordinal) => Person,
            _ when pattern.StartsWith("/api/v1/technician-groups/", StringComparison.Ordinal) => Group,
            _ when pattern.StartsWith("/api/v1/external-groups/", StringComparison.Ordinal) => ExternalGroup,
            _ when pattern.Contains("/device-groups/", StringComparison.Ordinal) => DeviceGroup,
            _ when pattern.Contains("/devices/", StringComparison.Ordinal) => Device,
            _ when pattern.StartsWith("/api/v1/workflows/", StringComparison.Ordinal) => Workflow,
            _ when pattern.StartsWith("/api/v1/roles/", StringComparison.Ordinal) => Role,
            _ when pattern.StartsWith("/api/v1/sessions/", StringComparison.Ordinal) || pattern.StartsWith("/api/v1/recordings/", StringComparison.Ordinal) => Session,
            _ when pattern.StartsWith("/api/v1/grants/", StringComparison.Ordinal) => Grant,
            _ => Guid.Empty,
        };
        var path = pattern
            .Replace("{id}", $"{id}", StringComparison.Ordinal)
            .Replace("{number}", $"{Request}", StringComparison.Ordinal)
            .Replace("{person}", $"{(pattern.StartsWith("/api/v1/external-groups/", StringComparison.Ordinal) ? Contact : Person)}", StringComparison.Ordinal)
            .Replace("{key}", $"{Key}", StringComparison.Ordinal)
            .Replace("{token}", $"{Token}", StringComparison.Ordinal)
            .Replace("{signIn}", $"{SignIn}", StringComparison.Ordinal)
            .Replace("{permission}", "Terminal", StringComparison.Ordinal)
            .Replace("{setting}", "recording", StringComparison.Ordinal)
            .Replace("{name}", "deploy", StringComparison.Ordinal);
        path.ShouldNotContain('{');
        return pattern switch
        {
            "/api/v1/explain" => $"{path}?person=p{Unique}&device=d{Unique}",
            "/api/v1/who-can" => $"{path}?device=d{Unique}",
            _ => path,
        };
    }

    /// <summary>Anew for each caller: logins and keys are unique on the server.</summary>
    public object? Body(string method, string pattern) => (method, pattern.Replace("/api/v1", "", StringComparison.Ordinal)) switch
    {
        ("POST", "/technicians") => new { kind = "technician", login = $"n{Guid.NewGuid():N}", name = "New" },
        ("POST", "/contacts") => new { name = "New", mail = $"n{Unique}@example.org" },
        ("POST", "/invitations") => new { mail = "new@example.org" },
        ("POST", "/technicians/{id}/invitation") => new { },
        ("POST", "/technicians/{id}/ownership") => new { password = "none" },
        ("POST", "/technicians/{id}/keys" or "/me/keys") => NewKey(),
        ("PATCH", "/me") => new { name = $"Called {Unique}" },
        ("POST", "/me/tokens") => new { label = "new", scopes = new[] { "read" } },
        ("POST", "/me/certificate") => new { key = NewPublicKey() },
        ("POST", "/me/password") => new { current = "none", @new = "correct-zebra-battery-42" },
        ("POST", "/technicians/{id}/password/first") => new { password = "correct-zebra-battery-42" },
        ("POST", "/me/passkeys/options" or "/me/passkeys/{id}/remove") => new { password = "none" },
        ("POST", "/me/passkeys") => new
        {
            ceremony = "none",
            label = "new",
            credential = new { id = "AA", rawId = "AA", type = "public-key", response = new { clientDataJSON = "AA", attestationObject = "AA" } },
        },
        ("POST", "/me/two-factor/enrol") => new { password = "none" },
        ("POST", "/me/two-factor/confirm") => new { code = "000000" },
        ("POST", "/me/two-factor/codes" or "/me/two-factor/disable") => new { password = "none", code = "000000" },
        ("POST", "/devices/bulk") => new { devices = new[] { Device }, action = "tag", tags = new[] { $"t{Unique}" } },
        ("POST", "/devices/import") => new SentBytes(Encoding.UTF8.GetBytes($"group,name,host\r\n{RouteBranches.Name}/g{Unique},i{Unique},192.0.2.8\r\n"), "text/csv"),
        ("POST", "/devices/host-key") => new { host = "127.0.0.1", port = 1 },
        ("PUT", "/devices/{id}/accounts/{name}") => new { password = "secret" },
        ("POST", "/requests") => new { devices = new[] { Device }, time = new { kind = "fromApproval", duration = "1h" } },
        ("POST", "/requests/{number}/extension") => new { duration = "1h" },
        ("POST", "/requests/{number}/approve") => new { comment = "fine" },
        ("POST", "/requests/{number}/reject" or "/requests/{number}/revoke") => new { reason = "no" },
        ("POST", "/audit/erase") => new { person = Person, fields = new[] { "actorLogin" }, reason = "asked for", preview = true },
        ("POST", "/sessions/{id}/end") => new { reason = "maintenance" },
        ("POST", "/technician-groups") => new { parent = Branches.Technicians, name = $"new {Unique}" },
        ("POST", "/device-groups") => new { name = $"new {Unique}" },
        ("POST", "/devices") => new { group = DeviceGroup, name = $"n{Unique}", host = "192.0.2.7", services = new[] { new { protocol = "ssh", port = 22 } }, accounts = new[] { "root" } },
        ("POST", "/roles") => new { name = $"new {Unique}", purpose = "devicesAndGroups", permissions = new[] { "Terminal" } },
        ("POST", "/grants") => new
        {
            subject = new { kind = "person", id = Person },
            scope = new { kind = "allDevices" },
            role = SystemRoles.OnlyDeviceConnection.Id.Value,
        },
        ("PATCH", "/technicians/{id}" or "/technician-groups/{id}" or "/device-groups/{id}" or "/roles/{id}" or "/external-groups/{id}") => new { name = $"changed {Unique}" },
        ("POST", "/workflows") => NewWorkflow(Group, EmptyDeviceGroup),
        ("PATCH", "/me/passkeys/{id}") => new { label = $"changed {Unique}" },
        ("PATCH", "/workflows/{id}") => new { name = $"changed {Unique}" },
        ("PATCH", "/devices/{id}") => new { description = "changed" },
        ("PATCH", "/grants/{id}") => new { accounts = new { rule = "any" } },
        ("POST", "/external-groups") => new { name = $"new {Unique}" },
        ("PUT", "/technician-groups/{id}/approved-external-groups") => new { groups = new[] { ExternalGroup } },
        ("PUT", "/technician-groups/{id}/permissions/{permission}") => new { value = "deny", locked = true },
        ("PUT", _) or ("POST", _) when pattern.Contains("{setting}", StringComparison.Ordinal) => new { value = "required" },
        _ => null,
    };

    private static object NewWorkflow(Guid group, Guid devices) => new { group, devices, name = "Careful", steps = new[] { new { approvers = new[] { new { kind = "deviceApprovers" } } } } };

    private static object NewKey() => new { label = "laptop", key = NewPublicKey() };

    private static string NewPublicKey()
    {
        using var key = SshPrivateKey.Generate(SshKeyKind.Ed25519);
        return key.PublicKey.ToString();
    }
}
