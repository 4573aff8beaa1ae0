using Countersign.Server.Platform.Events;

namespace Countersign.Server.Features.Sessions;

/// <summary>A session has begun or ended. It is shown to whoever may see the session at that moment, as the session itself would be.</summary>
/// <param name="row">As it was stored; nobody changes it any more.</param>
internal sealed class SessionEvent(SessionRecord row) : LiveEvent(row.OrganizationId, "session")
{
    public override byte[]? Show(EventReader reader)
    {
        var sight = new SessionSight(reader.Caller, reader.Policy);
        return sight.MaySee(row) ? reader.Json(SessionEndpoints.Answer(row, null, sight)) : null;
    }
}
