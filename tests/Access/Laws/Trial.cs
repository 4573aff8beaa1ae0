using System.Collections.Immutable;
using Countersign.Access.Tests.Golden;
using Countersign.Access.Tests.Naive;

namespace Countersign.Access.Tests;

/// <summary>A policy and questions to it, which shrink row by row and question by question.</summary>
internal sealed record Trial(ImmutableArray<PolicyRow> Rows, ImmutableArray<AccessQuestion> Questions)
{
    public static Trial Of(RandomOrganization organization, int questions, Func<AccessQuestion> ask) =>
        new([.. organization.Rows], [.. Enumerable.Range(0, questions).Select(_ => ask())]);

    public PolicySnapshot Compile() => PolicySnapshot.Compile(Sample.Organization, 1, Rows);

    public NaivePolicy Naive() => new(Rows);

    /// <summary>One question alone first; then without a row, where the rest still fits together; then with less in the question.</summary>
    public IEnumerable<Trial> Smaller()
    {
        if (Questions.Length > 1)
        {
            foreach (var question in Questions) yield return this with { Questions = [question] };
            yield break;
        }

        foreach (var row in Rows.Where(row => !IsUsual(row)))
        {
            var without = this with { Rows = Rows.Remove(row) };
            if (without.IsWhole()) yield return without;
        }

        if (Questions is not [var only]) yield break;
        foreach (var permission in only.Wanted.Where(_ => only.Wanted.Count > 1)) yield return With(only with { Wanted = only.Wanted.Without(permission) });
        foreach (var approval in only.Approvals) yield return With(only with { Approvals = only.Approvals.Remove(approval) });
        foreach (var request in only.Preapprovals) yield return With(only with { Preapprovals = only.Preapprovals.Remove(request) });
        foreach (var consent in only.Consents) yield return With(only with { Consents = only.Consents.Remove(consent) });
        if (only.ConsentFloor is not null) yield return With(only with { ConsentFloor = null });
        if (only.Account is not null) yield return With(only with { Account = null });
    }

    /// <summary>In the form of the golden files: what fails can be put there as it is.</summary>
    public override string ToString()
    {
        var writer = new GoldenWriter(Rows);
        IEnumerable<string> requests = Questions is [var only] ? writer.Requests(only) : [];
        return $"{string.Join('\n', [.. writer.Policy(), .. requests])}\n{string.Join('\n', Questions.Select(question => $"- **{writer.Write(question)}** → "))}";
    }

    private Trial With(AccessQuestion question) => this with { Questions = [question] };

    /// <summary>What every organization begins with, and what nobody changed.</summary>
    private static bool IsUsual(PolicyRow row) => row
        is PersonRow { Kind: PersonKind.Owner }
        or TechnicianGroupRow { ParentId: null, Enabled: true, RequiresManagerialApproval: false, Consent: GroupConsent.None }
        or GroupPermissionRow { Value: PolicyValue.Allow, Locked: false, Option: "" or "approved" }
        || (row is SettingRow setting && setting.Node == SettingNode.Organization && setting.Value == Settings.Default(setting.Setting));

    private bool IsWhole()
    {
        try
        {
            Compile();
            return Rows.OfType<TechnicianGroupRow>().Any();
        }
        catch (PolicyException)
        {
            return false;
        }
    }
}
