using System.Net;
using System.Net.Sockets;
using Countersign.EndToEnd.Fixtures;
using Countersign.Server.Features.Identity;
using Countersign.Ssh;
using Microsoft.Extensions.DependencyInjection;

namespace Countersign.EndToEnd;

/// <summary>Guessing without end at the SSH door of a whole server: what it costs, what it leaves, and whether others are served meanwhile.</summary>
/// <remarks>What is held is counted for the whole process, so nothing else runs meanwhile. Only the hashing is cheaper than in production; the limits are its own.</remarks>
[Collection(nameof(Crashes.Alone))]
public sealed class SignInFloodTests : IAsyncLifetime
{
    private const int Addresses = 8;
    private const int Rounds = 1000;

    /// <summary>One fewer than the door bears with in one connection.</summary>
    private const int Tries = 5;

    private static readonly SignInLimits _limits = new() { PasswordIterations = Rounds };

    private TestGateway _gateway = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(options => options with { SignIn = _limits });

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Of_ten_thousand_failed_logins_few_cost_a_hash_nothing_is_left_and_good_clients_are_served_all_the_while()
    {
        // What is made once is there.
        await GuessAsync(Address(Addresses), 1);
        await ServedAsync();
        var hashing = _gateway.Server.Services.GetRequiredService<PasswordHashing>();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var spent = hashing.RoundsSpent;

        var flood = Task.WhenAll(Enumerable.Range(0, Addresses).Select(number => GuessAsync(Address(number), 10_000 / Tries / Addresses)));
        var served = 0;
        while (!flood.IsCompleted)
        {
            await ServedAsync();
            served++;
        }

        (await flood).Sum().ShouldBe(10_000);
        served.ShouldBeGreaterThan(1);

        // Every address has used up what it is borne with; all else was refused without looking at the password, which the client can't tell. Tina's own are hashed, too.
        var hashed = ((hashing.RoundsSpent - spent) / Rounds) - served;
        TestContext.Current.SendDiagnosticMessage($"{hashed} hashed, {10_000 - hashed} refused unasked, {served} served meanwhile");
        hashed.ShouldBe(Addresses * _limits.FailuresPerAddress);
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(32 * 1024 * 1024);

        await ServedAsync();
        await Should.ThrowAsync<SshAuthenticationException>(ConnectAsync(Address(0), _gateway.Tina.Login, _gateway.Tina.Password));
        (await _gateway.Client.SshAsync("tina+web01", _gateway.Tina.ByKey, "echo served")).Text.ShouldBe("served\n");
    }

    private static IPAddress Address(int number) => new([127, 0, 0, (byte)(2 + number)]);

    /// <summary>Each connection is for another login, so that it is the address that counts: a login alone is guarded by waits.</summary>
    /// <returns>So many guesses were wrong.</returns>
    private async Task<int> GuessAsync(IPAddress from, int connections)
    {
        for (var number = 0; number < connections; number++)
            await Should.ThrowAsync<SshAuthenticationException>(ConnectAsync(from, $"nobody-{number}-{from}", [.. Enumerable.Range(0, Tries).Select(guess => $"wrong {guess}")]));
        return connections * Tries;
    }

    /// <summary>By password, which is looked at, to a command at the device.</summary>
    private async Task ServedAsync()
    {
        await using var tina = await ConnectAsync(IPAddress.Loopback, _gateway.Tina.Login, _gateway.Tina.Password);
        var (channel, streams) = await SshChannelStreams.OpenSessionAsync(tina, Cancellation);
        (await channel.RequestAsync(SessionRequests.Exec, new ExecRequest("echo served").Encode(), Cancellation)).ShouldBeTrue();
        using var reader = new StreamReader(streams.Output);
        (await reader.ReadToEndAsync(Cancellation)).ShouldBe("served\n");
    }

    private async Task<SshClientConnection> ConnectAsync(IPAddress from, string login, params string[] guesses)
    {
        var secrets = guesses.Select(Secret.FromText).ToList();
        try
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(from, 0));
            await socket.ConnectAsync(_gateway.Server.SshAddress, Cancellation);
            var options = new SshClientOptions
            {
                User = $"{login}+{TestGateway.Device}",
                Credentials = [.. secrets.Select(secret => new SshCredential.Password(secret))],
                TrustedHostKeys = [.. _gateway.Server.SshHostKeys.Select(line => SshPublicKey.TryParse(line, out var key) ? key : throw new FormatException(line))],
            };
            return await SshClientConnection.ConnectAsync(new NetworkStream(socket, ownsSocket: true), options, Cancellation);
        }
        finally
        {
            foreach (var secret in secrets) secret.Dispose();
        }
    }
}
