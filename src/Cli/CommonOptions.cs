using System.CommandLine;
using Countersign.Cli.Api;
using Countersign.Cli.Saved;
using Countersign.Cli.Shown;

namespace Countersign.Cli;

/// <summary>The options that every command has, and what a command gets from them.</summary>
internal sealed class CommonOptions(Surroundings around)
{
    public const string ServerVariable = "COUNTERSIGN_SERVER";
    public const string TokenVariable = "COUNTERSIGN_TOKEN";

    public Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the API's answer as JSON, on one line.",
        Recursive = true,
    };

    public Option<string?> Server { get; } = new("--server")
    {
        Description = $"The server's address. Otherwise {ServerVariable}, otherwise the one last signed in to.",
        HelpName = "URL",
        Recursive = true,
    };

    public Option<string?> Token { get; } = new("--token")
    {
        Description = $"An API token to use instead of the saved one. Other users may see the command line: {TokenVariable} is safer.",
        HelpName = "TOKEN",
        Recursive = true,
    };

    public Surroundings Around => around;

    public Output OutputFor(ParseResult parsed) => new(around, parsed.GetValue(Json) ? OutputForm.Json : OutputForm.Text);

    public string HomeFolder => around.Variable("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    public LoginStore Store() => LoginStore.For(around.Variable);

    /// <summary>Where to go: the option, the environment, or the saved choice, in this order.</summary>
    public Answer<ServerAddress> Address(ParseResult parsed, SavedLogins saved)
    {
        var text = parsed.GetValue(Server) ?? NotEmpty(around.Variable(ServerVariable)) ?? saved.Current;
        return text is null
            ? new Failure(ExitCode.NotSignedIn, "No server is known.", "Sign in: countersign login --server https://HOST")
            : ServerAddress.Parse(text);
    }

    /// <summary>A client that speaks for the caller. A saved token goes only to the server that gave it.</summary>
    public async Task<Answer<ApiClient>> ConnectAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var (option, variable) = (parsed.GetValue(Token), NotEmpty(around.Variable(TokenVariable)));
        var given = option ?? variable;
        var store = Store();
        if (!(await store.ReadAsync(cancellation)).TryGet(out var saved, out var failure))
        {
            // With a token in hand, a saved file that can't be read is in nobody's way.
            if (given is null) return failure;
            saved = new SavedLogins();
        }

        if (!Address(parsed, saved).TryGet(out var address, out failure)) return failure;
        var token = given ?? saved.Find(address)?.Token;
        if (token is null)
            return new Failure(ExitCode.NotSignedIn, $"Not signed in to {address}.", $"Sign in: countersign login --server {address}");
        if (!ApiClient.IsToken(token))
            return new Failure(ExitCode.Usage, "The token is not one: it has spaces or other characters that no token has.", "Copy it again, whole.");
        return new ApiClient(address, token, around.Time) { TokenFrom = option is not null ? Token.Name : variable is not null ? TokenVariable : null };
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
