using Countersign.Server.Features.Audit;
using Countersign.Server.Features.Contacts;
using Countersign.Server.Features.DeviceGroups;
using Countersign.Server.Features.Devices;
using Countersign.Server.Features.Explain;
using Countersign.Server.Features.ExternalGroups;
using Countersign.Server.Features.Grants;
using Countersign.Server.Features.Identity;
using Countersign.Server.Features.Invitations;
using Countersign.Server.Features.Mail;
using Countersign.Server.Features.Notifications;
using Countersign.Server.Features.Organizations;
using Countersign.Server.Features.Permissions;
using Countersign.Server.Features.Policy;
using Countersign.Server.Features.Recordings;
using Countersign.Server.Features.Requests;
using Countersign.Server.Features.Roles;
using Countersign.Server.Features.Settings;
using Countersign.Server.Features.TechnicianGroups;
using Countersign.Server.Features.Technicians;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Features.Vault;
using Countersign.Server.Features.Workflows;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;

namespace Countersign.Server;

/// <summary>Which features the server is made of: two lines for each, in the same order.</summary>
internal static class Composition
{
    public static void Add(IServiceCollection services, ServerOptions options)
    {
        services.AddPlatform(options);
        services.AddEvents();
        // First of all features, because services stop in the order turned round: what the others write while they stop is sealed, too.
        services.AddAudit(options);
        services.AddVault(options);
        services.AddMail(options);
        services.AddNotifications();
        services.AddIdentity(options);
        services.AddOrganizations();
        services.AddTechnicians();
        services.AddInvitations();
        services.AddContacts();
        services.AddTechnicianGroups();
        services.AddExternalGroups();
        services.AddDeviceGroups();
        services.AddDevices();
        services.AddRoles();
        services.AddGrants();
        services.AddSettings();
        services.AddWorkflows();
        services.AddPermissions();
        services.AddExplain();
        services.AddPolicy();
        services.AddRequests();
        services.AddSessions(options);
        services.AddRecordings();
    }

    public static void Map(IEndpointRouteBuilder app)
    {
        app.MapPlatform();
        var api = app.MapGroup("/api/v1").AddEndpointFilter(BearerGate.AskAgainAsync).AddEndpointFilter(Precondition.TagAsync);
        api.MapEvents();
        api.MapVault();
        api.MapMail();
        api.MapIdentity();
        app.MapNewPasswordPage();
        api.MapOrganizations();
        api.MapRequests();
        api.MapSessions();
        api.MapRecordings();
        app.MapSetupPage();
        api.MapTechnicians();
        api.MapInvitations();
        app.MapJoinPage();
        api.MapContacts();
        app.MapContactPage();
        api.MapTechnicianGroups();
        api.MapExternalGroups();
        api.MapDeviceGroups();
        api.MapDevices();
        api.MapRoles();
        api.MapGrants();
        api.MapSettings();
        api.MapWorkflows();
        api.MapPermissions();
        api.MapExplain();
        api.MapPolicy();
        api.MapAudit();
    }
}
