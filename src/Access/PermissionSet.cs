using System.Collections;
using System.Numerics;

namespace Countersign.Access;

/// <summary>
/// A set of permissions in one machine word: bit <c>n</c> is the <see cref="Permission"/> numbered <c>n</c>. What has a number that no bit has, 64 or more, is in
/// none, and put into one leaves it as it is.
/// </summary>
public readonly record struct PermissionSet(ulong Bits) : IEnumerable<Permission>
{
    public static PermissionSet None => default;

    public int Count => BitOperations.PopCount(Bits);

    public bool IsEmpty => Bits == 0;

    public static PermissionSet Of(params ReadOnlySpan<Permission> permissions)
    {
        var bits = 0UL;
        foreach (var permission in permissions) bits |= Bit(permission);
        return new(bits);
    }

    public bool Contains(Permission permission) => (Bits & Bit(permission)) != 0;

    /// <summary>True when every permission of <paramref name="other"/> is in this set.</summary>
    public bool Covers(PermissionSet other) => (other.Bits & ~Bits) == 0;

    public bool Intersects(PermissionSet other) => (other.Bits & Bits) != 0;

    public PermissionSet With(Permission permission) => new(Bits | Bit(permission));

    public PermissionSet Without(Permission permission) => new(Bits & ~Bit(permission));

    public static PermissionSet operator |(PermissionSet left, PermissionSet right) => new(left.Bits | right.Bits);

    public static PermissionSet operator &(PermissionSet left, PermissionSet right) => new(left.Bits & right.Bits);

    /// <summary>What is in <paramref name="left"/> and not in <paramref name="right"/>.</summary>
    public static PermissionSet operator -(PermissionSet left, PermissionSet right) => new(left.Bits & ~right.Bits);

    /// <summary>In the order of the catalogue's numbers.</summary>
    public IEnumerator<Permission> GetEnumerator()
    {
        for (var bits = Bits; bits != 0; bits &= bits - 1) yield return (Permission)BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>A shift by 64 or more would be one by what is left of it, and so another permission's.</summary>
    private static ulong Bit(Permission permission) => (int)permission < 64 ? 1UL << (int)permission : 0;

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", this);
}
