using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Countersign.Server.Features.Identity;

internal enum PasswordCheck
{
    Wrong = 0,
    Right = 1,

    /// <summary>Right, and its hash is of older parameters: store a new one.</summary>
    RightButOutdated = 2,

    /// <summary>Not looked at: too many are waiting.</summary>
    Busy = 3,
}

/// <summary>
/// Hashes and verifies passwords with ASP.NET Core Identity's hasher (PBKDF2, HMAC-SHA-512, 128-bit salt). So much work is bounded: a few at
/// once, a bounded number in the queue, the rest refused.
/// </summary>
internal sealed class PasswordHashing : IDisposable
{
    private const int RestLength = 32;

    private static readonly byte[] _restSalt = new byte[16];

    private readonly PasswordHasher<object> _hasher;
    private readonly int _rounds;
    private readonly SemaphoreSlim _slots;
    private readonly int _mostWaiting;
    private readonly string _nobodys;
    private int _waiting;
    private long _spent;

    public PasswordHashing(SignInLimits limits)
    {
        _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = limits.PasswordIterations }));
        _rounds = limits.PasswordIterations;
        _slots = new(limits.Verifications);
        _mostWaiting = limits.WaitingVerifications;
        _nobodys = _hasher.HashPassword(this, RandomNumberGenerator.GetHexString(32));
    }

    /// <summary>Rounds of verifications, all together: that each verification costs the same is seen here, and not by a watch.</summary>
    public long RoundsSpent => Interlocked.Read(ref _spent);

    /// <exception cref="PasswordsBusyException">Too many are waiting.</exception>
    public async Task<string> HashAsync(string password, CancellationToken cancellation) =>
        await TakeTurnAsync(() => _hasher.HashPassword(this, password), cancellation) ?? throw new PasswordsBusyException();

    /// <param name="hash">Null where there is none: the answer is wrong, at the price of a verification.</param>
    public async Task<PasswordCheck> VerifyAsync(string? hash, string password, CancellationToken cancellation)
    {
        var verified = await TakeTurnAsync(
            () => (PasswordVerificationResult?)VerifyNow(hash ?? _nobodys, password),
            cancellation);
        return verified switch
        {
            null => PasswordCheck.Busy,
            _ when hash is null => PasswordCheck.Wrong,
            PasswordVerificationResult.Success => PasswordCheck.Right,
            PasswordVerificationResult.SuccessRehashNeeded => PasswordCheck.RightButOutdated,
            _ => PasswordCheck.Wrong,
        };
    }

    /// <summary>How many rounds fewer than today's the hash was made with; 0: none fewer. In the hasher's form the count stands behind its version and function.</summary>
    public int RoundsShort(string hash)
    {
        Span<byte> form = stackalloc byte[128];
        return Convert.TryFromBase64String(hash, form, out var length) && length > 9 && form[0] == 1
            ? Math.Max(0, _rounds - BinaryPrimitives.ReadInt32BigEndian(form[5..]))
            : 0;
    }

    public void Dispose() => _slots.Dispose();

    private PasswordVerificationResult VerifyNow(string hash, string password)
    {
        var result = _hasher.VerifyHashedPassword(this, hash, password);
        var rest = RoundsShort(hash);
        Interlocked.Add(ref _spent, _rounds - rest);

        // A hash of before the rounds were raised costs less: the rest is spent, too, so that time does not tell it from a login that nobody has.
        if (rest == 0) return result;
        Rfc2898DeriveBytes.Pbkdf2(password, _restSalt, rest, HashAlgorithmName.SHA512, RestLength);
        Interlocked.Add(ref _spent, rest);
        return result;
    }

    private async Task<T?> TakeTurnAsync<T>(Func<T> work, CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _waiting) > _mostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            return default;
        }

        try
        {
            await _slots.WaitAsync(cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(work, CancellationToken.None);
        }
        finally
        {
            _slots.Release();
        }
    }
}

/// <summary>More passwords wait to be hashed than are allowed to: the caller answers that it should be tried again.</summary>
public sealed class PasswordsBusyException : Exception
{
    public PasswordsBusyException()
        : base("Too many passwords are being verified right now.")
    {
    }

    public PasswordsBusyException(string message)
        : base(message)
    {
    }

    public PasswordsBusyException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
