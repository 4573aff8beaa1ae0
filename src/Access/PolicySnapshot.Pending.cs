namespace Countersign.Access;

public sealed partial class PolicySnapshot
{
    public AccessExplanation Explain(in AccessQuestion question) => throw new NotImplementedException();
}
