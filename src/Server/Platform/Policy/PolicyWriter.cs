using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Server.Platform.Persistence;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Platform;

/// <summary>
/// Work that goes into the transaction of a policy change: for what is not policy but hangs on it, such as a secret. One that is registered as
/// a service runs with every change, whichever way it came.
/// </summary>
internal delegate Task AlongWithChange(CountersignDb db, PolicyDelta delta, CancellationToken cancellation);

/// <summary>A command that is made from what is stored, in the transaction in which it is planned; null: what it would change is not there.</summary>
internal delegate ValueTask<PolicyCommand?> MakeCommand(CountersignDb db, PolicySnapshot policy, CancellationToken cancellation);

/// <summary>What is no policy and belongs to a row is changed with it: a change of that row, which has its version like others, also where the row stays as it is.</summary>
/// <param name="Key">Of a row that is there, or that the command adds or removes.</param>
/// <param name="Summary">One plain sentence, with nothing secret in it.</param>
/// <param name="HangsOn">Rows that stay as they are, and must not have been changed since the caller read them.</param>
internal sealed record RowTouch(RowKey Key, string Summary, IReadOnlyList<RowKey> HangsOn);

/// <summary>Made where the command is planned; null: there is none.</summary>
internal delegate ValueTask<RowTouch?> MakeTouch(CountersignDb db, CancellationToken cancellation);

/// <summary>
/// On the writer: whether what the caller is signed in with still counts. Implemented by the identity feature; without one nobody who comes by the gate changes anything.
/// </summary>
internal delegate ValueTask<bool> SignInStands(CountersignDb db, PolicySnapshot policy, Caller caller, CancellationToken cancellation);

/// <summary>
/// What was approved ahead for a person and is not over: by the law against self-escalation it binds them where they change policy. Implemented by the feature of requests.
/// </summary>
internal delegate ValueTask<ImmutableArray<PreapprovedRequest>> ApprovedAhead(CountersignDb db, PersonId person, CancellationToken cancellation);

/// <summary>
/// The one way for every change of policy: plans the command against exactly the version that the database has, stores the rows, the delta as
/// the next version and the audit record in one transaction, and puts the new snapshot in force once that is durable.
/// </summary>
internal sealed class PolicyWriter(
    WriteQueue queue,
    Database database,
    PolicySource source,
    AuditLog audit,
    RepeatedRefusals refusals,
    RowVersions rows,
    SignInStands signInStands,
    ApprovedAhead approvedAhead,
    IEnumerable<AlongWithChange> alongWithEach,
    TimeProvider time)
{
    // Snapshots that are in an open transaction and not yet in force, so that several commands fit into one group. Touched by the writer only.
    private readonly Dictionary<OrganizationId, PolicySnapshot> _ahead = [];

    /// <summary>
    /// What is in force for a unit of work on the writer: changes that were saved before it count, also where their group is not committed yet. On the writer only. Null: no such organization.
    /// </summary>
    public PolicySnapshot? ForWriter(OrganizationId organization) => _ahead.GetValueOrDefault(organization) ?? source.Current(organization);

    /// <summary>On the writer only: for what is no change of policy and for master administrators alone.</summary>
    public bool IsMasterAdministrator(Caller caller) => ForWriter(caller.Organization)?.IsMasterAdministrator(caller.Person, time.GetUtcNow()) == true;

    /// <summary>Whether the gate would let the caller in still, by this policy.</summary>
    public async ValueTask<bool> IsSignedInAsync(CountersignDb db, PolicySnapshot policy, Caller caller, CancellationToken cancellation) =>
        policy.Standing(caller.Person, caller.Source, caller.Strength) == DenialReason.None && await signInStands(db, policy, caller, cancellation);

    /// <summary>Applies a command on behalf of the caller.</summary>
    /// <param name="along">Runs in the same transaction, after the rows are marked; if it throws, nothing is stored.</param>
    public Task<PolicyOutcome> ApplyAsync(Caller caller, PolicyCommand command, CancellationToken cancellation, AlongWithChange? along = null) =>
        ApplyAsync(caller, _ => command, cancellation, along);

    /// <summary>The same for a command that is made from the rows as they are when it is planned (a change of some fields of a row).</summary>
    /// <param name="command">Null: what it would change is not there.</param>
    public Task<PolicyOutcome> ApplyAsync(
        Caller caller, Func<PolicySnapshot, PolicyCommand?> command, CancellationToken cancellation, AlongWithChange? along = null) =>
        ApplyAsync(caller, (_, policy, _) => ValueTask.FromResult(command(policy)), cancellation, along);

    /// <inheritdoc cref="ApplyAsync(Caller, PolicyCommand, CancellationToken, AlongWithChange?)"/>
    /// <param name="touch">The row that what is done along belongs to, so that the change is one of that row, too.</param>
    public Task<PolicyOutcome> ApplyAsync(Caller caller, MakeCommand command, CancellationToken cancellation, AlongWithChange? along = null, MakeTouch? touch = null)
    {
        var wish = new Wish(caller, command, along, touch);
        return caller.Preview is not null || caller.Read is not null
            ? AheadAsync(wish, PlanStands.Never, cancellation)
            : queue.WriteAsync((unit, stop) => ApplyAsync(unit, wish, null, stop), cancellation);
    }

    /// <summary>
    /// The same for a command that takes long to make or to plan: that is done with the policy in force, before it is the writer's turn, and stands where
    /// nothing was changed until then, no right of the caller's came or went by the clock, and they are signed in still. So whoever is refused holds up nobody, and who is not holds others up for as long as the storing takes.
    /// </summary>
    /// <param name="command">From nothing but the policy and what is never changed. Made once more, on the writer, where the policy was changed meanwhile.</param>
    public Task<PolicyOutcome> ApplyPlannedAheadAsync(Caller caller, MakeCommand command, CancellationToken cancellation, AlongWithChange? along = null) =>
        AheadAsync(new(caller, command, along, null), PlanStands.WhereNothingChanged, cancellation);

    /// <summary>Makes an organization with its first rows, as version 1. There is no policy yet that could allow it: the caller has authorized it.</summary>
    /// <param name="founding"><see cref="PolicySnapshot.Bootstrap"/>.</param>
    /// <param name="along">Stores what belongs to the founder, or refuses by throwing: then nothing is stored.</param>
    public Task<PolicySnapshot> FoundAsync(string name, PolicyDelta founding, AuditEntry entry, AlongWithChange along, CancellationToken cancellation) =>
        queue.WriteAsync(
            async (unit, stop) =>
            {
                var db = unit.Db.Of(founding.Organization);
                db.Add(new Organization { Id = founding.Organization, Name = name, Version = founding.FromVersion, Created = time.GetUtcNow() });
                await db.SaveChangesAsync(stop);
                await StoreAsync(db, founding, entry.Actor ?? default, stop);
                audit.Add(db, entry);
                await db.SaveChangesAsync(stop);
                await along(db, founding, stop);
                return Land(unit, PolicySnapshot.Empty(founding.Organization).Apply(founding));
            },
            cancellation);

    /// <summary>What the caller has read is compared ahead, too: on the writer only with what came meanwhile.</summary>
    private async Task<PolicyOutcome> AheadAsync(Wish wish, PlanStands stands, CancellationToken cancellation)
    {
        var ahead = await PlanAheadAsync(wish, stands, cancellation);
        if (ahead.Stale is { } stale) return stale;
        if (ahead.Plan is not PlanResult.Planned planned) return await RefuseAsync(wish.Caller, ahead, cancellation);
        if (wish.Caller.Preview is not { } preview) return await queue.WriteAsync((unit, stop) => ApplyAsync(unit, wish, ahead, stop), cancellation);
        var shown = new PolicyOutcome.Applied(planned.Delta, planned.Delta.Changes.Count == 0 ? ahead.Policy : ahead.Policy.Apply(planned.Delta)) { Left = planned.Left };
        preview.Keep(ahead.Policy, shown);
        return shown;
    }

    /// <summary>Plans against the policy in force and stores nothing.</summary>
    private async Task<Ahead> PlanAheadAsync(Wish wish, PlanStands stands, CancellationToken cancellation)
    {
        var caller = wish.Caller;
        var (snapshot, at) = (source.Current(caller.Organization) ?? throw NoPolicy(caller.Organization), time.GetUtcNow());
        await using var db = database.Read(caller.Organization);
        var (command, plan, hangsOn) = await PlanAsync(db, snapshot, wish, null, cancellation);
        var stale = plan is PlanResult.Planned { Delta: var delta } ? await rows.ChangedSinceAsync(db, snapshot, Keys(delta, hangsOn), caller, caller.Read, cancellation) : null;
        return new(snapshot, at, snapshot.AuthorityHoldsUntil(caller.Person, at), stands, command, plan, stale);
    }

    private async Task<PolicyOutcome> RefuseAsync(Caller caller, Ahead ahead, CancellationToken cancellation)
    {
        if (ahead.Command is not null && IsOverreach(ahead.Plan))
        {
            await queue.WriteAsync(
                (unit, _) =>
                {
                    NoteRefusal(unit, caller, ahead.Command, ahead.Plan, ahead.Policy.Version);
                    return Task.FromResult(true);
                },
                cancellation);
        }

        return new PolicyOutcome.Refused(ahead.Plan);
    }

    private async Task<PolicyOutcome> ApplyAsync(WriteUnit unit, Wish wish, Ahead? ahead, CancellationToken cancellation)
    {
        var (caller, along) = (wish.Caller, wish.Along);
        var snapshot = ForWriter(caller.Organization) ?? throw NoPolicy(caller.Organization);
        var db = unit.Db.Of(caller.Organization);

        // Between the gate and this turn lies what a caller can draw out, a password that is hashed or a plan: whoever was signed out meanwhile changes nothing more.
        if (caller.CameByGate && !await IsSignedInAsync(db, snapshot, caller, cancellation)) return new PolicyOutcome.SignInEnded();
        var (command, plan, hangsOn) = await PlanAsync(db, snapshot, wish, ahead, cancellation);
        if (plan is not PlanResult.Planned { Delta: var delta, Left: var left })
        {
            NoteRefusal(unit, caller, command, plan, snapshot.Version);
            return new PolicyOutcome.Refused(plan);
        }

        if (await rows.ChangedSinceAsync(db, snapshot, Keys(delta, hangsOn), caller, NotCompared(caller, delta, ahead), cancellation) is { } stale) return stale;
        if (delta.Changes.Count > 0)
        {
            await StoreAsync(db, delta, caller.Person, cancellation);
            audit.Add(db, Entry(caller, "policy.changed", delta.Summary, AuditOutcome.Done, delta.ToVersion, command!) with { SubjectId = delta.Changes[0].Key.Id });
            snapshot = Land(unit, snapshot.Apply(delta));
            foreach (var each in alongWithEach) await each(db, delta, cancellation);
        }

        if (along is not null) await along(db, delta, cancellation);
        caller.Made.Note(delta.Changes.Count > 0 ? delta.ToVersion : null);
        return new PolicyOutcome.Applied(delta, snapshot) { Left = left };
    }

    private async Task<(PolicyCommand? Command, PlanResult Plan, IReadOnlyList<RowKey> HangsOn)> PlanAsync(CountersignDb db, PolicySnapshot snapshot, Wish wish, Ahead? ahead, CancellationToken cancellation)
    {
        var caller = wish.Caller;
        var stands = ahead is { Stands: PlanStands.WhereNothingChanged } && ReferenceEquals(ahead.Policy, snapshot) && ahead.HoldsAt(time.GetUtcNow());
        if ((stands ? ahead!.Command : await wish.Make(db, snapshot, cancellation)) is not { } command) return (null, new PlanResult.NotFound(""), []);
        var plan = stands ? ahead!.Plan : await PlanAsync(db, snapshot, caller.Person, command, cancellation);
        if (plan is not PlanResult.Planned { Delta: var wanted } planned) return (command, plan, []);
        var touched = wish.Touch is null ? null : await wish.Touch(db, cancellation);
        if (touched is not null) plan = planned with { Delta = wanted = Touched(snapshot, wanted, touched) };

        // Neither is a matter of this organization's policy alone.
        if (await TakesLoginAsync(db, wanted, cancellation)) return (command, new PlanResult.Invalid("login", "That login is taken."), []);
        return (command, ShutsOut(snapshot, wanted, caller) ?? plan, touched?.HangsOn ?? []);
    }

    /// <summary>Master administrators are measured against nothing, and nothing is looked up for them.</summary>
    private async ValueTask<PlanResult> PlanAsync(CountersignDb db, PolicySnapshot snapshot, PersonId actor, PolicyCommand command, CancellationToken cancellation)
    {
        var at = time.GetUtcNow();
        var inHand = snapshot.IsMasterAdministrator(actor, at) ? [] : await approvedAhead(db, actor, cancellation);
        return snapshot.Plan(command, actor, at, inHand);
    }

    private static HashSet<RowKey> Keys(PolicyDelta delta, IReadOnlyList<RowKey> hangsOn) => [.. delta.Changes.Select(change => change.Key), .. hangsOn];

    private static PolicyDelta Touched(PolicySnapshot snapshot, PolicyDelta delta, RowTouch touch)
    {
        var isIn = delta.Changes.Any(change => change.Key == touch.Key);
        var row = isIn ? null : snapshot.Find(touch.Key) ?? throw new InvalidOperationException("There is no such row to touch.");
        return delta with
        {
            Summary = delta.Changes.Count == 0 ? touch.Summary : $"{delta.Summary} {touch.Summary}",
            Changes = row is null ? delta.Changes : [.. delta.Changes, new(row, row)],
        };
    }

    /// <summary>
    /// An organization must not lock itself out by a slip: whoever changes a sign-in rule has to meet it as they are signed in, and so can change it back.
    /// Where somebody comes from is nothing that a plan knows.
    /// </summary>
    private static PlanResult.Conflict? ShutsOut(PolicySnapshot before, PolicyDelta delta, Caller caller)
    {
        if (!delta.Changes.Any(change => change is { Key.Table: PolicyTable.Setting })) return null;
        var (was, now) = (before.SignIn, before.Apply(delta).SignIn);
        return was != now && now.Hindrance(caller.Source, caller.Strength) is not DenialReason.None and var hindrance
            ? new(hindrance == DenialReason.TwoFactorMissing
                ? "It would shut you out: you are not signed in with a second factor yourself."
                : "It would shut you out: where you are signed in from is in none of these networks.")
            : null;
    }

    private void NoteRefusal(WriteUnit unit, Caller caller, PolicyCommand? command, PlanResult plan, long version)
    {
        if (command is null || !IsOverreach(plan)) return;
        var entry = Entry(caller, "policy.refused", command.GetType().Name, AuditOutcome.Refused, version, command);
        if (refusals.IsFirst(unit, caller.Organization, ref entry)) audit.Add(unit.Db.Of(caller.Organization), entry);
    }

    private static bool IsOverreach(PlanResult plan) =>
        plan is PlanResult.Forbidden or PlanResult.NotFound || (plan is PlanResult.SomeRefused some && some.Steps.Any(step => IsOverreach(step.Reason)));

    /// <summary>Rows, version and delta. The version row is compared and moved in one statement: it holds against another process, too.</summary>
    private async Task StoreAsync(CountersignDb db, PolicyDelta delta, PersonId actor, CancellationToken cancellation)
    {
        var moved = await db.Set<Organization>()
            .Where(row => row.Id == delta.Organization && row.Version == delta.FromVersion)
            .ExecuteUpdateAsync(set => set.SetProperty(row => row.Version, delta.ToVersion), cancellation);
        if (moved != 1) throw new InvalidOperationException($"Policy of organization {delta.Organization} is not at version {delta.FromVersion}.");
        PolicyTables.Track(db, delta);
        db.Add(new PolicyChange
        {
            OrganizationId = delta.Organization,
            Version = delta.ToVersion,
            At = time.GetUtcNow(),
            Actor = actor,
            Summary = delta.Summary,
            Delta = DeltaJson.Write(delta),
        });
    }

    /// <summary>Logins are unique on the server, which no organization's policy can see.</summary>
    private static async Task<bool> TakesLoginAsync(CountersignDb db, PolicyDelta delta, CancellationToken cancellation)
    {
        foreach (var change in delta.Changes)
        {
            if (change.After is PersonRow person && (change.Before as PersonRow)?.Login != person.Login
                && await db.Set<PersonRow>().IgnoreQueryFilters().AnyAsync(row => row.Login == person.Login, cancellation)) return true;
        }

        return false;
    }

    private PolicySnapshot Land(WriteUnit unit, PolicySnapshot next)
    {
        unit.Saved = () => _ahead[next.Organization] = next;
        unit.Committed = () => source.Swap(next);
        unit.Lost = _ahead.Clear;
        return next;
    }

    /// <summary>Since which version what the delta changes has still to be compared; null: the caller does not say what they have read.</summary>
    private static long? NotCompared(Caller caller, PolicyDelta delta, Ahead? ahead)
    {
        if (caller.Read is not { } read || ahead?.Plan is not PlanResult.Planned { Delta: var compared }) return caller.Read;
        var keys = compared.Changes.Select(change => change.Key).ToHashSet();
        return delta.Changes.All(change => keys.Contains(change.Key)) ? Math.Max(read, ahead.Policy.Version) : read;
    }

    private static InvalidOperationException NoPolicy(OrganizationId organization) => new($"Organization {organization} has no policy.");

    private static AuditEntry Entry(Caller caller, string kind, string subject, AuditOutcome outcome, long version, PolicyCommand command) => AuditEntry.By(caller, kind) with
    {
        Subject = subject,
        Outcome = outcome,
        Details = new() { ["version"] = version, ["command"] = command.GetType().Name },
    };

    private sealed record Wish(Caller Caller, MakeCommand Make, AlongWithChange? Along, MakeTouch? Touch);

    /// <summary>What was planned before the writer's turn.</summary>
    /// <param name="Policy">What it was planned against.</param>
    /// <param name="Until">When a right that the caller had, or had not, then may be another by the clock, with nothing changed; null: never.</param>
    private sealed record Ahead(PolicySnapshot Policy, DateTimeOffset At, DateTimeOffset? Until, PlanStands Stands, PolicyCommand? Command, PlanResult Plan, PolicyOutcome.Stale? Stale)
    {
        /// <summary>Not where the clock was set back: nothing is known of before.</summary>
        public bool HoldsAt(DateTimeOffset now) => now >= At && !(now >= Until);
    }

    /// <summary>Whether a plan that was made ahead counts on the writer.</summary>
    private enum PlanStands
    {
        Never = 0,
        WhereNothingChanged = 1,
    }
}
