using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>Wherever the streams are cut, the same goes on, the same is refused, the same is written down.</summary>
public sealed class SftpSplitTests
{
    private static readonly PermissionSet Held = PermissionSet.Of(Permission.FileManager, Permission.SendFiles, Permission.ReceiveFiles);

    [Fact]
    public void Every_split_point_of_every_message_gives_the_same()
    {
        var exchange = Dialogue();
        var (client, device) = (exchange.Client.Length, exchange.Device.Length);
        var (toDevice, toClient, events) = Run(exchange, client, device);
        toClient.Count(message => SftpResponse.Parse(message, out var told) == SftpParse.Complete && told.Status == SftpStatus.PermissionDenied).ShouldBe(2);
        toDevice.Count.ShouldBe(SftpLab.Messages(exchange.Client).Count);
        for (var at = 1; at < Math.Max(client, device); at++)
        {
            var other = Run(exchange, Math.Min(at, client), Math.Min(at, device));
            other.ToDevice.ShouldBe(toDevice, $"at {at}");
            other.ToClient.ShouldBe(toClient, $"at {at}");
            Told(other.Events).ShouldBe(Told(events), $"at {at}");
        }
    }

    [Fact]
    public void Byte_by_byte_gives_the_same()
    {
        var exchange = Dialogue();
        using var lab = new SftpLab { Held = Held };
        foreach (var one in exchange.Opening) lab.Client([one]);
        foreach (var one in exchange.Opened) lab.Device([one]);
        foreach (var one in exchange.Client) lab.Client([one]);
        foreach (var one in exchange.Device) lab.Device([one]);
        var (toDevice, toClient, _) = Run(exchange, exchange.Client.Length, exchange.Device.Length);
        SftpLab.Messages(lab.BytesToDevice).ShouldBe(toDevice);
        SftpLab.Messages(lab.BytesToClient).ShouldBe(toClient);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_bytes_end_the_session_or_are_answered_and_never_anything_else(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            using var lab = SftpLab.Started();
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (bytes.Length > 6 && random.Next(4) > 0) (bytes[0], bytes[1], bytes[2], bytes[4]) = (0, 0, 0, (byte)random.Next(1, 22));
            try
            {
                if (random.Next(2) == 0) lab.Client(bytes);
                else lab.Device(bytes);
            }
            catch (NotUnderstoodException ended)
            {
                ended.Message.ShouldNotBeEmpty();
            }
        }
    }

    /// <summary>What was let through before it is passed on as well, so that the journal has what went and no more.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_comes_in_one_piece_with_what_is_not_understood_goes_on_up_to_that_and_the_journal_has_as_much(bool fromClient)
    {
        var length = Piece(new()).Length;
        for (var at = 0; at <= length; at++)
        {
            var lab = SftpLab.Started();
            lab.Held = Held;
            lab.Open("h", SftpOpenFlags.Read | SftpOpenFlags.Write);
            if (!fromClient) lab.Ask(lab.Begin(SftpType.Read).String("h").UInt64(0).UInt32(70));
            lab.Forget();
            var piece = Piece(lab);
            Pass(lab, piece.AsSpan(0, at));
            Should.Throw<NotUnderstoodException>(() => Pass(lab, [.. piece.AsSpan(at), 0xFF, 0xFF, 0xFF, 0xFF, 0]));
            lab.Dispose();
            (fromClient ? lab.BytesToDevice : lab.BytesToClient).ShouldBe(piece, $"at {at}");
            lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().Bytes.ShouldBe(70, $"at {at}");
        }

        byte[] Piece(SftpLab lab) => fromClient
            ? [.. lab.Writer.Begin(SftpType.Write, 99).String("h").UInt64(0).String(new byte[70]).End()]
            : [.. lab.Writer.Begin(SftpType.Data, lab.LastId).String(new byte[70]).End()];

        void Pass(SftpLab lab, ReadOnlySpan<byte> bytes)
        {
            if (fromClient) lab.Client(bytes);
            else lab.Device(bytes);
        }
    }

    /// <summary>All kinds of messages, among them one whose content is dropped and one that is refused whole.</summary>
    private static Exchange Dialogue()
    {
        var writer = new SftpWriter();
        var (client, device) = (new MemoryStream(), new MemoryStream());
        client.Write(writer.BeginVersion(SftpType.Init, 3).End());
        device.Write(writer.BeginVersion(SftpType.Version, 3).String("fsync@openssh.com").String("1").String("other").String("1").End());
        client.Write(writer.Begin(SftpType.Open, 1).String("/f").UInt32((uint)(SftpOpenFlags.Read | SftpOpenFlags.Write)).Attributes(new() { Permissions = 420 }).End());
        device.Write(writer.Begin(SftpType.Handle, 1).String("h").End());
        var opened = (Client: client.ToArray(), Device: device.ToArray());
        client.SetLength(0);
        device.SetLength(0);
        client.Write(writer.Begin(SftpType.Write, 2).String("h").UInt64(0).String(new byte[70]).End());
        client.Write(writer.Begin(SftpType.Remove, 3).String("/f").End());
        client.Write(writer.Begin(SftpType.Read, 4).String("h").UInt64(0).UInt32(60).End());
        client.Write(writer.Begin(SftpType.Rename, 5).String("/f").String("/g").End());
        client.Write(writer.Begin(SftpType.Stat, 6).String("/f").End());
        client.Write(writer.Begin(SftpType.Write, 7).String("h").UInt64(70).String("").End());
        client.Write(writer.Begin(SftpType.Extended, 8).String("fsync@openssh.com").String("h").End());
        client.Write(writer.Begin(SftpType.Close, 9).String("h").End());
        device.Write(writer.Status(2, SftpStatus.Ok, "fine"));
        device.Write(writer.Begin(SftpType.Data, 4).String(new byte[60]).End());
        device.Write(writer.Begin(SftpType.Attributes, 6).Attributes(new() { Size = 70 }).End());
        device.Write(writer.Status(7, SftpStatus.Ok, "fine"));
        device.Write(writer.Status(8, SftpStatus.Ok, "fine"));
        device.Write(writer.Status(9, SftpStatus.Ok, "fine"));
        return new(opened.Client, opened.Device, client.ToArray(), device.ToArray());
    }

    /// <param name="Opening">Up to the handle, without which the client can say nothing more.</param>
    private sealed record Exchange(byte[] Opening, byte[] Opened, byte[] Client, byte[] Device);

    private static (List<byte[]> ToDevice, List<byte[]> ToClient, List<JournalEvent> Events) Run(Exchange exchange, int clientAt, int deviceAt)
    {
        using var lab = new SftpLab { Held = Held };
        lab.Client(exchange.Opening);
        lab.Device(exchange.Opened);
        lab.Client(exchange.Client.AsSpan(0, clientAt));
        lab.Client(exchange.Client.AsSpan(clientAt));
        lab.Device(exchange.Device.AsSpan(0, deviceAt));
        lab.Device(exchange.Device.AsSpan(deviceAt));
        return (SftpLab.Messages(lab.BytesToDevice), SftpLab.Messages(lab.BytesToClient), lab.Events);
    }

    private static string Told(IEnumerable<JournalEvent> events) => string.Join("\n", events.Select(one => one is FileTransferred file ? $"{file} {string.Join(",", file.Ranges ?? [])}" : $"{one}"));
}
