using System.Collections.Concurrent;
using System.Net;
using Countersign.Access;
using Countersign.Gateway;

namespace Countersign.Server.Features.Identity;

/// <summary>One connection through a front door that somebody has signed in on.</summary>
/// <param name="Began">The clock's time stamp then.</param>
/// <param name="AgeThen">How old the sign-in was then: a certificate stands for one that was before.</param>
/// <param name="Mail">The person's address then.</param>
internal sealed record LiveSignIn(Guid Id, SignedIn Person, string Mail, SignInProof Proof, string Method, IPAddress Source, DateTimeOffset Since, long Began, TimeSpan AgeThen);

/// <summary>
/// The connections that hang on keys, passwords and other sign-ins, so that they end with them. One is added when the record of its sign-in is durable, in the
/// order of the writer: what takes a key away before is seen by the sign-in, and what does so after it finds the connection here.
/// </summary>
internal sealed class LiveSignIns(TimeProvider time)
{
    private readonly ConcurrentDictionary<Guid, LiveSignIn> _live = new();

    public ICollection<LiveSignIn> All => _live.Values;

    public SignedIn Add(PersonRow person, FirstFactor proven, SignInStrength strength, string method, IPAddress source)
    {
        var now = time.GetUtcNow();
        var age = proven.Proof is SignInProof.Certificate certificate ? now - certificate.Since : TimeSpan.Zero;
        var id = Guid.CreateVersion7(now);
        var signedIn = new SignedIn(proven.Organization, person.Id, person.Login, strength, _ => _live.TryRemove(id, out LiveSignIn? _));
        _live[id] = new(id, signedIn, person.Mail, proven.Proof, method, source, now, time.GetTimestamp(), age);
        return signedIn;
    }

    /// <summary>By the steady clock, which nobody sets.</summary>
    public TimeSpan AgeOf(LiveSignIn live) => live.AgeThen + time.GetElapsedTime(live.Began);

    public IReadOnlyList<LiveSignIn> Of(OrganizationId organization, PersonId person) =>
        [.. _live.Values.Where(live => live.Person.Organization == organization && live.Person.Person == person)];

    /// <summary>Ends the connections of the person that <paramref name="which"/> is true of.</summary>
    /// <param name="because">For the person at the other end.</param>
    /// <returns>How many.</returns>
    public int End(OrganizationId organization, PersonId person, Func<LiveSignIn, bool> which, string because)
    {
        var ending = Of(organization, person).Where(which).ToList();
        foreach (var live in ending) live.Person.End(because);
        return ending.Count;
    }

    /// <summary>The same, of everybody in the organization.</summary>
    public void End(OrganizationId organization, Func<LiveSignIn, bool> which, string because)
    {
        foreach (var live in _live.Values.Where(live => live.Person.Organization == organization).Where(which)) live.Person.End(because);
    }
}
