using System.Buffers;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

public sealed class SftpModelTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Pipelined_reads_writes_and_truncations_agree_with_a_plain_array(int seed)
    {
        const int Most = 200_000;
        await using var dialogue = await SftpDialogue.StartAsync();
        var handle = await dialogue.OpenAsync("file", SftpOpenFlags.Read | SftpOpenFlags.Write | SftpOpenFlags.Create);
        var random = new Random(seed);
        var model = Array.Empty<byte>();
        for (var batch = 0; batch < 60; batch++)
        {
            // A whole batch is sent before an answer is read; the server must behave as if each had been waited for.
            var expected = new List<byte[]?>();
            for (var i = random.Next(1, 12); i > 0; i--)
            {
                var offset = random.Next(Most);
                var length = random.Next(1, random.Next(2) == 0 ? 100 : 70_000);
                switch (random.Next(5))
                {
                    case 0 or 1:
                        var data = new byte[length];
                        random.NextBytes(data);
                        Array.Resize(ref model, Math.Max(model.Length, offset + length));
                        data.CopyTo(model, offset);
                        dialogue.Raw.Write(dialogue.Begin(SftpType.Write).String(handle).UInt64((ulong)offset).String(data).End());
                        expected.Add(null);
                        break;
                    case 2 when random.Next(4) == 0:
                        Array.Resize(ref model, offset);
                        dialogue.Raw.Write(dialogue.Begin(SftpType.FSetStat).String(handle).Attributes(new() { Size = (ulong)offset }).End());
                        expected.Add(null);
                        break;
                    default:
                        dialogue.Raw.Write(dialogue.Begin(SftpType.Read).String(handle).UInt64((ulong)offset).UInt32((uint)length).End());
                        expected.Add(offset >= model.Length ? [] : model[offset..Math.Min(model.Length, offset + length)]);
                        break;
                }
            }

            await dialogue.Raw.FlushAsync(TestContext.Current.CancellationToken);
            foreach (var wanted in expected) Check(await dialogue.ReceiveAsync(), wanted);
        }

        (await File.ReadAllBytesAsync(dialogue.PathOf("file"), TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(model).ShouldBeTrue();
    }

    private static void Check(byte[] answer, byte[]? wanted)
    {
        SftpResponse.Parse(answer, out var response).ShouldBe(SftpParse.Complete);
        if (wanted is null) response.Status.ShouldBe(SftpStatus.Ok);
        else if (wanted.Length == 0) response.Status.ShouldBe(SftpStatus.EndOfFile);
        else response.Data.SequenceEqual(wanted).ShouldBeTrue();
    }
}
