using System.Text;
using Countersign.Sessions.Relay;

namespace Countersign.Sessions.Tests.Relay;

public sealed class InputTests
{
    [Fact]
    public void What_a_shell_is_given_is_shown_as_a_terminal_would_wherever_it_is_cut()
    {
        var typed = Encoding.UTF8.GetBytes("écho hi\n\ttab\rback\u0003\u001b[A\u007f\0end");
        for (var at = 0; at <= typed.Length; at++)
        {
            var shown = new MemoryStream();
            TypedEcho.Show(typed.AsSpan(0, at), shown.Write);
            TypedEcho.Show(typed.AsSpan(at), shown.Write);
            Encoding.UTF8.GetString(shown.ToArray()).ShouldBe("écho hi\r\n\ttab\rback^C^[[A^?^@end");
        }
    }

    [Fact]
    public void What_the_device_writes_beside_a_protocol_passes_as_far_as_it_is_written_down_whole()
    {
        var beside = new Beside();
        beside.Tell().ShouldBeNull();
        beside.Add("scp: no such file\n\u001b[2J"u8).ShouldBe(22);
        beside.Add(new byte[Beside.Most]).ShouldBe(Beside.Most - 22);
        beside.Add(new byte[1000]).ShouldBe(0);
        var told = beside.Tell().ShouldNotBeNull();
        (told.Passed, told.Bytes).ShouldBe((Beside.Most, Beside.Most + 1022L));
        told.Text.ShouldStartWith("scp: no such file  [2J ");
        var longest = new Beside();
        longest.Add(Encoding.UTF8.GetBytes(new string('+', Beside.Most)));
        Sessions.Journal.JournalJson.Write(longest.Tell()!).Length.ShouldBeLessThan(Sessions.Journal.JournalWriter.MostEvent);
    }
}
