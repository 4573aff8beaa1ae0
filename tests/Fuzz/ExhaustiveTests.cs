using System.Buffers.Binary;

namespace Countersign.Fuzz.Tests;

/// <summary>What the fuzzer does by chance, done without it to the conversations that are written by hand: each message cut at each byte, each length one off.</summary>
public sealed class ExhaustiveTests
{
    private static readonly uint[] Lengths = [0, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF];

    [Theory]
    [InlineData("formats")]
    [InlineData("sftp-relay")]
    [InlineData("sftp-server")]
    [InlineData("scp-stream")]
    [InlineData("file-commands")]
    [InlineData("proxy-header")]
    [InlineData("transport-server")]
    [InlineData("transport-client")]
    [InlineData("auth-server")]
    [InlineData("auth-client")]
    [InlineData("channels-server")]
    [InlineData("channels-client")]
    public Task Every_message_cut_at_every_byte_holds(string name) => PlayAllAsync(name, Cuts);

    [Theory]
    [InlineData("formats")]
    [InlineData("sftp-relay")]
    [InlineData("sftp-server")]
    [InlineData("proxy-header")]
    [InlineData("transport-server")]
    [InlineData("transport-client")]
    [InlineData("auth-server")]
    [InlineData("auth-client")]
    [InlineData("channels-server")]
    [InlineData("channels-client")]
    public Task Every_length_in_every_message_that_is_one_off_holds(string name) => PlayAllAsync(name, WrongLengths);

    private static async Task PlayAllAsync(string name, Func<byte[], IEnumerable<byte[]>> change)
    {
        var target = AllTargets.Get(name);
        using var disposable = target as IDisposable;
        var runner = new Runner(target, [], TimeProvider.System);
        var played = 0;
        foreach (var transcript in AllTargets.Corpus(name).Where(transcript => transcript.Name.StartsWith("written", StringComparison.Ordinal)))
        {
            for (var at = 0; at < transcript.Steps.Count; at++)
            {
                var step = transcript.Steps[at];
                if (step.Kind is not (StepKind.Client or StepKind.Server or StepKind.Raw)) continue;
                foreach (var bytes in change(step.Bytes))
                {
                    // With its outermost length as it was, and as it should be, where it has one of its own.
                    var cut = step with { Bytes = bytes };
                    var mended = target.Mend(cut, new Chance(1));
                    foreach (var changed in ReferenceEquals(cut, mended) ? [cut] : (Step[])[cut, mended])
                    {
                        var steps = transcript.Steps.ToArray();
                        steps[at] = changed;
                        (await runner.PlayAsync(new(transcript.Name, steps))).ShouldBeNull($"{transcript.Name}, step {at}: {Convert.ToHexString(bytes)}");
                        played++;
                    }
                }
            }
        }

        played.ShouldBeGreaterThan(100);
    }

    private static IEnumerable<byte[]> Cuts(byte[] message) => Enumerable.Range(0, message.Length).Select(length => message[..length]);

    private static IEnumerable<byte[]> WrongLengths(byte[] message)
    {
        for (var at = 0; at + 4 <= message.Length; at++)
        {
            var number = BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(at));
            if (number > message.Length) continue;
            foreach (var wrong in Lengths.Append(number + 1).Append(unchecked(number - 1)))
            {
                var changed = message.ToArray();
                BinaryPrimitives.WriteUInt32BigEndian(changed.AsSpan(at), wrong);
                yield return changed;
            }
        }
    }
}
