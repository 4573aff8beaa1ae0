using System.Data.Common;
using Countersign.Access;
using Countersign.Gateway;
using Countersign.Server.Features.Vault;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Events;

namespace Countersign.Server.Features.Identity;

/// <summary>
/// Ends the connections through front doors whose sign-in is older than the organization lets one become, those by certificate whose sign-in or authority is gone, and at
/// once those of people who are not who they were. It looks instead of being told: there are many ways for a sign-in to go, and rules change while people are in.
/// </summary>
internal sealed partial class SignInGuard(LiveSignIns live, EventLimits limits, StandingTokens standing, SshAuthorities authorities, PolicySource policy, ILogger<SignInGuard> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var changes = policy.OnChange(EndWhoIsSomebodyElse);
        using var timer = new PeriodicTimer(limits.TokenCheck, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await LookAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops, and the front door closes its connections.
        }
    }

    private void EndWhoIsSomebodyElse(PolicySnapshot snapshot)
    {
        foreach (var one in live.All.Where(one => one.Person.Organization == snapshot.Organization))
        {
            if (snapshot.Person(one.Person.Person) is not { State: PersonState.Activated } person) one.Person.End("you are not a member here any more");
            else if (SignInVoiding.IsAtAnotherAddress(person, one.Mail)) one.Person.End("your address was changed: sign in again");
        }
    }

    private async Task LookAsync(CancellationToken cancellation)
    {
        var certified = new List<(LiveSignIn Live, SignInProof.Certificate By)>();
        foreach (var one in live.All)
        {
            if (live.AgeOf(one) >= SignInRules.Of(policy.Current(one.Person.Organization)).Lifetime) one.Person.End("you signed in too long ago: sign in again");
            else if (one.Proof is SignInProof.Certificate certificate) certified.Add((one, certificate));
        }

        if (certified.Count == 0) return;
        try
        {
            var valid = await standing([.. certified.Select(one => one.By.SignIn).Distinct()], cancellation);
            foreach (var (one, by) in certified)
            {
                if (!valid.Contains(by.SignIn)) one.Person.End("the sign-in that the certificate stands for has ended");
            }

            foreach (var those in certified.GroupBy(one => one.Live.Person.Organization))
            {
                var trusted = await authorities.TrustedAsync(those.Key, AuthorityPurpose.FrontDoor, cancellation);
                foreach (var (one, by) in those)
                {
                    if (!trusted.Contains(by.Authority)) one.Person.End(DoorCertificates.AuthorityIsGone);
                }
            }
        }
        catch (DbException failure)
        {
            // Nobody could have signed out meanwhile: that would have had to be written. Age needs no database.
            LogFailed(failure, certified.Count);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "Sign-ins could not be looked up: {Count} connections by certificate go on until they can")]
    private partial void LogFailed(Exception failure, int count);
}
