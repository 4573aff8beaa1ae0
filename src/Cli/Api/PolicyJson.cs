using System.Text.Json.Serialization;

namespace Countersign.Cli.Api;

// Policy as the API tells it and wants it: groups, roles, grants, workflows.

/// <param name="Parent">Null: there is none above it.</param>
internal sealed record TreeGroup(string? Id, string? Parent, string? Name);

internal sealed record TechnicianGroup(
    string? Id,
    string? Name,
    string? Description,
    bool? Enabled,
    bool? RequiresManagerialApproval,
    string? Consent,
    bool? SinglePrompt,
    bool? MembersApprove,
    IReadOnlyList<string>? ApprovedExternalGroups,
    bool? InheritsApprovedExternalGroups,
    IReadOnlyList<string>? Members,
    IReadOnlyList<string>? Managers,
    IReadOnlyList<string>? Administrators,
    long? Version);

/// <summary>What is null is as a new group has it, or stays as it is.</summary>
internal sealed record TechnicianGroupChange(
    string? Parent, string? Name, string? Description, bool? Enabled, bool? RequiresManagerialApproval, string? Consent, bool? SinglePrompt, bool? MembersApprove);

/// <param name="Groups">Null, and written so: those of the group above.</param>
internal sealed record ApprovedExternals([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] IReadOnlyList<string>? Groups);

/// <param name="Own">Null: inherited.</param>
/// <param name="Locked">The value that counts, here or above.</param>
internal sealed record GroupPermission(string? Permission, string? Own, string? OwnOption, string? Effective, string? Option, bool? Locked, GroupSource? Source);

internal sealed record GroupSource(string? Id, string? Name);

internal sealed record GroupPermissions(IReadOnlyList<GroupPermission>? Items, long? Version);

/// <param name="Value">Null, and written so: inherited.</param>
/// <param name="Option">Null: as it is.</param>
internal sealed record GroupPermissionChange([property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Value, bool Locked, string? Option);

internal sealed record CataloguedPermission(string? Permission, string? Label, IReadOnlyList<string>? Purposes, bool? Restrictable, IReadOnlyList<string>? Prerequisites);

internal sealed record PermissionCatalogue(IReadOnlyList<CataloguedPermission>? Items);

internal sealed record Role(string? Id, string? Name, string? Purpose, IReadOnlyList<string>? Permissions, bool? System, long? Version);

internal sealed record NewRole(string Name, string Purpose, IReadOnlyList<string> Permissions);

internal sealed record RoleChange(string? Name, IReadOnlyList<string>? Permissions);

/// <param name="Id">Null: of its kind there is only one.</param>
internal sealed record KindAndId(string? Kind, string? Id);

internal sealed record GrantAccounts(string? Rule, IReadOnlyList<string>? Names);

/// <param name="From">Null: from the beginning.</param>
/// <param name="To">Not included; null: for good.</param>
/// <param name="Hours">Of the week; empty: always.</param>
internal sealed record GrantWindow(DateTimeOffset? From, DateTimeOffset? To, string? Hours);

internal sealed record Grant(string? Id, KindAndId? Subject, KindAndId? Scope, string? Role, GrantAccounts? Accounts, GrantWindow? Window, long? Version);

internal sealed record NewGrant(KindAndId Subject, KindAndId Scope, string Role, GrantAccounts? Accounts, GrantWindow? Window);

internal sealed record GrantChange(string? Role, GrantAccounts? Accounts, GrantWindow? Window);

internal sealed record WorkflowStep(IReadOnlyList<KindAndId>? Approvers, int? Needed, string? ExpireAfter);

internal sealed record Workflow(
    string? Id,
    string? Group,
    string? Devices,
    string? Name,
    IReadOnlyList<WorkflowStep>? Steps,
    bool? CountsForLater,
    bool? TakesPreapproved,
    bool? InsistsWhenPreapproved,
    long? Version);

internal sealed record NewWorkflow(
    string Group, string Devices, string Name, IReadOnlyList<WorkflowStep> Steps, bool? CountsForLater, bool? TakesPreapproved, bool? InsistsWhenPreapproved);

internal sealed record WorkflowChange(string? Name, IReadOnlyList<WorkflowStep>? Steps, bool? CountsForLater, bool? TakesPreapproved, bool? InsistsWhenPreapproved);
