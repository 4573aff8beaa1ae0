using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// With every change of policy, whichever way it came: takes from people what they sign in with where it may be somebody else's. That is so for who is
/// invited again after having joined (whoever joined may have been a thief of the link), and for a contact with another address, since the address is what
/// a contact is known by. Connections are ended by <see cref="SignInGuard"/>.
/// </summary>
internal sealed class SignInVoiding(PolicySource policy, AuditLog audit, TimeProvider time)
{
    /// <summary>
    /// With every change of how long signing in lasts: what ended by the rule before stays ended, also where the one from now on would let it last longer. What
    /// is idle or too old is not cleared away when its time comes, because nobody is there then who could.
    /// </summary>
    public async Task EndWhatWasOverAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        if (!delta.Changes.Any(change => (change.After ?? change.Before) is SettingRow { Setting: SettingKind.SignInIdle or SettingKind.SignInLifetime })) return;
        var rules = SignInRules.Of(policy.Current(db.Organization));
        var oldest = time.GetUtcNow() - rules.Lifetime;
        var ended = await db.Set<ApiToken>().Where(row => row.Origin != TokenOrigin.Made && row.Created <= oldest).ExecuteDeleteAsync(cancellation);
        if (rules.Idle is { } idle)
        {
            var quiet = time.GetUtcNow() - idle;
            ended += await db.Set<ApiToken>().Where(row => row.Origin == TokenOrigin.Browser && (row.LastUsed ?? row.Created) <= quiet).ExecuteDeleteAsync(cancellation);
        }

        if (ended > 0) audit.Add(db, new() { Kind = "sign-in.over", Channel = "system", Subject = "", Details = new() { ["tokensEnded"] = ended, ["version"] = delta.ToVersion } });
    }

    public async Task VoidWhereNotMeantAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var change in delta.Changes)
        {
            if (change is not { Before: PersonRow before, After: PersonRow after } || !IsSomebodyElse(before, after)) continue;
            await db.Set<Credential>().Where(row => row.Person == after.Id).ExecuteDeleteAsync(cancellation);
            await db.Set<RegisteredKey>().Where(row => row.Person == after.Id).ExecuteDeleteAsync(cancellation);
            await db.Set<ApiToken>().Where(row => row.Person == after.Id).ExecuteDeleteAsync(cancellation);
            await SecondFactor.RemoveAsync(db, after.Id, cancellation);
            audit.Add(db, new() { Kind = "sign-in.voided", Channel = "system", Subject = after.Login, SubjectId = after.Id.Value });
        }
    }

    /// <summary>Whether who signed in as the one is not known to be the other.</summary>
    public static bool IsSomebodyElse(PersonRow before, PersonRow after) =>
        (before.State != PersonState.Invited && after.State == PersonState.Invited) || IsAtAnotherAddress(after, before.Mail);

    /// <summary>Of a contact: they signed in when they had another address.</summary>
    public static bool IsAtAnotherAddress(PersonRow person, string mailThen) =>
        person.Kind == PersonKind.Contact && !string.Equals(mailThen, person.Mail, StringComparison.OrdinalIgnoreCase);
}
