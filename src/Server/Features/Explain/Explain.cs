using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Countersign.Access;
using Countersign.Server.Platform;
using Countersign.Sessions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Explain;

/// <param name="Cites">The rows of policy that the sentence speaks of.</param>
internal sealed record ExplainedLine(string Text, IReadOnlyList<CitedRow> Cites);

/// <param name="Until">Null: no end is known, or <paramref name="LastingSeconds"/> tells.</param>
/// <param name="LastingSeconds">It rests on access that begins with its first use: how long it holds from then on.</param>
internal sealed record ExplainedEnd(Permission Permission, DateTimeOffset? Until, long? LastingSeconds);

internal sealed record CitedRow(PolicyTable Table, Guid Id, Guid? Id2, string? Part);

/// <param name="Until">When the first of the wanted permissions stops holding; null: no end is known.</param>
/// <param name="LastingSeconds">How long it holds from the beginning of the connection on, where it rests on access that begins with its first use; null: see until.</param>
/// <param name="Ends">Until when each of the permissions holds, followed for itself.</param>
/// <param name="Consent">Allowed: what the end user has to be asked or told first.</param>
/// <param name="Recording">Allowed: how the session is recorded.</param>
/// <param name="Change">The fewest changes that would turn the answer, a sentence each; for master administrators, who could make them.</param>
internal sealed record ExplainAnswer(
    DecisionKind Decision,
    DenialReason Reason,
    IReadOnlyList<Permission> Permissions,
    DateTimeOffset? Until,
    long? LastingSeconds,
    IReadOnlyList<ExplainedEnd> Ends,
    ConsentMode Consent,
    RecordingRule Recording,
    DateTimeOffset? ReevaluateAt,
    IReadOnlyList<ExplainedLine> Lines,
    IReadOnlyList<string> Change,
    long Version);

/// <summary>Why somebody may or may not do something on a device.</summary>
public static class ExplainComposition
{
    public static IServiceCollection AddExplain(this IServiceCollection services) => services.AddApiTypes(ExplainJson.Default);

    public static void MapExplain(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/explain", ExplainAccess.Handle).WithTags("Explain").Requires(TokenScopes.PolicyRead);
        routes.MapGet("/who-can", WhoCan.Handle).WithTags("Explain").Requires(TokenScopes.PolicyRead);
    }
}

internal static class ExplainAccess
{
    /// <summary>Somebody or something that the caller may not see is not there.</summary>
    /// <param name="device">A device's name.</param>
    /// <param name="person">A login; left out: the caller.</param>
    /// <param name="permission">Left out: Terminal.</param>
    /// <param name="account">Left out: the device's default account; of what is no connection, the device itself.</param>
    public static async Task<Results<Ok<ExplainAnswer>, ProblemHttpResult>> Handle(
        Caller caller,
        CallersPolicy policy,
        IApprovalDesk desk,
        string device,
        string? person = null,
        string? permission = null,
        string? account = null,
        CancellationToken cancellation = default)
    {
        var wanted = Permission.Terminal;
        if (permission is not null && !PermissionText.TryRead(permission, out wanted))
            return Problems.Invalid("permission", "There is no such permission.");
        var subject = person is null ? policy.Snapshot.Person(caller.Person) : policy.Snapshot.PersonByLogin(person);
        var target = policy.Snapshot.DeviceByName(device);
        if (subject is null || target is null || !policy.MaySee(subject.Id) || !policy.MaySee(target.Id)) return Problems.NotFound();

        var question = Question(caller, policy, subject.Id, target.Id, account, wanted, await desk.PreapprovedAsync(caller.Organization, subject.Id, cancellation));
        var explanation = policy.Snapshot.Explain(question, caller.Person);
        var change = policy.IsMasterAdministrator ? policy.Snapshot.SmallestChange(question, () => new(Guid.NewGuid()), cancellation) : null;
        var decision = explanation.Decision;
        return TypedResults.Ok(new ExplainAnswer(
            decision.Kind,
            decision.Reason,
            [.. decision.Permissions],
            decision.Until,
            (long?)decision.Lasting?.TotalSeconds,
            [.. policy.Snapshot.EndsOf(question).Select(end => new ExplainedEnd(end.Permission, end.Until, (long?)end.Lasting?.TotalSeconds))],
            decision.Consent,
            decision.Recording,
            decision.ReevaluateAt,
            [.. explanation.Lines.Select(line => new ExplainedLine(line.Text, [.. line.Cites.Select(Show)]))],
            [.. change?.Changes.Select(one => one.Text) ?? []],
            policy.Version));
    }

    /// <summary>Another's source and sign-in are not known here: the question is put as if they met the sign-in rules, whatever those are.</summary>
    /// <param name="preapproved">What was approved ahead for the person; an approval that one connection claims is none of it.</param>
    public static AccessQuestion Question(
        Caller caller, CallersPolicy policy, PersonId person, DeviceId device, string? account, Permission wanted, ImmutableArray<PreapprovedRequest> preapproved)
    {
        var own = person == caller.Person;
        return new(
            person,
            device,
            account,
            PermissionSet.Of(wanted),
            policy.At,
            own ? caller.Source : policy.Snapshot.SignIn.AllowedNetworks?.First,
            own ? caller.Strength : SignInStrength.TwoFactor,
            EndUserPresence.CannotBeAsked)
        {
            Preapprovals = preapproved,
        };
    }

    private static CitedRow Show(RowKey key) => new(key.Table, key.Id, key.Id2 == default ? null : key.Id2, key.Part.Length == 0 ? null : key.Part);
}

[JsonSerializable(typeof(ExplainAnswer))]
[JsonSerializable(typeof(Page<WhoCanEntry>))]
internal sealed partial class ExplainJson : JsonSerializerContext;
