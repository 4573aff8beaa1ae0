using System.Text.Json;
using Countersign.Access;

namespace Countersign.Server.Platform.Events;

/// <summary>
/// Something that has happened in one organization and is durable. What of it a person is shown is asked for each of them when it is sent, under the policy
/// of that moment; an event holds nobody's rights.
/// </summary>
/// <param name="name">Of the event in the stream: letters only.</param>
internal abstract class LiveEvent(OrganizationId organization, string name)
{
    public OrganizationId Organization => organization;

    public string Name => name;

    /// <summary>JSON on one line, as the API shows the same thing; null: it does not concern the reader, or is not theirs to know.</summary>
    public abstract byte[]? Show(EventReader reader);
}

/// <summary>Who is shown an event, and with which policy.</summary>
internal sealed class EventReader(Caller caller, CallersPolicy policy, JsonSerializerOptions json)
{
    public Caller Caller => caller;

    public CallersPolicy Policy => policy;

    /// <summary>As the API writes it.</summary>
    public byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, json.GetTypeInfo(typeof(T)));
}

/// <summary>Policy has a new version: what was read before may be out of date.</summary>
internal sealed class PolicyEvent(OrganizationId organization, long version) : LiveEvent(organization, "policy")
{
    /// <summary>That something changed, and nothing of what: the number stands in most answers of the API.</summary>
    public override byte[] Show(EventReader reader) => reader.Json(new PolicyVersion(version));
}
