using System.Collections;
using System.Reflection;
using Countersign.Ssh.Transport;

namespace Countersign.Ssh.Tests;

/// <summary>What waits for new keys when the connection ends, a password among it.</summary>
public sealed class HeldMessageTests
{
    [Theory]
    [InlineData("disposed")]
    [InlineData("abandoned")]
    public void What_waits_for_new_keys_is_zeroed_when_it_is_not_sent_any_more(string how)
    {
        var output = new PacketOutput(Stream.Null, new Owner());
        output.BeginExchange([SshMessage.KexInit]);
        output.Send(PacketUse.Control, "a password"u8, []);
        var held = Held(output);
        held.ShouldBe("a password"u8.ToArray());

        if (how == "disposed") output.Dispose();
        else output.Abandon();

        held.ShouldAllBe(one => one == 0);
    }

    /// <summary>Nothing of the output's own shows what it holds.</summary>
    private static byte[] Held(PacketOutput output)
    {
        var queue = (IEnumerable)typeof(PacketOutput).GetField("_held", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(output)!;
        var one = queue.Cast<object>().ShouldHaveSingleItem();
        return (byte[])one.GetType().GetProperty("Message")!.GetValue(one)!;
    }

    private sealed class Owner : IPacketOutputOwner
    {
        public void OnOutputOverflow() => throw new InvalidOperationException();

        public void OnOutputBroken(Exception error) => throw new InvalidOperationException("", error);

        public void OnHandlerFault(Exception error) => throw new InvalidOperationException("", error);
    }
}
