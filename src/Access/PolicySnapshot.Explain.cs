namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// The same decision with its reasons, in order. It speaks of whatever counted, whether the asker may see it or not: whoever shows it
    /// shows it only to those who may (<see cref="MaySeePerson"/>, <see cref="MaySeeDevice"/>).
    /// </summary>
    public AccessExplanation Explain(in AccessQuestion question) => new(Decide(question), new Explainer(this, question).Lines());
}
