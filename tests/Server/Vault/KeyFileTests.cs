using System.Security.Cryptography;
using System.Runtime.Versioning;
using System.Text;
using Countersign.Server.Features.Vault;

namespace Countersign.Server.Tests.Vault;

[UnsupportedOSPlatform("windows")]
public sealed class KeyFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("countersign-keys-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string KeyFile => Path.Combine(_folder, MasterKey.FileName);

    [Fact]
    public void The_first_run_makes_a_key_that_later_runs_find()
    {
        using var first = MasterKey.Open(_folder);
        using var second = MasterKey.Open(_folder);
        File.ReadAllBytes(KeyFile).Length.ShouldBe(32);
        File.GetUnixFileMode(KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.GetFiles(_folder).ShouldHaveSingleItem();
        using var mine = first.Derive("x");
        using var theirs = second.Derive("x");
        mine.Expose().SequenceEqual(theirs.Expose()).ShouldBeTrue();
    }

    [Fact]
    public async Task Of_servers_that_start_at_once_all_have_the_same_key()
    {
        var keys = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(
            () =>
            {
                using var key = MasterKey.Open(_folder);
                using var derived = key.Derive("x");
                return Convert.ToHexString(derived.Expose());
            },
            TestContext.Current.CancellationToken)));
        keys.Distinct().ShouldHaveSingleItem();
        Directory.GetFiles(_folder).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_key_that_others_can_reach_is_refused(UnixFileMode mode)
    {
        MasterKey.Open(_folder).Dispose();
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | mode);
        Should.Throw<KeyFileException>(() => MasterKey.Open(_folder)).Message.ShouldContain(KeyFile);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(100_000)]
    public void A_key_of_another_length_is_refused_and_not_replaced(int length)
    {
        File.WriteAllBytes(KeyFile, new byte[length]);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Should.Throw<KeyFileException>(() => MasterKey.Open(_folder));
        new FileInfo(KeyFile).Length.ShouldBe(length);
    }

    [Fact]
    public void Every_purpose_has_a_key_of_its_own()
    {
        using var master = MasterKey.Open(_folder);
        using var one = master.Derive("one");
        using var two = master.Derive("two");
        one.Expose().SequenceEqual(two.Expose()).ShouldBeFalse();
        one.Expose().SequenceEqual(File.ReadAllBytes(KeyFile)).ShouldBeFalse();
    }
}

public sealed class EnvelopeTests : IDisposable
{
    private static readonly byte[] _secret = "a secret worth keeping"u8.ToArray();

    private readonly string _folder = Directory.CreateTempSubdirectory("countersign-keys-").FullName;
    private readonly MasterKey _master;

    public EnvelopeTests() => _master = MasterKey.Open(_folder);

    public void Dispose()
    {
        _master.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void What_was_sealed_opens_in_its_place()
    {
        using var envelope = new Envelope(_master, "test");
        var sealedBytes = envelope.Seal(_secret, [1], [2, 3]);
        using var opened = envelope.Open(sealedBytes, [1], [2, 3]);
        opened.Expose().SequenceEqual(_secret).ShouldBeTrue();
        Encoding.Latin1.GetString(sealedBytes).ShouldNotContain("secret");
        envelope.Seal(_secret, [1], [2, 3]).ShouldNotBe(sealedBytes);
    }

    [Fact]
    public void It_opens_in_no_other_place_for_no_other_purpose_and_with_no_other_key()
    {
        using var envelope = new Envelope(_master, "test");
        var sealedBytes = envelope.Seal(_secret, [1], [2, 3]);
        byte[][][] places = [[], [[1]], [[1, 2], [3]], [[1], [2], [3]], [[1], [2, 4]], [[2, 3], [1]], [[1], [2, 3], []]];
        foreach (var place in places) Should.Throw<CryptographicException>(() => envelope.Open(sealedBytes, place));

        using var otherPurpose = new Envelope(_master, "tes");
        Should.Throw<CryptographicException>(() => otherPurpose.Open(sealedBytes, [1], [2, 3]));

        using var otherMaster = MasterKey.Open(Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName);
        using var otherKey = new Envelope(otherMaster, "test");
        Should.Throw<CryptographicException>(() => otherKey.Open(sealedBytes, [1], [2, 3]));
    }

    [Fact]
    public void A_change_of_any_bit_and_a_cut_at_any_byte_are_refused()
    {
        using var envelope = new Envelope(_master, "test");
        var sealedBytes = envelope.Seal(_secret, [1]);
        for (var bit = 0; bit < sealedBytes.Length * 8; bit++)
        {
            var changed = sealedBytes.ToArray();
            changed[bit / 8] ^= (byte)(1 << bit % 8);
            Should.Throw<CryptographicException>(() => envelope.Open(changed, [1]));
        }

        for (var length = 0; length < sealedBytes.Length; length++) Should.Throw<CryptographicException>(() => envelope.Open(sealedBytes.AsSpan(0, length).ToArray(), [1]));
    }
}
