namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    /// <summary>
    /// The same decision with its reasons, in order. It speaks of whatever counted, whether the asker may see it or not: whoever shows it
    /// shows it only to those who may (<see cref="MaySeePerson"/>, <see cref="MaySeeDevice"/>).
    /// </summary>
    public AccessExplanation Explain(in AccessQuestion question) => new(Decide(question), new Explainer(this, question, new(this, null)).Lines());

    /// <summary>The same for the eyes of an asker, who may see the person and the device: of whatever else they may not see there is a mark.</summary>
    public AccessExplanation Explain(in AccessQuestion question, PersonId asker) =>
        new(Decide(question), new Explainer(this, question, VeilFor(asker, question.At)).Lines());

    /// <summary>What the asker may see; of who takes no part, nothing.</summary>
    public Veil VeilFor(PersonId asker, DateTimeOffset at) => new(this, new Authority(_model, asker, at));

    /// <summary>
    /// The fewest changes that turn the answer from allowed to not, or back, each carried out by the owner; null: two are not enough, or it is
    /// nothing that such changes mend (a disabled person, a factor that is missing, closed hours). They are changes to what the person has: grants to them, their
    /// memberships, what their groups deny, and requests that somebody can approve. Of each kind only some are tried where there are many, forty at each of two
    /// steps and four hundred pairs in all: fewer might do then than are told, or two where none is. It speaks of whatever counts, as <see cref="Explain(in AccessQuestion)"/> does.
    /// </summary>
    /// <param name="fresh">The id that a grant would get: asked for each that is tried, another one every time.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public SmallestChange? SmallestChange(in AccessQuestion question, Func<GrantId> fresh, CancellationToken cancellation) =>
        new FlipSearch(this, question, fresh, cancellation).Find();

    /// <summary>
    /// Until when each permission holds that the question's answer allows, in the order of the catalogue; empty where it is not allowed. Each is followed for itself,
    /// as it would be had without the others: what is no connection goes on when session hours close. A question that wants no connection is answered with what one
    /// could hold, too; what of that could not be used now (hours are closed, an approval is missing) is left out.
    /// </summary>
    public IReadOnlyList<PermissionEnd> EndsOf(in AccessQuestion question)
    {
        if (Decide(question) is not { Kind: DecisionKind.Allowed } decision) return [];
        var ends = new List<PermissionEnd>();

        // On the account that the whole question is about. Whether the end user agrees is of no matter to how long it lasts.
        var alone = question with { Account = AccountOf(question, _model.Devices.GetValueOrDefault(question.Device)!).Name, EndUser = EndUserPresence.CanBeAsked };
        foreach (var permission in decision.Permissions)
        {
            var answer = Decide(alone with { Wanted = PermissionSet.Of(permission) });
            if (answer.Kind == DecisionKind.Allowed) ends.Add(new(permission, answer.Until, answer.Lasting));
        }

        return ends;
    }
}
