using System.Security.Cryptography;
using System.Text;

namespace Countersign.Ssh;

/// <summary>
/// Bytes that must not leak: pinned, so that the collector leaves no copies behind, and zeroed when disposed. Whoever makes it disposes it.
/// <see cref="ToString"/> never shows it; <see cref="Expose"/> is where a reviewer looks.
/// </summary>
public sealed class Secret : IDisposable
{
    private byte[] _bytes;

    public Secret(ReadOnlySpan<byte> bytes)
    {
        _bytes = GC.AllocateUninitializedArray<byte>(bytes.Length, pinned: true);
        bytes.CopyTo(_bytes);
    }

    internal Secret(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    public int Length => _bytes.Length;

    public static Secret FromText(string text)
    {
        var secret = new Secret(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, secret._bytes);
        return secret;
    }

    public ReadOnlySpan<byte> Expose() => _bytes;

    /// <summary>For code of this library that computes the secret in its place.</summary>
    internal Span<byte> Writable() => _bytes;

    /// <summary>A string can't be zeroed: only for APIs that take nothing else.</summary>
    public string ExposeText() => Encoding.UTF8.GetString(_bytes);

    public override string ToString() => "[secret]";

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_bytes);
        _bytes = [];
    }
}
