using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// Devices that one person can't tell from each other: of one group, with accounts of the same names and the same default, and with nothing of their own.
/// </summary>
internal readonly record struct DeviceClass(int Group, ulong Accounts, ulong Default)
{
    /// <returns>
    /// Null: the device is like no other to the person. It has settings of its own, or perhaps grants to them; or an account whose name has no bit, so that
    /// only the name could tell it from others.
    /// </returns>
    public static DeviceClass? Of(DeviceNode device, PersonNode? person)
    {
        if (device.Own.Length > 0 || (person is not null && (device.GrantMarks & person.Marks) != 0)) return null;
        if (BitOperations.PopCount(device.AccountBits) != device.Accounts.Length) return null;
        return new(device.GroupIndex, device.AccountBits, device.DefaultBit);
    }
}
