namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// Who gains and loses what between two versions of one organization's policy. It speaks of whatever differs, whoever may see it: whoever
    /// shows it shows it only to those who may.
    /// </summary>
    public static PolicyDifference Diff(PolicySnapshot before, PolicySnapshot after)
    {
        if (before.Organization != after.Organization) throw new ArgumentException("of another organization", nameof(after));
        return new Differ(before._model, after._model).Difference();
    }
}
