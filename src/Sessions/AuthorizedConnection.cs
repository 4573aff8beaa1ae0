using Countersign.Access;

namespace Countersign.Sessions;

/// <summary>
/// The proof that <see cref="Admission"/> allowed one connection. Nothing else makes one, and nothing opens a way to a device without one. It can
/// be used once, and only for <see cref="Lifetime"/>.
/// </summary>
public sealed class AuthorizedConnection
{
    /// <summary>From admission to the moment the way out is opened.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time;
    private readonly long _issued;
    private int _used;

    internal AuthorizedConnection(LiveSession session, DeviceRow device, DeviceEndpoint? endpoint, string account, TimeProvider time)
    {
        Session = session;
        Device = device;
        Endpoint = endpoint;
        Account = account;
        _time = time;
        _issued = time.GetTimestamp();
    }

    public LiveSession Session { get; }

    /// <summary>The device as policy had it when the connection was allowed.</summary>
    public DeviceRow Device { get; }

    /// <summary>Its service by ssh, of the same version of policy; null: it had none, and can't be reached.</summary>
    public DeviceEndpoint? Endpoint { get; }

    public string Account { get; }

    /// <summary>Takes the one use. False: it was used before, is too old, or the session has ended meanwhile.</summary>
    public bool TryUse() =>
        Interlocked.Exchange(ref _used, 1) == 0 && _time.GetElapsedTime(_issued) <= Lifetime && !Session.Ending.IsCancellationRequested;
}
