namespace Countersign.Access;

/// <summary>A row that was sound when it was stored and that this machine can't carry out: what uses it gives nothing until it is mended.</summary>
public sealed record PolicyProblem(RowKey Row, string Text);

public sealed partial class PolicySnapshot
{
    /// <summary>Grants and session hours in time zones that this machine does not know: they are never open. Looks at every row.</summary>
    public IEnumerable<PolicyProblem> Problems()
    {
        foreach (var grant in _model.Grants.Values)
        {
            if (grant.Hours is { IsKnown: false } hours) yield return new(grant.Row.Key, Closed(hours, "the grant is never in force"));
        }

        foreach (var row in _model.All(PolicyTable.Setting).Cast<SettingRow>())
        {
            if (row.Setting == SettingKind.SessionHours && row.Value != "always" && WeeklyHours.TryRead(row.Value, out var hours, out _) && !hours.IsKnown)
            {
                yield return new(row.Key, Closed(hours, "nobody connects where these session hours count"));
            }
        }
    }

    private static string Closed(WeeklyHours hours, string effect) => $"This machine does not know the time zone '{hours.Zone}': {effect}.";
}
