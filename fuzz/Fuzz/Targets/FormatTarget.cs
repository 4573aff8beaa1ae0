using System.Text;
using Countersign.Ssh;
using Countersign.Ssh.Crypto;
using Countersign.Ssh.Transport;

namespace Countersign.Fuzz.Targets;

/// <summary>Keys, certificates, signatures, and the payloads of requests: each step is read as every one of them.</summary>
internal sealed class FormatTarget : Target
{
    private readonly Dictionary<string, SshCertificate> _genuine = [];

    /// <param name="corpus">Whatever certificates are in it are genuine, and no others can be.</param>
    public FormatTarget(IEnumerable<Transcript> corpus)
    {
        foreach (var step in corpus.SelectMany(transcript => transcript.Steps))
        {
            if (SshCertificate.TryParse(step.Bytes, out var certificate)) _genuine[Signed(certificate)] = certificate;
            else if (SshCertificate.TryParse(Encoding.Latin1.GetString(step.Bytes), out certificate)) _genuine[Signed(certificate)] = certificate;
        }
    }

    public override string Name => "formats";

    public override IReadOnlyList<byte[]> Words => Targets.Words.Ssh;

    /// <summary>Numbers of a private key are checked by arithmetic of their size.</summary>
    public override long MostAllocated => 16 * 1024 * 1024;

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        foreach (var step in steps.Take(4))
        {
            Keys(step.Bytes);
            Certificates(step.Bytes);
            Private(step.Bytes);
            Requests(step.Bytes);
            Negotiation(step.Bytes);
        }

        return ValueTask.CompletedTask;
    }

    private static void Keys(byte[] bytes)
    {
        if (!SshPublicKey.TryParse(bytes, out var key) && !SshPublicKey.TryParse(Encoding.Latin1.GetString(bytes), out key)) return;
        Require(SshPublicKey.TryParse(key.ToString(), out var again) && again.Equals(key), "a key is not read as it is written");
        foreach (var algorithm in SignatureAlgorithms.ForUsers)
        {
            Require(!key.Verify(algorithm, "data"u8, new SshWriter().String(algorithm).String(bytes.AsSpan(0, Math.Min(bytes.Length, 64))).Written.Span), "a signature of nobody counts");
            Require(!key.Verify(algorithm, "data"u8, bytes), "a signature of nobody counts");
        }
    }

    private void Certificates(byte[] bytes)
    {
        if (!SshCertificate.TryParse(bytes, out var certificate) && !SshCertificate.TryParse(Encoding.Latin1.GetString(bytes), out certificate)) return;
        Require(_genuine.ContainsKey(Signed(certificate)), "a certificate counts that nobody has signed");
        foreach (var name in certificate.Principals.Append(""))
        {
            var verdict = certificate.Judge(SshCertificateKind.User, name, certificate.ValidAfter, null);
            Require(verdict != SshCertificateVerdict.Good || (certificate.Kind == SshCertificateKind.User && name.Length > 0 && certificate.CriticalOptions.Count == 0), "a certificate is good for what it does not say");
        }
    }

    /// <summary>What the signature is over.</summary>
    private static string Signed(SshCertificate certificate)
    {
        var authority = certificate.Authority.Blob.Span;
        var at = certificate.Blob.Span.LastIndexOf(authority);
        return Convert.ToBase64String(certificate.Blob.Span[..(at + authority.Length)]);
    }

    private static void Private(byte[] bytes)
    {
        if (bytes.AsSpan().IndexOf("-----"u8) < 0) return;
        using var text = new Secret(bytes);
        try
        {
            using var key = SshPrivateKey.Parse(text);
            var algorithm = SignatureAlgorithms.ForKey(key.PublicKey.Type)[0];
            Require(key.PublicKey.Verify(algorithm, "data"u8, key.Sign(algorithm, "data"u8)), "a key that was read does not sign");
        }
        catch (FormatException)
        {
            // What is announced.
        }
    }

    private static void Requests(byte[] bytes)
    {
        if (PtyRequest.TryParse(bytes, out var pty)) Require(PtyRequest.TryParse(pty.Encode(), out var again) && again.Size == pty.Size && again.Term == pty.Term, "a terminal is not read as it is written");
        if (EnvironmentRequest.TryParse(bytes, out var variable)) Require(EnvironmentRequest.TryParse(variable.Encode(), out var again) && again == variable, "a variable is not read as it is written");
        if (ExecRequest.TryParse(bytes, out var exec)) Require(ExecRequest.TryParse(exec.Encode(), out var again) && again == exec, "a command is not read as it is written");
        if (SubsystemRequest.TryParse(bytes, out var subsystem)) Require(SubsystemRequest.TryParse(subsystem.Encode(), out var again) && again == subsystem, "a subsystem is not read as it is written");
        if (SignalRequest.TryParse(bytes, out var signal)) Require(SignalRequest.TryParse(signal.Encode(), out var again) && again == signal, "a signal is not read as it is written");
        if (ExitSignalRequest.TryParse(bytes, out var exit)) Require(ExitSignalRequest.TryParse(exit.Encode(), out _), "a signal's exit is not read as it is written");
        _ = ExitStatusRequest.TryParse(bytes, out _);
        _ = BreakRequest.TryParse(bytes, out _);
        _ = WindowSize.TryParse(bytes, out _);
        if (TcpIpOpen.TryParse(bytes, out var tcp)) Require(tcp.Host.Length > 0 && tcp.Port > 0, "a place that is none");
        _ = StreamLocalOpen.TryParse(bytes, out _);
        _ = TcpIpForwardRequest.TryParse(bytes, out _);
        _ = StreamLocalForwardRequest.TryParse(bytes, out _);
    }

    private static void Negotiation(byte[] bytes)
    {
        try
        {
            var init = KexInit.Parse(bytes);
            var offer = new AlgorithmOffer { HostKeys = ["ssh-ed25519"] };
            var own = KexInit.Create(offer.For(init), Side.Server);
            var agreement = Agreement.Between(init, own, Side.Server);
            Require(offer.KeyExchanges.Contains(agreement.KeyExchange) && offer.Ciphers.Contains(agreement.ToServer.Cipher.Name) && offer.Ciphers.Contains(agreement.ToClient.Cipher.Name), "something was agreed on that was not offered");
            Require(init.IsStrict(Side.Client) || (!agreement.ToServer.Cipher.NeedsStrict && !agreement.ToClient.Cipher.NeedsStrict), "ChaCha20 without strictness");
        }
        catch (SshConnectionException)
        {
            // What is announced.
        }

        try
        {
            _ = ExtensionInfo.Parse(bytes);
        }
        catch (SshConnectionException)
        {
            // What is announced.
        }
    }
}
