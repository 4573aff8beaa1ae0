using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Countersign.Fuzz;

/// <summary>Changes conversations and messages: as somebody would who knows how SSH puts numbers and strings together, and at times as one who doesn't.</summary>
/// <param name="words">What the messages of this protocol are made of.</param>
internal sealed class Mutator(IReadOnlyList<byte[]> words)
{
    /// <summary>No message is made longer: what goes beyond is a matter of lengths that are announced, and not of bytes that come.</summary>
    private const int MostBytes = 48 * 1024;

    private const int MostSteps = 96;

    private static readonly byte[] Bytes = [0, 1, 2, 0x0A, 0x20, 0x27, 0x2F, 0x7F, 0x80, 0xC0, 0xFE, 0xFF];

    private static readonly uint[] Numbers =
    [
        0, 1, 2, 4, 5, 31, 32, 33, 63, 64, 65, 255, 256, 257, 4095, 4096, 4097, 32767, 32768, 32769, 34_999, 35_000, 35_001, 65_535, 65_536, 262_143, 262_144, 262_145,
        0x7FFF_FFFF, 0x8000_0000, 0x8000_0001, 0xFFFF_FFFB, 0xFFFF_FFFC, 0xFFFF_FFFE, 0xFFFF_FFFF,
    ];

    private static readonly ulong[] LongNumbers =
        [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, long.MaxValue - 0x1_0000_0000, long.MaxValue - 1, long.MaxValue, 0x8000_0000_0000_0000, ulong.MaxValue - 1, ulong.MaxValue];

    private static readonly string[] Texts = ["-1", "0", "00", "0777", "7777", "4755", "9223372036854775807", "9223372036854775808", "999999999999999999", "1000000000000000000", "99999999999999999999", "1e9", "+1", "0x1", " "];

    /// <param name="others">Conversations of the same protocol, from which steps are taken over.</param>
    public Transcript Change(Transcript transcript, IReadOnlyList<Transcript> others, Chance chance)
    {
        var steps = transcript.Steps.ToList();
        for (var round = 1 + chance.Below(4); round > 0; round--)
        {
            if (steps.Count == 0 || chance.OneIn(3)) ChangeOrder(steps, others, chance);
            else ChangeStep(steps, chance);
        }

        return new(transcript.Name, steps);
    }

    public byte[] Change(byte[] message, Chance chance, int times)
    {
        for (; times > 0; times--) message = Once(message, chance);
        return message.Length > MostBytes ? message[..MostBytes] : message;
    }

    private static void ChangeOrder(List<Step> steps, IReadOnlyList<Transcript> others, Chance chance)
    {
        var at = chance.Below(steps.Count);
        switch (chance.Below(7))
        {
            case 0 when steps.Count > 0:
                steps.RemoveAt(at);
                break;
            case 1 when steps.Count is > 0 and < MostSteps:
                steps.Insert(chance.Below(steps.Count + 1), steps[at]);
                break;
            case 2 when steps.Count > 0:
                var other = chance.Below(steps.Count);
                (steps[at], steps[other]) = (steps[other], steps[at]);
                break;
            case 3 when steps.Count > 0 && chance.OneIn(3):
                steps.RemoveRange(at, steps.Count - at);
                break;
            case 4 when steps.Count is > 0 and < MostSteps:
                // The same again and again: counts have bounds, too.
                steps.InsertRange(at, Enumerable.Repeat(steps[at], Math.Min(chance.Below(70), MostSteps - steps.Count)));
                break;
            default:
                var from = chance.Pick(others).Steps;
                if (from.Count == 0) return;
                var first = chance.Below(from.Count);
                steps.InsertRange(at, from.Skip(first).Take(Math.Min(1 + chance.Below(4), Math.Max(MostSteps - steps.Count, 0))));
                break;
        }
    }

    private void ChangeStep(List<Step> steps, Chance chance)
    {
        var at = chance.Below(steps.Count);
        var step = steps[at];
        steps[at] = step.Kind switch
        {
            StepKind.Client or StepKind.Server or StepKind.Raw when chance.OneIn(24) => Crook(step, chance),
            StepKind.Client or StepKind.Server or StepKind.Raw or StepKind.Crooked => step with { Bytes = Change(step.Bytes, chance, 1 + chance.Below(3)) },
            StepKind.Permissions => step with { Bytes = [(byte)chance.Below(256)] },

            // Composed when it is sent, and then changed by this seed.
            StepKind.Proof when step.Bytes.Length > 0 => step with { Bytes = [step.Bytes[0], .. Seed(chance)] },
            _ => step,
        };
    }

    private static Step Crook(Step step, Chance chance)
    {
        var head = new byte[5];
        head[0] = chance.OneIn(2) ? chance.Pick(Bytes) : (byte)(4 + chance.Below(24));
        BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), chance.OneIn(2) ? 0 : unchecked((uint)(chance.Below(64) - 32)));
        if (chance.OneIn(8)) BinaryPrimitives.WriteUInt32BigEndian(head.AsSpan(1), chance.Pick(Numbers));
        return new(StepKind.Crooked, [.. head, .. step.Bytes]);
    }

    private static byte[] Seed(Chance chance)
    {
        var seed = new byte[8];
        chance.Fill(seed);
        return seed;
    }

    private byte[] Once(byte[] message, Chance chance)
    {
        if (message.Length == 0) return chance.Pick(words);
        var at = chance.Below(message.Length);
        switch (chance.Below(16))
        {
            case 0:
                return With(message, at, [(byte)(message[at] ^ (1 << chance.Below(8)))]);
            case 1:
                return With(message, at, [chance.Pick(Bytes)]);
            case 2:
                return With(message, at, [(byte)(message[at] + (chance.OneIn(2) ? 1 : -1))]);
            case 3:
                return With(message, at, Number(chance.Pick(Numbers)));
            case 4:
                return With(message, at, LongNumber(chance.Pick(LongNumbers)));
            case 5 or 6:
                return ChangeLength(message, at, chance);
            case 7 or 8:
                return ReplaceString(message, at, chance);
            case 9:
                return [.. message[..at], .. message[Math.Min(message.Length, at + 1 + chance.Below(32))..]];
            case 10:
                return [.. message[..at], .. message[at..Math.Min(message.Length, at + 1 + chance.Below(200))], .. message[at..]];
            case 11:
                return [.. message[..at], .. Piece(chance), .. message[at..]];
            case 12:
                return chance.OneIn(2) ? message[..at] : [.. message, .. Piece(chance)];
            case 13:
                return ReplaceDigits(message, at, chance);
            case 14:
                return With(message, at, Piece(chance));
            default:
                return With(message, 0, [(byte)chance.Below(256)]);
        }
    }

    private byte[] Piece(Chance chance)
    {
        if (!chance.OneIn(3)) return chance.Pick(words);
        var piece = new byte[chance.OneIn(6) ? chance.Below(5000) : chance.Below(40)];
        if (chance.OneIn(2)) chance.Fill(piece);
        else piece.AsSpan().Fill((byte)chance.Below(256));
        return piece;
    }

    /// <summary>The announced length, and not the string.</summary>
    private static byte[] ChangeLength(byte[] message, int near, Chance chance)
    {
        if (FindString(message, near) is not { } at) return message;
        var length = BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(at));
        return With(message, at, Number(chance.Below(6) switch
        {
            0 => length + 1,
            1 => length - 1,
            2 => 0,
            3 => (uint)(message.Length - at - 4),
            4 => (uint)(message.Length - at - 3),
            _ => chance.Pick(Numbers),
        }));
    }

    /// <summary>The string, with its length: what is around it still fits.</summary>
    private byte[] ReplaceString(byte[] message, int near, Chance chance)
    {
        if (FindString(message, near) is not { } at) return message;
        var length = (int)BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(at));
        var old = message[(at + 4)..(at + 4 + length)];
        byte[] content = chance.Below(6) switch
        {
            0 => [],
            1 => [.. old, .. Piece(chance)],
            2 => old[..chance.Below(old.Length + 1)],
            3 when old.Length < 4096 => [.. old, .. old],
            4 => Once(old, chance),
            _ => Piece(chance),
        };
        return [.. message[..at], .. Number((uint)content.Length), .. content, .. message[(at + 4 + length)..]];
    }

    /// <summary>Four bytes, here or behind, that can be the length of a string which is there.</summary>
    private static int? FindString(byte[] message, int near)
    {
        for (var at = near; at <= message.Length - 4 && at < near + 256; at++)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(at)) <= (uint)(message.Length - at - 4)) return at;
        }

        return null;
    }

    private static byte[] ReplaceDigits(byte[] message, int near, Chance chance)
    {
        var at = message.AsSpan(near).IndexOfAnyInRange((byte)'0', (byte)'9');
        if (at < 0) return message;
        at += near;
        var length = message.AsSpan(at).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        var end = length < 0 ? message.Length : at + length;
        var text = chance.OneIn(2) ? chance.Pick(Texts) : chance.Pick(Numbers).ToString(CultureInfo.InvariantCulture);
        return [.. message[..at], .. Encoding.ASCII.GetBytes(text), .. message[end..]];
    }

    private static byte[] With(byte[] message, int at, ReadOnlySpan<byte> bytes)
    {
        var changed = message.ToArray();
        bytes[..Math.Min(bytes.Length, changed.Length - at)].CopyTo(changed.AsSpan(at));
        return changed;
    }

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static byte[] LongNumber(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
