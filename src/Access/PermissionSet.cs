using System.Collections;
using System.Numerics;

namespace Countersign.Access;

/// <summary>A set of permissions in one machine word: bit <c>n</c> is the <see cref="Permission"/> numbered <c>n</c>.</summary>
public readonly record struct PermissionSet(ulong Bits) : IEnumerable<Permission>
{
    public static PermissionSet None => default;

    public int Count => BitOperations.PopCount(Bits);

    public bool IsEmpty => Bits == 0;

    public static PermissionSet Of(params ReadOnlySpan<Permission> permissions)
    {
        var bits = 0UL;
        foreach (var permission in permissions) bits |= 1UL << (int)permission;
        return new(bits);
    }

    public bool Contains(Permission permission) => (Bits >> (int)permission & 1) != 0;

    /// <summary>True when every permission of <paramref name="other"/> is in this set.</summary>
    public bool Covers(PermissionSet other) => (other.Bits & ~Bits) == 0;

    public bool Intersects(PermissionSet other) => (other.Bits & Bits) != 0;

    public PermissionSet With(Permission permission) => new(Bits | 1UL << (int)permission);

    public PermissionSet Without(Permission permission) => new(Bits & ~(1UL << (int)permission));

    public static PermissionSet operator |(PermissionSet left, PermissionSet right) => new(left.Bits | right.Bits);

    public static PermissionSet operator &(PermissionSet left, PermissionSet right) => new(left.Bits & right.Bits);

    /// <summary>What is in <paramref name="left"/> and not in <paramref name="right"/>.</summary>
    public static PermissionSet operator -(PermissionSet left, PermissionSet right) => new(left.Bits & ~right.Bits);

    /// <summary>In the order of the catalogue's numbers.</summary>
    public IEnumerator<Permission> GetEnumerator()
    {
        for (var bits = Bits; bits != 0; bits &= bits - 1) yield return (Permission)BitOperations.TrailingZeroCount(bits);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => string.Join(", ", this);
}
