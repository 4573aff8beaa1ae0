using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Workflows;

/// <param name="Id">The person's or technician group's; left out for the device's approvers.</param>
internal sealed record ApproverForm(ApproverKind Kind, Guid? Id = null)
{
    public static ApproverForm Of(Approver approver) => new(approver.Kind, approver.Kind == ApproverKind.DeviceApprovers ? null : approver.Id);
}

/// <param name="Needed">How many of the approvers have to approve.</param>
/// <param name="ExpireAfter">How long the step waits, counted from when it opens, such as <c>30m</c>; left out: as the organization says.</param>
internal sealed record WorkflowStepForm(IReadOnlyList<ApproverForm> Approvers, int Needed = 1, string? ExpireAfter = null)
{
    public static WorkflowStepForm Of(WorkflowStep step) =>
        new([.. step.Approvers.Select(ApproverForm.Of)], step.Needed, step.ExpireAfter is { } expiry ? Access.Settings.Write(expiry) : null);
}

/// <param name="Group">Its members' connections take the steps.</param>
/// <param name="Devices">On the devices of this group and those below it.</param>
/// <param name="Steps">In order.</param>
/// <param name="CountsForLater">An approval counts for later steps that the same person can take, too.</param>
/// <param name="TakesPreapproved">Requests for access ahead of time take these steps; false: the device's approvers decide about them.</param>
/// <param name="InsistsWhenPreapproved">Preapproved access does not stand for these steps.</param>
internal sealed record WorkflowAnswer(
    Guid Id,
    Guid Group,
    Guid Devices,
    string Name,
    IReadOnlyList<WorkflowStepForm> Steps,
    bool CountsForLater,
    bool TakesPreapproved,
    bool InsistsWhenPreapproved,
    long Version) : IVersioned
{
    public static WorkflowAnswer Of(PolicySnapshot snapshot, WorkflowRow row) => new(
        row.Id.Value,
        row.Group.Value,
        row.Devices.Value,
        row.Name,
        WorkflowSteps.TryParse(row.Steps, out var steps, out _) ? [.. steps.Value.Select(WorkflowStepForm.Of)] : [],
        row.CountsForLater,
        row.TakesPreapproved,
        row.InsistsWhenPreapproved,
        snapshot.Version);

    public static WorkflowAnswer Of(PolicySnapshot snapshot, Guid id) => Of(snapshot, (WorkflowRow)snapshot.Find(new(PolicyTable.Workflow, id))!);
}

/// <summary>Steps of approval for who reaches what, in the place of the rules that would count else. Master administrators only.</summary>
public static class WorkflowsComposition
{
    public static IServiceCollection AddWorkflows(this IServiceCollection services) => services.AddApiTypes(WorkflowsJson.Default);

    public static void MapWorkflows(this IEndpointRouteBuilder routes)
    {
        var workflows = routes.MapGroup("/workflows").WithTags("Workflows");
        workflows.MapGet("/", ListWorkflows.Handle).Requires(TokenScopes.PolicyRead);
        workflows.MapPost("/", AddWorkflow.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        workflows.MapGet("/{id:guid}", ListWorkflows.HandleOne).Requires(TokenScopes.PolicyRead);
        workflows.MapPatch("/{id:guid}", EditWorkflow.HandleAsync).ChangesPolicy(TokenScopes.Policy);
        workflows.MapDelete("/{id:guid}", DeleteWorkflow.HandleAsync).ChangesPolicy(TokenScopes.Policy);
    }
}

internal static class ListWorkflows
{
    public static Results<Ok<Page<WorkflowAnswer>>, ProblemHttpResult> Handle([AsParameters] PageQuery page, CallersPolicy policy) => page.Cut(
        policy.Snapshot.All<WorkflowRow>().Where(policy.MaySee),
        workflow => $"{workflow.Name}\n{workflow.Id}",
        workflow => WorkflowAnswer.Of(policy.Snapshot, workflow));

    public static Results<Ok<WorkflowAnswer>, ProblemHttpResult> HandleOne(Guid id, CallersPolicy policy) =>
        policy.Snapshot.Find(new(PolicyTable.Workflow, id)) is WorkflowRow workflow && policy.MaySee(workflow)
            ? TypedResults.Ok(WorkflowAnswer.Of(policy.Snapshot, workflow))
            : Problems.NotFound();
}

[JsonSerializable(typeof(WorkflowAnswer))]
[JsonSerializable(typeof(Page<WorkflowAnswer>))]
[JsonSerializable(typeof(AddWorkflowRequest))]
[JsonSerializable(typeof(EditWorkflowRequest))]
[JsonSerializable(typeof(PolicyVersion))]
internal sealed partial class WorkflowsJson : JsonSerializerContext;
