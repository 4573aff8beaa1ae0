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
return await root.Parse(args).InvokeAsync().ConfigureAwait(false);
