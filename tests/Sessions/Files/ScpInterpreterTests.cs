using System.Security.Cryptography;
using System.Text;
using Countersign.Access;
using Countersign.Sessions.Files;
using Countersign.Sessions.Journal;
using Countersign.Sessions.Relay;

namespace Countersign.Sessions.Tests.Files;

public sealed class ScpInterpreterTests
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 40).Select(number => (byte)number)];

    private static readonly string Hash = Convert.ToHexStringLower(SHA256.HashData(Content));

    [Fact]
    public void A_file_that_is_sent_is_written_down_with_its_hash_wherever_the_stream_is_cut()
    {
        byte[] source = [.. "T1 0 1 0\nC0644 40 f.txt\n"u8, .. Content, 0];
        for (var at = 1; at < source.Length; at++)
        {
            var lab = new ScpLab("scp -p -t /tmp/f.txt");
            lab.Device([0]);
            lab.Client(source[..at]);
            lab.Client(source[at..]);
            lab.Device([0]);
            lab.Pump();
            lab.Device([0]);
            lab.Pump();
            lab.Device([0]);
            lab.ToDevice.ShouldBe(source, $"at {at}");
            lab.ToClient.ShouldBe(new byte[4]);
            lab.Events.ShouldBe(
            [
                new FileActed(FileAction.SetAttributes, "/tmp/f.txt", null, "mode 644, times", FileOutcome.Ok),
                new FileTransferred(FileDirection.ToDevice, "/tmp/f.txt", 40, Hash, null, FileOutcome.Ok),
            ]);
        }
    }

    [Theory]
    [InlineData("scp -r -p -d -t /tmp", true)]
    [InlineData("scp -r -d -t /tmp", false)]
    public void Modes_and_times_that_are_set_are_written_down(string command, bool keeps)
    {
        var lab = new ScpLab(command) { Held = SftpLab.All };
        lab.Device([0]);
        foreach (var record in (string[])["T1 0 1 0\n", "D4777 0 dir\n", "C0666 0 f\n", "\0", "T1 0 1 0\n", "C0600 0 g\n"])
        {
            if (!keeps && record[0] == 'T') continue;
            lab.Client(Encoding.ASCII.GetBytes(record));
            lab.Device([0]);
        }

        (FileAction, string, string?)[] kept =
        [
            (FileAction.MakeDirectory, "/tmp/dir", "mode 4777, times"),
            (FileAction.SetAttributes, "/tmp/dir/f", "mode 666"),
            (FileAction.SetAttributes, "/tmp/dir/g", "mode 600, times"),
        ];
        (FileAction, string, string?)[] made = [(FileAction.MakeDirectory, "/tmp/dir", "mode 4777")];
        lab.Events.OfType<FileActed>().Select(acted => (acted.Action, acted.Path, acted.Changes)).ShouldBe(keeps ? kept : made);
    }

    [Fact]
    public void A_tree_that_is_fetched_is_written_down_file_by_file()
    {
        var lab = new ScpLab("scp -r -f dir");
        lab.Client([0]);
        foreach (var record in (byte[][])[[.. "D0755 0 dir\n"u8], [.. "D0755 0 sub\n"u8], [.. "C0644 40 a\n"u8], [.. Content, 0], [.. "E\n"u8], [.. "C0644 0 b\n"u8], [0], [.. "E\n"u8]])
        {
            foreach (var one in record) lab.Device([one]);
            lab.Client([0]);
        }

        lab.Events.ShouldBe(
        [
            new FileActed(FileAction.List, "dir", null, null, FileOutcome.Ok),
            new FileActed(FileAction.List, "dir/sub", null, null, FileOutcome.Ok),
            new FileTransferred(FileDirection.FromDevice, "dir/sub/a", 40, Hash, null, FileOutcome.Ok),
            new FileTransferred(FileDirection.FromDevice, "dir/b", 0, Convert.ToHexStringLower(SHA256.HashData([])), null, FileOutcome.Ok),
        ]);
    }

    [Fact]
    public void A_client_that_calls_a_stored_file_broken_does_not_hide_it()
    {
        var lab = new ScpLab("scp -t /tmp/f.txt");
        lab.Device([0]);
        lab.Client([.. "C0644 40 f.txt\n"u8]);
        lab.Device([0]);
        lab.Client([.. Content, .. "\u0001x\n"u8]);
        lab.Device([0]);
        lab.Events.ShouldBe([new FileTransferred(FileDirection.ToDevice, "/tmp/f.txt", 40, Hash, null, FileOutcome.Ok)]);
    }

    [Theory]
    [InlineData("\u0002enough\n")]
    [InlineData("\u0002enough\nC4755 1 evil\n\0")]
    public void After_an_end_has_given_up_nothing_goes_on(string said)
    {
        var lab = new ScpLab("scp -t x");
        lab.Device([0]);
        lab.Client(Encoding.ASCII.GetBytes(said));
        lab.Client([.. "C4755 1 evil\n"u8]);
        lab.Device([0, 0]);
        lab.ToDevice.ShouldBe([.. "\u0002enough\n"u8]);
        lab.ToClient.ShouldBe([0]);
    }

    [Fact]
    public void A_line_longer_than_the_device_reads_in_one_ends_it()
    {
        var lab = new ScpLab("scp -t /tmp");
        lab.Device([0]);
        byte[] line = [1, .. Enumerable.Repeat((byte)'a', 2046), .. "C4755 3 evil\n"u8];
        Should.Throw<Exception>(() => lab.Client(line)).Message.ShouldContain("a line without an end");
    }

    [Fact]
    public void What_the_device_refuses_is_written_down_so_and_the_next_file_goes_on()
    {
        var lab = new ScpLab("scp -d -t /tmp");
        lab.Device([0]);
        lab.Client("C0644 40 no\n"u8.ToArray());
        lab.Device([1, .. "scp: /tmp/no: Permission denied\n"u8]);
        lab.Client("C0644 40 yes\n"u8.ToArray());
        lab.Device([0]);
        lab.Client([.. Content, 0]);
        lab.Device([1, .. "scp: no space\n"u8]);
        lab.Events.OfType<FileTransferred>().Select(file => (file.Path, file.Bytes, file.Sha256, file.Outcome)).ShouldBe(
            [("/tmp/no", 0L, null, FileOutcome.Failed), ("/tmp/yes", 40L, null, FileOutcome.Failed)]);
    }

    [Fact]
    public void A_cut_file_is_written_down_so()
    {
        var lab = new ScpLab("scp -t f");
        lab.Device([0]);
        lab.Client("C0644 40 f\n"u8.ToArray());
        lab.Device([0]);
        lab.Client(Content[..10]);
        lab.Interpreter.Dispose();
        var file = lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
        (file.Bytes, file.Sha256, file.Outcome).ShouldBe((10, null, FileOutcome.Interrupted));
    }

    [Theory]
    [InlineData("X0644 40 f\n")]
    [InlineData("C644 40 f\n")]
    [InlineData("C0644 -1 f\n")]
    [InlineData("C0644 4x f\n")]
    [InlineData("C0644 99999999999999999999 f\n")]
    [InlineData("C0644 40 ../f\n")]
    [InlineData("C0644 40 ..\n")]
    [InlineData("C0644 40 \n")]
    [InlineData("C0644 40 f\0g\n")]
    [InlineData("C0644 40 .\n")]
    [InlineData("C0644 40\n")]
    [InlineData("D0755 0 dir\n")]
    [InlineData("E\n")]
    [InlineData("T1 2 3\n")]
    [InlineData("\n")]
    public void A_record_that_does_not_fit_goes_no_further(string record)
    {
        var lab = new ScpLab("scp -t f");
        lab.Device([0]);
        Should.Throw<NotUnderstoodException>(() => lab.Client(Encoding.UTF8.GetBytes(record)));
        lab.ToDevice.ShouldBeEmpty();
    }

    [Fact]
    public void A_line_without_an_end_and_a_device_out_of_turn_end_it()
    {
        var lab = new ScpLab("scp -t f");
        lab.Device([0]);
        Should.Throw<NotUnderstoodException>(() => lab.Client([(byte)'C', .. new byte[9000]]));
        Should.Throw<NotUnderstoodException>(() => new ScpLab("scp -f f").Device("C0644 1 f\nx"u8.ToArray()));
        var other = new ScpLab("scp -f f");
        other.Client([0]);
        Should.Throw<NotUnderstoodException>(() => other.Device("C0644 1 f\nx"u8.ToArray()));
    }

    [Theory]
    [InlineData("scp -t x")]
    [InlineData("scp -f x")]
    public void What_the_device_says_in_sentences_passes_as_far_as_it_is_written_down(string command)
    {
        var lab = new ScpLab(command);
        var isSent = command == "scp -t x";
        if (isSent) lab.Device([0]);
        else lab.Client([0]);
        for (var number = 0; number < 100; number++)
        {
            if (isSent) lab.Client("C0644 0 f\n"u8.ToArray());
            lab.Device([1, .. Encoding.ASCII.GetBytes($"{number:D3}{new string('s', 1990)}\u001b[2J\n")]);
        }

        lab.Interpreter.Dispose();
        var said = lab.Events.OfType<DeviceWrote>().ShouldHaveSingleItem();
        said.Passed.ShouldBe(Beside.Most);
        var passed = Encoding.ASCII.GetString(lab.ToClient).Replace("\0", "", StringComparison.Ordinal).Replace("\u0001", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal);
        passed.ShouldBe(said.Text);
        passed.ShouldNotContain('\u001b');
        lab.ToClient.Count(one => one == 1).ShouldBe(100, "each has its turn");
    }

    [Fact]
    public void A_mode_beyond_777_is_written_down_where_it_may_be_set_and_answered_in_the_device_s_place_where_not()
    {
        var lab = new ScpLab("scp -d -t /tmp");
        lab.Device([0]);
        lab.ToDevice.ShouldBeEmpty();
        lab.Client("C4755 40 no\n"u8.ToArray());
        lab.ToDevice.ShouldBeEmpty();
        Encoding.UTF8.GetString(lab.ToClient).ShouldBe("\0\u0001no: the mode 4755 needs File manager and Manage files, which you don't have here\n");
        lab.Client("C0644 40 yes\n"u8.ToArray());
        lab.Device([0]);
        lab.Client([.. Content, 0]);
        lab.Device([0]);
        lab.Held = SftpLab.All;
        lab.Client("C2755 40 beyond\n"u8.ToArray());
        lab.Device([0]);
        lab.Client([.. Content, 0]);
        lab.Device([0]);
        lab.Events.ShouldBe(
        [
            new FileRefused(FileAction.SetAttributes, "/tmp/no", "File manager and Manage files", 1),
            new FileTransferred(FileDirection.ToDevice, "/tmp/yes", 40, Hash, null, FileOutcome.Ok),
            new FileActed(FileAction.SetAttributes, "/tmp/beyond", null, "mode 2755", FileOutcome.Ok),
            new FileTransferred(FileDirection.ToDevice, "/tmp/beyond", 40, Hash, null, FileOutcome.Ok),
        ]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Random_records_are_understood_or_end_it(int seed)
    {
        var random = new Random(seed);
        const string Characters = "CDET0123 \n/.\0\u0001\u0002ab";
        for (var round = 0; round < 5000; round++)
        {
            var lab = new ScpLab(random.Next(2) == 0 ? "scp -r -t f" : "scp -f f");
            try
            {
                for (var count = 0; count < 20; count++)
                {
                    var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => Characters[random.Next(Characters.Length)])));
                    if (random.Next(2) == 0) lab.Client(bytes);
                    else lab.Device(bytes);
                }
            }
            catch (NotUnderstoodException ended)
            {
                ended.Message.ShouldNotBeEmpty();
            }

            lab.Interpreter.Dispose();
        }
    }

    [Theory]
    [InlineData("scp -t x")]
    [InlineData("scp -f x")]
    public void Warnings_of_the_source_that_nobody_answers_are_few_events_with_their_number(string command)
    {
        var lab = new ScpLab(command);
        var isSent = command == "scp -t x";
        if (isSent) lab.Device([0]);
        else lab.Client([0]);
        var warnings = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\u0001\n", 10_000)));
        byte[] record = [.. warnings, .. "C0644 40 f\n"u8];
        if (isSent) lab.Client(record);
        else lab.Device(record);
        lab.Events.Count.ShouldBe(2);
        lab.Events.OfType<FileActed>().Sum(acted => acted.Times).ShouldBe(10_000);
        if (isSent) lab.Device([0]);
        else lab.Client([0]);
        lab.Interpreter.Dispose();
        lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem();
    }

    [Fact]
    public void Warnings_that_come_last_are_counted_at_the_end()
    {
        var lab = new ScpLab("scp -t x");
        lab.Device([0]);
        lab.Client("\u0001\n\u0001\n\u0001\n"u8.ToArray());
        lab.Interpreter.Dispose();
        lab.Events.OfType<FileActed>().Select(acted => acted.Times).ShouldBe([1, 2]);
    }

    [Theory]
    [InlineData("scp -t x")]
    [InlineData("scp -f x")]
    public void What_comes_in_one_piece_with_what_is_not_understood_goes_on_up_to_that_and_the_journal_has_as_much(string command)
    {
        var isSent = command == "scp -t x";
        byte[] record = [.. "C0644 40 f\n"u8];
        for (var at = 0; at <= Content.Length; at++)
        {
            var lab = new ScpLab(command);
            if (isSent)
            {
                lab.Device([0]);
                lab.Client(record);
                lab.Device([0]);
                lab.Client(Content[..at]);
                lab.Client([.. Content[at..], 0]);
                Should.Throw<NotUnderstoodException>(() => lab.Device([0, (byte)'x']));
            }
            else
            {
                lab.Client([0]);
                lab.Device(record);
                lab.Client([0]);
                lab.Device(Content[..at]);
                Should.Throw<NotUnderstoodException>(() => lab.Device([.. Content[at..], (byte)'x']));
            }

            lab.Interpreter.Dispose();
            (isSent ? lab.ToDevice : lab.ToClient).ShouldBe(isSent ? [.. record, .. Content, 0] : [.. record, .. Content], $"at {at}");
            lab.Events.OfType<FileTransferred>().ShouldHaveSingleItem().Bytes.ShouldBe(40, $"at {at}");
        }
    }

    /// <summary>The two ends; what is not wanted yet waits, as in a relay.</summary>
    private sealed class ScpLab
    {
        private readonly List<byte> _toDevice = [];
        private readonly List<byte> _toClient = [];
        private readonly List<byte> _waiting = [];

        public ScpLab(string sent)
        {
            FileCommand.TryParse(sent, out var command).ShouldBeTrue();
            Interpreter = new(
                new(bytes => _toDevice.AddRange(bytes), bytes => _toClient.AddRange(bytes), () => false, () => JournalIsBehind), command!, () => Held, Events.Add);
        }

        public ScpInterpreter Interpreter { get; }

        public PermissionSet Held { get; set; } = PermissionSet.Of(Permission.SendFiles);

        public bool JournalIsBehind { get; set; }

        public List<JournalEvent> Events { get; } = [];

        public byte[] ToDevice => [.. _toDevice];

        public byte[] ToClient => [.. _toClient];

        public void Client(byte[] bytes)
        {
            _waiting.AddRange(bytes);
            Pump();
        }

        public void Pump()
        {
            var taken = Interpreter.FromClient(_waiting.ToArray());
            _waiting.RemoveRange(0, taken);
        }

        public void Device(byte[] bytes)
        {
            Interpreter.FromDevice(bytes);
            Pump();
        }
    }
}
