using Countersign.Access;
using Countersign.Server.Features.Mail;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Invitations;

/// <summary>Makes mailed links void.</summary>
internal sealed class InvitationVoiding(TimeProvider time)
{
    /// <summary>With every change of policy: a link that went to an address which is somebody else's by now, or to somebody who is out or gone, is void, and not mailed any more.</summary>
    public async Task VoidWhereNotMeantAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var change in delta.Changes)
        {
            if (change.Before is not PersonRow { State: PersonState.Invited } before) continue;
            if (change.After is PersonRow { Status: PersonStatus.Active } after && after.Mail == before.Mail) continue;
            await VoidAsync(db, before.Id, cancellation);
        }
    }

    /// <returns>The address that it went to; empty: there was none.</returns>
    public async Task<string> VoidAsync(CountersignDb db, PersonId person, CancellationToken cancellation)
    {
        if (await db.Set<Invitation>().AsNoTracking().SingleOrDefaultAsync(row => row.Person == person, cancellation) is not { } row) return "";
        await db.Set<Invitation>().Where(kept => kept.Person == person).ExecuteUpdateAsync(set => set.SetProperty(kept => kept.Hash, (byte[]?)null), cancellation);
        await Outbox.WithdrawAsync(db, row.Letter, time.GetUtcNow(), cancellation);
        return row.Mail;
    }
}
