namespace Countersign.Ssh;

/// <summary>A public key in its wire form (RFC 4253 section 6.6).</summary>
public sealed class SshPublicKey : IEquatable<SshPublicKey>
{
    /// <summary>The key format's name: <c>ssh-ed25519</c>, <c>ssh-rsa</c>, <c>ecdsa-sha2-nistp256</c>, …</summary>
    public string Type => throw new NotImplementedException();

    public ReadOnlyMemory<byte> Blob => throw new NotImplementedException();

    /// <summary><c>SHA256:</c> and unpadded base64, as OpenSSH prints it.</summary>
    public string Fingerprint => throw new NotImplementedException();

    /// <summary>Reads <c>type base64 [comment]</c>, the line of an authorized_keys or .pub file without options.</summary>
    public static bool TryParse(string line, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SshPublicKey? key) => throw new NotImplementedException();

    public static bool TryParse(ReadOnlySpan<byte> blob, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SshPublicKey? key) => throw new NotImplementedException();

    public bool Equals(SshPublicKey? other) => throw new NotImplementedException();

    public override bool Equals(object? obj) => obj is SshPublicKey other && Equals(other);

    public override int GetHashCode() => throw new NotImplementedException();

    /// <summary><c>type base64</c>.</summary>
    public override string ToString() => throw new NotImplementedException();
}

public enum SshKeyKind
{
    Ed25519,
    Rsa3072,
}

/// <summary>A private key, kept in native memory or pinned; the maker disposes it.</summary>
public sealed class SshPrivateKey : IDisposable
{
    public SshPublicKey PublicKey => throw new NotImplementedException();

    public static SshPrivateKey Generate(SshKeyKind kind) => throw new NotImplementedException();

    /// <summary>Reads the unencrypted <c>openssh-key-v1</c> text form (ed25519, rsa, ecdsa).</summary>
    /// <exception cref="FormatException">It is not such a key; the message says what is wrong and never shows the text.</exception>
    public static SshPrivateKey Parse(Secret text) => throw new NotImplementedException();

    /// <summary>The <c>openssh-key-v1</c> text form, unencrypted.</summary>
    public Secret Export(string comment = "") => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
