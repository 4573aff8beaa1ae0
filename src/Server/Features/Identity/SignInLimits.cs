namespace Countersign.Server.Features.Identity;

/// <summary>What signing in costs and how much guessing is borne with. The defaults are for production.</summary>
public sealed record SignInLimits
{
    /// <summary>Wrong passwords for one login before each further one makes it wait.</summary>
    public int FreeFailures { get; init; } = 5;

    /// <summary>The wait after the first failure that is not free; doubled with each one after it.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestWait { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>A login's failures are forgotten so long after the last of them: at the longest wait, a guesser has about a hundred tries a day.</summary>
    public TimeSpan Memory { get; init; } = TimeSpan.FromHours(24);

    /// <summary>One failure of a login is forgotten each time that this has gone by: whoever mistypes now and then is not made to wait for it weeks later.</summary>
    public TimeSpan Ease { get; init; } = TimeSpan.FromHours(1);

    /// <summary>So long after a login was signed in with from an address, what strangers bring about elsewhere does not make it wait there.</summary>
    public TimeSpan KnownFor { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Failures from one address (an IPv6 network of 64 bits counts as one) within <see cref="AddressWindow"/>.</summary>
    public int FailuresPerAddress { get; init; } = 50;

    /// <summary>Begins with an address's first failure.</summary>
    public TimeSpan AddressWindow { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Logins, and addresses, that are remembered at most; beyond it those with the fewest failures are forgotten.</summary>
    public int Remembered { get; init; } = 100_000;

    /// <summary>
    /// Of PBKDF2 with HMAC-SHA-512: OWASP's recommendation (Password Storage Cheat Sheet, 2023). Once raised, passwords are hashed anew at the
    /// next sign-in.
    /// </summary>
    public int PasswordIterations { get; init; } = 210_000;

    /// <summary>
    /// A password that an administrator chose is good so long for choosing another one, and for nothing from then on: its person may come by a key meanwhile, and
    /// never use it.
    /// </summary>
    public TimeSpan FirstPasswordLife { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Links to join, or to choose a password, that one organization has mailed to one address within an hour.</summary>
    public int LinksToAnAddress { get; init; } = 10;

    /// <summary>The same to all addresses.</summary>
    public int LinksOfAnOrganization { get; init; } = 200;

    /// <summary>Passwords verified at once; the others wait. Half of the processors, so that a flood leaves the other half to sessions.</summary>
    public int Verifications { get; init; } = Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Verifications that may wait; further ones are refused at once.</summary>
    public int WaitingVerifications { get; init; } = 256;
}
