using Countersign.Access;
using Countersign.Sessions;
using Countersign.Ssh;

namespace Countersign.Reach;

/// <summary>Where it is written down which keys devices have shown. Implemented by the server.</summary>
public interface IHostKeyBook
{
    /// <summary>Pins what a device without a pinned key has shown first; never where the organization trusts authorities for hosts. Of many that come at once one key is pinned, and all get that one.</summary>
    /// <param name="endpoint">As it was reached.</param>
    /// <returns>The pinned key, which may be another one than was seen; null: it may not be pinned any more, or the device is reached elsewhere.</returns>
    ValueTask<string?> PinAsync(SessionOpening session, DeviceEndpoint endpoint, SshPublicKey seen, CancellationToken cancellation);

    /// <summary>A device has shown another key than the pinned one, and nothing was sent to it.</summary>
    ValueTask ChangedAsync(SessionOpening session, DeviceEndpoint endpoint, SshPublicKey offered, CancellationToken cancellation);
}
