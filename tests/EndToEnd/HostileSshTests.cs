using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Countersign.EndToEnd.Fixtures;

namespace Countersign.EndToEnd;

/// <summary>What anybody who can connect may try at the SSH port: clear errors, bounded memory, others still served.</summary>
public sealed class HostileSshTests : IAsyncLifetime
{
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Garbage_is_answered_with_a_closed_connection()
    {
        foreach (var garbage in new[]
        {
            "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"u8.ToArray(), RandomNumberGenerator.GetBytes(4096), new byte[100_000],
            [.. "SSH-2.0-x\r\n"u8, .. RandomNumberGenerator.GetBytes(4096)], [.. "SSH-2.0-x\r\n"u8, 0xff, 0xff, 0xff, 0xff, .. new byte[1000]],
            "SSH-1.5-old\r\n"u8.ToArray(), Encoding.ASCII.GetBytes("SSH-2.0-" + new string('x', 100_000)),
        })
        {
            using var socket = await ConnectAsync();
            await ReadToEndAsync(socket, garbage);
        }

        await StillServedAsync();
    }

    [Fact]
    public async Task A_user_name_of_a_mebibyte_ends_the_connection_with_a_clear_error()
    {
        // A command line holds no argument of that length: paramiko says it.
        const string script = """
            import logging, paramiko, sys
            logging.basicConfig(stream=sys.stderr, level=logging.INFO)
            transport = paramiko.Transport(("127.0.0.1", int(sys.argv[1])))
            transport.start_client(timeout=30)
            try:
                transport.auth_none("x" * (1 << 20))
            except Exception as refused:
                print("refused", type(refused).__name__, refused)
            transport.close()
            """;
        var outcome = await RunningCommand.RunAsync("/usr/bin/python3", ["-c", script, $"{_gateway.Server.SshAddress.Port}"]);
        outcome.Text.ShouldStartWith("refused", customMessage: outcome.ToString());
        outcome.Error.ShouldContain("packet", customMessage: outcome.ToString());
        await StillServedAsync();
    }

    [Fact]
    public async Task A_user_name_that_fits_a_packet_and_nobody_has_is_refused()
    {
        var outcome = await _gateway.Client.SshAsync(new string('x', 20_000), _gateway.Tina.ByKey, "true");
        outcome.ExitCode.ShouldBe(255, outcome.Error);
        await StillServedAsync();
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_leave_room_for_the_one_that_does()
    {
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                var socket = await ConnectAsync();
                if (i % 2 == 0) await socket.SendAsync("SSH-2.0-silent\r\n"u8.ToArray());
                silent.Add(socket);
            }

            // What they cost is held by FloodTests, which have a process to themselves.
            await StillServedAsync();
        }
        finally
        {
            foreach (var socket in silent) socket.Dispose();
        }
    }

    [Fact]
    public async Task Hundreds_of_wrong_passwords_lock_out_nobody_with_a_key()
    {
        var wrong = Enumerable.Range(0, 300).Select(i => (User: i % 2 == 0 ? "tina+web01" : $"nobody{i}+web01", Password: $"wrong {i}"));
        await Parallel.ForEachAsync(wrong, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (guess, _) =>
        {
            var outcome = await _gateway.Client.SshAsync(guess.User, Credential.OfPassword(guess.Password), "true");
            outcome.ExitCode.ShouldBe(255);
        });
        await StillServedAsync();
        var guessed = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByPassword, "true");
        guessed.ExitCode.ShouldBe(255, "the right password, too, is refused while guesses are held off");
    }

    private async Task StillServedAsync()
    {
        var outcome = await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo served");
        outcome.Text.ShouldBe("served\n", outcome.ToString());
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _gateway.Server.SshAddress.Port), TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task ReadToEndAsync(Socket socket, byte[] said)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Eventually.Patience);
        try
        {
            await socket.SendAsync(said, limit.Token);
            socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, limit.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // Closed while there was still something to read: closed all the same.
        }
    }
}
