using Countersign.Cli.Api;
using Countersign.Cli.Shown;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>Shows the secret to an authenticator app, asks for a code of it, and shows the recovery codes.</summary>
internal static class TwoFactorSetup
{
    /// <summary>What is shown goes to the person, on the error stream: the output may go to a file.</summary>
    /// <returns>The server's last answer, which holds the recovery codes.</returns>
    public static async Task<Answer<string>> RunAsync(ApiClient api, Secret password, Output output, Surroundings around, CancellationToken cancellation)
    {
        var proof = new Proof { Password = password.ExposeText() };
        var answer = await api.PostAsync("me/two-factor/enrol", proof, ApiJson.Default.Proof, ApiJson.Default.Enrolment, cancellation);
        if (!answer.TryGet(out var enrolled, out var failure)) return failure;
        if (enrolled.Value is not { Secret: { } secret, Uri: { } uri } || !uri.StartsWith("otpauth://", StringComparison.Ordinal) || uri.Length > 1024)
            return new Failure(ExitCode.Refused, $"The answer of {api.Address} holds no secret.", "A newer server may need a newer countersign.");
        if (around.OutputIsTerminal)
        {
            foreach (var line in QrCode.Draw(uri)) around.Error.WriteLine(line);
        }

        output.Note("Scan this with an authenticator app, or type the secret into it:");
        output.Note($"  {secret}");
        if (around.AskSecret("The code that it shows: ") is not { Length: > 0 } typed) return new Failure(ExitCode.Usage, "No code was given.", "Nothing has changed; try again.");
        using var code = typed;
        var confirmed = await api.PostAsync("me/two-factor/confirm", new Proof { Code = code.ExposeText() }, ApiJson.Default.Proof, ApiJson.Default.RecoveryCodes, cancellation);
        if (!confirmed.TryGet(out var done, out failure)) return failure;
        ShowRecoveryCodes(done.Value, output);
        return done.Json;
    }

    public static void ShowRecoveryCodes(RecoveryCodes made, Output output)
    {
        output.Note("Recovery codes, for the day on which the app is lost. Each is good once; keep them where the app is not:");
        foreach (var code in made.Codes ?? []) output.Note($"  {code}");
    }
}
