using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Countersign.Ssh;
using Countersign.Ssh.Sftp;
using Countersign.Ssh.Transport;
using Countersign.Fuzz.Targets.Connections;

namespace Countersign.Fuzz.Capture;

/// <summary>Takes a session apart into conversations for each target.</summary>
/// <param name="work">The folder that the clients worked in: it becomes the folder that paths are relative to.</param>
internal sealed class CorpusWriter(string folder, string work)
{
    private const int MostSteps = 60;
    private const int MostBytes = 20_000;
    private static readonly Step Exchange = new(StepKind.Exchange, []);

    public void Write(string name, Tapped tapped)
    {
        Save("transport-server", name, Start(tapped.ClientStart, StepKind.Client));
        Save("transport-client", name, Start(tapped.ServerStart, StepKind.Server));
        Save("packets", name, [.. tapped.SignedIn.Concat(tapped.Used).Take(24)]);
        var service = new Step(StepKind.Client, new SshWriter().Byte(SshMessage.ServiceRequest).String("ssh-userauth").Written.ToArray());
        var accepted = new Step(StepKind.Server, new SshWriter().Byte(SshMessage.ServiceAccept).String("ssh-userauth").Written.ToArray());
        var asked = tapped.SignedIn.Where(step => step.Kind == StepKind.Client).ToList();
        Save("auth-server", name, [Exchange, .. asked, Proof(Credentials.ByPassword)]);
        Save("auth-client", name, [Exchange, Wait(SshMessage.UserAuthRequest, 0), .. tapped.HostSignedIn]);
        Save("auth-client", $"{name}-answers", [Exchange, Wait(SshMessage.UserAuthRequest, 0), .. tapped.SignedIn.Where(step => step.Kind == StepKind.Server)]);
        Save("channels-server", name, [Exchange, service, Proof(Credentials.ByPassword), .. tapped.Used.Where(step => step.Kind == StepKind.Client)]);
        Save("channels-client", name, [Exchange, Wait(SshMessage.UserAuthRequest, 0), accepted, new(StepKind.Server, [SshMessage.UserAuthSuccess]), Wait(SshMessage.ChannelOpen, SshMessage.UserAuthSuccess), .. ForOurClient(tapped.Used)]);
        WriteRequests(name, tapped);
        if (Executed(tapped) is { } command) Save("file-commands", name, [new(StepKind.Client, Encoding.UTF8.GetBytes(Relative(command)))]);
        if (Executed(tapped) is { } scp && scp.StartsWith("scp", StringComparison.Ordinal)) Save("scp-stream", name, [new(StepKind.Raw, Encoding.UTF8.GetBytes(Relative(scp))), .. Data(tapped.Used)]);
        if (tapped.Used.Any(step => step.Bytes.AsSpan().IndexOf("\0\0\0\u0004sftp"u8) > 0)) WriteSftp(name, Data(tapped.Used));
    }

    public void WriteWritten()
    {
        foreach (var (target, name, steps) in WrittenCorpus.All()) Save(target, name, steps);
    }

    /// <summary>Public keys and certificates of every kind.</summary>
    public async Task WriteKeysAsync()
    {
        foreach (var (kind, bits) in new[] { ("ed25519", ""), ("rsa", "-b 2048"), ("ecdsa", "-b 256"), ("ecdsa", "-b 384"), ("ecdsa", "-b 521") })
        {
            var key = $"{work}/{kind}{bits.Replace(" ", "", StringComparison.Ordinal)}";
            await ShellAsync($"ssh-keygen -q -t {kind} {bits} -N '' -C '' -f {key}; ssh-keygen -q -s {key} -I 'a key' -z 7 -n alice,bob -O source-address=127.0.0.1/32,::1 -O clear -O permit-pty -V 20200101:20400101 {key}.pub; mv {key}-cert.pub {key}-user.pub; ssh-keygen -q -h -s {work}/ca -I host -n localhost -V always:forever {key}.pub");
            foreach (var file in new[] { $"{key}.pub", $"{key}-user.pub", $"{key}-cert.pub" })
            {
                var line = (await File.ReadAllTextAsync(file)).Trim();
                Save("formats", Path.GetFileNameWithoutExtension(file), [new(StepKind.Raw, Convert.FromBase64String(line.Split(' ')[1]))]);
                if (kind != "rsa") Save("formats", Path.GetFileNameWithoutExtension(file) + "-line", [new(StepKind.Raw, Encoding.ASCII.GetBytes(line))]);
            }
        }
    }

    private static Step Proof(byte how) => new(StepKind.Proof, [how]);

    private static Step Wait(byte forWhat, byte after) => new(StepKind.Wait, [forWhat, after]);

    /// <summary>The name as it came, and the messages of the first exchange of keys.</summary>
    private static List<Step> Start(byte[] bytes, StepKind kind)
    {
        var end = bytes.AsSpan().IndexOf((byte)'\n') + 1;
        List<Step> steps = [new(StepKind.Raw, bytes[..end])];
        for (var rest = bytes.AsSpan(end); rest.Length > 5;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(rest);
            if (length is < 6 or > 35_000 || rest.Length < 4 + length) break;
            var message = rest[5..(4 + length - rest[4])].ToArray();
            steps.Add(new(kind, message));
            rest = rest[(4 + length)..];
            if (message[0] == SshMessage.NewKeys) break;
        }

        return steps;
    }

    /// <summary>Our client's only channel has the number 0, and its first request has to be out before it is answered.</summary>
    private static IEnumerable<Step> ForOurClient(IEnumerable<Step> used)
    {
        foreach (var step in used.Where(step => step.Kind == StepKind.Server))
        {
            var message = step.Bytes.ToArray();
            if (message[0] is >= SshMessage.ChannelOpenConfirmation and <= SshMessage.ChannelFailure) message.AsSpan(1, 4).Clear();
            yield return step with { Bytes = message };
            if (message[0] == SshMessage.ChannelOpenConfirmation) yield return Wait(SshMessage.ChannelRequest, SshMessage.ChannelOpenConfirmation);
        }
    }

    private static string? Executed(Tapped tapped)
    {
        foreach (var step in tapped.Used.Where(step => step.Bytes[0] == SshMessage.ChannelRequest))
        {
            var reader = new SshReader(step.Bytes.AsSpan(5));
            if (reader.TryReadText(out var name, 64) && name == "exec" && reader.TryReadBoolean(out _) && ExecRequest.TryParse(reader.Rest, out var exec)) return exec.Command;
        }

        return null;
    }

    private static IEnumerable<Step> Data(IEnumerable<Step> used) =>
        used.Where(step => step.Bytes[0] == SshMessage.ChannelData).Select(step => step with { Bytes = step.Bytes[9..] });

    private void WriteRequests(string name, Tapped tapped)
    {
        var requests = tapped.Used.Where(step => step.Bytes[0] == SshMessage.ChannelRequest).Select(step =>
        {
            var reader = new SshReader(step.Bytes.AsSpan(5));
            _ = reader.TryReadString(out _) && reader.TryReadBoolean(out _);
            return new Step(StepKind.Raw, reader.Rest.ToArray());
        }).ToList();
        var number = 0;
        foreach (var request in requests.Where(request => request.Bytes.Length > 0)) Save("formats", $"{name}-request{number++}", [request]);
        var init = Start(tapped.ClientStart, StepKind.Raw).FirstOrDefault(step => step.Bytes[0] == SshMessage.KexInit);
        if (init is not null) Save("formats", $"{name}-kexinit", [init]);
    }

    private void WriteSftp(string name, IEnumerable<Step> data)
    {
        var steps = new List<Step>();
        using var client = new SftpFramer();
        using var server = new SftpFramer();
        foreach (var step in data)
        {
            ReadOnlySpan<byte> rest = step.Bytes;
            while ((step.Kind == StepKind.Client ? client : server).TryRead(ref rest, out var packet))
            {
                var message = new byte[4 + packet.Length];
                packet.CopyTo(message.AsSpan(4));
                BinaryPrimitives.WriteInt32BigEndian(message, packet.Length);
                steps.Add(step with { Bytes = Relative(message) });
            }
        }

        Save("sftp-relay", name, steps);
        Save("sftp-server", name, [.. steps.Where(step => step.Kind == StepKind.Client)]);
    }

    private string Relative(string command) => command.Replace(work + "/", "", StringComparison.Ordinal).Replace(work, ".", StringComparison.Ordinal);

    /// <summary>Paths in it without the folder, with their lengths and the message's.</summary>
    private byte[] Relative(byte[] message)
    {
        var path = Encoding.UTF8.GetBytes(work);
        for (var at = message.AsSpan().IndexOf(path); at >= 4; at = message.AsSpan().IndexOf(path))
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(message.AsSpan(at - 4));
            var cut = Math.Min(length, path.Length + 1);
            message = [.. message[..at], .. message[(at + cut)..]];
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(at - 4), length - cut);
            BinaryPrimitives.WriteInt32BigEndian(message, message.Length - 4);
        }

        return message;
    }

    private void Save(string target, string name, IReadOnlyList<Step> steps)
    {
        Directory.CreateDirectory(Path.Combine(folder, target));
        var kept = new List<Step>();
        foreach (var step in steps.Take(MostSteps))
        {
            if (kept.Sum(one => one.Bytes.Length) + step.Bytes.Length > MostBytes) break;
            kept.Add(step);
        }

        if (kept.Count > 0) File.WriteAllBytes(Path.Combine(folder, target, $"{name}.bin"), new Transcript(name, kept).ToBytes());
    }

    private static async Task ShellAsync(string command)
    {
        using var shell = Process.Start("/bin/bash", ["-c", command]);
        await shell.WaitForExitAsync();
    }
}
