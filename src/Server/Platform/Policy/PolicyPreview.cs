using Countersign.Access;

namespace Countersign.Server.Platform;

/// <summary>
/// Travels with a caller who only wants to see what a change would do. The one writer plans as ever, keeps the outcome here and stores nothing; the
/// route then answers with what is here. So a handler can't do by mistake what it was only asked to show.
/// </summary>
internal sealed class PolicyPreview
{
    public PolicySnapshot? Before { get; private set; }

    public PolicyOutcome.Applied? Planned { get; private set; }

    public void Keep(PolicySnapshot before, PolicyOutcome.Applied planned)
    {
        if (Planned is not null) throw new InvalidOperationException("One request is one change.");
        (Before, Planned) = (before, planned);
    }
}
