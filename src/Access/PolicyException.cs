namespace Countersign.Access;

/// <summary>Rows that contradict each other or a delta that does not fit: nothing has been built. The message names what and where.</summary>
public sealed class PolicyException(string message) : Exception(message);
