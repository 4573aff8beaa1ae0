using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

public sealed class SftpMessageTests
{
    private static readonly SftpAttributes All = new() { Size = ulong.MaxValue, Owner = new(1, 2), Permissions = 0x81A4, Times = new(3, uint.MaxValue) };

    private static readonly Dictionary<string, byte[]> Requests = new()
    {
        ["open"] = Packet(Begin(SftpType.Open).String("a").UInt32(0x1A).Attributes(All)),
        ["close"] = Packet(Begin(SftpType.Close).String("handle")),
        ["read"] = Packet(Begin(SftpType.Read).String("handle").UInt64(1L << 40).UInt32(32768)),
        ["write"] = Packet(Begin(SftpType.Write).String("handle").UInt64(5).String("payload")),
        ["lstat"] = Packet(Begin(SftpType.LStat).String("a")),
        ["fstat"] = Packet(Begin(SftpType.FStat).String("handle")),
        ["setstat"] = Packet(Begin(SftpType.SetStat).String("a").Attributes(All)),
        ["fsetstat"] = Packet(Begin(SftpType.FSetStat).String("handle").Attributes(All)),
        ["opendir"] = Packet(Begin(SftpType.OpenDirectory).String("a")),
        ["readdir"] = Packet(Begin(SftpType.ReadDirectory).String("handle")),
        ["remove"] = Packet(Begin(SftpType.Remove).String("a")),
        ["mkdir"] = Packet(Begin(SftpType.MakeDirectory).String("a").Attributes(All)),
        ["rmdir"] = Packet(Begin(SftpType.RemoveDirectory).String("a")),
        ["realpath"] = Packet(Begin(SftpType.RealPath).String("a")),
        ["stat"] = Packet(Begin(SftpType.Stat).String("a")),
        ["rename"] = Packet(Begin(SftpType.Rename).String("a").String("b")),
        ["readlink"] = Packet(Begin(SftpType.ReadLink).String("a")),
        ["symlink"] = Packet(Begin(SftpType.SymbolicLink).String("target").String("a")),
        ["posix-rename"] = Packet(Begin(SftpType.Extended).String("posix-rename@openssh.com").String("a").String("b")),
        ["hardlink"] = Packet(Begin(SftpType.Extended).String("hardlink@openssh.com").String("a").String("b")),
        ["fsync"] = Packet(Begin(SftpType.Extended).String("fsync@openssh.com").String("handle")),
        ["statvfs"] = Packet(Begin(SftpType.Extended).String("statvfs@openssh.com").String("a")),
        ["fstatvfs"] = Packet(Begin(SftpType.Extended).String("fstatvfs@openssh.com").String("handle")),
        ["limits"] = Packet(Begin(SftpType.Extended).String("limits@openssh.com")),
    };

    private static readonly Dictionary<string, byte[]> Responses = new()
    {
        ["status"] = Packet(Begin(SftpType.Status).UInt32(4).String("no").String("en")),
        ["handle"] = Packet(Begin(SftpType.Handle).String("handle")),
        ["data"] = Packet(Begin(SftpType.Data).String("payload")),
        ["name"] = Packet(Begin(SftpType.Name).UInt32(2).String("a").String("-rw a").Attributes(All).String("b").String("-rw b").Attributes(default)),
        ["attributes"] = Packet(Begin(SftpType.Attributes).Attributes(All)),
    };

    public static TheoryData<string> RequestNames => [.. Requests.Keys];

    public static TheoryData<string> ResponseNames => [.. Responses.Keys];

    [Theory]
    [MemberData(nameof(RequestNames))]
    public void A_request_is_read_whole_and_no_shorter_or_longer_form_of_it_is(string name)
    {
        var packet = Requests[name];
        SftpRequest.Parse(packet, out var request).ShouldBe(SftpParse.Complete);
        request.Id.ShouldBe(7u);
        for (var length = 0; length < packet.Length; length++)
        {
            SftpRequest.Parse(packet.AsSpan(0, length), out _).ShouldBe(length < 5 ? SftpParse.Unreadable : SftpParse.Malformed, $"cut to {length}");
        }

        SftpRequest.Parse([.. packet, 0], out _).ShouldBe(SftpParse.Malformed);
    }

    [Theory]
    [MemberData(nameof(ResponseNames))]
    public void A_response_is_read_whole_and_no_longer_form_of_it_is(string name)
    {
        var packet = Responses[name];
        SftpResponse.Parse(packet, out var response).ShouldBe(SftpParse.Complete);
        response.Id.ShouldBe(7u);
        SftpResponse.Parse([.. packet, 0], out _).ShouldBe(SftpParse.Malformed);
        for (var length = 0; length < packet.Length; length++)
        {
            // Before version 3 a status had neither sentence nor language: those shorter forms are complete.
            var allowed = name == "status" && length is 9 or 15;
            SftpResponse.Parse(packet.AsSpan(0, length), out _)
                .ShouldBe(allowed ? SftpParse.Complete : length < 5 ? SftpParse.Unreadable : SftpParse.Malformed, $"cut to {length}");
        }
    }

    [Fact]
    public void The_fields_of_a_request_come_out_as_they_went_in()
    {
        SftpRequest.Parse(Requests["open"], out var open);
        open.Path.ToArray().ShouldBe("a"u8.ToArray());
        open.Flags.ShouldBe(SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate);
        open.Attributes.ShouldBe(All);

        SftpRequest.Parse(Requests["write"], out var write);
        write.Handle.ToArray().ShouldBe("handle"u8.ToArray());
        write.Offset.ShouldBe(5u);
        write.Data.ToArray().ShouldBe("payload"u8.ToArray());

        SftpRequest.Parse(Requests["symlink"], out var link);
        link.LinkTarget.ToArray().ShouldBe("target"u8.ToArray());
        link.Path.ToArray().ShouldBe("a"u8.ToArray());

        SftpRequest.Parse(Requests["posix-rename"], out var rename);
        rename.Extension.ShouldBe(SftpExtension.PosixRename);
        rename.Path.ToArray().ShouldBe("a"u8.ToArray());
        rename.NewPath.ToArray().ShouldBe("b"u8.ToArray());
    }

    [Fact]
    public void The_entries_of_a_listing_come_out_as_they_went_in()
    {
        SftpResponse.Parse(Responses["name"], out var response);
        response.Names.Count.ShouldBe(2u);
        var names = new List<(string, string, SftpAttributes)>();
        foreach (var name in response.Names) names.Add((Text(name.FileName), Text(name.LongName), name.Attributes));
        names.ShouldBe([("a", "-rw a", All), ("b", "-rw b", default)]);
    }

    [Fact]
    public void The_extensions_of_the_version_come_out_as_they_went_in()
    {
        var packet = Packet(new SftpWriter().BeginVersion(SftpType.Version, 3).String("one@x").String("1").String("two@x").String("2"));
        SftpResponse.Parse(packet, out var response).ShouldBe(SftpParse.Complete);
        response.Version.ShouldBe(3u);
        var found = new List<string>();
        var pairs = response.Extensions;
        while (pairs.MoveNext()) found.Add($"{Text(pairs.Current)}={Text(pairs.CurrentData)}");
        found.ShouldBe(["one@x=1", "two@x=2"]);
        SftpResponse.Parse(packet.AsSpan(0, packet.Length - 5), out _).ShouldBe(SftpParse.Malformed);
    }

    [Fact]
    public void An_unknown_extension_is_named_and_its_data_left_alone()
    {
        SftpRequest.Parse(Packet(Begin(SftpType.Extended).String("vendor@example.com").UInt32(99)), out var request).ShouldBe(SftpParse.Complete);
        request.Extension.ShouldBe(SftpExtension.Unknown);
        Text(request.ExtensionName).ShouldBe("vendor@example.com");
    }

    [Fact]
    public void A_type_of_the_other_direction_is_unknown()
    {
        SftpRequest.Parse(Responses["data"], out _).ShouldBe(SftpParse.UnknownType);
        SftpResponse.Parse(Requests["read"], out _).ShouldBe(SftpParse.UnknownType);
    }

    [Fact]
    public void A_handle_longer_than_the_standard_allows_is_malformed() =>
        SftpRequest.Parse(Packet(Begin(SftpType.Close).String(new byte[257])), out _).ShouldBe(SftpParse.Malformed);

    [Fact]
    public void A_listing_that_counts_more_entries_than_it_has_is_malformed() =>
        SftpResponse.Parse(Packet(Begin(SftpType.Name).UInt32(uint.MaxValue).String("a").String("a").Attributes(default)), out _).ShouldBe(SftpParse.Malformed);

    [Fact]
    public void Attributes_with_flags_that_have_no_meaning_are_malformed() =>
        SftpRequest.Parse(Packet(Begin(SftpType.SetStat).String("a").UInt32(0x10)), out _).ShouldBe(SftpParse.Malformed);

    [Fact]
    public void Extended_attributes_are_skipped_and_their_being_there_is_told()
    {
        SftpRequest.Parse(Packet(Begin(SftpType.SetStat).String("a").UInt32(0x80000004).UInt32(0x1FF).UInt32(1).String("k").String("v")), out var request)
            .ShouldBe(SftpParse.Complete);
        request.Attributes.ShouldBe(new SftpAttributes { Permissions = 0x1FF, HadExtended = true });
    }

    [Fact]
    public void Random_bytes_are_read_without_an_exception()
    {
        var random = new Random(20);
        var complete = 0;
        for (var round = 0; round < 200_000; round++)
        {
            var packet = new byte[random.Next(64)];
            random.NextBytes(packet);
            // Small numbers in the places of type and lengths get further than noise does.
            if (packet.Length > 0) packet[0] = (byte)random.Next(0, 22);
            for (var i = 5; i + 3 < packet.Length; i += 4) if (random.Next(2) == 0) packet[i] = packet[i + 1] = packet[i + 2] = 0;
            if (SftpRequest.Parse(packet, out _) == SftpParse.Complete) complete++;
            if (packet.Length > 0) packet[0] = (byte)random.Next(100, 107);
            if (SftpResponse.Parse(packet, out _) == SftpParse.Complete) complete++;
        }

        complete.ShouldBeGreaterThan(0);
    }

    private static SftpWriter Begin(SftpType type) => new SftpWriter().Begin(type, 7);

    private static byte[] Packet(SftpWriter writer) => writer.End()[4..].ToArray();

    private static string Text(ReadOnlySpan<byte> bytes) => System.Text.Encoding.UTF8.GetString(bytes);
}
