using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Gate;
using Countersign.Cli.Saved;
using Countersign.Cli.Shown;
using Countersign.Ssh;

namespace Countersign.Cli.Commands;

/// <summary>Signs in and keeps the token. The password is asked for or read from the input, never taken from the command line, where others see it.</summary>
internal static class LoginCommand
{
    private const int LongestLine = Surroundings.LongestPassword;

    /// <summary>As the API takes it.</summary>
    private const int LongestLabel = 100;

    public static Command Create(CommonOptions common)
    {
        var login = new Argument<string?>("LOGIN") { Description = "Who signs in. Asked for if it is not given.", Arity = ArgumentArity.ZeroOrOne };
        var fromInput = new Option<bool>("--password-stdin") { Description = "Read the password from the first line of the standard input, and the code, if one is wanted, from the second." };
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

        using var given = password;
        if (!(await CompleteAsync(address, login, given, fromInput, output, around, cancellation)).TryGet(out var answer, out failure)) return output.Fail(failure);
        var signedIn = answer.Person?.Login ?? login;
        failure = await store.WriteAsync(saved.With(address, new() { Login = signedIn, Token = answer.Token, Expires = answer.Expires }), cancellation);
        if (failure is not null) return output.Fail(failure);
        using (var api = new ApiClient(address, answer.Token, around.Time))
        {
            // Signing in is done; whatever connects asks for a certificate again.
            if (await new DoorIdentity(store, around.Time).RenewAsync(api, cancellation) is { } renewed && !renewed.TryGet(out _, out failure)) output.Note($"There is no certificate for SSH: {failure.Message}");
        }

        if (output.IsJson) output.Json(new SignedIn(address.ToString(), answer.Person, answer.Expires), ApiJson.Default.SignedIn);
        else output.Line($"Signed in to {address} as {signedIn}{(answer.Expires is { } end ? $", until {output.Time(end)}" : "")}.");
        return ExitCode.Ok;
    }

    /// <summary>Signs in, and does what has to be done before anything else. An answer from here holds a token that is good for everything.</summary>
    private static async Task<Answer<SignInAnswer>> CompleteAsync(
        ServerAddress address, string login, Secret password, bool fromInput, Output output, Surroundings around, CancellationToken cancellation)
    {
        Answer<Secret> Code() => AskCode(around, fromInput);
        var signedIn = await SignInAsync(address, login, password, Code, around, cancellation);
        if (!signedIn.TryGet(out var answer, out _)) return signedIn;
        if (answer.MustChangePassword == true)
        {
            if (fromInput || !around.CanAsk)
                return new Failure(ExitCode.Refused, $"{login} has to choose a new password first.", "Run countersign login on a terminal, which asks for it.");
            if (!(await ReplaceAsync(address, answer.Token!, password, around, cancellation)).TryGet(out var chosen, out var failure)) return failure;
            using var fresh = chosen;
            signedIn = await SignInAsync(address, login, fresh, Code, around, cancellation);
            return signedIn.TryGet(out answer, out _) ? await SetUpIfRequiredAsync(address, login, answer, fresh, fromInput, output, around, cancellation) : signedIn;
        }

        return await SetUpIfRequiredAsync(address, login, answer, password, fromInput, output, around, cancellation);
    }

    private static async Task<Answer<SignInAnswer>> SetUpIfRequiredAsync(
        ServerAddress address, string login, SignInAnswer answer, Secret password, bool fromInput, Output output, Surroundings around, CancellationToken cancellation)
    {
        if (answer.MustSetUpTwoFactor != true) return answer;
        if (fromInput || !around.CanAsk)
            return new Failure(ExitCode.Refused, $"{login} has to set up a second factor first.", "Run countersign login on a terminal, which does it.");
        around.Error.WriteLine("A second factor is required here: set yours up.");
        using var api = new ApiClient(address, answer.Token, around.Time);
        return (await TwoFactorSetup.RunAsync(api, password, output, around, cancellation)).TryGet(out _, out var failure) ? answer : failure;
    }

    /// <summary>An answer from here holds a token.</summary>
    private static async Task<Answer<SignInAnswer>> SignInAsync(
        ServerAddress address, string login, Secret password, Func<Answer<Secret>> code, Surroundings around, CancellationToken cancellation)
    {
        using var api = new ApiClient(address, token: null, around.Time);
        var label = $"countersign on {Environment.MachineName}";
        label = label[..Math.Min(label.Length, LongestLabel)];
        var request = new SignInRequest { Login = login, Password = password.ExposeText(), Label = label };
        var answer = await api.PostAsync("sign-in", request, ApiJson.Default.SignInRequest, ApiJson.Default.SignInAnswer, cancellation);
        if (!answer.TryGet(out var reply, out var failure)) return Refused(failure, address, login, "The login or the password is wrong, or the person may not sign in.");
        if (reply.Value.Ticket is { } ticket)
        {
            if (!code().TryGet(out var typed, out failure)) return failure;
            using var kept = typed;
            var second = new SignInCode { Ticket = ticket, Code = typed.ExposeText(), Label = label };
            answer = await api.PostAsync("sign-in/code", second, ApiJson.Default.SignInCode, ApiJson.Default.SignInAnswer, cancellation);
            if (!answer.TryGet(out reply, out failure)) return Refused(failure, address, login, "The code is wrong, was used before, or came too late.");
        }

        return reply.Value.Token is { } token && ApiClient.IsToken(token) ? reply.Value : NoToken(address);
    }

    /// <summary>There is no token yet that could be refused: here 401 is the server's one answer to everything that is wrong with a sign-in.</summary>
    private static Failure Refused(Failure failure, ServerAddress address, string login, string why) =>
        failure.ExitCode == ExitCode.NotSignedIn ? new Failure(ExitCode.Refused, $"{address} does not let {login} in.", why) : failure;

    private static Failure NoToken(ServerAddress address) =>
        new(ExitCode.Refused, $"The answer of {address} holds no token.", "Check that it is the address of a Countersign server.");

    private static Answer<Secret> AskCode(Surroundings around, bool fromInput)
    {
        if (fromInput)
        {
            return FirstLine(around.Input) is { Length: > 0 } line
                ? Secret.FromText(line)
                : new Failure(ExitCode.Usage, "A code is wanted, and the standard input has no second line.", "Write the password on the first line and the code on the second.");
        }

        return around.AskSecret("Code of your authenticator, or a recovery code: ") is { Length: > 0 } secret ? secret : new Failure(ExitCode.Usage, "No code was given.");
    }

    private static async Task<Answer<Secret>> ReplaceAsync(
        ServerAddress address, string token, Secret current, Surroundings around, CancellationToken cancellation)
    {
        around.Error.WriteLine("This password was given to you, or is too old: choose another one.");
        if (!TypedPassword.Choose(around).TryGet(out var chosen, out var failure)) return failure;
        using var api = new ApiClient(address, token, around.Time);
        var change = new PasswordChange { Current = current.ExposeText(), New = chosen.ExposeText() };
        if ((await api.PostAsync("me/password", change, ApiJson.Default.PasswordChange, cancellation)).TryGet(out _, out failure)) return chosen;
        chosen.Dispose();
        return failure;
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
