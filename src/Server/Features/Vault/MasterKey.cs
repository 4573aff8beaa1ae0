using System.Security.Cryptography;
using System.Text;
using Countersign.Ssh;

namespace Countersign.Server.Features.Vault;

/// <summary>
/// The one key that everything encrypted in the data directory hangs on: 32 random bytes in a file of their own, apart from the database, so
/// that a copy of the database alone gives nothing away. It is never used itself, only keys derived from it, one for each purpose.
/// </summary>
public sealed class MasterKey : IDisposable
{
    public const int Length = 32;

    public const string FileName = "master.key";

    private readonly Secret _key;

    private MasterKey(Secret key) => _key = key;

    /// <summary>Reads the key of a data directory, or makes it if there is none.</summary>
    /// <exception cref="KeyFileException">Other users can read the file, or it has another length.</exception>
    public static MasterKey Open(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, FileName);
        var key = PrivateFile.Read(path, most: 4096) ?? Create(path);
        if (key.Length == Length) return new(key);
        var length = key.Length;
        key.Dispose();
        throw new KeyFileException(
            $"{path} is {length} bytes long instead of {Length}. Restore it from a backup: without it the stored secrets can't be read.");
    }

    /// <summary>A key for one purpose (HKDF-SHA-256, RFC 5869): whoever learns it learns neither the master key nor that of another purpose.</summary>
    public Secret Derive(string purpose)
    {
        Span<byte> key = stackalloc byte[Length];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, _key.Expose(), key, salt: [], Encoding.UTF8.GetBytes(purpose));
        try
        {
            return new(key);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public void Dispose() => _key.Dispose();

    private static Secret Create(string path)
    {
        Span<byte> key = stackalloc byte[Length];
        RandomNumberGenerator.Fill(key);
        var created = PrivateFile.TryCreate(path, key);
        CryptographicOperations.ZeroMemory(key);
        // Read back in any case: what counts is what the file holds, also when another process was first.
        return PrivateFile.Read(path, most: 4096)
            ?? throw new KeyFileException(created ? $"{path} has vanished." : $"{path} can't be created.");
    }
}
