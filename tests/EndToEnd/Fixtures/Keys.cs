namespace Countersign.EndToEnd.Fixtures;

/// <summary>A key pair of one test, made when it runs.</summary>
/// <param name="PrivatePath">The private key's file, mode 0600.</param>
/// <param name="PublicLine">Type and base64, without a comment.</param>
public sealed record KeyPair(string PrivatePath, string PublicLine)
{
    public string PublicPath => PrivatePath + ".pub";

    public string PrivateText => File.ReadAllText(PrivatePath);
}

public static class Keys
{
    /// <param name="folder">Where the files go.</param>
    /// <param name="name">The file's name.</param>
    /// <param name="type">What <c>ssh-keygen -t</c> calls it: ed25519, ecdsa, rsa.</param>
    public static async Task<KeyPair> GenerateAsync(TempFolder folder, string name, string type = "ed25519")
    {
        var path = folder[name];
        await RunningCommand.MustAsync("ssh-keygen", "-q", "-t", type, "-N", "", "-C", "", "-f", path);
        var line = await File.ReadAllTextAsync(path + ".pub", TestContext.Current.CancellationToken);
        return new(path, string.Join(' ', line.Trim().Split(' ').Take(2)));
    }
}
