using Countersign.Access;
using Countersign.Bench.Access;
using Countersign.Server;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.Bench.Servers;

/// <summary>A server's data with the large organization in it, and in it a technician with a password.</summary>
internal static class LargeDatabase
{
    private const int Chunk = 20_000;

    /// <returns>The owner's token, and a token of <paramref name="technician"/>, who can use one device in five hundred.</returns>
    public static async Task<(string Owner, string Technician)> MakeAsync(string folder, string technician)
    {
        await using var server = await CountersignServer.StartAsync(
            new() { DataDirectory = Path.Combine(folder, "data"), Http = new(System.Net.IPAddress.Loopback, 0), Ssh = new(System.Net.IPAddress.Loopback, 0) }, CancellationToken.None);
        using var organization = new BenchOrganization(server.HttpAddress);
        await organization.FoundAsync(server.SetupToken!, "Terminal");
        var (id, password) = await organization.AddPersonAsync(technician);
        var snapshot = server.Services.GetRequiredService<PolicySource>().All.Single();
        var large = new LargeOrganization(snapshot, people: 10_000, devices: 100_000, grants: 200_000, overrides: 10_000);
        var rows = large.Rows.Concat(large.HeavyDevices.Where((_, index) => index % 10 == 0).Select(device =>
            new GrantRow(new(large.NewId()), GrantSubject.To(new PersonId(Guid.Parse(id))), GrantScope.Of(device), SystemRoles.FullDeviceAccess.Id, GrantAccounts.Any, GrantWindow.Always)));
        var database = server.Services.GetRequiredService<Database>();
        foreach (var chunk in rows.Chunk(Chunk))
        {
            await using var db = database.Open().Of(snapshot.Organization);
            PolicyTables.Track(db, new(snapshot.Organization, snapshot.Version, "", [.. chunk.Select(row => new RowChange(null, row))]));
            await db.SaveChangesAsync();
        }

        return (organization.Token, await organization.SignInAsync(technician, password));
    }
}
