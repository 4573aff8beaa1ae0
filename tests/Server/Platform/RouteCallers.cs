using System.Net;
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
    public const string Owner = "owner";

    private static readonly string[] PlayingNeeds = ["ConnectionHistory", "PlayRecordings"];
    private static readonly string[] DeletingNeeds = ["ConnectionHistory", "DeleteRecordings"];

    /// <summary>In the order of the table's columns: whoever may do more comes later.</summary>
    public required IReadOnlyList<(string Name, ApiCaller Caller)> Kinds { get; init; }

    /// <summary>
    /// Technicians who hold one right and nothing else: those for <em>Administration</em> over the team, those that are no connections over the branch.
    /// The recording of a session whose history one may not see is not there: with it, those two rights once more.
    /// </summary>
    public required IReadOnlyList<(string Name, ApiCaller Caller)> ByRight { get; init; }

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
                (Owner, tenant.Owner),
            ],
            ByRight =
            [
                .. await AddEachAsync(tenant, EntriesFor(RolePurpose.Administration), "administration", new { kind = "team" }),
                .. await AddEachAsync(tenant, DeviceRights(), "devicesAndGroups", new { kind = "deviceGroup", id = branches.Devices }),
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

    private static async Task<List<(string Name, ApiCaller Caller)>> AddEachAsync(Tenant tenant, IEnumerable<string[]> rights, string purpose, object scope)
    {
        var callers = new List<(string, ApiCaller)>();
        foreach (var permissions in rights)
        {
            var name = string.Join(" and ", permissions);
            var person = await tenant.AddTechnicianAsync($"r{Guid.NewGuid():N}");
            var role = (await tenant.Owner.PostAsync("/api/v1/roles", new { name = $"only {name}", purpose, permissions })).Expect(HttpStatusCode.Created).Id;
            (await tenant.Owner.PostAsync("/api/v1/grants", new { subject = new { kind = "person", id = person }, scope, role })).Expect(HttpStatusCode.Created);
            callers.Add((name, tenant.As(person)));
        }

        return callers;
    }

    private static IEnumerable<string[]> EntriesFor(RolePurpose purpose) =>
        from entry in PermissionCatalogue.Entries where entry.Purposes.Contains(purpose) select new[] { entry.Permission.ToString() };

    /// <summary>Of the rights to connect, one stands for all: no route asks for them.</summary>
    private static IEnumerable<string[]> DeviceRights() =>
    [
        .. EntriesFor(RolePurpose.DevicesAndGroups).Where(names => !PermissionCatalogue.Connections.Contains(Enum.Parse<Permission>(names[0]))),
        [nameof(Permission.Terminal)],
        PlayingNeeds,
        DeletingNeeds,
    ];
}
