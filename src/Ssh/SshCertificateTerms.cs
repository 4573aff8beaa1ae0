using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Countersign.Ssh;

/// <summary>What an authority says about a key.</summary>
public sealed record SshCertificateTerms
{
    public required SshCertificateKind Kind { get; init; }

    /// <summary>Whose it is, for the log of whoever accepts it; at most 1,024 bytes.</summary>
    public required string KeyId { get; init; }

    /// <summary>The users or hosts it is for: at least one, at most 256, each of at most 256 bytes.</summary>
    public required IReadOnlyList<string> Principals { get; init; }

    /// <summary>Whole seconds; parts of one are cut off.</summary>
    public required DateTimeOffset ValidAfter { get; init; }

    /// <summary>Whole seconds; the first in which it is not valid any more.</summary>
    public required DateTimeOffset ValidBefore { get; init; }

    /// <summary>Zero where certificates are not counted.</summary>
    public ulong Serial { get; init; }

    /// <summary>Whoever does not know one of these refuses the certificate.</summary>
    public IReadOnlyList<SshCertificateOption> CriticalOptions { get; init; } = [];

    /// <summary>Whoever does not know one of these leaves it aside.</summary>
    public IReadOnlyList<SshCertificateOption> Extensions { get; init; } = [];

    /// <exception cref="ArgumentException">Not such as a server would accept.</exception>
    internal void Check()
    {
        if (!Enum.IsDefined(Kind)) throw new ArgumentException("neither for a user nor for a host", nameof(Kind));
        if (Principals.Count is 0 or > SshCertificate.MaxPrincipals) throw new ArgumentException($"a certificate has 1 to {SshCertificate.MaxPrincipals} principals", nameof(Principals));
        if (Principals.Any(name => Encoding.UTF8.GetByteCount(name) is 0 or > SshCertificate.MaxName)) throw new ArgumentException($"a principal has 1 to {SshCertificate.MaxName} bytes", nameof(Principals));
        if (Encoding.UTF8.GetByteCount(KeyId) > SshCertificate.MaxKeyId) throw new ArgumentException($"a key id has at most {SshCertificate.MaxKeyId} bytes", nameof(KeyId));
        if (ValidAfter.ToUnixTimeSeconds() < 0 || ValidAfter.ToUnixTimeSeconds() >= ValidBefore.ToUnixTimeSeconds()) throw new ArgumentException("a certificate ends after it begins, and begins after 1969", nameof(ValidBefore));
    }
}

/// <summary>A critical option or an extension of a certificate.</summary>
/// <param name="Name">At most 64 bytes.</param>
/// <param name="Data">As on the wire: nothing for a flag, else most often one string.</param>
public sealed record SshCertificateOption(string Name, ReadOnlyMemory<byte> Data)
{
    /// <summary>The addresses that the holder may connect from: single ones and networks, with commas between.</summary>
    public const string SourceAddress = "source-address";

    private const int MaxOptions = 64;

    /// <summary>One that means something by being there, like <c>permit-pty</c>.</summary>
    public static SshCertificateOption Flag(string name) => new(name, ReadOnlyMemory<byte>.Empty);

    public static SshCertificateOption Text(string name, string value) => new(name, new SshWriter().String(value).Written);

    /// <summary>The data where it is one string of UTF-8; else null.</summary>
    public string? Value
    {
        get
        {
            var reader = new SshReader(Data.Span);
            return reader.TryReadText(out var value, int.MaxValue) && reader.IsAtEnd ? value : null;
        }
    }

    public bool Equals(SshCertificateOption? other) => other is not null && Name == other.Name && Data.Span.SequenceEqual(other.Data.Span);

    public override int GetHashCode() => Name.GetHashCode(StringComparison.Ordinal);

    /// <summary>In the order of the names, as PROTOCOL.certkeys wants it.</summary>
    internal static ReadOnlySpan<byte> Encode(IEnumerable<SshCertificateOption> options)
    {
        var writer = new SshWriter();
        foreach (var option in options.OrderBy(option => option.Name, StringComparer.Ordinal)) writer.String(option.Name).String(option.Data.Span);
        return writer.Written.Span;
    }

    /// <summary>False, too, where the names are not in order, or one comes twice: two readers must not see two different certificates.</summary>
    internal static bool TryReadAll(ReadOnlySpan<byte> list, out IReadOnlyList<SshCertificateOption> options)
    {
        var read = new List<SshCertificateOption>();
        var reader = new SshReader(list);
        options = [];
        while (!reader.IsAtEnd)
        {
            if (read.Count == MaxOptions || !reader.TryReadText(out var name, 64) || !reader.TryReadString(out var data)) return false;
            if (read.Count > 0 && string.CompareOrdinal(read[^1].Name, name) >= 0) return false;
            read.Add(new SshCertificateOption(name, data.ToArray()));
        }

        options = read;
        return true;
    }
}

/// <summary>The value of <c>source-address</c>: what can't be read allows nobody.</summary>
internal static class SourceAddresses
{
    private const int MostEntries = 64;

    public static bool Allow(SshCertificateOption option, IPAddress? source)
    {
        if (source is null || option.Value is not { Length: > 0 } list) return false;
        if (source.IsIPv4MappedToIPv6) source = source.MapToIPv4();
        var entries = list.Split(',');
        var allowed = false;
        if (entries.Length > MostEntries) return false;
        foreach (var entry in entries)
        {
            // All of them are read even after one that fits: a list with nonsense in it is not relied on.
            if (!TryReadEntry(entry, out var network)) return false;
            allowed |= network.Contains(source);
        }

        return allowed;
    }

    /// <summary>An address, or a network whose address has no bits outside its prefix.</summary>
    private static bool TryReadEntry(string entry, out IPNetwork network)
    {
        network = default;
        var slash = entry.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? entry : entry[..slash];
        if (!IPAddress.TryParse(address, out var parsed)) return false;

        // The platform reads 127.1 and 0177.0.0.1, too, which others read as something else, or not at all.
        if (parsed.AddressFamily == AddressFamily.InterNetwork && parsed.ToString() != address) return false;
        if (parsed.AddressFamily == AddressFamily.InterNetworkV6 && (parsed.ScopeId != 0 || parsed.IsIPv4MappedToIPv6)) return false;
        if (slash >= 0) return IPNetwork.TryParse(entry, out network) && network.BaseAddress.Equals(parsed);
        network = new IPNetwork(parsed, parsed.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        return true;
    }
}
