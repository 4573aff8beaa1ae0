using System.Diagnostics.CodeAnalysis;

namespace Countersign.Ssh;

/// <summary>Names of the requests on a <c>session</c> channel (RFC 4254 section 6). Payloads are built and read by the records of this file.</summary>
public static class SessionRequests
{
    public const string Pty = "pty-req";
    public const string WindowChange = "window-change";
    public const string Environment = "env";
    public const string Shell = "shell";
    public const string Exec = "exec";
    public const string Subsystem = "subsystem";
    public const string Signal = "signal";
    public const string ExitStatus = "exit-status";
    public const string ExitSignal = "exit-signal";

    /// <summary>RFC 4335.</summary>
    public const string Break = "break";

    /// <summary>The peer does not read what is written to this channel any more (OpenSSH's PROTOCOL section 2.1); without payload and reply.</summary>
    public const string EndOfWrite = "eow@openssh.com";

    internal static bool Complete(ref SshReader reader, bool read) => read && reader.IsAtEnd;
}

/// <summary>A terminal is wanted (RFC 4254 sections 6.2 and 8).</summary>
/// <param name="Term">As in the TERM variable; at most 64 bytes.</param>
/// <param name="Modes">Terminal modes in the order sent; opcodes 1 to 159, at most 128 of them.</param>
public sealed record PtyRequest(string Term, WindowSize Size, IReadOnlyList<TerminalMode> Modes)
{
    private const int MaxModes = 128;
    private const byte End = 0;
    private const byte FirstWithoutArgument = 160;

    public byte[] Encode()
    {
        var modes = new SshWriter();
        foreach (var mode in Modes) modes.Byte(mode.Opcode).UInt32(mode.Value);
        return Size.Write(new SshWriter().String(Term)).String(modes.Byte(End).Written.Span).Written.ToArray();
    }

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out PtyRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var term, 64) || !WindowSize.TryRead(ref reader, out var size) || !reader.TryReadString(out var encoded, 5 * (MaxModes + 1)) || !reader.IsAtEnd) return false;
        var modes = new List<TerminalMode>();
        var rest = new SshReader(encoded);

        // RFC 4254 section 8: from 160 on the meaning of what follows is not known, and reading stops.
        while (rest.TryReadByte(out var opcode) && opcode is not (End or >= FirstWithoutArgument))
        {
            if (modes.Count == MaxModes || !rest.TryReadUInt32(out var value)) return false;
            modes.Add(new TerminalMode(opcode, value));
        }

        request = new PtyRequest(term, size, modes);
        return true;
    }
}

public readonly record struct TerminalMode(byte Opcode, uint Value);

/// <summary>In characters and, where known, in pixels. As sent: zero and huge values occur. Also the payload of window-change (RFC 4254 section 6.7).</summary>
public readonly record struct WindowSize(uint Columns, uint Rows, uint Width = 0, uint Height = 0)
{
    public byte[] Encode() => Write(new SshWriter()).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, out WindowSize size)
    {
        var reader = new SshReader(payload);
        return SessionRequests.Complete(ref reader, TryRead(ref reader, out size));
    }

    internal static bool TryRead(ref SshReader reader, out WindowSize size)
    {
        size = default;
        if (!reader.TryReadUInt32(out var columns) || !reader.TryReadUInt32(out var rows) || !reader.TryReadUInt32(out var width) || !reader.TryReadUInt32(out var height)) return false;
        size = new WindowSize(columns, rows, width, height);
        return true;
    }

    internal SshWriter Write(SshWriter writer) => writer.UInt32(Columns).UInt32(Rows).UInt32(Width).UInt32(Height);
}

/// <summary>A variable for the process to come (RFC 4254 section 6.4); name at most 256 bytes, value at most 8,192.</summary>
public sealed record EnvironmentRequest(string Name, string Value)
{
    public byte[] Encode() => new SshWriter().String(Name).String(Value).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out EnvironmentRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var name, 256) || !reader.TryReadText(out var value, 8192) || !reader.IsAtEnd) return false;
        request = new EnvironmentRequest(name, value);
        return true;
    }
}

/// <summary>A command for the account's shell (RFC 4254 section 6.5); at most 32,000 bytes of UTF-8.</summary>
public sealed record ExecRequest(string Command)
{
    public byte[] Encode() => new SshWriter().String(Command).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out ExecRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var command, 32_000) || !reader.IsAtEnd) return false;
        request = new ExecRequest(command);
        return true;
    }
}

/// <summary>A subsystem, like sftp (RFC 4254 section 6.5); at most 64 bytes.</summary>
public sealed record SubsystemRequest(string Name)
{
    public byte[] Encode() => new SshWriter().String(Name).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out SubsystemRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var name, 64) || !reader.IsAtEnd) return false;
        request = new SubsystemRequest(name);
        return true;
    }
}

/// <summary>A signal for the process (RFC 4254 section 6.9): the name without SIG, at most 32 bytes.</summary>
public sealed record SignalRequest(string Name)
{
    public byte[] Encode() => new SshWriter().String(Name).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out SignalRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var name, 32) || !reader.IsAtEnd) return false;
        request = new SignalRequest(name);
        return true;
    }
}

/// <summary>A break on a serial line (RFC 4335), in milliseconds; as sent.</summary>
public sealed record BreakRequest(uint Milliseconds)
{
    public byte[] Encode() => new SshWriter().UInt32(Milliseconds).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out BreakRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadUInt32(out var length) || !reader.IsAtEnd) return false;
        request = new BreakRequest(length);
        return true;
    }
}

/// <summary>The process has ended by itself (RFC 4254 section 6.10).</summary>
public sealed record ExitStatusRequest(uint Status)
{
    public byte[] Encode() => new SshWriter().UInt32(Status).Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out ExitStatusRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadUInt32(out var status) || !reader.IsAtEnd) return false;
        request = new ExitStatusRequest(status);
        return true;
    }
}

/// <summary>The process has been ended by a signal (RFC 4254 section 6.10).</summary>
/// <param name="Name">Without SIG, at most 32 bytes.</param>
/// <param name="Message">For people; as sent, at most 1,024 bytes.</param>
public sealed record ExitSignalRequest(string Name, bool CoreDumped, string Message)
{
    public byte[] Encode() => new SshWriter().String(Name).Boolean(CoreDumped).String(Message).String("").Written.ToArray();

    public static bool TryParse(ReadOnlySpan<byte> payload, [NotNullWhen(true)] out ExitSignalRequest? request)
    {
        request = null;
        var reader = new SshReader(payload);
        if (!reader.TryReadText(out var name, 32) || !reader.TryReadBoolean(out var core) || !reader.TryReadText(out var message, 1024)
            || !reader.TryReadString(out _, 64) || !reader.IsAtEnd)
        {
            return false;
        }

        request = new ExitSignalRequest(name, core, message);
        return true;
    }
}
