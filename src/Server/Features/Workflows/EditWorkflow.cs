using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Workflows;

internal sealed record AddWorkflowRequest(
    Guid Group,
    Guid Devices,
    string Name,
    IReadOnlyList<WorkflowStepForm> Steps,
    bool CountsForLater = false,
    bool TakesPreapproved = true,
    bool InsistsWhenPreapproved = false);

internal static class AddWorkflow
{
    public static async Task<Results<Created<WorkflowAnswer>, ProblemHttpResult>> HandleAsync(
        AddWorkflowRequest request, Caller caller, PolicyWriter writer, TimeProvider time, CancellationToken cancellation)
    {
        if (!TryWrite(request.Steps, out var steps, out var problem)) return problem;
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var command = new PolicyCommand.AddWorkflow(
            new(id), new(request.Group), new(request.Devices), request.Name, steps, request.CountsForLater, request.TakesPreapproved, request.InsistsWhenPreapproved);
        var outcome = await writer.ApplyAsync(caller, command, cancellation);
        return outcome.AnswerCreated($"/api/v1/workflows/{id}", snapshot => WorkflowAnswer.Of(snapshot, id));
    }

    /// <summary>Steps in the one form that the engine reads; what is wrong is told beside the field.</summary>
    public static bool TryWrite(IReadOnlyList<WorkflowStepForm> forms, [NotNullWhen(true)] out string? text, [NotNullWhen(false)] out ProblemHttpResult? problem)
    {
        (text, problem) = (null, null);
        var steps = ImmutableArray.CreateBuilder<WorkflowStep>();
        for (var index = 0; index < forms.Count && problem is null; index++)
        {
            var form = forms[index];
            TimeSpan? expiry = null;
            if (form.ExpireAfter is { } written && !Access.Settings.TryDuration(written, out expiry, out var wrong)) problem = Problems.Invalid(WorkflowSteps.Field(index, "expireAfter"), wrong);
            else if (form.Approvers.Any(approver => approver.Kind == ApproverKind.DeviceApprovers != approver.Id is null))
                problem = Problems.Invalid(WorkflowSteps.Field(index, "approvers"), "A person or technician group is named by its id; the device's approvers have none.");
            else steps.Add(new(form.Needed, expiry, [.. form.Approvers.Select(approver => new Approver(approver.Kind, approver.Id ?? default))]));
        }

        if (problem is null && WorkflowSteps.Problem(steps) is var (field, message)) problem = Problems.Invalid(field, message);
        if (problem is not null) return false;
        text = WorkflowSteps.Write(steps);
        return true;
    }
}

/// <summary>What is left out stays; for whom and for what it is stays in any case.</summary>
internal sealed record EditWorkflowRequest(
    string? Name = null,
    IReadOnlyList<WorkflowStepForm>? Steps = null,
    bool? CountsForLater = null,
    bool? TakesPreapproved = null,
    bool? InsistsWhenPreapproved = null);

internal static class EditWorkflow
{
    public static async Task<Results<Ok<WorkflowAnswer>, ProblemHttpResult>> HandleAsync(
        Guid id, EditWorkflowRequest request, Caller caller, PolicyWriter writer, CancellationToken cancellation)
    {
        string? steps = null;
        if (request.Steps is { } forms && !AddWorkflow.TryWrite(forms, out steps, out var problem)) return problem;
        var outcome = await writer.ApplyAsync(
            caller,
            snapshot => snapshot.Find(new(PolicyTable.Workflow, id)) is WorkflowRow row
                ? new PolicyCommand.EditWorkflow(
                    row.Id,
                    request.Name ?? row.Name,
                    steps ?? row.Steps,
                    request.CountsForLater ?? row.CountsForLater,
                    request.TakesPreapproved ?? row.TakesPreapproved,
                    request.InsistsWhenPreapproved ?? row.InsistsWhenPreapproved)
                : null,
            cancellation);
        return outcome.Answer(snapshot => WorkflowAnswer.Of(snapshot, id));
    }
}

internal static class DeleteWorkflow
{
    public static async Task<Results<Ok<PolicyVersion>, ProblemHttpResult>> HandleAsync(Guid id, Caller caller, PolicyWriter writer, CancellationToken cancellation) =>
        (await writer.ApplyAsync(caller, new PolicyCommand.DeleteWorkflow(new(id)), cancellation)).Answer();
}
