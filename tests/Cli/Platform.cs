using System.Runtime.Versioning;

// Modes of files are looked at as Unix has them.
[assembly: SupportedOSPlatform("linux")]
