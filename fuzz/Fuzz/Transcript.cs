using System.Buffers.Binary;

namespace Countersign.Fuzz;

/// <summary>What one end does next.</summary>
internal enum StepKind : byte
{
    /// <summary>The client says it. Over SSH it is one message, framed and sealed when it is sent.</summary>
    Client = (byte)'C',

    /// <summary>The server, or the device, says it.</summary>
    Server = (byte)'S',

    /// <summary>Bytes as they are, without a frame.</summary>
    Raw = (byte)'R',

    /// <summary>A packet that lies about itself: a byte for its padding, four to add to its length, then the message.</summary>
    Crooked = (byte)'K',

    /// <summary>Keys are exchanged, as it should be done.</summary>
    Exchange = (byte)'X',

    /// <summary>A credential that counts: a <see cref="Proof"/>, and the seed of what is changed in it afterwards, if anything is.</summary>
    Proof = (byte)'V',

    /// <summary>Until the other end has said a message of the first byte's number; only where one of the second's was said to it (0: where there are keys).</summary>
    Wait = (byte)'W',

    /// <summary>The permissions of the session from here on: bits.</summary>
    Permissions = (byte)'P',
}

internal sealed record Step(StepKind Kind, byte[] Bytes);

/// <summary>A conversation, to be changed and played. In a file: each step's kind, length in four bytes, and bytes.</summary>
internal sealed record Transcript(string Name, IReadOnlyList<Step> Steps)
{
    public int Length => Steps.Sum(step => step.Bytes.Length + 5);

    public static Transcript Read(string path)
    {
        ReadOnlySpan<byte> rest = File.ReadAllBytes(path);
        var steps = new List<Step>();
        while (!rest.IsEmpty)
        {
            var kind = (StepKind)rest[0];
            if (!Enum.IsDefined(kind)) throw new InvalidDataException($"{path}: there is no step of the kind {rest[0]}");
            var length = BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
            steps.Add(new(kind, rest.Slice(5, length).ToArray()));
            rest = rest[(5 + length)..];
        }

        return new(Path.GetFileNameWithoutExtension(path), steps);
    }

    public byte[] ToBytes()
    {
        var bytes = new byte[Length];
        var at = 0;
        foreach (var step in Steps)
        {
            bytes[at] = (byte)step.Kind;
            BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(at + 1), step.Bytes.Length);
            step.Bytes.CopyTo(bytes.AsSpan(at + 5));
            at += 5 + step.Bytes.Length;
        }

        return bytes;
    }

    /// <summary>What else a case has to choose (where streams are cut, how the application acts) follows from this, so that the file alone repeats it.</summary>
    public ulong Seed()
    {
        // FNV-1a.
        var hash = 0xcbf29ce484222325;
        foreach (var one in ToBytes()) hash = (hash ^ one) * 0x100000001b3;
        return hash;
    }
}
