using System.CommandLine;
using Countersign.Agent.Commands;

if (!OperatingSystem.IsLinux())
{
    Console.Error.WriteLine("countersign-agent: this version runs on Linux.");
    return 1;
}

var root = new RootCommand("Countersign's agent: makes this machine a device that can be reached.")
{
    ServeCommand.Create(),
    SftpServerCommand.Create(),
};

// Longer than the sessions' programs get to obey a hang-up: none of them may be left behind.
var invocation = new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(10) };
return await root.Parse(args).InvokeAsync(invocation).ConfigureAwait(false);
