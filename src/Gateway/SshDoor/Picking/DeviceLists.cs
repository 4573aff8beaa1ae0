using Countersign.Access;
using Countersign.Sessions;

namespace Countersign.Gateway.SshDoor.Picking;

/// <summary>
/// The devices that each person chooses from: one list for everything that a person has open, however many connections and pickers that is, worked out
/// once for each version of policy. Holds nothing of those who have no picker open.
/// </summary>
internal sealed class DeviceLists : IDisposable
{
    /// <summary>Time alone changes what somebody may know of: who opens a picker is not shown what is older.</summary>
    public static readonly TimeSpan LongestUse = TimeSpan.FromSeconds(10);

    private readonly IPolicySource _policy;
    private readonly TimeProvider _time;
    private readonly IDisposable _changes;
    private readonly Lock _gate = new();
    private readonly Dictionary<PersonId, Shared> _people = [];

    public DeviceLists(IPolicySource policy, TimeProvider time)
    {
        _policy = policy;
        _time = time;
        _changes = policy.OnChange(OnChange);
    }

    /// <summary>How many people have one.</summary>
    public int Holders
    {
        get
        {
            lock (_gate) return _people.Count;
        }
    }

    /// <param name="stale">Called when there is another list, on whatever thread: returns quickly.</param>
    /// <returns>Disposed when the picker is closed.</returns>
    public Viewer Enter(OrganizationId organization, PersonId person, Action stale)
    {
        lock (_gate)
        {
            if (!_people.TryGetValue(person, out var shared)) _people.Add(person, shared = new(organization, person));
            var viewer = new Viewer(this, shared, stale);
            shared.Viewers.Add(viewer);
            return viewer;
        }
    }

    /// <summary>When nobody has anything open.</summary>
    public void Dispose() => _changes.Dispose();

    private void OnChange(PolicySnapshot snapshot)
    {
        List<Viewer> stale;
        lock (_gate) stale = [.. _people.Values.Where(shared => shared.Organization == snapshot.Organization).SelectMany(shared => shared.Viewers)];
        foreach (var viewer in stale) viewer.Tell();
    }

    /// <summary>Null: there is no policy.</summary>
    private Task<DeviceList>? List(Viewer viewer, Shared shared)
    {
        List<Viewer> stale = [];
        Task<DeviceList> list;
        lock (_gate)
        {
            if (_policy.Current(shared.Organization) is not { } snapshot) return null;
            var isAnother = shared.Snapshot != snapshot;
            if (isAnother || (viewer.IsNew && _time.GetElapsedTime(shared.MadeAt) >= LongestUse))
            {
                // Whoever has it open already goes on to this one, so that there are no two of them. Of another version they have been told.
                if (!isAnother) stale = [.. shared.Viewers.Where(other => other != viewer)];
                (shared.Snapshot, shared.MadeAt) = (snapshot, _time.GetTimestamp());
                shared.List = Task.Run(() => DeviceList.Of(snapshot, shared.Person, _time.GetUtcNow()));
            }

            viewer.IsNew = false;
            list = shared.List!;
        }

        foreach (var other in stale) other.Tell();
        return list;
    }

    private void Leave(Viewer viewer, Shared shared)
    {
        lock (_gate)
        {
            if (shared.Viewers.Remove(viewer) && shared.Viewers.Count == 0) _people.Remove(shared.Person);
        }
    }

    /// <summary>One picker.</summary>
    internal sealed class Viewer(DeviceLists all, Shared shared, Action stale) : IDisposable
    {
        /// <summary>It has not looked yet.</summary>
        internal bool IsNew { get; set; } = true;

        /// <summary>By the policy in force. Null: there is none.</summary>
        public async ValueTask<DeviceList?> LookAsync() => all.List(this, shared) is { } list ? await list : null;

        public void Dispose() => all.Leave(this, shared);

        internal void Tell() => stale();
    }

    /// <summary>What a person's pickers have in common. Changed under the gate.</summary>
    internal sealed class Shared(OrganizationId organization, PersonId person)
    {
        public OrganizationId Organization => organization;

        public PersonId Person => person;

        public List<Viewer> Viewers { get; } = [];

        public PolicySnapshot? Snapshot { get; set; }

        public long MadeAt { get; set; }

        public Task<DeviceList>? List { get; set; }
    }
}
