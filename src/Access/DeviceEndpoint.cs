namespace Countersign.Access;

/// <summary>A device by one of its services: where it is reached, and what it has to show there.</summary>
public sealed record DeviceEndpoint(DeviceRow Device, DeviceServiceRow Service)
{
    /// <summary>Whether the other one is at the same place, whatever it has to show.</summary>
    public bool IsReachedAlike(DeviceEndpoint? other) =>
        other is not null && other.Service.Key == Service.Key && other.Device.Host == Device.Host && other.Service.Port == Service.Port;

    /// <summary>Whether the other one is at the same place and has to show the same. Another name or description is no other endpoint.</summary>
    public bool IsSameAs(DeviceEndpoint? other) => IsReachedAlike(other) && other!.Service.Pin == Service.Pin;
}
