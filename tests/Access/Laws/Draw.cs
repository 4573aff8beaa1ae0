using FsCheck;
using FsCheck.Fluent;

namespace Countersign.Access.Tests;

/// <summary>One random organization: shrinking makes it smaller, the seed says how to draw it again.</summary>
public readonly record struct Draw(int Seed, int Size)
{
    /// <summary>Draws organizations and checks each; a failure names the smallest draw that still fails.</summary>
    internal static void Check(int organizations, Action<RandomOrganization> law)
    {
        var draws = Gen.Choose(0, int.MaxValue - 1).Zip(Gen.Choose(1, 8), (seed, size) => new Draw(seed, size));
        var smaller = (Draw draw) => Enumerable.Range(1, draw.Size - 1).Select(size => draw with { Size = size });
        var config = Config.QuickThrowOnFailure.WithMaxTest(organizations).WithQuietOnSuccess(true);
        Prop.ForAll(Arb.From(draws, smaller), draw => law(new(draw.Seed, draw.Size))).Check(config);
    }
}
