using Countersign.Server.Features.Identity;

namespace Countersign.Server.Tests.Identity;

/// <summary>An authenticator app that has scanned the code which the server showed.</summary>
internal sealed class TestAuthenticator
{
    private readonly byte[] _secret;
    private readonly SetClock _clock;

    public TestAuthenticator(string uri, SetClock clock)
    {
        _clock = clock;
        Uri = uri;
        SecretText = uri.Split("secret=")[1].Split('&')[0];
        _secret = Decode(SecretText);
    }

    public string Uri { get; }

    public string SecretText { get; }

    public byte[] Secret => _secret;

    public IReadOnlyList<string> RecoveryCodes { get; set; } = [];

    /// <summary>What it shows now, or showed or will show so many steps away.</summary>
    public string Code(int steps = 0) => Totp.Code(_secret, Totp.StepAt(_clock.GetUtcNow()) + steps);

    /// <summary>Waits for a code that was not there before.</summary>
    public string Next()
    {
        _clock.Advance(TimeSpan.FromSeconds(30));
        return Code();
    }

    /// <summary>RFC 4648 section 6, bit by bit and so not as the server writes it.</summary>
    private static byte[] Decode(string text)
    {
        var bits = string.Concat(text.Select(character => Convert.ToString(Base32.Alphabet.IndexOf(character), 2).PadLeft(5, '0')));
        return [.. bits.Chunk(8).Select(chunk => Convert.ToByte(new string(chunk), 2))];
    }
}
