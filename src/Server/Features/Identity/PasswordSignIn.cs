using System.Net;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

internal abstract record PasswordAnswer
{
    private PasswordAnswer()
    {
    }

    /// <param name="Changed">Which password it is.</param>
    /// <param name="MustChange">Somebody else chose the password, or it is too old: nothing but changing it may follow.</param>
    /// <param name="HasSecondFactor">The password alone is not enough.</param>
    public sealed record Accepted(OrganizationId Organization, PersonRow Person, DateTimeOffset Changed, bool MustChange, bool HasSecondFactor) : PasswordAnswer
    {
        /// <summary>On the writer: the password is the same one, and where it was enough there is no second factor now.</summary>
        public async Task<bool> IsStillAsync(CountersignDb db, CancellationToken cancellation) =>
            await Passwords.IsStillAsync(db, Person.Id, Changed, cancellation) && (HasSecondFactor || !await SecondFactor.IsEnabledAsync(db, Person.Id, cancellation));
    }

    /// <summary>Whatever the reason: nobody of that name, a wrong password, somebody who takes no part.</summary>
    public sealed record Refused : PasswordAnswer;

    /// <summary>Not looked at. Comes alike for logins that exist and that don't.</summary>
    public sealed record Later(TimeSpan After) : PasswordAnswer;
}

/// <summary>
/// Verifies a login and a password, for every front door. Each path does the same work: an unknown login costs a query and a verification like
/// a known one, and what is written down about a failure is written later, by somebody else.
/// </summary>
internal sealed class PasswordSignIn(
    PolicySource policy,
    Database database,
    PasswordHashing hashing,
    PasswordRenewal renewal,
    SignInThrottle throttle,
    SignInFailures failures,
    SignInLimits limits,
    TimeProvider time) : IDisposable
{
    /// <summary>
    /// Attempts at one login come one after the other, so that none gets past the throttle while another is being verified. A few locks stand
    /// for all logins: two that share one wait for each other, which nobody notices.
    /// </summary>
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, 64).Select(_ => new SemaphoreSlim(1))];

    private int _pending;

    /// <param name="channel">For the audit log: <c>api</c>, <c>ssh</c>.</param>
    public Task<PasswordAnswer> VerifyAsync(string login, string password, IPAddress source, string channel, CancellationToken cancellation) =>
        VerifyAsync(new(login, CountedAs(login), source, channel), password, cancellation);

    /// <summary>Whoever proved otherwise who they are is not made to wait from there for what strangers try elsewhere.</summary>
    public void Recognize(string login, IPAddress source) => throttle.Recognized(CountedAs(login), source);

    /// <summary>
    /// The password of somebody who is signed in. Counted apart: whoever has no account must not be able to keep those who have one from changing their
    /// password, by trying wrong ones.
    /// </summary>
    public Task<PasswordAnswer> VerifyOwnAsync(Caller caller, string password, CancellationToken cancellation) =>
        VerifyAsync(new(caller.Login, $"own password of {caller.Login}", caller.Source ?? IPAddress.None, "api") { IsOwn = true }, password, cancellation);

    private async Task<PasswordAnswer> VerifyAsync(Attempt attempt, string password, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _pending) > limits.WaitingVerifications)
        {
            Interlocked.Decrement(ref _pending);
            return new PasswordAnswer.Later(TimeSpan.FromSeconds(1));
        }

        try
        {
            // Before the turn, too: a locked login's attempts must not queue up before those of others.
            if (throttle.Wait(attempt.Counted, attempt.Source) is var wait && wait > TimeSpan.Zero) return Refuse(attempt, wait);
            var turn = _turns[(uint)string.GetHashCode(attempt.Login, StringComparison.Ordinal) % (uint)_turns.Length];
            await turn.WaitAsync(cancellation);
            try
            {
                wait = throttle.Wait(attempt.Counted, attempt.Source);
                return wait > TimeSpan.Zero ? Refuse(attempt, wait) : await VerifyInTurnAsync(attempt, password, cancellation);
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    public void Dispose()
    {
        foreach (var turn in _turns) turn.Dispose();
    }

    private async Task<PasswordAnswer> VerifyInTurnAsync(Attempt attempt, string password, CancellationToken cancellation)
    {
        var known = policy.TryFindLogin(attempt.Login, out var organization, out var person);
        var id = person?.Id ?? default;
        Credential? credential;
        bool hasSecondFactor;
        await using (var db = database.Read(organization))
        {
            credential = await db.Set<Credential>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == id, cancellation);
            hasSecondFactor = await SecondFactor.IsEnabledAsync(db, id, cancellation);
        }

        var hash = credential?.PasswordHash;

        // Longer ones can't have been set; the work must not grow with what a stranger sends.
        var check = password.Length > PasswordRules.Most
            ? await hashing.VerifyAsync(null, "", cancellation)
            : await hashing.VerifyAsync(hash, password, cancellation);
        if (check == PasswordCheck.Busy) return new PasswordAnswer.Later(TimeSpan.FromSeconds(1));

        // The row as it is now: the person may have been disabled meanwhile.
        var now = known ? policy.Current(organization)?.Person(id) : null;
        var rules = SignInRules.Of(policy.Current(organization));
        if (check == PasswordCheck.Wrong || credential is null || IsOver(credential) || now is not { TakesPart: true } || !rules.Allows(attempt.Source))
        {
            throttle.Failed(attempt.Counted, attempt.Source);
            failures.Note(attempt.Login, attempt.Source, attempt.Channel, "password");
            return new PasswordAnswer.Refused();
        }

        // What strangers see of the login stays as it is, so that they don't see that it is used.
        if (attempt.IsOwn) throttle.Succeeded(attempt.Counted);
        else throttle.Recognized(attempt.Counted, attempt.Source);
        if (check == PasswordCheck.RightButOutdated) await renewal.TryAsync(organization, id, hash!, password, cancellation);
        var mustChange = credential.MustChange || rules.IsTooOld(credential.Changed, time.GetUtcNow());
        return new PasswordAnswer.Accepted(organization, now, credential.Changed, mustChange, hasSecondFactor);
    }

    private static string CountedAs(string login) => $"password of {login}";

    /// <summary>A password that somebody else chose, and that was not changed in time: as if it were wrong.</summary>
    private bool IsOver(Credential credential) => credential.MustChange && time.GetUtcNow() - credential.Changed >= limits.FirstPasswordLife;

    private PasswordAnswer.Later Refuse(Attempt attempt, TimeSpan wait)
    {
        failures.Note(attempt.Login, attempt.Source, attempt.Channel, "password");
        return new(wait);
    }

    /// <param name="Counted">
    /// What it is counted under. Whatever was typed stands behind words of its own, so that no login that somebody makes up is the name of another count.
    /// </param>
    private sealed record Attempt(string Login, string Counted, IPAddress Source, string Channel)
    {
        /// <summary>Of somebody who is signed in as the login already.</summary>
        public bool IsOwn { get; init; }
    }
}
