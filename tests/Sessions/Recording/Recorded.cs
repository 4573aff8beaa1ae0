using System.Security.Cryptography;
using Countersign.Sessions.Recording;
using Countersign.Ssh;

namespace Countersign.Sessions.Tests.Recording;

/// <summary>A recording in memory, and what is read from one.</summary>
internal static class Recorded
{
    public static readonly SessionId Session = new(new("0192aaaa-0000-7000-8000-000000000001"));

    public static readonly RecordingStart Start =
        new(SessionKind.Shell, World.Start, "tina", "web01", "root", "", "xterm-256color", new TerminalSize(120, 40));

    public static readonly RecordingEnd End = new(EndReason.Completed, "", 3);

    public static Secret Key { get; } = new(SHA256.HashData("the key of these tests"u8));

    public static async Task<byte[]> MakeAsync(Action<RecordingWriter> write, ManualTime? time = null) => (await MakeWithResultAsync(write, time)).File;

    public static async Task<(byte[] File, RecordingResult Result)> MakeWithResultAsync(Action<RecordingWriter> write, ManualTime? time = null)
    {
        var file = new MemoryStream();
        var writer = RecordingWriter.Begin(file, Session, Start, Key, time ?? new(World.Start));
        write(writer);
        var result = await writer.FinishAsync(End);
        return (file.ToArray(), result);
    }

    /// <summary>Several frames of mixed events, a few hundred bytes.</summary>
    public static async Task<byte[]> MakeSmallAsync()
    {
        var time = new ManualTime(World.Start);
        var file = new MemoryStream();
        var writer = RecordingWriter.Begin(file, Session, Start, Key, time);
        for (var number = 0; number < 4; number++)
        {
            writer.Output([(byte)'a', (byte)number]);
            writer.Error([(byte)'e', (byte)number]);
            var progress = writer.Progress;
            time.Advance(TimeSpan.FromSeconds(1));
            await progress;
        }

        await writer.FinishAsync(End);
        return file.ToArray();
    }

    public static async Task<(List<RecordingEvent> Events, RecordingDamagedException? Damage, bool Complete)> ReadAsync(
        byte[] file, SessionId? session = null, Secret? key = null)
    {
        using var reader = new RecordingReader(new MemoryStream(file), session ?? Session, key ?? Key);
        var events = new List<RecordingEvent>();
        try
        {
            await foreach (var one in reader.ReadAllAsync(null, TestContext.Current.CancellationToken)) events.Add(one);
            return (events, null, reader.Complete);
        }
        catch (RecordingDamagedException damage)
        {
            return (events, damage, reader.Complete);
        }
    }

    public static byte[] Bytes(this IEnumerable<RecordingEvent> events, RecordingEventKind kind) =>
        [.. events.Where(one => one.Kind == kind).SelectMany(one => one.Data.ToArray())];

    /// <summary>The frames as they lie in the file, header first.</summary>
    public static List<byte[]> Frames(byte[] file)
    {
        var parts = new List<byte[]> { file[..88] };
        for (var at = 88; at < file.Length;)
        {
            var length = 24 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            parts.Add(file[at..(at + length)]);
            at += length;
        }

        return parts;
    }
}
