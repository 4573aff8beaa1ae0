using Countersign.Ssh;
using static Countersign.Gateway.Tests.LoopbackDoor;

namespace Countersign.Gateway.Tests;

/// <summary>What is held is counted for the whole process, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(FloodTests), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Floods: what they leave behind, and whether others are served meanwhile.</summary>
[Collection(nameof(FloodTests))]
public sealed class FloodTests
{
    private const long Mebibyte = 1024 * 1024;

    [Fact]
    public async Task Ten_thousand_failed_logins_leave_nothing_and_a_client_is_served_all_the_while()
    {
        await using var door = Start(options => options with { MostArrivals = 32 });
        await GuessAsync(door, 50);
        await EmptyAsync(door);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        var flood = Task.WhenAll(Enumerable.Range(0, 4).Select(_ => GuessAsync(door, 500)));
        var served = 0;
        do
        {
            await using var tina = await SignInFromElsewhereAsync(door);
            tina.Closed.IsCompleted.ShouldBeFalse();
            served++;
            door.Arriving.ShouldBeLessThanOrEqualTo(32);
        }
        while (!flood.IsCompleted);
        (await flood).Sum().ShouldBe(10_000);
        served.ShouldBeGreaterThan(1);

        await EmptyAsync(door);
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(8 * Mebibyte);
    }

    [Fact]
    public async Task Of_thousands_of_half_open_connections_as_many_stay_as_there_are_places_and_who_is_elsewhere_comes_in()
    {
        await using var door = Start(options => options with { MostArrivals = 64 });
        await using (await SignInFromElsewhereAsync(door))
        {
            // What is made once is there.
        }

        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var silent = new Sockets();
        var ends = new List<Task<int>>();
        for (var number = 0; number < 3000; number++)
        {
            var socket = await silent.ConnectAsync(door);
            if (number % 3 == 0) await socket.SendAsync("SSH-2.0-half\r\n"u8.ToArray(), Cancellation);
            if (number % 3 == 1) await socket.SendAsync("SSH-2.0-half\r\n\0\0\u0004\0"u8.ToArray(), Cancellation);
            ends.Add(ReadToEndAsync(socket));
            door.Arriving.ShouldBeLessThanOrEqualTo(64);
            if (number % 500 == 499) await (await SignInFromElsewhereAsync(door)).DisposeAsync();
        }

        await UntilAsync(ends, 3000 - 64);
        await UntilAsync(() => door.Connections <= 64);

        // The test's own ends and tasks are in it, too.
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(24 * Mebibyte);
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_cost_less_than_32_KiB_each_while_they_are_there()
    {
        const int Held = 1000;
        await using var door = Start(options => options with { MostArrivals = Held, MostFromAddress = Held });
        await using (await SignInFromElsewhereAsync(door))
        {
            // What is made once is there.
        }

        await EmptyAsync(door);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var silent = new Sockets();
        for (var number = 0; number < Held; number++)
        {
            var socket = await silent.ConnectAsync(door);
            if (number % 2 == 0) await socket.SendAsync("SSH-2.0-silent\r\n"u8.ToArray(), Cancellation);
        }

        await UntilAsync(() => door.Arriving == Held);
        await (await SignInFromElsewhereAsync(door)).DisposeAsync();
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(Held * 32 * 1024);
    }

    [Fact]
    public async Task Whoever_stops_behind_the_largest_offer_of_algorithms_costs_little_more_than_they_have_sent()
    {
        const int Held = 400;
        await using var door = Start(options => options with { MostArrivals = Held, MostFromAddress = Held });
        await using (await SignInFromElsewhereAsync(door))
        {
            // What is made once is there.
        }

        await EmptyAsync(door);
        var offer = LargestOffer();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var silent = new Sockets();
        for (var number = 0; number < Held; number++)
        {
            var socket = await silent.ConnectAsync(door);
            await socket.SendAsync("SSH-2.0-silent\r\n"u8.ToArray(), Cancellation);
            await socket.SendAsync(offer, Cancellation);
            await ReadLineAsync(socket);

            // Its own offer answers this one.
            (await socket.ReceiveAsync(new byte[1], Cancellation)).ShouldBe(1);
        }

        await UntilAsync(() => door.Arriving == Held);
        await (await SignInFromElsewhereAsync(door)).DisposeAsync();
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(Held * (offer.Length + 32 * 1024));
    }

    [Fact]
    public async Task Whoever_has_keys_and_sends_a_byte_now_and_then_is_closed_when_the_time_to_sign_in_is_over()
    {
        var time = new FiredTime();
        await using var door = Start(options => options with { Time = time, LoginTimeout = TimeSpan.FromSeconds(61) });
        using var right = Secret.FromText("right");
        var clients = new List<Task<SshClientConnection>>();
        for (var number = 0; number < 50; number++)
        {
            var dripping = new Dripping(await OpenAsync(door));
            clients.Add(TalkAsync(dripping, "tina", [new SshCredential.Password(right)]));
            await dripping.HasKeys.WaitAsync(Patience, Cancellation);
        }

        await using (await SignInAsync(door, "nora"))
        {
            clients.ShouldAllBe(client => !client.IsCompleted);
            time.Fire(TimeSpan.FromSeconds(61)).ShouldBeGreaterThanOrEqualTo(50);
            foreach (var client in clients) await Should.ThrowAsync<SshConnectionException>(client.WaitAsync(Patience, Cancellation));
        }

        await EmptyAsync(door);
    }

    /// <returns>So many guesses were wrong.</returns>
    private static async Task<int> GuessAsync(SshDoor.SshFrontDoor door, int connections)
    {
        using var wrong = Secret.FromText("wrong");
        var credentials = Enumerable.Repeat<SshCredential>(new SshCredential.Password(wrong), 5).ToArray();
        for (var number = 0; number < connections; number++) await Should.ThrowAsync<SshAuthenticationException>(ConnectAsync(door, "tina", credentials));
        return connections * credentials.Length;
    }

    /// <summary>SSH_MSG_KEXINIT as a packet, with as many names as a list may have, and as long as all together may be.</summary>
    private static byte[] LargestOffer()
    {
        var payload = new SshWriter().Byte(20).Raw(new byte[16]);
        foreach (var known in (string[])["curve25519-sha256", "ssh-ed25519", "aes256-gcm@openssh.com", "aes256-gcm@openssh.com", "hmac-sha2-256", "hmac-sha2-256", "none", "none", "en", "en"])
        {
            payload.String(string.Join(',', Enumerable.Range(0, 127).Select(number => $"a-name-that-nobody-knows-{number % 10}").Prepend(known)));
        }

        var whole = payload.Boolean(false).UInt32(0).Written;
        var padding = 8 + 8 - ((whole.Length + 5) % 8);
        byte[] packet = [.. new SshWriter().UInt32((uint)(1 + whole.Length + padding)).Byte((byte)padding).Raw(whole.Span).Raw(new byte[padding]).Written.Span];
        packet.Length.ShouldBeInRange(34_000, 35_000);
        return packet;
    }

    private static Task EmptyAsync(SshDoor.SshFrontDoor door) => UntilAsync(() => door.Connections == 0);
}
