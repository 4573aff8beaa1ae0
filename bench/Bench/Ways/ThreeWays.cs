using System.Diagnostics;
using System.Globalization;

namespace Countersign.Bench.Ways;

/// <summary>How a client gets to the device.</summary>
internal enum Way
{
    Direct,

    /// <summary>OpenSSH's <c>-J</c> through a second OpenSSH server.</summary>
    Jump,
    Gateway,
}

/// <summary>One device behind OpenSSH's server, and the three ways to it for the same client with the same cipher.</summary>
internal sealed class ThreeWays : IAsyncDisposable
{
    public const string Technician = "tina";

    private readonly string _folder;
    private readonly Sshd _device;
    private readonly Sshd _hop;

    private ThreeWays(string folder, Sshd device, Sshd hop, GatewayProcess gateway, string password)
    {
        _folder = folder;
        _device = device;
        _hop = hop;
        Gateway = gateway;
        Password = password;
    }

    public static IReadOnlyList<Way> All { get; } = [Way.Direct, Way.Jump, Way.Gateway];

    public GatewayProcess Gateway { get; }

    /// <summary>The technician's.</summary>
    public string Password { get; }

    /// <summary>For the clients: the hosts <c>direct</c>, <c>jump</c> and <c>gateway</c>.</summary>
    public string Config => Path.Combine(_folder, "config");

    public static async Task<ThreeWays> StartAsync(string folder)
    {
        var key = Path.Combine(folder, "key");
        await Child.RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
        var device = await Sshd.StartAsync(Path.Combine(folder, "device"), key + ".pub");
        var hop = await Sshd.StartAsync(Path.Combine(folder, "hop"), key + ".pub");
        var gateway = await GatewayProcess.StartAsync(folder);
        await gateway.Organization.AddDeviceAsync(
            "device", device.Port, device.HostKey, Environment.UserName, new() { ["privateKey"] = await File.ReadAllTextAsync(key) });
        var password = await gateway.AddTechnicianAsync(Technician, (await File.ReadAllTextAsync(key + ".pub")).Trim());
        var ways = new ThreeWays(folder, device, hop, gateway, password);
        await ways.WriteConfigAsync(key);
        return ways;
    }

    public static string Host(Way way) => way.ToString().ToLowerInvariant();

    /// <summary>Starts <c>ssh</c> there, its input and output joined to us.</summary>
    public Child Start(Way way, string command) => Child.Start("ssh", "-F", Config, Host(way), command);

    /// <summary>Seconds from the client's start to its end; what it prints goes nowhere.</summary>
    public Task<double> ExecAsync(Way way, string command) => TimeAsync($"exec ssh -F '{Config}' {Host(way)} '{command}' </dev/null >/dev/null");

    /// <summary>The same for one command of <c>sftp</c>.</summary>
    public Task<double> SftpAsync(Way way, string command) => TimeAsync($"echo '{command}' | sftp -q -F '{Config}' -b - {Host(way)} >/dev/null");

    public async ValueTask DisposeAsync()
    {
        await Gateway.DisposeAsync();
        await _hop.DisposeAsync();
        await _device.DisposeAsync();
    }

    private static async Task<double> TimeAsync(string line)
    {
        var start = Stopwatch.GetTimestamp();
        await Child.RunAsync("/bin/sh", "-c", line);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private async Task WriteConfigAsync(string key)
    {
        var known = Path.Combine(_folder, "known_hosts");
        await File.WriteAllLinesAsync(known,
        [
            $"[127.0.0.1]:{_device.Port} {_device.HostKey}",
            $"[127.0.0.1]:{_hop.Port} {_hop.HostKey}",
            .. Gateway.HostKeys.Select(line => $"[127.0.0.1]:{Gateway.Ssh.Port} {line}"),
        ]);
        var user = Environment.UserName;
        await File.WriteAllTextAsync(Config, string.Create(CultureInfo.InvariantCulture, $"""
            Host direct
              Port {_device.Port}
              User {user}
            Host hop
              Port {_hop.Port}
              User {user}
            Host jump
              Port {_device.Port}
              User {user}
              ProxyJump hop
            Host gateway
              Port {Gateway.Ssh.Port}
              User {Technician}+device
            Host gateway-quiet
              Port {Gateway.Ssh.Port}
              User {Technician}+quiet
            Host *
              HostName 127.0.0.1
              Ciphers aes256-gcm@openssh.com
              IdentityFile {key}
              IdentitiesOnly yes
              IdentityAgent none
              UserKnownHostsFile {known}
              GlobalKnownHostsFile /dev/null
              StrictHostKeyChecking yes
              UpdateHostKeys no
              ControlMaster no
              ControlPath none
              LogLevel ERROR

            """));
    }
}
