namespace Countersign.Audit;

/// <summary>What a record tells of people and things. It can be erased: then its commitment stands in its place and the log still proves the rest.</summary>
/// <param name="Details">The text of a JSON object, letter by letter as it was stored.</param>
public sealed record PersonalPart(Guid? Actor, string ActorLogin, string? Source, string Subject, Guid? SubjectId, string Details);

/// <summary>One record of an organization's log as it is sealed.</summary>
public sealed record LoggedRecord
{
    public required Guid Organization { get; init; }

    /// <summary>From 1 on, without gaps, in the order of sealing.</summary>
    public required long Number { get; init; }

    /// <summary>As the server's lists show it; grows, with gaps.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Kind { get; init; }

    public required string Channel { get; init; }

    public required string Outcome { get; init; }

    public required string Correlation { get; init; }
}
