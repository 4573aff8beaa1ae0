using System.Buffers.Binary;
using System.Net;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Tests.Recording;

namespace Countersign.Sessions.Tests.Journal;

/// <summary>A journal in memory, and what is read from one.</summary>
internal static class Journaled
{
    public static readonly OrganizationId Organization = new(new("0192bbbb-0000-7000-8000-000000000001"));

    public static readonly SessionEnded End = new(EndReason.Completed, "", 3, 10, 20, Sessions.Recording.RecordingState.Complete);

    public static SessionOpening Opening(SessionId? session = null) => new(
        session ?? Recorded.Session, Organization, World.Tina, "tina", World.Web, "web01", "root", SessionKind.Command, "uptime", IPAddress.Loopback, World.Start, 7);

    public static JournalWriter Begin(Stream file, ManualTime? time = null, SessionId? session = null) =>
        JournalWriter.Begin(file, Organization, SessionBegan.Of(Opening(session)), Recorded.Key, time ?? new(World.Start), time ?? new(World.Start));

    /// <summary>So many events in frames of their own, the first and the end among them.</summary>
    public static async Task<byte[]> MakeAsync(int events = 6, SessionId? session = null, bool ended = true)
    {
        var file = new MemoryStream();
        await using (var writer = Begin(file, session: session))
        {
            for (var number = 2; number < events; number++)
            {
                writer.Append(new SignalSent($"USR{number}")).ShouldBeTrue();
                (await writer.MarkAsync()).ShouldNotBeNull().Events.ShouldBe(number);
            }

            if (ended) (await writer.FinishAsync(End)).Complete.ShouldBeTrue();
        }

        return file.ToArray();
    }

    public static async Task<(List<string> Lines, string? Damage, JournalReader Reader)> ReadAsync(byte[] file, SessionId? session = null)
    {
        using var reader = new JournalReader(new MemoryStream(file), Organization, session ?? Recorded.Session, Recorded.Key);
        var lines = new List<string>();
        try
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken) is { Count: > 0 } read) lines.AddRange(read.Select(line => Encoding.UTF8.GetString(line.Span)));
            return (lines, null, reader);
        }
        catch (JournalDamagedException damage)
        {
            return (lines, damage.Message, reader);
        }
    }

    /// <summary>The frames as they lie in the file, header first.</summary>
    public static List<byte[]> Frames(byte[] file)
    {
        var parts = new List<byte[]> { file[..88] };
        for (var at = 88; at < file.Length;)
        {
            var length = 24 + BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            parts.Add(file[at..(at + length)]);
            at += length;
        }

        return parts;
    }
}
