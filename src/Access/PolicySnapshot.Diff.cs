namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// Who gains and loses what between two versions of one organization's policy. It speaks of whatever differs, whoever may see it: whoever
    /// shows it shows it only to those who may.
    /// </summary>
    /// <param name="mostPairs">
    /// How many pairs of a person and a device are compared or told one by one. A change of what everybody has everywhere is of a billion of them.
    /// </param>
    public static PolicyDifference Diff(PolicySnapshot before, PolicySnapshot after, int mostPairs = int.MaxValue)
    {
        if (before.Organization != after.Organization) throw new ArgumentException("of another organization", nameof(after));
        return new Differ(before._model, after._model, mostPairs, new()).Difference();
    }
}
