using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Recording;
using Countersign.Sessions.Tests.Recording;
using Countersign.Ssh;
using Microsoft.Extensions.Logging.Abstractions;

namespace Countersign.Sessions.Tests;

/// <summary>One organization with an owner and a technician, one device that the technician's grant reaches, and the session core around it.</summary>
internal sealed class World : IPolicySource, ISessionLedger, IApprovalDesk, IAsyncDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 3, 2, 10, 0, 0, TimeSpan.Zero);

    public static readonly PersonId Tina = new(new("00000000-0000-0000-0000-000000000002"));
    public static readonly PersonId Nora = new(new("00000000-0000-0000-0000-000000000003"));
    public static readonly DeviceId Web = new(new("00000000-0000-0000-0000-000000000011"));

    private static readonly OrganizationId Organization = new(new("00000000-0000-0000-0000-000000000001"));
    private static readonly PersonId Owner = new(new("00000000-0000-0000-0000-000000000004"));
    private static readonly TechnicianGroupId Everyone = new(new("00000000-0000-0000-0000-000000000005"));
    private static readonly DeviceGroupId Servers = new(new("00000000-0000-0000-0000-000000000010"));
    private static readonly RoleId Role = new(new("00000000-0000-0000-0000-000000000020"));
    private static readonly GrantId Grant = new(new("00000000-0000-0000-0000-000000000030"));

    /// <summary>Sessions end on threads of their own.</summary>
    private readonly Lock _listening = new();

    private readonly List<Action<PolicySnapshot>> _listeners = [];

    public World(DateTimeOffset? until = null)
    {
        var founding = PolicySnapshot.Empty(Organization).Apply(PolicySnapshot.Bootstrap(Organization, Owner, "olga", "Olga", "", Everyone));
        Snapshot = founding;
        TinasGrant = new(Grant, GrantSubject.To(Tina), GrantScope.Of(Web), Role, GrantAccounts.Default, new(null, until));
        Change(
            new(null, new PersonRow(Tina, PersonKind.Technician, "tina", "Tina", "", PersonState.Activated, PersonStatus.Active)),
            new(null, new PersonRow(Nora, PersonKind.Technician, "nora", "Nora", "", PersonState.Activated, PersonStatus.Active)),
            new(null, new DeviceGroupRow(Servers, null, "Servers")),
            new(null, WebRow),
            new(null, new DeviceServiceRow(Web, ServiceProtocol.Ssh, 22, "ssh-ed25519 AAAA")),
            new(null, new DeviceAccountRow(Web, "root", IsDefault: true)),
            new(null, new RoleRow(Role, "Shell", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.Terminal))),
            new(null, TinasGrant));
        Sessions = new(this, this, Time, NullLogger<LiveSessions>.Instance);
        Recordings = new(Path.Combine(Folder, "recordings"), new Secret(Recorded.Key.Expose()), Time);
        Journals = new(Path.Combine(Folder, "journals"), new Secret(Recorded.Key.Expose()), Time, Time);
        Admission = new(this, this, this, Sessions, new(Journals, this, NullLogger<JournalKeeper>.Instance), new(Recordings, this, NullLogger<Recorder>.Instance), Time);
    }

    public static DeviceRow WebRow { get; } =
        new(Web, Servers, "web01", "", Enabled: true, "192.0.2.1");

    public ManualTime Time { get; } = new(Start);

    public PolicySnapshot Snapshot { get; private set; }

    public GrantRow TinasGrant { get; }

    public LiveSessions Sessions { get; }

    /// <summary>Goes with the world.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("countersign-sessions-").FullName;

    public RecordingStore Recordings { get; }

    public JournalStore Journals { get; }

    public Admission Admission { get; }

    public List<SessionOpening> Begun { get; } = [];

    public List<SessionEnd> Ended { get; } = [];

    public List<SessionRefusal> Refused { get; } = [];

    /// <summary>Run when the snapshot in force has been read and not yet returned: what happens meanwhile.</summary>
    public Action? Meanwhile { get; set; }

    /// <summary>Thrown by the ledger when a session is to end; it is asked again and again.</summary>
    public Exception? EndFault { get; set; }

    public List<(SessionId Session, string Why)> Unrecorded { get; } = [];

    public List<(SessionId Session, string Why)> Unjournalled { get; } = [];

    /// <summary>What the desk has in hand.</summary>
    public List<ApprovedRequest> Approved { get; } = [];

    /// <summary>Happens while the desk looks for it.</summary>
    public Action MeanwhileInHand { get; set; } = () => { };

    /// <summary>What the desk has that was approved ahead.</summary>
    public List<PreapprovedRequest> Preapproved { get; } = [];

    /// <summary>For whom the desk was asked for it.</summary>
    public List<PersonId> PreapprovedLookedFor { get; } = [];

    public Func<long, bool> ClaimFails { get; set; } = _ => false;

    /// <summary>Called when a session is written down and not yet in the list of those that run.</summary>
    public Action? BeforeRegistration { get; set; }

    /// <summary>Numbers that were revoked.</summary>
    public HashSet<long> Revoked { get; } = [];

    /// <summary>What waits at the desk, with the reason given.</summary>
    public List<Pending> Asked { get; } = [];

    public Func<string, bool> ReasonFits { get; set; } = _ => true;

    public string ReasonAsked { get; set; } = "";

    public string? DeskRefuses { get; set; }

    public Action<Pending>? OnAsked { get; set; }

    /// <summary>Thrown by the ledger when a session is to begin.</summary>
    public Exception? LedgerFault { get; set; }

    public void Change(params RowChange[] changes)
    {
        Snapshot = Snapshot.Apply(new(Organization, Snapshot.Version, "a change", changes));
        List<Action<PolicySnapshot>> listeners;
        lock (_listening) listeners = [.. _listeners];
        foreach (var listener in listeners) listener(Snapshot);
    }

    public void Set(SettingKind setting, string value)
    {
        var before = (SettingRow)Snapshot.Find(new SettingRow(SettingNode.Organization, setting, "", 0).Key)!;
        Change(new RowChange(before, before with { Value = value, Touched = Snapshot.Version + 1 }));
    }

    public ValueTask<AdmissionResult> AskAsync(
        PersonId person, string device, string? account = null, SessionKind kind = SessionKind.Shell, AskedTerminal? terminal = null) => Admission.AskAsync(
        new(Organization, person, "login", SignInStrength.OneFactor, null, device, account, kind, "") { Terminal = terminal }, TestContext.Current.CancellationToken);

    public async Task<AdmissionResult.Admitted> AdmittedAsync(AskedTerminal? terminal = null) =>
        (await AskAsync(Tina, "web01", terminal: terminal)).ShouldBeOfType<AdmissionResult.Admitted>();

    PolicySnapshot? IPolicySource.Current(OrganizationId organization)
    {
        var current = organization == Organization ? Snapshot : null;
        var meanwhile = Meanwhile;
        Meanwhile = null;
        meanwhile?.Invoke();
        return current;
    }

    IDisposable IPolicySource.OnChange(Action<PolicySnapshot> changed)
    {
        lock (_listening) _listeners.Add(changed);
        return new Listening(() =>
        {
            lock (_listening) _listeners.Remove(changed);
        });
    }

    ValueTask<bool> ISessionLedger.BeginAsync(SessionOpening opening, CancellationToken cancellation)
    {
        if (LedgerFault is not null) throw LedgerFault;
        if (opening.Request is { } number && ClaimFails(number)) return new(false);
        if (opening.Preapproved.Any(claim => ClaimFails(claim.Number))) return new(false);
        Begun.Add(opening);
        BeforeRegistration?.Invoke();
        return new(true);
    }

    ValueTask ISessionLedger.EndAsync(SessionEnd end, CancellationToken cancellation)
    {
        if (EndFault is not null) throw EndFault;
        Ended.Add(end);
        return ValueTask.CompletedTask;
    }

    ValueTask ISessionLedger.RecordingFailedAsync(SessionOpening opening, string why, CancellationToken cancellation)
    {
        Unrecorded.Add((opening.Id, why));
        return ValueTask.CompletedTask;
    }

    ValueTask ISessionLedger.JournalFailedAsync(SessionOpening opening, string why, CancellationToken cancellation)
    {
        Unjournalled.Add((opening.Id, why));
        return ValueTask.CompletedTask;
    }

    ValueTask ISessionLedger.RefuseAsync(SessionRefusal refusal, CancellationToken cancellation)
    {
        Refused.Add(refusal);
        return ValueTask.CompletedTask;
    }

    ValueTask<ImmutableArray<ApprovedRequest>> IApprovalDesk.InHandAsync(ApprovalWish wish, CancellationToken cancellation)
    {
        MeanwhileInHand();
        return new([.. Approved]);
    }

    ValueTask<ImmutableArray<PreapprovedRequest>> IApprovalDesk.PreapprovedAsync(OrganizationId organization, PersonId person, CancellationToken cancellation)
    {
        PreapprovedLookedFor.Add(person);
        return new([.. Preapproved.Where(request => request.Person == person)]);
    }

    ValueTask<ImmutableArray<PreapprovedRequest>> IApprovalDesk.PreapprovedAsync(OrganizationId organization, DeviceId device, CancellationToken cancellation) =>
        new([.. Preapproved.Where(request => request.Devices.Contains(device))]);

    ValueTask<ApprovalAsked> IApprovalDesk.AskAsync(ApprovalWish wish, string reason, Action<string> tell, CancellationToken cancellation)
    {
        if (DeskRefuses is { } refusal) return new(new ApprovalAsked.Refused(refusal));
        if (!ReasonFits(reason)) return new(new ApprovalAsked.NeedsReason(ReasonAsked));
        var pending = new Pending(Asked.Count + 1, wish, reason, tell);
        Asked.Add(pending);
        OnAsked?.Invoke(pending);
        return new(new ApprovalAsked.Waits(pending));
    }

    ValueTask<bool> IApprovalDesk.StandsAsync(OrganizationId organization, long number, CancellationToken cancellation) => new(!Revoked.Contains(number));

    public async ValueTask DisposeAsync()
    {
        await Sessions.DisposeAsync();
        Recordings.Dispose();
        Journals.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    internal sealed class Pending(long number, ApprovalWish wish, string reason, Action<string> tell) : IPendingApproval
    {
        private readonly TaskCompletionSource<ApprovalOutcome> _outcome = new();

        public long Number => number;

        public ApprovalWish Wish => wish;

        public string Reason => reason;

        public bool Left { get; private set; }

        public Task<ApprovalOutcome> Outcome => _outcome.Task;

        public void Note(string line) => tell(line);

        public void Decide(ApprovalOutcome outcome) => _outcome.SetResult(outcome);

        public ValueTask DisposeAsync()
        {
            Left = true;
            return ValueTask.CompletedTask;
        }
    }

    private sealed class Listening(Action stop) : IDisposable
    {
        public void Dispose() => stop();
    }
}
