using System.Collections.Immutable;
using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Gateway.Tests;

/// <summary>
/// What stands behind a front door, as far as a session that never begins needs it: a device that both people may use, a desk that answers as the
/// test says, and a ledger that is asked and lets wait.
/// </summary>
internal sealed class Office : IPolicySource, ISessionLedger, IApprovalDesk
{
    private static readonly DeviceId Web = new(Guid.NewGuid());
    private static readonly DeviceGroupId Servers = new(Guid.NewGuid());
    private static readonly RoleId Role = new(Guid.NewGuid());

    private readonly PolicySnapshot _snapshot;
    private readonly TaskCompletionSource _ledgerAnswers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _beginning;

    /// <param name="approval">Whether each session needs one.</param>
    public Office(bool approval = false)
    {
        var organization = LoopbackDoor.RightPassword.Organization;
        var owner = new PersonId(Guid.NewGuid());
        var founding = PolicySnapshot.Empty(organization)
            .Apply(PolicySnapshot.Bootstrap(organization, owner, "olga", "Olga", "", new(Guid.NewGuid())));
        var rule = (SettingRow)founding.Find(new SettingRow(SettingNode.Organization, SettingKind.ManagerialApproval, "", 0).Key)!;
        List<RowChange> rows =
        [
            new(null, new DeviceGroupRow(Servers, null, "Servers")),
            new(null, new DeviceRow(Web, Servers, "web01", "", Enabled: true, "192.0.2.1")),
            new(null, new DeviceServiceRow(Web, ServiceProtocol.Ssh, 22, "ssh-ed25519 AAAA")),
            new(null, new DeviceAccountRow(Web, "root", IsDefault: true)),
            new(null, new RoleRow(Role, "Shell and tunnels", RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.Terminal, Permission.Tunnel))),
        ];
        foreach (var (login, person) in LoopbackDoor.RightPassword.People)
        {
            rows.Add(new(null, new PersonRow(person, PersonKind.Technician, login, login, "", PersonState.Activated, PersonStatus.Active)));
            rows.Add(new(null, new GrantRow(new(Guid.NewGuid()), GrantSubject.To(person), GrantScope.Of(Web), Role, GrantAccounts.Default, new(null, null))));
        }

        if (approval) rows.Add(new(rule, rule with { Value = "required", Touched = founding.Version + 1 }));
        _snapshot = founding.Apply(new(organization, founding.Version, "what there is", rows));
        Admission = new(this, this, this, null!, null!, null!, TimeProvider.System);
    }

    public Admission Admission { get; }

    /// <summary>Sessions that the ledger has been asked to write down.</summary>
    public int Beginning => Volatile.Read(ref _beginning);

    /// <summary>What the desk answers to a reason.</summary>
    public Func<string, ValueTask<ApprovalAsked>> Desk { get; init; } = _ => new(new ApprovalAsked.Waits(new Pending()));

    /// <summary>The ledger answers everybody, from here on at once: nothing can be written down now.</summary>
    public void LedgerAnswers() => _ledgerAnswers.TrySetResult();

    PolicySnapshot? IPolicySource.Current(OrganizationId organization) => organization == LoopbackDoor.RightPassword.Organization ? _snapshot : null;

    IDisposable IPolicySource.OnChange(Action<PolicySnapshot> changed) => new CancellationTokenSource();

    /// <summary>A transaction that is under way is not taken back because its technician has left.</summary>
    async ValueTask<bool> ISessionLedger.BeginAsync(SessionOpening opening, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _beginning);
        await _ledgerAnswers.Task;
        throw new LedgerAwayException(new IOException("the disk is full"));
    }

    ValueTask ISessionLedger.EndAsync(SessionEnd end, CancellationToken cancellation) => throw new NotSupportedException();

    ValueTask ISessionLedger.RecordingFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) => throw new NotSupportedException();

    ValueTask ISessionLedger.JournalFailedAsync(SessionOpening opening, string why, CancellationToken cancellation) => throw new NotSupportedException();

    ValueTask ISessionLedger.RefuseAsync(SessionRefusal refusal, CancellationToken cancellation) => ValueTask.CompletedTask;

    ValueTask<ImmutableArray<ApprovedRequest>> IApprovalDesk.InHandAsync(ApprovalWish wish, CancellationToken cancellation) => new([]);

    ValueTask<ImmutableArray<PreapprovedRequest>> IApprovalDesk.PreapprovedAsync(OrganizationId organization, PersonId person, CancellationToken cancellation) => new([]);

    ValueTask<ImmutableArray<PreapprovedRequest>> IApprovalDesk.PreapprovedAsync(OrganizationId organization, DeviceId device, CancellationToken cancellation) => new([]);

    ValueTask<ApprovalAsked> IApprovalDesk.AskAsync(ApprovalWish wish, string reason, Action<string> tell, CancellationToken cancellation) => Desk(reason);

    ValueTask<bool> IApprovalDesk.StandsAsync(OrganizationId organization, long number, CancellationToken cancellation) => new(false);

    /// <summary>A request that nobody decides.</summary>
    public sealed class Pending : IPendingApproval
    {
        private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public long Number => 1;

        public Task<ApprovalOutcome> Outcome { get; } = new TaskCompletionSource<ApprovalOutcome>().Task;

        /// <summary>The connection has taken it back.</summary>
        public Task Left => _left.Task;

        public ValueTask DisposeAsync()
        {
            _left.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }
}
