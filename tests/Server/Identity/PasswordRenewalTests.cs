using System.Net;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Identity;

/// <summary>A hash of older parameters is replaced at a sign-in, and whether it can be decides nothing.</summary>
public sealed class PasswordRenewalTests
{
    private static readonly SignInLimits _before = new() { PasswordIterations = 1000 };
    private static readonly SignInLimits _today = new() { PasswordIterations = 1500 };

    [Fact]
    public async Task A_hash_of_older_parameters_is_replaced_when_its_password_is_right()
    {
        await using var lab = await IdentityLab.StartAsync(_today);
        var old = await OutdateAsync(lab);
        (await lab.SignInAsync("tom", "wrong")).Status.ShouldBe(HttpStatusCode.Unauthorized);
        (await HashAsync(lab)).ShouldBe(old);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        var renewed = await HashAsync(lab);
        renewed.ShouldNotBe(old);
        lab.Get<PasswordHashing>().RoundsShort(renewed).ShouldBe(0);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_right_password_signs_in_also_while_so_many_are_verified_that_it_is_not_hashed_anew()
    {
        // Hashing that is busy with nothing at all: nobody may wait.
        using var busy = new PasswordHashing(_today with { WaitingVerifications = 0 });
        await using var lab = await IdentityLab.StartAsync(_today, services: services => services.AddSingleton(provider =>
            new PasswordRenewal(busy, provider.GetRequiredService<WriteQueue>(), provider.GetRequiredService<ILogger<PasswordRenewal>>())));
        var old = await OutdateAsync(lab);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await HashAsync(lab)).ShouldBe(old);
    }

    [Fact]
    public async Task A_right_password_signs_in_also_where_its_new_hash_can_not_be_stored()
    {
        await using var lab = await IdentityLab.StartAsync(_today);
        var old = await OutdateAsync(lab);
        await using (var db = lab.Get<Database>().Open())
            await db.Database.ExecuteSqlAsync($"CREATE TRIGGER full BEFORE UPDATE OF PasswordHash ON credential BEGIN SELECT RAISE(ABORT, 'full'); END", IdentityLab.Stop);
        (await lab.SignInAsync("tom", IdentityLab.Password)).Status.ShouldBe(HttpStatusCode.OK);
        (await HashAsync(lab)).ShouldBe(old);
    }

    /// <summary>As if the password had been chosen before the rounds were raised.</summary>
    private static async Task<string> OutdateAsync(IdentityLab lab)
    {
        using var before = new PasswordHashing(_before);
        var old = await before.HashAsync(IdentityLab.Password, IdentityLab.Stop);
        await lab.Get<WriteQueue>().WriteAsync(
            lab.Organization,
            (db, stop) => db.Set<Credential>().Where(row => row.Person == lab.Tom.Id).ExecuteUpdateAsync(set => set.SetProperty(row => row.PasswordHash, old), stop),
            IdentityLab.Stop);
        return old;
    }

    private static async Task<string> HashAsync(IdentityLab lab)
    {
        await using var db = lab.Get<Database>().Read(lab.Organization);
        return await db.Set<Credential>().Where(row => row.Person == lab.Tom.Id).Select(row => row.PasswordHash).SingleAsync(IdentityLab.Stop);
    }
}
