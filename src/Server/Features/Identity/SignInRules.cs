using System.Net;
using Countersign.Access;

namespace Countersign.Server.Features.Identity;

/// <summary>What an organization demands of those who sign in.</summary>
internal sealed record SignInRules
{
    public bool TwoFactorRequired { get; init; }

    /// <summary>Empty: from anywhere.</summary>
    public IReadOnlyList<IPNetwork> Networks { get; init; } = [];

    /// <summary>Of zxcvbn's estimate.</summary>
    public int PasswordStrength { get; init; } = PasswordRules.UsualScore;

    /// <summary>An older password has to be changed; null: none has.</summary>
    public TimeSpan? PasswordAge { get; init; }

    /// <summary>From signing in to having to sign in again.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>Without a request; null: for as long as one likes.</summary>
    public TimeSpan? Idle { get; init; }

    /// <summary>Null: there is no such organization, and so nothing that it allows.</summary>
    public static SignInRules Of(PolicySnapshot? policy) => policy is null ? new() { TwoFactorRequired = true } : new();

    public bool Allows(IPAddress source)
    {
        if (Networks.Count == 0) return true;
        var plain = source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
        return Networks.Any(network => network.Contains(plain));
    }

    public bool IsTooOld(DateTimeOffset passwordChanged, DateTimeOffset now) => PasswordAge is { } age && now - passwordChanged >= age;
}
