namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    public AccessExplanation Explain(in AccessQuestion question) => throw new NotImplementedException();

    public PlanResult Plan(PolicyCommand command, PersonId actor, DateTimeOffset at) => throw new NotImplementedException();
}
