using System.Text;
using Countersign.Sessions;
using Countersign.Ssh;
using static Countersign.Gateway.Tests.LoopbackDoor;

namespace Countersign.Gateway.Tests;

/// <summary>What a person types, and leaves off typing, around the moment at which they are told to wait.</summary>
public sealed class WaitingRoomTests
{
    private static readonly PtyRequest Terminal = new("xterm", new(80, 24), []);

    [Theory]
    [InlineData("before the shell is asked for")]
    [InlineData("between that and the waiting")]
    public async Task Ctrl_C_that_was_typed_before_somebody_is_told_to_wait_cancels(string moment)
    {
        var pending = new Office.Pending();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<ApprovalAsked>(TaskCreationOptions.RunContinuationsAsynchronously);
        var office = new Office(approval: true)
        {
            Desk = _ =>
            {
                asked.TrySetResult();
                return new(answer.Task);
            },
        };
        await using var door = Start(options => options, office);
        await using var tina = await SignInAsync(door, "tina+web01");
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        await channel.RequestAsync(SessionRequests.Pty, Terminal.Encode(), Cancellation);
        var isEarly = moment == "before the shell is asked for";
        if (isEarly) await TypeAsync(channel, "ls\u0003");
        (await channel.RequestAsync(SessionRequests.Shell, default, Cancellation)).ShouldBeTrue();
        await asked.Task.WaitAsync(Patience, Cancellation);
        if (!isEarly) await TypeAsync(channel, "\u0003");
        answer.SetResult(new ApprovalAsked.Waits(pending));

        (await streams.ExitStatus.WaitAsync(Patience, Cancellation)).ShouldBe(130u);
        (await ReadAsync(streams.Error)).ShouldContain("countersign: cancelled");
        await pending.Left.WaitAsync(Patience, Cancellation);
    }

    [Fact]
    public async Task What_was_typed_before_somebody_is_told_to_wait_cancels_nothing_without_Ctrl_C()
    {
        var pending = new Office.Pending();
        var office = new Office(approval: true) { Desk = _ => new(new ApprovalAsked.Waits(pending)) };
        await using var door = Start(options => options, office);
        await using (var tina = await SignInAsync(door, "tina+web01"))
        {
            var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
            await channel.RequestAsync(SessionRequests.Pty, Terminal.Encode(), Cancellation);
            await TypeAsync(channel, "ls\r");
            await channel.RequestAsync(SessionRequests.Shell, default, Cancellation);
            await SaysAsync(streams.Error, "waiting for approval");

            // Ctrl-C after it is another matter: the channel may be closed before writing it has returned.
            pending.Left.IsCompleted.ShouldBeFalse();
            await channel.WriteAsync("\u0003"u8.ToArray(), Cancellation);
            (await streams.ExitStatus.WaitAsync(Patience, Cancellation)).ShouldBe(130u);
        }
    }

    [Fact]
    public async Task What_was_typed_before_the_end_of_the_input_is_the_reason()
    {
        var pending = new Office.Pending();
        var reasons = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var office = new Office(approval: true)
        {
            Desk = reason =>
            {
                if (reason.Length == 0) return new(new ApprovalAsked.NeedsReason("a ticket"));
                reasons.TrySetResult(reason);
                return new(new ApprovalAsked.Waits(pending));
            },
        };
        await using var door = Start(options => options, office);
        await using var tina = await SignInAsync(door, "tina+web01");
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        await channel.RequestAsync(SessionRequests.Pty, Terminal.Encode(), Cancellation);
        await channel.RequestAsync(SessionRequests.Shell, default, Cancellation);
        await SaysAsync(streams.Error, "Give a ticket: ");
        await channel.WriteAsync("OPS-7"u8.ToArray(), Cancellation);
        channel.SendEof();
        (await reasons.Task.WaitAsync(Patience, Cancellation)).ShouldBe("OPS-7");
    }

    /// <summary>Nobody waits minutes for an answer that can't come, whether the input ended at the question, before it, or at one asked anew.</summary>
    [Theory]
    [InlineData("before the shell is asked for")]
    [InlineData("at the question")]
    [InlineData("before it")]
    [InlineData("at a question asked anew")]
    public async Task Where_the_input_has_ended_without_a_reason_the_connection_is_refused_at_once(string moment)
    {
        var questions = 0;
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var office = new Office(approval: true)
        {
            Desk = async _ =>
            {
                questions++;
                asked.TrySetResult();
                await answer.Task;
                return new ApprovalAsked.NeedsReason("a ticket");
            },
        };
        await using var door = Start(options => options, office);
        await using var tina = await SignInAsync(door, "tina+web01");
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        await channel.RequestAsync(SessionRequests.Pty, Terminal.Encode(), Cancellation);
        if (moment == "before the shell is asked for") await EndAsync(channel);
        await channel.RequestAsync(SessionRequests.Shell, default, Cancellation);
        await asked.Task.WaitAsync(Patience, Cancellation);
        if (moment == "before it") await EndAsync(channel);
        answer.SetResult();
        if (moment.StartsWith("at ", StringComparison.Ordinal))
        {
            await SaysAsync(streams.Error, "Give a ticket: ");
            if (moment == "at a question asked anew") await channel.WriteAsync("please"u8.ToArray(), Cancellation);
            channel.SendEof();
        }

        (await streams.ExitStatus.WaitAsync(Patience, Cancellation)).ShouldBe(77u);
        (await ReadAsync(streams.Error)).ShouldContain("needs approval, and a reason for it: a ticket.");
        questions.ShouldBe(moment == "at a question asked anew" ? 2 : 1);
    }

    [Fact]
    public async Task Where_the_input_ended_before_the_shell_was_asked_for_nobody_is_expected_to_choose_from_a_list()
    {
        await using var door = Start(options => options, new Office());
        await using var tina = await SignInAsync(door, "tina");
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        await channel.RequestAsync(SessionRequests.Pty, Terminal.Encode(), Cancellation);
        await EndAsync(channel);
        (await channel.RequestAsync(SessionRequests.Shell, default, Cancellation)).ShouldBeTrue();
        (await streams.ExitStatus.WaitAsync(Patience, Cancellation)).ShouldBe(130u);
        (await ReadAsync(streams.Error)).ShouldContain("no device was chosen");
    }

    [Fact]
    public async Task Of_variables_sixteen_KiB_are_kept_and_no_more_than_thirty_two()
    {
        await using var door = Start(options => options, new Office());
        await using var tina = await SignInAsync(door, "tina+web01");
        (await AcceptedAsync(tina, 4000)).ShouldBe(4);
        (await AcceptedAsync(tina, 10)).ShouldBe(32);
        (await AcceptedAsync(tina, 5000)).ShouldBe(0);
    }

    /// <returns>So many of a hundred variables of that length.</returns>
    private static async Task<int> AcceptedAsync(SshConnection connection, int length)
    {
        var (channel, _) = await SshChannelStreams.OpenSessionAsync(connection, Cancellation);
        var variable = new EnvironmentRequest("LC_ONE", new string('x', length)).Encode();
        var accepted = 0;
        for (var number = 0; number < 100; number++)
        {
            if (await channel.RequestAsync(SessionRequests.Environment, variable, Cancellation)) accepted++;
        }

        return accepted;
    }

    private static async Task TypeAsync(SshChannel channel, string text)
    {
        (await channel.WriteAsync(Encoding.ASCII.GetBytes(text), Cancellation)).ShouldBeTrue();
        await HeardAsync(channel);
    }

    private static async Task EndAsync(SshChannel channel)
    {
        channel.SendEof();
        await HeardAsync(channel);
    }

    /// <summary>What was sent before this request has been read when it is answered.</summary>
    private static Task<bool> HeardAsync(SshChannel channel) => channel.RequestAsync("nothing@example.org", default, Cancellation);

    private static async Task<string> ReadAsync(Stream error)
    {
        using var reader = new StreamReader(error);
        return await reader.ReadToEndAsync(Cancellation).WaitAsync(Patience, Cancellation);
    }

    private static async Task SaysAsync(Stream error, string text)
    {
        var said = "";
        var buffer = new byte[1024];
        while (!said.Contains(text, StringComparison.Ordinal))
        {
            var read = await error.ReadAsync(buffer, Cancellation).AsTask().WaitAsync(Patience, Cancellation);
            read.ShouldBeGreaterThan(0, said);
            said += Encoding.UTF8.GetString(buffer, 0, read);
        }
    }
}
