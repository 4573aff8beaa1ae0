using System.Net;
using System.Text.Json;
using Countersign.Access;
using Countersign.Server.Platform;

namespace Countersign.Server.Tests.Platform;

/// <summary>In which every stage stands, so that rights over it are given once.</summary>
/// <param name="Devices">A device group: all device groups and devices of a stage are below it.</param>
/// <param name="Technicians">A technician group: the people of a stage are in it, the group is below it.</param>
internal sealed record RouteBranches(Guid Devices, Guid Technicians)
{
    /// <summary>Of both.</summary>
    public const string Name = "branch";

    public static async Task<RouteBranches> AddAsync(Tenant tenant) => new(await tenant.AddGroupAsync(Name), await AddGroupAsync(tenant, Name));

    public static async Task<Guid> AddGroupAsync(Tenant tenant, string name) =>
        (await tenant.Owner.PostAsync("/api/v1/technician-groups", new { parent = tenant.Everyone, name })).Expect(HttpStatusCode.Created).Id;
}

/// <summary>A technician who holds these permissions and nothing else.</summary>
internal sealed record RightHolder(string Name, ApiCaller Caller, PersonId Person, RolePurpose Purpose, PermissionSet Permissions);

/// <summary>One of each kind.</summary>
internal sealed class RouteCallers
{
    public const string Anonymous = "anonymous";
    public const string Disabled = "disabled";
    public const string Invited = "invited";
    public const string OtherOwner = "owner of another organization";
    public const string Nobody = "technician without rights";
    public const string Contact = "contact";
    public const string Auditor = "auditor";
    public const string AdministratorElsewhere = "administrator of another branch";
    public const string Administrator = "administrator of the branch";
    public const string Reading = "owner's token for reading";
    public const string Program = "owner's token for a program that reads devices";
    public const string OtherPage = "owner's browser on a page elsewhere";
    public const string Browser = "owner's browser";
    public const string Owner = "owner";

    private static readonly PermissionSet PlayingNeeds = PermissionSet.Of(Permission.ConnectionHistory, Permission.PlayRecordings);
    private static readonly PermissionSet DeletingNeeds = PermissionSet.Of(Permission.ConnectionHistory, Permission.DeleteRecordings);
    private static readonly PermissionSet Connecting = PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups) & PermissionCatalogue.Connections;

    /// <summary>In the order of the table's columns: whoever may do more comes later.</summary>
    public required IReadOnlyList<(string Name, ApiCaller Caller)> Kinds { get; init; }

    /// <summary>
    /// Technicians who hold one right and nothing else: those for <em>Administration</em> over the team, those that are no connections over the branch.
    /// The recording of a session whose history one may not see is not there: with it, those two rights once more. Of the rights to connect, and of those for
    /// <em>Invitations</em>, no route asks for one: each of these lots has a holder of all of them.
    /// </summary>
    public required IReadOnlyList<RightHolder> ByRight { get; init; }

    public static async Task<RouteCallers> AddAsync(RunningServer running, Tenant tenant, Tenant other, RouteBranches branches)
    {
        var contact = (await tenant.Owner.PostAsync("/api/v1/contacts", new { name = "Contact", mail = "contact@example.org" })).Expect(HttpStatusCode.Created).Id;
        return new()
        {
            Kinds =
            [
                (Anonymous, running.Anybody),
                (Disabled, tenant.As(await AddDisabledAsync(tenant))),
                (Invited, tenant.As(await AddInvitedAsync(tenant))),
                (OtherOwner, other.Owner),
                (Nobody, tenant.As(await tenant.AddTechnicianAsync("nobody"))),
                (Contact, tenant.As(contact)),
                (Auditor, tenant.As(await AddOverTeamAsync(tenant, "auditor", SystemRoles.Auditor.Id))),
                (AdministratorElsewhere, tenant.As(await AddAdministratorAsync(tenant, "elsewhere", await RouteBranches.AddGroupAsync(tenant, "elsewhere")))),
                (Administrator, tenant.As(await AddAdministratorAsync(tenant, "administrator", branches.Technicians))),
                (Reading, tenant.As(tenant.OwnerId.Value, TokenScopes.Read)),
                (Program, tenant.AsProgram(TokenScopes.DevicesRead)),
                (OtherPage, tenant.AsBrowser("cross-site")),
                (Browser, tenant.AsBrowser("same-origin")),
                (Owner, tenant.Owner),
            ],
            ByRight =
            [
                .. await AddEachAsync(tenant, RolePurpose.Administration, OneByOne(PermissionCatalogue.AllowedFor(RolePurpose.Administration)), new { kind = "team" }),
                .. await AddEachAsync(tenant, RolePurpose.DevicesAndGroups, DeviceRights(), new { kind = "deviceGroup", id = branches.Devices }),
                .. await AddEachAsync(tenant, RolePurpose.Invitations, [("every right of Invitations", PermissionCatalogue.AllowedFor(RolePurpose.Invitations))], new { kind = "quickSupport" }),
            ],
        };
    }

    /// <summary>Had they a say, it would be one in everything.</summary>
    private static async Task<Guid> AddDisabledAsync(Tenant tenant)
    {
        var person = await AddOverTeamAsync(tenant, "disabled", SystemRoles.TeamAdministrator.Id);
        (await tenant.Owner.PostAsync($"/api/v1/technicians/{person}/disable")).Expect(HttpStatusCode.OK);
        return person;
    }

    /// <summary>There is no way to a token for them; if there were one, it would open nothing.</summary>
    private static async Task<Guid> AddInvitedAsync(Tenant tenant)
    {
        var person = (await tenant.Owner.PostAsync("/api/v1/invitations", new { mail = "ahead@example.org" })).Expect(HttpStatusCode.Created).Id;
        await tenant.GrantTeamAsync(person, SystemRoles.TeamAdministrator.Id);
        return person;
    }

    private static async Task<Guid> AddOverTeamAsync(Tenant tenant, string login, RoleId role)
    {
        var person = await tenant.AddTechnicianAsync(login);
        await tenant.GrantTeamAsync(person, role);
        return person;
    }

    private static async Task<Guid> AddAdministratorAsync(Tenant tenant, string login, Guid group)
    {
        var person = await tenant.AddTechnicianAsync(login);
        (await tenant.Owner.PutAsync($"/api/v1/technician-groups/{group}/administrators/{person}")).Expect(HttpStatusCode.OK);
        return person;
    }

    private static async Task<List<RightHolder>> AddEachAsync(Tenant tenant, RolePurpose purpose, IEnumerable<(string Name, PermissionSet Permissions)> rights, object scope)
    {
        var holders = new List<RightHolder>();
        foreach (var (name, permissions) in rights)
        {
            var person = await tenant.AddTechnicianAsync($"r{Guid.NewGuid():N}");
            var wanted = new { name = $"only {name}", purpose = JsonNamingPolicy.CamelCase.ConvertName($"{purpose}"), permissions = permissions.Select(permission => $"{permission}") };
            var role = (await tenant.Owner.PostAsync("/api/v1/roles", wanted)).Expect(HttpStatusCode.Created).Id;
            (await tenant.Owner.PostAsync("/api/v1/grants", new { subject = new { kind = "person", id = person }, scope, role })).Expect(HttpStatusCode.Created);
            holders.Add(new(name, tenant.As(person), new(person), purpose, permissions));
        }

        return holders;
    }

    private static IEnumerable<(string Name, PermissionSet Permissions)> OneByOne(PermissionSet permissions) =>
        permissions.Select(permission => ($"{permission}", PermissionSet.Of(permission)));

    private static IEnumerable<(string Name, PermissionSet Permissions)> DeviceRights() =>
    [
        .. OneByOne(PermissionCatalogue.AllowedFor(RolePurpose.DevicesAndGroups) - Connecting),
        (nameof(Permission.Terminal), PermissionSet.Of(Permission.Terminal)),
        ("every right to connect", Connecting),
        ("ConnectionHistory and PlayRecordings", PlayingNeeds),
        ("ConnectionHistory and DeleteRecordings", DeletingNeeds),
    ];
}
