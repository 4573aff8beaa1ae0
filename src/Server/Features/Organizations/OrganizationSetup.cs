using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Server.Features.Identity;
using Countersign.Server.Platform;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Features.Organizations;

/// <summary>An organization that is to be, with its owner.</summary>
internal sealed record NewOrganization(string Name, string Login, string OwnerName, string Mail, string Password)
{
    public string Name { get; } = Names.Composed(Name);

    public string OwnerName { get; } = Names.Composed(OwnerName);

    public override string ToString() => $"{nameof(NewOrganization)} {Name}";
}

internal abstract record SetupOutcome
{
    private SetupOutcome()
    {
    }

    public sealed record Created(OrganizationId Organization, PersonRow Owner, IssuedToken Token) : SetupOutcome;

    public sealed record Invalid(string Field, string Message) : SetupOutcome;

    /// <summary>The login is somebody's already.</summary>
    public sealed record Taken : SetupOutcome;

    /// <summary>The set-up token is not, or is no longer, good.</summary>
    public sealed record NotOpen : SetupOutcome;
}

/// <summary>
/// Makes organizations. On a server without one, whoever holds the set-up token becomes the owner of the first: the token is printed at each
/// start, is good once, and is gone when the server stops. Only its hash is kept, in memory.
/// </summary>
internal sealed class OrganizationSetup(
    PolicySource policy, PolicyWriter writer, Passwords passwords, ApiTokens tokens, AuditLog audit, TimeProvider time) : IDisposable
{
    private const int TokenLength = 32;

    private readonly SemaphoreSlim _turn = new(1);
    private byte[]? _tokenHash;

    /// <summary>A token for the first organization's set-up, in place of one made before; null: there is an organization already.</summary>
    public string? IssueToken()
    {
        if (policy.All.Any()) return null;
        Span<byte> token = stackalloc byte[TokenLength];
        RandomNumberGenerator.Fill(token);
        var text = Base64Url.EncodeToString(token);
        _tokenHash = Hash(text);
        return text;
    }

    /// <summary>Whether anybody can still set the server up.</summary>
    public bool IsOpen => _tokenHash is not null && !policy.All.Any();

    /// <summary>The first organization, for whoever holds the token. Of several at once one wins, and the token is spent only then.</summary>
    public async Task<SetupOutcome> UseTokenAsync(string token, NewOrganization wanted, IPAddress? source, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            if (_tokenHash is not { } hash || policy.All.Any()) return new SetupOutcome.NotOpen();
            if (!CryptographicOperations.FixedTimeEquals(Hash(token), hash)) return new SetupOutcome.NotOpen();
            var outcome = await CreateAsync(wanted, source, Founding.First, cancellation);
            if (outcome is SetupOutcome.Created) _tokenHash = null;
            return outcome;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>An organization more, for the server's own use: the caller answers for its being allowed.</summary>
    public Task<SetupOutcome> CreateAsync(NewOrganization wanted, CancellationToken cancellation) => CreateAsync(wanted, null, Founding.Any, cancellation);

    /// <summary>An organization that somebody has registered, with a password that was hashed when they asked. Once for each id.</summary>
    public async Task<SetupOutcome> RegisterAsync(OrganizationId id, NewOrganization wanted, string hash, IPAddress source, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            return policy.Current(id) is not null ? new SetupOutcome.NotOpen() : await CreateAsync(id, wanted, hash, source, Founding.Any, cancellation);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    private async Task<SetupOutcome> CreateAsync(NewOrganization wanted, IPAddress? source, Founding founding, CancellationToken cancellation)
    {
        if (Problem(wanted) is { } problem) return problem;
        if (policy.TryFindLogin(wanted.Login, out _, out _)) return new SetupOutcome.Taken();
        return await CreateAsync(new(Guid.NewGuid()), wanted, await passwords.HashAsync(wanted.Password, cancellation), source, founding, cancellation);
    }

    private async Task<SetupOutcome> CreateAsync(
        OrganizationId organization, NewOrganization wanted, string hash, IPAddress? source, Founding founding, CancellationToken cancellation)
    {
        if (policy.TryFindLogin(wanted.Login, out _, out _)) return new SetupOutcome.Taken();
        var owner = new PersonId(Guid.NewGuid());
        var delta = PolicySnapshot.Bootstrap(organization, owner, wanted.Login, wanted.OwnerName, wanted.Mail, new(Guid.NewGuid()));
        var entry = new AuditEntry
        {
            Kind = "organization.founded",
            Actor = owner,
            ActorLogin = wanted.Login,
            Channel = source is null ? "system" : "api",
            Source = source,
            Subject = wanted.Name,
            SubjectId = organization.Value,
        };
        IssuedToken? token = null;
        try
        {
            var snapshot = await writer.FoundAsync(
                wanted.Name,
                delta,
                entry,
                async (db, _, stop) =>
                {
                    // In the transaction: holds also against another process on the same data directory.
                    if (founding == Founding.First && await db.Set<Organization>().AnyAsync(row => row.Id != organization, stop))
                        throw new NotTheFirstException();
                    await passwords.SetAsync(db, owner, hash, PasswordChoice.Own, stop);
                    token = await tokens.AddForSignInAsync(
                        db,
                        new()
                        {
                            Person = owner,
                            Label = "set-up",
                            Scopes = TokenScopes.Write,
                            Origin = TokenOrigin.SignIn,
                            Strength = SignInStrength.OneFactor,
                            Expires = time.GetUtcNow() + SignInRules.Of(null).Lifetime,
                            Address = source,
                        },
                        stop);
                    audit.Add(db, entry with
                    {
                        Kind = "sign-in.succeeded",
                        Subject = wanted.Login,
                        SubjectId = owner.Value,
                        Details = new() { ["method"] = "set-up" },
                    });
                },
                cancellation);
            return new SetupOutcome.Created(organization, snapshot.Person(owner)!, token!);
        }
        catch (NotTheFirstException)
        {
            return new SetupOutcome.NotOpen();
        }
        catch (DbUpdateException) when (policy.TryFindLogin(wanted.Login, out _, out _))
        {
            // Somebody got the login since it was looked for; the unique index knew.
            return new SetupOutcome.Taken();
        }
    }

    /// <summary>Null: it could be.</summary>
    public static SetupOutcome.Invalid? Problem(NewOrganization wanted) => ProblemOfNames(wanted) ?? ProblemOfPassword(wanted);

    public static SetupOutcome.Invalid? ProblemOfNames(NewOrganization wanted)
    {
        if (!Names.IsName(wanted.Name)) return new("organization", "It has 1 to 200 characters on one line.");
        if (Logins.Problem(wanted.Login) is { } wrong) return new("login", wrong);
        if (!Names.IsName(wanted.OwnerName)) return new("name", "It has 1 to 200 characters on one line.");
        return wanted.Mail.Length > 0 && !Names.IsMail(wanted.Mail) ? new("mail", "It is a mail address such as ann@example.org, or empty.") : null;
    }

    /// <summary>Takes a while: how hard it is to guess is estimated.</summary>
    public static SetupOutcome.Invalid? ProblemOfPassword(NewOrganization wanted) =>
        PasswordRules.Problem(wanted.Password, PasswordRules.UsualScore, wanted.Login, wanted.OwnerName, wanted.Mail, wanted.Name) is { } problem
            ? new("password", problem)
            : null;

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    private enum Founding
    {
        Any = 0,

        /// <summary>Only where there is no organization.</summary>
        First = 1,
    }

    private sealed class NotTheFirstException : Exception;
}
