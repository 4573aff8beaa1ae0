using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Countersign.Cli.Commands;
using Countersign.Cli.Shown;

namespace Countersign.Cli;

/// <summary>The whole tool: its commands, and what every one of them shares.</summary>
internal static class CommandLine
{
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Surroundings around, CancellationToken cancellation)
    {
        var root = Create(around);

        // No response files: an argument such as "@notes" is what it says and not a file to read.
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            foreach (var error in parsed.Errors)
                around.Error.WriteLine($"countersign: {CleanText.Line(error.Message)}");
            around.Error.WriteLine($"Try: {PathOf(parsed.CommandResult.Command)} --help");
            return ExitCode.Usage;
        }

        var configuration = new InvocationConfiguration
        {
            Output = around.Output,
            Error = around.Error,
            EnableDefaultExceptionHandler = false,

            // Ctrl+C ends the process, as it does everywhere: a handler would wait for a command that waits for a key.
            ProcessTerminationTimeout = null,
        };
        return await parsed.InvokeAsync(configuration, cancellation);
    }

    public static RootCommand Create(Surroundings around)
    {
        var common = new CommonOptions(around);
        var root = new RootCommand("Remote access that is decided, countersigned and recorded: the command line of Countersign.")
        {
            common.Json,
            common.Server,
            common.Token,
            LoginCommand.Create(common),
            LogoutCommand.Create(common),
            WhoAmICommand.Create(common),
            ProfileCommand.Create(common),
            PasswordCommand.Create(common),
            TwoFactorCommand.Create(common),
            PasskeysCommand.Create(common),
            SignInsCommand.Create(common),
            TokensCommand.Create(common),
            DevicesCommand.Create(common),
            DeviceGroupsCommand.Create(common),
            SettingsCommand.Create(common),
            ExplainCommand.Create(common),
            WhoCanCommand.Create(common),
            PolicyCommand.Create(common),
            GroupsCommand.Create(common),
            PermissionsCommand.Create(common),
            RolesCommand.Create(common),
            GrantsCommand.Create(common),
            WorkflowsCommand.Create(common),
            ExternalGroupsCommand.Create(common),
            SessionsCommand.Create(common),
            EndCommand.Create(common),
            PlayCommands.CreateWatch(common),
            RecordingsCommand.Create(common),
            PlayCommands.CreatePlay(common),
            ExportCommand.Create(common),
            RequestCommand.Create(common),
            ExtendCommand.Create(common),
            RequestLists.CreateApprovals(common),
            DecideCommands.CreateApprove(common),
            DecideCommands.CreateReject(common),
            DecideCommands.CreateRevoke(common),
            RequestLists.CreateRequests(common),
            DecideCommands.CreateCancel(common),
            KeysCommand.Create(common),
            TechniciansCommand.Create(common),
            ContactsCommand.Create(common),
            MailCommand.Create(common),
            ConnectCommands.CreateSsh(common),
            ConnectCommands.CreateSftp(common),
            SshConfigCommand.Create(common),
            AuthorityCommand.Create(common),
            JournalCommand.Create(common),
            AuditCommand.Create(common),
        };
        root.HelpName = "countersign";
        foreach (var help in root.Options.OfType<HelpOption>())
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    private static string PathOf(Command command)
    {
        var names = new Stack<string>();
        for (Symbol? symbol = command; symbol is Command; symbol = symbol.Parents.FirstOrDefault())
            names.Push(symbol is RootCommand ? "countersign" : symbol.Name);
        return string.Join(' ', names);
    }
}
