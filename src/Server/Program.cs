using Countersign.Server;

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
await using var server = await CountersignServer.StartAsync(new ServerOptions { DataDirectory = "data" }, stop.Token);
Console.WriteLine($"Listening on {server.HttpAddress}");
await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
return 0;
