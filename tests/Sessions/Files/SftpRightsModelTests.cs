using Countersign.Access;
using Countersign.Sessions.Journal;
using Countersign.Ssh.Sftp;

namespace Countersign.Sessions.Tests.Files;

/// <summary>Random requests under random permissions that change, against a table that says in plain words what each needs.</summary>
public sealed class SftpRightsModelTests
{
    private const SftpOpenFlags Upload = SftpOpenFlags.Write | SftpOpenFlags.Create | SftpOpenFlags.Truncate;

    /// <summary>b: browse (file manager), s: send, r: receive, m: manage, which is nothing without browse; empty: anybody; x: nobody, it is no request.</summary>
    private static readonly (string Needs, Func<SftpWriter, uint, SftpWriter> Make)[] Table =
    [
        ("", (w, id) => w.Begin(SftpType.RealPath, id).String(".")),
        ("", (w, id) => w.Begin(SftpType.Stat, id).String("/a")),
        ("", (w, id) => w.Begin(SftpType.LStat, id).String("/a")),
        ("", (w, id) => w.Begin(SftpType.FStat, id).String("in")),
        ("", (w, id) => w.Begin(SftpType.Extended, id).String("limits@openssh.com")),
        ("", (w, id) => w.Begin(SftpType.Extended, id).String("expand-path@openssh.com").String("~")),
        ("", (w, id) => w.Begin(SftpType.Extended, id).String("home-directory").String("ann")),
        ("r", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x01).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x04).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x08).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x18).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x28).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x11).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x21).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x22).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x23).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x26).Attributes(default)),
        ("x", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x32).Attributes(default)),
        ("s", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x2A).Attributes(default)),
        ("rs", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x05).Attributes(default)),
        ("rs", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x09).Attributes(default)),
        ("s", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x1A).Attributes(default)),
        ("s", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x06).Attributes(default)),
        ("sbm", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x1A).Attributes(new() { Permissions = 0x9ED })),
        ("rs", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x03).Attributes(default)),
        ("rs", (w, id) => w.Begin(SftpType.Open, id).String("/a").UInt32(0x1B).Attributes(default)),
        ("r", (w, id) => w.Begin(SftpType.Read, id).String("in").UInt64(0).UInt32(10)),
        ("s", (w, id) => w.Begin(SftpType.Write, id).String("out").UInt64(0).String("content")),
        ("s", (w, id) => w.Begin(SftpType.Extended, id).String("fsync@openssh.com").String("out")),
        ("s", (w, id) => w.Begin(SftpType.FSetStat, id).String("out").Attributes(new() { Times = new(1, 2), Permissions = 420, Size = 7 })),
        ("bm", (w, id) => w.Begin(SftpType.FSetStat, id).String("out").Attributes(new() { Owner = new(0, 0) })),
        ("bm", (w, id) => w.Begin(SftpType.FSetStat, id).String("in").Attributes(new() { Times = new(1, 2) })),
        ("b", (w, id) => w.Begin(SftpType.OpenDirectory, id).String("/")),
        ("b", (w, id) => w.Begin(SftpType.ReadDirectory, id).String("list")),
        ("b", (w, id) => w.Begin(SftpType.ReadLink, id).String("/a")),
        ("b", (w, id) => w.Begin(SftpType.Extended, id).String("statvfs@openssh.com").String("/")),
        ("b", (w, id) => w.Begin(SftpType.Extended, id).String("fstatvfs@openssh.com").String("in")),
        ("b", (w, id) => w.Begin(SftpType.Extended, id).String("users-groups-by-id@openssh.com").String("").String("")),
        ("bm", (w, id) => w.Begin(SftpType.SetStat, id).String("/a").Attributes(new() { Permissions = 420 })),
        ("bm", (w, id) => w.Begin(SftpType.Extended, id).String("lsetstat@openssh.com").String("/a").Attributes(default)),
        ("bm", (w, id) => w.Begin(SftpType.Remove, id).String("/a")),
        ("bm", (w, id) => w.Begin(SftpType.MakeDirectory, id).String("/a").Attributes(default)),
        ("bm", (w, id) => w.Begin(SftpType.RemoveDirectory, id).String("/a")),
        ("bm", (w, id) => w.Begin(SftpType.Rename, id).String("/a").String("/b")),
        ("bm", (w, id) => w.Begin(SftpType.SymbolicLink, id).String("/a").String("/b")),
        ("bm", (w, id) => w.Begin(SftpType.Extended, id).String("posix-rename@openssh.com").String("/a").String("/b")),
        ("bm", (w, id) => w.Begin(SftpType.Extended, id).String("hardlink@openssh.com").String("/a").String("/b")),
        ("bmrs", (w, id) => w.Begin(SftpType.Extended, id).String("copy-data").String("in").UInt64(0).UInt64(0).String("out").UInt64(0)),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Each_operation_passes_exactly_when_what_it_needs_is_held(int seed)
    {
        var random = new Random(seed);
        using var lab = SftpLab.Started();
        lab.Open("in", SftpOpenFlags.Read);
        lab.Open("out", Upload);
        lab.Device(lab.Writer.Begin(SftpType.Handle, lab.Ask(lab.Begin(SftpType.OpenDirectory).String("/"))).String("list").End());
        for (var step = 0u; step < 4000; step++)
        {
            var held = string.Concat("bsrm".Where(_ => random.Next(2) == 0));
            lab.Held = Set(held);
            lab.Forget();
            var (needs, make) = Table[random.Next(Table.Length)];
            var id = 1_000_000 + step;
            lab.Client(make(new(), id).End());
            var isAllowed = needs.All(held.Contains);
            SftpLab.Messages(lab.BytesToDevice).Count.ShouldBe(isAllowed ? 1 : 0, $"{needs} with {held}");
            if (isAllowed) lab.Answer(id, SftpStatus.Failure);
            var refusal = needs == "x" ? SftpStatus.BadMessage : SftpStatus.PermissionDenied;
            lab.Told().ShouldBe([(id, isAllowed ? SftpStatus.Failure : refusal)], $"{needs} with {held}");
        }

        lab.Dispose();
        var refused = lab.Events.OfType<FileRefused>().Sum(one => one.Times);
        refused.ShouldBeGreaterThan(1000);
    }

    [Fact]
    public void Every_request_and_extension_that_is_known_is_in_the_table()
    {
        var made = Table.Select(line => SftpLab.Messages(line.Make(new(), 1).End().ToArray()).Single()).ToList();
        var types = made.Select(packet => (SftpType)packet[0]).ToHashSet();
        Enum.GetValues<SftpType>().Where(type => type is >= SftpType.Open and <= SftpType.SymbolicLink and not SftpType.Close).ShouldBeSubsetOf(types);
        var extensions = made.Where(packet => packet[0] == (byte)SftpType.Extended).Select(packet =>
        {
            SftpRequest.Parse(packet, out var request).ShouldBe(SftpParse.Complete);
            return request.Extension;
        });
        Enum.GetValues<SftpExtension>().Except([SftpExtension.None, SftpExtension.Unknown]).ShouldBeSubsetOf(extensions);
    }

    private static PermissionSet Set(string held) => held.Aggregate(PermissionSet.None, (set, letter) => set.With(letter switch
    {
        'b' => Permission.FileManager,
        's' => Permission.SendFiles,
        'r' => Permission.ReceiveFiles,
        _ => Permission.ManageFiles,
    }));
}
