using System.Data.Common;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Hashes a password anew that was found right by a hash of older parameters. A courtesy to the next raise: where it can't be done now, whoever signed in is
/// signed in all the same, and their next sign-in does it.
/// </summary>
internal sealed partial class PasswordRenewal(PasswordHashing hashing, WriteQueue queue, ILogger<PasswordRenewal> log)
{
    /// <param name="old">The hash that it was right by: one that has been changed in the meantime stays.</param>
    public async Task TryAsync(OrganizationId organization, PersonId person, string old, string password, CancellationToken cancellation)
    {
        try
        {
            var renewed = await hashing.HashAsync(password, cancellation);
            await queue.WriteAsync(
                organization,
                (db, stop) => db.Set<Credential>().Where(row => row.Person == person && row.PasswordHash == old)
                    .ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, renewed), stop),
                cancellation);
        }
        catch (PasswordsBusyException)
        {
            LogBusy(person, organization);
        }
        catch (Exception failure) when (failure is DbException or DbUpdateException)
        {
            LogFailed(failure, person, organization);
        }
    }

    [LoggerMessage(1, LogLevel.Information, "The password of person {Person} of organization {Organization} keeps its older hash for now: too many are being verified")]
    private partial void LogBusy(PersonId person, OrganizationId organization);

    [LoggerMessage(2, LogLevel.Warning, "The password of person {Person} of organization {Organization} keeps its older hash for now")]
    private partial void LogFailed(Exception failure, PersonId person, OrganizationId organization);
}
