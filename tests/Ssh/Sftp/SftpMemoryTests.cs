using System.Buffers;
using Countersign.Ssh.Sftp;

namespace Countersign.Ssh.Tests.Sftp;

/// <summary>What is held is counted for the whole process, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(SftpMemoryTests), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(SftpMemoryTests))]
public sealed class SftpMemoryTests
{
    [Fact]
    public async Task A_client_that_asks_for_gigabytes_without_reading_is_held_up_and_then_gets_every_answer()
    {
        await using var dialogue = await SftpDialogue.StartAsync();
        var handle = await dialogue.OpenAsync("big", SftpServerTests.NewFile);
        await using (var file = File.OpenWrite(dialogue.PathOf("big"))) file.SetLength(SftpLimits.Payload);
        const int Count = 4000;
        for (var i = 0; i < Count; i++) dialogue.Raw.Write(dialogue.Begin(SftpType.Read).String(handle).UInt64(0).UInt32(uint.MaxValue).End());
        var before = GC.GetTotalMemory(forceFullCollection: false);
        await dialogue.Raw.FlushAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < Count; i++)
        {
            SftpServerTests.Data(await dialogue.ReceiveAsync()).Length.ShouldBe(SftpLimits.Payload);
            if (i == Count / 2) (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(64 << 20);
        }
    }
}
