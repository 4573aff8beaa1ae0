using System.Runtime.Versioning;

// The clients and servers that these tests drive are Debian's.
[assembly: SupportedOSPlatform("linux")]
