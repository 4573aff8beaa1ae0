using Countersign.Cli.Api;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>A public key in a file. It is looked at before anything is sent, so that a private key that was meant to be its .pub never leaves the machine.</summary>
internal static class PublicKeyFile
{
    private const int Largest = 32 * 1024;

    /// <param name="file">A dash is the standard input.</param>
    /// <param name="label">What to call it; null: the comment in the file, else its name.</param>
    public static async Task<Answer<NewKey>> ReadAsync(Surroundings around, string file, string? label, CancellationToken cancellation)
    {
        if (!(await TextFile.ReadAsync(around, file, Largest, cancellation)).TryGet(out var text, out var failure))
            return failure with { Advice = "Give the file of a public key, such as ~/.ssh/id_ed25519.pub." };
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return new Failure(ExitCode.Usage, $"{file} is a private key, and was not sent.", $"Give the public half, usually {file}.pub.");
        if (text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is not [var line])
            return new Failure(ExitCode.Usage, $"{file} holds several lines, or none, where one key was expected.");
        if (line.IndexOf("-cert-v01@openssh.com", StringComparison.Ordinal) is > 0 and < 64)
            return new Failure(ExitCode.Usage, $"{file} holds a certificate, and none is accepted.", "Give the key that it is for, usually the .pub file without -cert.");
        if (!SshPublicKey.TryParse(line, out var key))
            return new Failure(ExitCode.Usage, $"{file} holds no public key that can be used here.", "Wanted is one line: ssh-ed25519 AAAA… (or ssh-rsa of 2,048 bits and more, or ecdsa-sha2-nistp256).");
        return new NewKey(label ?? Comment(line) ?? (file == "-" ? key.Fingerprint : Path.GetFileName(file)), key.ToString());
    }

    private static string? Comment(string line) => line.Split([' ', '\t'], 3, StringSplitOptions.RemoveEmptyEntries) is [_, _, var comment] ? comment : null;
}
