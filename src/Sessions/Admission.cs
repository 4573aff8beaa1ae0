using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;

namespace Countersign.Sessions;

/// <summary>The one way for every connection: decide, have it approved where that is needed, write the session down, record it, hand out the proof.</summary>
public sealed class Admission(
    IPolicySource policy, ISessionLedger ledger, IApprovalDesk desk, LiveSessions sessions, JournalKeeper journals, Recorder recorder, TimeProvider time)
{
    /// <summary>
    /// Stands in for a device that is not there, so that the question takes the same path as for one that is. No device ever has this id: ids are
    /// random and this one is not of any version.
    /// </summary>
    private static readonly DeviceId NoDevice = new(Guid.AllBitsSet);

    /// <summary>How often a person is asked for a reason that will do.</summary>
    private const int MostQuestions = 3;

    /// <summary>How often a connection waits anew, because what was approved does not count any more when it is. Far more than a person would bear.</summary>
    private const int MostWaits = 10;

    /// <summary>Asks where nobody can wait: a connection whose approval is not in hand already is refused.</summary>
    public ValueTask<AdmissionResult> AskAsync(ConnectionWish wish, CancellationToken cancellation) => AskAsync(wish, null, cancellation);

    /// <param name="room">Where the connection waits for an approval; null: it doesn't.</param>
    /// <param name="cancellation">The person has left: a request that waits for nobody else is cancelled.</param>
    public async ValueTask<AdmissionResult> AskAsync(ConnectionWish wish, IWaitingRoom? room, CancellationToken cancellation)
    {
        // Once more from the beginning whenever something happened meanwhile: each answer is from one version of policy, at one instant.
        for (var waits = 0; ;)
        {
            if (Ask(wish, []) is not { } alone) return new AdmissionResult.Refused(DecisionKind.Denied, Refusals.NoSuchDevice(wish));
            var isAll = alone.Decision.Kind == DecisionKind.Allowed && alone.Ways.Length == wish.LivesOn.Length;
            var best = isAll ? [alone] : await WithPreapprovedAsync(wish, alone, cancellation);
            var (asked, claim) = best[0].Decision.Kind == DecisionKind.NeedsApproval ? await WithApprovedAsync(wish, best, cancellation) : (best[0], null);

            switch (asked.Decision.Kind)
            {
                case DecisionKind.Allowed:
                    if (await BeginAsync(wish, asked, claim, cancellation) is { } admitted) return admitted;
                    break;
                case DecisionKind.NeedsApproval when room is not null && waits++ < MostWaits:
                    if (await WaitAsync(wish, asked, room, cancellation) is { } refused) return refused;
                    break;
                default:
                    return await RefuseAsync(wish, asked, cancellation);
            }
        }
    }

    /// <summary>
    /// The same with what was approved ahead, where policy alone does not let in, or not to all that is wanted; what begins with its first use only where nothing else does, one at a
    /// time. It is looked for whether there is such a device or not.
    /// </summary>
    /// <returns>The best answer, and behind it those that are as good with more in hand: beside that, less may have to be approved.</returns>
    private async ValueTask<ImmutableArray<Asked>> WithPreapprovedAsync(ConnectionWish wish, Asked asked, CancellationToken cancellation)
    {
        ImmutableArray<Asked> best = [asked];
        var known = await desk.PreapprovedAsync(wish.Organization, wish.Person, cancellation);
        if (known.IsEmpty) return best;
        ImmutableArray<PreapprovedRequest> begun = [.. known.Where(request => !IsPending(request) && asked.IsFor(wish, request))];
        foreach (var evidence in known.Where(request => IsPending(request) && asked.IsFor(wish, request)).Select(begun.Add).Prepend(begun))
        {
            if (best[0].Decision.Kind == DecisionKind.Allowed && evidence.Any(IsPending)) break;
            if (evidence.IsEmpty || Ask(wish, evidence) is not { } other || best[0].IsBetterThan(other)) continue;
            best = other.IsBetterThan(best[0]) ? [other] : best.Add(other);
        }

        return best;
    }

    /// <summary>The first that an approval in hand settles, with that approval; where none does, the first.</summary>
    private async ValueTask<(Asked Asked, ApprovedRequest? Claim)> WithApprovedAsync(ConnectionWish wish, ImmutableArray<Asked> best, CancellationToken cancellation)
    {
        var inHand = await desk.InHandAsync(best[0].ToApprove(wish), cancellation);
        foreach (var asked in best)
        {
            foreach (var approved in inHand)
            {
                // One that counts settles it, also where something else then stands in the way: no further approval would help.
                if (Ask(wish, asked.Question.Preapprovals, approved) is not { Decision.Kind: not DecisionKind.NeedsApproval } covered) continue;

                // What is open by now, or asked for no more, may let in without it: then it is not used up.
                return (covered, covered.Snapshot.AsBegun(covered.Question).Approvals.IsEmpty ? null : approved);
            }
        }

        return (best[0], null);
    }

    private static bool IsPending(PreapprovedRequest request) => request.Time is RequestTime.FromFirstUse { IsPending: true };

    /// <summary>Null: there is no such organization.</summary>
    private Asked? Ask(ConnectionWish wish, ImmutableArray<PreapprovedRequest> preapproved, ApprovedRequest? approved = null)
    {
        if (policy.Current(wish.Organization) is not { } snapshot) return null;
        var device = snapshot.DeviceByName(wish.Device);
        var timestamp = time.GetTimestamp();
        var question = new AccessQuestion(
            wish.Person, device?.Id ?? NoDevice, wish.Account, PermissionSet.None, time.GetUtcNow(), wish.Source, wish.SignIn, EndUserPresence.CannotBeAsked)
        {
            Approvals = approved is null ? [] : [approved],
            Preapprovals = preapproved,
        };
        var decision = LivesOn.Decide(wish.LivesOn, way => snapshot.Decide(question with { Wanted = way }), out var ways);

        // What has to be recorded does not start unrecorded.
        if (decision is { Kind: DecisionKind.Allowed, Recording: RecordingRule.Required } && wish.Trace == SessionTrace.Volume)
        {
            decision = decision with { Kind = DecisionKind.Denied, Reason = DenialReason.RecordingForbids };
        }

        return new(snapshot, device, question with { Wanted = LivesOn.Union(ways) }, ways, decision, timestamp);
    }

    /// <returns>Null: the approval that it relied on is not to be had any more.</returns>
    private async ValueTask<AdmissionResult?> BeginAsync(ConnectionWish wish, Asked asked, ApprovedRequest? claim, CancellationToken cancellation)
    {
        var (device, account, question) = (asked.Device!, asked.Account(wish), asked.Question);
        var relied = question.Preapprovals.Where(request => request.IsOpen(question.At)).ToList();
        var opening = new SessionOpening(
            new(Guid.CreateVersion7(question.At)), wish.Organization, wish.Person, wish.Login, device.Id, device.Name, account, wish.Kind, ShownCommand.Of(wish.Command),
            wish.Source, question.At, asked.Snapshot.Version)
        {
            Request = claim?.Number,
            Preapproved = [.. relied.Select(request => new PreapprovalClaim(request.Number, IsPending(request) ? FirstUse.Begins : FirstUse.None))],
        };
        try
        {
            if (!await ledger.BeginAsync(opening, cancellation)) return null;
        }
        catch (LedgerAwayException)
        {
            return new AdmissionResult.Refused(DecisionKind.Denied, "the session can't be written down now, and none begins without that: try again later");
        }

        asked = asked.Begun();
        question = asked.Question;
        var clock = new SessionClock(time, SessionLimits.Of(asked.Decision, wish.Terminal), asked.Timestamp);
        var session = sessions.Begin(opening, new(question with { Account = account }, new(wish.LivesOn, asked.Ways)), asked.Snapshot, asked.Decision, clock);
        try
        {
            // A revocation finds the sessions that there are: one that came between the claim and the entry in the list has not found this one, whether it
            // lives on what was revoked now or would have later.
            foreach (var request in question.Preapprovals)
            {
                if (!await desk.StandsAsync(wish.Organization, request.Number, CancellationToken.None)) sessions.Withdraw(wish.Organization, request.Number, "the approval was revoked");
            }

            if (claim is not null && !await desk.StandsAsync(wish.Organization, claim.Number, CancellationToken.None))
                session.Finish(EndReason.PermissionRevoked, "the approval was revoked");

            var rule = asked.Decision.Recording;
            if ((await journals.OpenAsync(session, rule, cancellation) ?? await recorder.ArmAsync(session, rule, wish.Terminal, cancellation)) is { } unrecorded)
            {
                await session.DisposeAsync();
                return new AdmissionResult.Refused(DecisionKind.Denied, unrecorded);
            }

            if (!ShownCommand.IsWhole(wish.Command))
            {
                foreach (var part in CommandGiven.Of(wish.Command)) session.Note(part);
            }
        }
        catch
        {
            // Nobody else has the session yet.
            await session.DisposeAsync();
            throw;
        }

        return new AdmissionResult.Admitted(new(session, device, asked.Snapshot.Endpoint(device.Id, ServiceProtocol.Ssh), account, time), session);
    }

    /// <returns>Null: things have changed, ask again.</returns>
    private async ValueTask<AdmissionResult?> WaitAsync(ConnectionWish wish, Asked asked, IWaitingRoom room, CancellationToken cancellation)
    {
        var desks = await AskDeskAsync(asked.ToApprove(wish), room, cancellation);
        if (desks is not ApprovalAsked.Waits(var joined)) return new AdmissionResult.Refused(DecisionKind.NeedsApproval, Refusals.NotAsked(wish, desks));
        await using var pending = joined;
        if (!pending.Outcome.IsCompleted)
        {
            room.Tell($"request #{pending.Number}: {Refusals.NeedsApproval(wish, asked.Snapshot, asked.Question)}");
            room.Tell("waiting for approval …");
        }

        // A rule that falls, or a right that is taken away, answers the question without an approver.
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var listening = policy.OnChange(snapshot =>
        {
            if (snapshot.Organization == wish.Organization && Ask(wish, asked.Question.Preapprovals) is not { Decision.Kind: DecisionKind.NeedsApproval }) changed.TrySetResult();
        });
        if (Ask(wish, asked.Question.Preapprovals) is not { Decision.Kind: DecisionKind.NeedsApproval }) changed.TrySetResult();
        await Task.WhenAny(pending.Outcome, changed.Task).WaitAsync(cancellation);
        if (!pending.Outcome.IsCompleted) return null;
        var outcome = await pending.Outcome;
        if (!outcome.Approved) return new AdmissionResult.Refused(DecisionKind.NeedsApproval, $"request #{pending.Number}: {outcome.Message}") { Cancelled = outcome.Cancelled };
        room.LetIn($"request #{pending.Number}: {outcome.Message}");
        return null;
    }

    /// <summary>With a reason, where one is needed: as given beforehand, or else from the person.</summary>
    private async ValueTask<ApprovalAsked> AskDeskAsync(ApprovalWish approval, IWaitingRoom room, CancellationToken cancellation)
    {
        var asked = await desk.AskAsync(approval, room.Reason, room.Note, cancellation);
        for (var question = 0; question < MostQuestions && asked is ApprovalAsked.NeedsReason(var wanted); question++)
        {
            var reason = await room.AskReasonAsync(wanted, cancellation);
            if (reason.Length == 0) break;
            asked = await desk.AskAsync(approval, reason, room.Note, cancellation);
        }

        return asked;
    }

    private async ValueTask<AdmissionResult> RefuseAsync(ConnectionWish wish, Asked asked, CancellationToken cancellation)
    {
        var (decision, question) = (asked.Decision, asked.Question);
        await ledger.RefuseAsync(
            new(wish.Organization, wish.Person, wish.Login, wish.Device, wish.Account ?? "", question.Wanted, decision.Kind, decision.Reason, wish.Source, question.At),
            cancellation);
        return new AdmissionResult.Refused(decision.Visible ? decision.Kind : DecisionKind.Denied, Refusals.Describe(wish, asked.Snapshot, question, decision));
    }

    /// <param name="Device">There whenever the decision is more than denied.</param>
    /// <param name="Question">It wants all that the decision is for.</param>
    /// <param name="Ways">To live on: those that the decision is for, each with its own end.</param>
    /// <param name="Timestamp">The question's instant by the steady clock.</param>
    private sealed record Asked(PolicySnapshot Snapshot, DeviceRow? Device, AccessQuestion Question, ImmutableArray<Way> Ways, AccessDecision Decision, long Timestamp)
    {
        public string Account(ConnectionWish wish) => wish.Account ?? Snapshot.AccountsOf(Device!.Id).First(row => row.IsDefault).Name;

        public bool IsBetterThan(Asked other) =>
            Decision.Kind > other.Decision.Kind || (Decision.Kind == other.Decision.Kind && Ways.Length > other.Ways.Length);

        /// <summary>Access that begins with its first use has begun with this question; and what let in together is kept together.</summary>
        public Asked Begun()
        {
            var running = Snapshot.AsBegun(Question);
            if (!running.Preapprovals.Any(IsPending)) return this with { Question = running };
            var begun = running with
            {
                Preapprovals =
                [
                    .. running.Preapprovals.Select(request => request.Time is RequestTime.FromFirstUse { IsPending: true } pending
                        ? request with { Time = pending with { FirstUsed = Question.At } }
                        : request),
                ],
            };
            var decision = LivesOn.Decide([.. Ways.Select(way => way.Permissions)], way => Snapshot.Decide(begun with { Wanted = way }), out var ways);
            return this with { Question = begun, Decision = decision, Ways = ways };
        }

        public bool IsFor(ConnectionWish wish, PreapprovedRequest request) =>
            Device is not null && (wish.Account ?? Snapshot.AccountsOf(Device.Id).FirstOrDefault(row => row.IsDefault)?.Name) is { } account && request.IsFor(wish.Person, Device.Id, account);

        public ApprovalWish ToApprove(ConnectionWish wish) =>
            new(wish.Organization, wish.Person, wish.Login, wish.SignIn, Device!.Id, Device.Name, Account(wish), Question.Wanted, wish.Source);
    }
}
