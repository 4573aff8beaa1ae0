using System.Net;
using Countersign.Ssh;
using static Countersign.Gateway.Tests.LoopbackDoor;

namespace Countersign.Gateway.Tests;

/// <summary>A front door on loopback that is asked for too much: it holds what it may, and others are served.</summary>
public sealed class FrontDoorLimitTests
{
    [Fact]
    public async Task A_person_has_a_bounded_number_of_connections_and_others_theirs()
    {
        await using var door = Start(options => options with { MostOfPerson = 3 });
        var held = new List<SshClientConnection>();
        for (var number = 0; number < 3; number++) held.Add(await SignInAsync(door, "tina"));

        await using var fourth = await SignInAsync(door, "tina");
        await fourth.Closed.WaitAsync(Patience, Cancellation);
        fourth.EndReason!.ShouldContain("too many connections");

        await using var nora = await SignInAsync(door, "nora");
        nora.Closed.IsCompleted.ShouldBeFalse();
        held.ShouldAllBe(connection => !connection.Closed.IsCompleted);
        foreach (var connection in held) await connection.DisposeAsync();

        // A place is free when the server has seen the end: until then a new connection is turned away, and asks again.
        while (true)
        {
            await using var again = await SignInAsync(door, "tina");
            await Task.WhenAny(again.Closed, OpensAsync(again)).WaitAsync(Patience, Cancellation);
            if (!again.Closed.IsCompleted) break;
        }
    }

    [Fact]
    public async Task An_address_has_a_bounded_number_of_connections()
    {
        await using var door = Start(options => options with { MostFromAddress = 4 });
        using var silent = new Sockets();
        for (var number = 0; number < 4; number++) await ReadLineAsync(await silent.ConnectAsync(door));

        (await ReadToEndAsync(await silent.ConnectAsync(door))).ShouldBe(0);
    }

    [Fact]
    public async Task Of_a_flood_that_says_nothing_no_more_stay_than_there_are_places_and_a_client_comes_in()
    {
        await using var door = Start(options => options with { MostArrivals = 16 });
        using var silent = new Sockets();
        var ends = new List<Task<int>>();
        for (var number = 0; number < 400; number++) ends.Add(ReadToEndAsync(await silent.ConnectAsync(door)));

        await using (await SignInAsync(door, "tina"))
        {
            await UntilAsync(ends, 400 - 16);
        }

        ends.Count(end => !end.IsCompleted).ShouldBeLessThanOrEqualTo(16);
    }

    [Fact]
    public async Task Whoever_sends_a_byte_now_and_then_is_closed_when_the_time_to_sign_in_is_over()
    {
        var time = new FiredTime();
        await using var door = Start(options => options with { Time = time, LoginTimeout = TimeSpan.FromSeconds(61) });
        using var slow = new Sockets();
        var ends = new List<Task<int>>();
        var banner = "SSH-2.0-slow\r\n"u8.ToArray();
        for (var number = 0; number < 100; number++)
        {
            var socket = await slow.ConnectAsync(door);
            await ReadLineAsync(socket);
            await socket.SendAsync(banner.AsMemory(0, number % banner.Length), Cancellation);
            ends.Add(ReadToEndAsync(socket));
        }

        ends.ShouldAllBe(end => !end.IsCompleted);
        time.Fire(TimeSpan.FromSeconds(61)).ShouldBe(100);

        await Task.WhenAll(ends).WaitAsync(Patience, Cancellation);
        await using var tina = await SignInAsync(door, "tina");
    }

    [Fact]
    public async Task A_proxy_that_sends_its_header_byte_by_byte_is_closed_when_its_time_is_over()
    {
        var time = new FiredTime();
        await using var door = Start(options => options with { Time = time, ProxyFrom = [IPNetwork.Parse("127.0.0.1/32")] });
        using var slow = new Sockets();
        var socket = await slow.ConnectAsync(door);
        await socket.SendAsync("\r\n\r\n"u8.ToArray(), Cancellation);
        var end = ReadToEndAsync(socket);
        await UntilAsync(() => time.Fire(TimeSpan.FromSeconds(10)) > 0);

        (await end.WaitAsync(Patience, Cancellation)).ShouldBe(0);
    }
}
