namespace Countersign.Access;

/// <summary>
/// Consent that the end user at a device has given, as evidence in a question: for sessions of one kind, to one person. The end user is not asked for it once more,
/// nor told; it counts for nothing else, and no approval is replaced by it.
/// </summary>
public readonly record struct GivenConsent(PersonId Person, DeviceId Device, ConsentKind Kind);
