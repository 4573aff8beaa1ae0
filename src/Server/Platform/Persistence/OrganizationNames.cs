using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform.Persistence;

/// <summary>What organizations are called.</summary>
internal static class OrganizationNames
{
    /// <summary>Of the one that the context sees.</summary>
    public static Task<string> OfAsync(CountersignDb db, CancellationToken cancellation)
    {
        var organization = db.Organization;
        return db.Set<Organization>().Where(row => row.Id == organization).Select(row => row.Name).SingleAsync(cancellation);
    }
}
