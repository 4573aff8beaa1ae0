namespace Countersign.Sessions.Relay;

public enum RelayOutcome
{
    /// <summary>The device told how the program came to its end.</summary>
    Exited = 1,

    /// <summary>The device closed the session and said nothing of the program (RFC 4254 section 6.10 only recommends it).</summary>
    Closed = 2,

    /// <summary>The device's connection broke before it had said anything of the end.</summary>
    DeviceLost = 3,

    /// <summary>The technician closed the session; of the program nothing is known.</summary>
    Left = 4,

    /// <summary>The technician's connection broke; of the program nothing is known.</summary>
    TechnicianLost = 5,

    /// <summary>It was ended from here.</summary>
    Stopped = 6,
}

/// <summary>How a relay came to its end, by whoever was the first to say so.</summary>
/// <param name="ExitStatus">What the program returned, where it did.</param>
/// <param name="Signal">What killed it (RFC 4254 section 6.10), where something did.</param>
public sealed record RelayEnd(RelayOutcome Outcome, int? ExitStatus = null, string? Signal = null);
