using System.Runtime.Versioning;

// Processes, terminals and files are Linux's; Program says so to anybody else.
[assembly: SupportedOSPlatform("linux")]
