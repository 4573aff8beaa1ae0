using System.Globalization;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests.Golden;

/// <summary>Answers in the words of the golden files: the verdict first, then what differs from what is usual.</summary>
internal sealed class GoldenAnswer(GoldenPolicy names)
{
    private const int Most = 14;

    public string Write(NaiveAnswer answer, DateTimeOffset? until, TimeSpan? lasting, PermissionSet wanted, IEnumerable<NaiveStep> steps) => answer.Kind switch
    {
        DecisionKind.Allowed => string.Join("; ", (string[])[$"allowed: {Write(answer.Permissions, wanted)}", .. Conditions(answer, until, lasting)]),
        DecisionKind.NeedsApproval => $"needs approval: {Write(steps)}",
        DecisionKind.MayBeRequested => "may be requested",
        _ => $"denied: {answer.Reason}{(answer.Visible ? "" : ", unseen")}",
    };

    public static string Write(PermissionSet set, PermissionSet first)
    {
        if (set.Count <= Most) return set.ToString();
        var shown = set & first;
        return $"{shown} and {set.Count - shown.Count} more";
    }

    public string Write(IEnumerable<NaiveStep> steps) => string.Join("; ", steps.Select(Write).Order(StringComparer.Ordinal));

    public string Write(SettingNode node) => node == SettingNode.Organization ? "the organization" : names.NameOf(node.Id);

    private static IEnumerable<string> Conditions(NaiveAnswer answer, DateTimeOffset? until, TimeSpan? lasting)
    {
        if (lasting is { } time) yield return $"for {time:c} from its beginning";
        if (until is { } end) yield return $"until {end.UtcDateTime.ToString(end.Second == 0 ? "yyyy-MM-ddTHH:mmZ" : "yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture)}";
        if (answer.Consent == ConsentMode.Notify) yield return "the end user is told";
        if (answer.Consent == ConsentMode.AskThenConnect) yield return "the end user is asked, and no answer lets in";
        if (answer.Consent == ConsentMode.AskOrRefuse) yield return "the end user is asked, and no answer refuses";
        if (answer.Recording == RecordingRule.Off) yield return "not recorded";
        if (answer.Recording == RecordingRule.Required) yield return "recording is required";
        if (answer.MaxSession is { } longest) yield return $"for at most {longest:c}";
        if (answer.IdleTimeout != TimeSpan.FromMinutes(30)) yield return answer.IdleTimeout is { } idle ? $"may stand still for {idle:c}" : "may stand still";
        if (answer.EndWarning != TimeSpan.FromMinutes(5)) yield return answer.EndWarning is { } warning ? $"warned {warning:c} before its end" : "not warned";
    }

    private string Write(NaiveStep step)
    {
        var people = step.Approvers.Select(approver => names.NameOf(approver.Value)).Order(StringComparer.Ordinal).ToList();
        if (step.Automatic) people.Add("the requester automatically");
        var needed = step.Needed > 1 ? $"{step.Needed} of " : "";
        var blocked = !step.Blocked ? "" : people.Count > 0 ? ", blocked: too few can" : "blocked: nobody can";
        return $"{Rule(step.Id)} ({(people.Count > 0 ? needed : "")}{string.Join(" or ", people)}{blocked}{(step.CountsForLater ? ", counting for later steps" : "")})";
    }

    private string Rule(ApprovalStepId id)
    {
        if (id.Kind == ApprovalStepKind.Workflow) return $"step {id.Through.ToString("N")[..8].TrimStart('0')} of {names.NameOf(id.Rule)}";
        if (id.Kind == ApprovalStepKind.Organization) return "the device side at the organization";
        if (id.Kind != ApprovalStepKind.TechnicianGroup) return $"the device side at {names.NameOf(id.Rule)}";
        return id.Rule == id.Through ? names.NameOf(id.Rule) : $"{names.NameOf(id.Rule)} through {names.NameOf(id.Through)}";
    }
}
