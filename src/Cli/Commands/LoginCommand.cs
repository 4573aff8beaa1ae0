using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;
using Countersign.Cli.Shown;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>Signs in and keeps the token. The password is asked for or read from the input, never taken from the command line, where others see it.</summary>
internal static class LoginCommand
{
    private const int LongestLine = Surroundings.LongestPassword;

    public static Command Create(CommonOptions common)
    {
        var login = new Argument<string?>("LOGIN") { Description = "Who signs in. Asked for if it is not given.", Arity = ArgumentArity.ZeroOrOne };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from the first line of the standard input." };
        var command = new DocumentedCommand(
            "login",
            "Signs in to a server and remembers it. The token is kept in a file that only you can read.",
            "countersign login --server https://gate.example.org anna",
            "countersign login",
            "pass show gate | countersign login --server https://gate.example.org --password-stdin anna")
        {
            login,
            fromInput,
        };
        command.SetAction((parsed, cancellation) => RunAsync(common, parsed, parsed.GetValue(login), parsed.GetValue(fromInput), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(CommonOptions common, ParseResult parsed, string? login, bool fromInput, CancellationToken cancellation)
    {
        var output = common.OutputFor(parsed);
        var around = common.Around;
        var store = common.Store();

        // Saved logins that can't be read are replaced: signing in again is the way out of that.
        if (!(await store.ReadAsync(cancellation)).TryGet(out var saved, out _)) saved = new SavedLogins();
        if (!common.Address(parsed, saved).TryGet(out var address, out var failure)) return output.Fail(failure with { ExitCode = ExitCode.Usage });

        if (login is null && !fromInput && around.CanAsk)
        {
            around.Error.Write($"Login at {address}: ");
            login = around.Input.ReadLine();
        }

        if (string.IsNullOrWhiteSpace(login)) return output.Fail(new(ExitCode.Usage, "Who signs in?", "Give the login: countersign login LOGIN"));
        if (!Password(around, login, fromInput).TryGet(out var password, out failure)) return output.Fail(failure);

        using var kept = password;
        using var api = new ApiClient(address, token: null, around.Time);
        var request = new SignInRequest { Login = login, Password = password.ExposeText(), Label = $"countersign on {Environment.MachineName}" };
        var answer = await api.PostAsync("sign-in", request, ApiJson.Default.SignInRequest, ApiJson.Default.SignInAnswer, cancellation);
        if (!answer.TryGet(out var reply, out failure))
        {
            // There is no token yet that could be refused: here 401 is the server's one answer to everything that is wrong with a sign-in.
            return output.Fail(failure.ExitCode == ExitCode.NotSignedIn
                ? new(ExitCode.Refused, $"{address} does not let {login} in.", "The login or the password is wrong, or the person may not sign in.")
                : failure);
        }

        if (reply.Value.Token is not { } token || !ApiClient.IsToken(token))
            return output.Fail(new(ExitCode.Refused, $"The answer of {address} holds no token.", "Check that it is the address of a Countersign server."));
        var signedIn = reply.Value.Person?.Login ?? login;
        failure = await store.WriteAsync(saved.With(address, new() { Login = signedIn, Token = token, Expires = reply.Value.Expires }), cancellation);
        if (failure is not null) return output.Fail(failure);

        if (output.IsJson) output.Json(new SignedIn(address.ToString(), reply.Value.Person, reply.Value.Expires), ApiJson.Default.SignedIn);
        else output.Line($"Signed in to {address} as {signedIn}{(reply.Value.Expires is { } end ? $", until {output.Time(end)}" : "")}.");
        return ExitCode.Ok;
    }

    private static Answer<Secret> Password(Surroundings around, string login, bool fromInput)
    {
        if (fromInput)
        {
            return FirstLine(around.Input) is { Length: > 0 } line
                ? Secret.FromText(line)
                : new Failure(ExitCode.Usage, $"The standard input holds no password of 1 to {LongestLine} characters.");
        }

        if (!around.CanAsk) return new Failure(ExitCode.Usage, "Nobody can be asked for the password here.", "Use --password-stdin.");
        return around.AskSecret($"Password of {CleanText.Line(login)}: ") is { Length: > 0 } secret ? secret : new Failure(ExitCode.Usage, "No password was given.");
    }

    /// <summary>Null: longer than any password.</summary>
    private static string? FirstLine(TextReader input)
    {
        var line = new char[LongestLine + 2];
        var length = 0;
        while (length < line.Length && input.Read() is >= 0 and not '\n' and var next)
            line[length++] = (char)next;
        if (length > 0 && line[length - 1] == '\r') length--;
        var text = length <= LongestLine ? new string(line, 0, length) : null;
        line.AsSpan().Clear();
        return text;
    }
}
