using Countersign.Server.Features.Identity;

namespace Countersign.EndToEnd.Fixtures;

/// <summary>An authenticator app, set up through the API as its owner would.</summary>
public sealed class Phone
{
    private readonly byte[] _secret;
    private readonly MovedTime _time;

    private Phone(string secret, MovedTime time)
    {
        _time = time;
        var bits = string.Concat(secret.Select(character => Convert.ToString(Base32.Alphabet.IndexOf(character), 2).PadLeft(5, '0')));
        _secret = [.. bits.Chunk(8).Select(chunk => Convert.ToByte(new string(chunk), 2))];
    }

    public IReadOnlyList<string> RecoveryCodes { get; private set; } = [];

    public static async Task<Phone> EnrolAsync(Api caller, string password, MovedTime time)
    {
        var phone = new Phone((string)(await caller.PostAsync("me/two-factor/enrol", new() { ["password"] = password }))["secret"]!, time);
        var confirmed = await caller.PostAsync("me/two-factor/confirm", new() { ["code"] = phone.Next() });
        phone.RecoveryCodes = [.. confirmed["recoveryCodes"]!.AsArray().Select(code => (string)code!)];
        return phone;
    }

    /// <summary>Waits for a code that was not there before.</summary>
    public string Next()
    {
        _time.Move(TimeSpan.FromSeconds(30));
        return Totp.Code(_secret, Totp.StepAt(_time.GetUtcNow()));
    }
}
