using System.Globalization;
using FsCheck;
using FsCheck.Fluent;

namespace Countersign.Access.Tests;

/// <summary>
/// One random organization: shrinking makes it smaller, the seed says how to draw it again. Every run draws the same ones, unless the environment
/// says otherwise: <c>ACCESS_LAWS=20</c> checks twenty times as many (millions of decisions), <c>ACCESS_LAWS_SEED=7</c> draws others. A failure
/// names the draw, and with it what to give here to see it again.
/// </summary>
public readonly record struct Draw(int Seed, int Size)
{
    private static readonly int Times = FromEnvironment("ACCESS_LAWS", 1);

    private static readonly int FirstSeed = FromEnvironment("ACCESS_LAWS_SEED", 20260329);

    /// <summary>Draws organizations and checks each; a failure names the smallest draw that still fails.</summary>
    internal static void Check(int organizations, Action<RandomOrganization> law)
    {
        var smaller = (Draw draw) => Enumerable.Range(1, draw.Size - 1).Select(size => draw with { Size = size });
        Prop.ForAll(Arb.From(Draws, smaller), draw => law(new(draw.Seed, draw.Size))).Check(Configured(organizations));
    }

    /// <summary>Draws organizations with questions about each; a failure tells the smallest policy and the one question that still fail.</summary>
    internal static void Check(int organizations, Func<RandomOrganization, Trial> trial, Action<Trial> law)
    {
        var trials = Draws.Select(draw => trial(new(draw.Seed, draw.Size)));
        Prop.ForAll(Arb.From(trials, whole => whole.Smaller()), law).Check(Configured(organizations));
    }

    private static Gen<Draw> Draws => Gen.Choose(0, int.MaxValue - 1).Zip(Gen.Choose(1, 8), (seed, size) => new Draw(seed, size));

    private static Config Configured(int organizations) => Config.QuickThrowOnFailure
        .WithMaxTest(organizations * Times)
        .WithReplay((ulong)FirstSeed, 1)
        .WithQuietOnSuccess(true);

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
