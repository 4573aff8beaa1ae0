using Countersign.Agent.Processes;

namespace Countersign.Agent.Serving;

/// <summary>What every connection and session of the agent stands on.</summary>
internal sealed record AgentContext
{
    public required OsAccount Account { get; init; }

    public required ReadinessLoop Loop { get; init; }

    public required TimeProvider Time { get; init; }

    /// <summary>One line for the operator. No text of a peer goes in uncleaned.</summary>
    public required Action<string> Log { get; init; }
}
