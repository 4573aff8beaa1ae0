using System.Buffers.Binary;
using System.Security.Cryptography;
using Countersign.Ssh;

namespace Countersign.Sessions.Recording;

/// <summary>
/// How a recording lies on disk, all numbers big-endian:
/// <code>
/// header  "CSR1" · session id (16) · begun, Unix microseconds (8) · nonce (12) · wrapped key (32) · tag (16)
/// frame   length (4) · sequence number (4) · mark (16) · ciphertext (length − 16) · tag (16)
/// </code>
/// The recording's key is random and wrapped with AES-256-GCM under a key from outside; what comes before it in the header is authenticated with it.
/// From it come (HKDF-SHA-256) the key of the frames and that of their marks. <em>chain</em>(0) is SHA-256 of the header, <em>chain</em>(n + 1) is
/// SHA-256 of chain(n) and frame n. A mark is the first half of HMAC-SHA-256 over chain(n), length and sequence number, so that a changed length is
/// told from a cut file before the length is used. A frame is sealed with AES-256-GCM, the sequence number as nonce (a key seals one file, forwards,
/// once) and the same as associated data. A frame's plaintext is a row of events: <c>kind (1) · microseconds since the beginning (LEB128) · length
/// (LEB128) · data</c>.
/// </summary>
internal static class RecordingFormat
{
    public const int HeaderLength = 4 + 16 + 8 + NonceLength + KeyLength + TagLength;
    public const int FrameHeaderLength = 4 + 4 + MarkLength;
    public const int ChainLength = 32;
    public const int TagLength = 16;

    /// <summary>The longest event; longer data is several events of one instant.</summary>
    public const int MostEvent = 64 * 1024;

    /// <summary>The longest plaintext of a frame: one is closed at 64 KiB, and at most one event and its head reach beyond.</summary>
    public const int MostPlain = (2 * MostEvent) + 64;

    /// <summary>The most that comes before an event's data: kind, instant, length.</summary>
    public const int MostEventHead = 1 + 10 + 5;

    private const int NonceLength = 12;
    private const int KeyLength = 32;
    private const int MarkLength = 16;
    private const int AssociatedLength = 4 + 16 + 8;

    public static ReadOnlySpan<byte> Magic => "CSR1"u8;

    /// <summary>Makes a header with a new key in it.</summary>
    /// <param name="magic">The four bytes that say what lies in the frames: <see cref="Magic"/>, or a journal's.</param>
    public static byte[] MakeHeader(ReadOnlySpan<byte> magic, SessionId session, DateTimeOffset begun, Secret wrapping, out RecordingKeys keys)
    {
        var header = new byte[HeaderLength];
        magic.CopyTo(header);
        session.Value.TryWriteBytes(header.AsSpan(4), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(20), (begun - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        var nonce = header.AsSpan(AssociatedLength, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        Span<byte> key = stackalloc byte[KeyLength];
        RandomNumberGenerator.Fill(key);
        using (var cipher = new AesGcm(wrapping.Expose(), TagLength))
        {
            cipher.Encrypt(nonce, key, header.AsSpan(AssociatedLength + NonceLength, KeyLength), header.AsSpan(HeaderLength - TagLength), header.AsSpan(0, AssociatedLength));
        }

        keys = new(key);
        CryptographicOperations.ZeroMemory(key);
        return header;
    }

    /// <summary>Null: it is no header, was changed, is another session's, or was made under another key.</summary>
    public static RecordingKeys? OpenHeader(ReadOnlySpan<byte> magic, ReadOnlySpan<byte> header, SessionId session, Secret wrapping)
    {
        if (!header.StartsWith(magic) || new Guid(header.Slice(4, 16), bigEndian: true) != session.Value) return null;
        Span<byte> key = stackalloc byte[KeyLength];
        try
        {
            using var cipher = new AesGcm(wrapping.Expose(), TagLength);
            cipher.Decrypt(
                header.Slice(AssociatedLength, NonceLength), header.Slice(AssociatedLength + NonceLength, KeyLength), header[^TagLength..], key, header[..AssociatedLength]);
            return new(key);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public static byte[] Chain(ReadOnlySpan<byte> header) => SHA256.HashData(header);

    public static void AdvanceChain(Span<byte> chain, ReadOnlySpan<byte> frame)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(chain);
        hash.AppendData(frame);
        hash.GetHashAndReset(chain);
    }

    /// <returns>How many bytes it has become.</returns>
    /// <param name="target">With room for the data and <see cref="MostEventHead"/>.</param>
    public static int WriteEvent(Span<byte> target, RecordingEventKind kind, long microseconds, ReadOnlySpan<byte> data)
    {
        target[0] = (byte)kind;
        var length = 1 + WriteNumber(target[1..], (ulong)microseconds);
        length += WriteNumber(target[length..], (ulong)data.Length);
        data.CopyTo(target[length..]);
        return length + data.Length;
    }

    /// <summary>False: it is not a row of events.</summary>
    public static bool TryReadEvents(ReadOnlyMemory<byte> plain, List<RecordingEvent> events)
    {
        while (!plain.IsEmpty)
        {
            var span = plain.Span;
            var kind = (RecordingEventKind)span[0];
            if (!TryReadNumber(span, 1, out var microseconds, out var at) || !TryReadNumber(span, at, out var length, out at)) return false;
            if (microseconds > (ulong)(TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond) || length > (ulong)(span.Length - at)) return false;
            events.Add(new(kind, TimeSpan.FromTicks((long)microseconds * TimeSpan.TicksPerMicrosecond), plain.Slice(at, (int)length)));
            plain = plain[(at + (int)length)..];
        }

        return true;
    }

    private static int WriteNumber(Span<byte> target, ulong number)
    {
        var length = 0;
        for (; number >= 0x80; number >>= 7) target[length++] = (byte)(number | 0x80);
        target[length++] = (byte)number;
        return length;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> span, int start, out ulong number, out int end)
    {
        number = 0;
        end = start;
        for (var shift = 0; shift < 63 && end < span.Length; shift += 7)
        {
            var next = span[end++];
            number |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return true;
        }

        return false;
    }

    /// <summary>The two keys of one recording.</summary>
    internal sealed class RecordingKeys : IDisposable
    {
        private readonly AesGcm _cipher;
        private readonly Secret _mark;

        public RecordingKeys(ReadOnlySpan<byte> key)
        {
            Span<byte> derived = stackalloc byte[KeyLength];
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt: [], info: "countersign/recording/frames"u8);
            _cipher = new(derived, TagLength);
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt: [], info: "countersign/recording/marks"u8);
            _mark = new(derived);
            CryptographicOperations.ZeroMemory(derived);
        }

        public byte[] Seal(ReadOnlySpan<byte> plain, uint sequence, ReadOnlySpan<byte> chain)
        {
            var frame = new byte[FrameHeaderLength + plain.Length + TagLength];
            plain.CopyTo(frame.AsSpan(FrameHeaderLength));
            SealInPlace(frame, sequence, chain);
            return frame;
        }

        /// <param name="frame">The plaintext, with room for the frame's header before it and for the tag after it.</param>
        public void SealInPlace(Span<byte> frame, uint sequence, ReadOnlySpan<byte> chain)
        {
            BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - FrameHeaderLength);
            BinaryPrimitives.WriteUInt32BigEndian(frame[4..], sequence);
            Span<byte> associated = stackalloc byte[ChainLength + 8];
            Associate(associated, chain, frame);
            Mark(associated, frame.Slice(8, MarkLength));
            Span<byte> nonce = stackalloc byte[NonceLength];
            Nonce(nonce, sequence);
            var text = frame[FrameHeaderLength..^TagLength];
            _cipher.Encrypt(nonce, text, text, frame[^TagLength..], associated);
        }

        /// <summary>The length of what follows a frame's header; null: the header is not the one that belongs here.</summary>
        public int? OpenFrameHeader(ReadOnlySpan<byte> frame, uint sequence, ReadOnlySpan<byte> chain)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(frame);
            if (length is < TagLength or > MostPlain + TagLength || BinaryPrimitives.ReadUInt32BigEndian(frame[4..]) != sequence) return null;
            Span<byte> associated = stackalloc byte[ChainLength + 8];
            Associate(associated, chain, frame);
            Span<byte> mark = stackalloc byte[MarkLength];
            Mark(associated, mark);
            return CryptographicOperations.FixedTimeEquals(mark, frame.Slice(8, MarkLength)) ? length : null;
        }

        /// <summary>Null: it was changed.</summary>
        public byte[]? Open(ReadOnlySpan<byte> frame, uint sequence, ReadOnlySpan<byte> chain)
        {
            var plain = new byte[frame.Length - FrameHeaderLength - TagLength];
            Span<byte> associated = stackalloc byte[ChainLength + 8];
            Associate(associated, chain, frame);
            Span<byte> nonce = stackalloc byte[NonceLength];
            Nonce(nonce, sequence);
            try
            {
                _cipher.Decrypt(nonce, frame.Slice(FrameHeaderLength, plain.Length), frame[^TagLength..], plain, associated);
                return plain;
            }
            catch (AuthenticationTagMismatchException)
            {
                return null;
            }
        }

        public void Dispose()
        {
            _cipher.Dispose();
            _mark.Dispose();
        }

        private static void Associate(Span<byte> target, ReadOnlySpan<byte> chain, ReadOnlySpan<byte> frame)
        {
            chain.CopyTo(target);
            frame[..8].CopyTo(target[ChainLength..]);
        }

        private static void Nonce(Span<byte> nonce, uint sequence)
        {
            nonce.Clear();
            BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], sequence);
        }

        private void Mark(ReadOnlySpan<byte> associated, Span<byte> mark)
        {
            Span<byte> whole = stackalloc byte[32];
            HMACSHA256.HashData(_mark.Expose(), associated, whole);
            whole[..MarkLength].CopyTo(mark);
        }
    }
}
