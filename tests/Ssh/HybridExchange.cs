using System.Security.Cryptography;

namespace Countersign.Ssh.Tests;

/// <summary>Debian's clients and servers have ML-KEM from the release on whose OpenSSL has it (13), and not before.</summary>
internal static class HybridExchange
{
    public const string Name = "mlkem768x25519-sha256";

    /// <summary>What our own two ends agree on, and a server of this machine with our client.</summary>
    public static string OrNext => MLKem.IsSupported ? Name : "curve25519-sha256";
}
