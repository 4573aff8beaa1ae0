using System.Text;
using Countersign.Ssh;

namespace Countersign.Fuzz.Targets;

/// <summary>A file of public keys, held against its lines read once more: a key counts where its line has nothing in front of it, and nowhere else.</summary>
internal sealed class AuthorizedKeysTarget : Target
{
    private const string One = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    private const string Other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/+/fz7+vn49/b19PPy8fDv7u3s6+rp6Ofm5eTj4uHg";

    public override string Name => "authorized-keys";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. Targets.Words.Hostile,
        .. new[] { One, Other, "ssh-ed25519", "ssh-rsa", " ", "\t", "\r", "\n", "#", "=", "==", "restrict", "no-pty ", "command=\"true\" ", "from=\"*\",", "cert-authority ", "@revoked * ", "\u00a0", "\u2003", "\u0085", "\u2028", "\ufeff" }.Select(Encoding.UTF8.GetBytes),
    ];

    /// <summary>What such files look like.</summary>
    public static IReadOnlyList<string> Files() =>
    [
        $"{One} alice@example.org\n{Other}\n",
        $"# {One}\n\n   {Other}\twith words\r\n",
        $"restrict,command=\"echo '{One}'\" {Other}\ncert-authority {One}\nfrom=\"10.0.0.0/8\" {Other} x\n",
        $"{One} a comment\r{Other}\nssh-rsa {One}\n",
    ];

    public override ValueTask PlayAsync(IReadOnlyList<Step> steps, Chance chance)
    {
        var text = Encoding.UTF8.GetString([.. steps.SelectMany(step => step.Bytes)]);
        var keys = SshPublicKey.ReadLines(text);
        var lines = text.Split('\n').Select(line => line.Trim()).ToList();
        var at = 0;
        foreach (var key in keys)
        {
            // In their order, each by a line that begins with exactly what the key is written as.
            var words = key.ToString().Split(' ');
            while (at < lines.Count && !Begins(lines[at], words)) at++;
            Require(at < lines.Count, "a key counts that stands at the beginning of no line");
            at++;
        }

        Require(keys.Count >= lines.Count(line => line is One or Other), "a line with nothing but a key does not count");
        return ValueTask.CompletedTask;
    }

    private static bool Begins(string line, string[] words)
    {
        var own = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

        // Base64 may be written with blanks of other kinds in it, which the platform leaves out.
        return own.Length > 1 && own[0].Trim() == words[0] && string.Concat(own[1].Where(letter => !char.IsWhiteSpace(letter))) == words[1];
    }
}
