using System.Diagnostics;

namespace Countersign.Bench.Ways;

/// <summary>How fast much data gets from the device and to it, and what the gateway computes for it.</summary>
internal sealed class Transfers(ThreeWays ways, string folder, int mebibytes)
{
    private const int Times = 3;

    /// <summary>Passed first and not counted: a server that has been up for a while has its code compiled.</summary>
    private const int WarmUps = 2;
    private const int Sessions = 50;
    private const int SessionMebibytes = 12;

    /// <summary>The output of a command.</summary>
    public async Task<IEnumerable<Figure>> BulkAsync()
    {
        var cpu = new List<double>();
        var file = await FileAsync("bulk", mebibytes);
        for (var i = 0; i < WarmUps; i++) await ways.ExecAsync(Way.Gateway, $"head -c 256M {file}");
        var rounds = await Rounds.MeasureAsync(Times, way => SpeedAsync(way, mebibytes, cpu, () => ways.ExecAsync(way, $"cat {file}")));
        File.Delete(file);
        return
        [
            rounds.Absolute("bulk.mb_s", "MB/s", 0.5, speed => speed),
            rounds.AtLeast("bulk.vs_jump", Way.Jump, 1.6),
            rounds.AtLeast("bulk.vs_direct", Way.Direct, 0.6),
            Figure.AtMost("cpu.exec.s_per_gib", Median(cpu), "s/GiB", 1.8),
        ];
    }

    /// <summary>Half as much of it, since it goes in both directions.</summary>
    public async Task<IEnumerable<Figure>> SftpAsync()
    {
        var (cpu, size) = (new List<double>(), mebibytes / 2);
        var file = await FileAsync("sftp", size);
        for (var i = 0; i < WarmUps; i++)
        {
            await ways.SftpAsync(Way.Gateway, $"get {file} /dev/null");
            await ways.SftpAsync(Way.Gateway, $"put {file} /dev/null");
        }

        var get = await Rounds.MeasureAsync(Times, way => SpeedAsync(way, size, cpu, () => ways.SftpAsync(way, $"get {file} /dev/null")));
        var put = await Rounds.MeasureAsync(Times, way => SpeedAsync(way, size, cpu, () => ways.SftpAsync(way, $"put {file} /dev/null")));
        File.Delete(file);
        return
        [
            get.Absolute("sftp_get.mb_s", "MB/s", 0.5, speed => speed),
            get.AtLeast("sftp_get.vs_jump", Way.Jump, 1.5),
            put.Absolute("sftp_put.mb_s", "MB/s", 0.5, speed => speed),
            put.AtLeast("sftp_put.vs_jump", Way.Jump, 1.5),
            Figure.AtMost("cpu.sftp.s_per_gib", Median(cpu), "s/GiB", 2.6),
        ];
    }

    /// <summary>Many sessions at once; timed from the moment that all of them are there and may begin.</summary>
    public async Task<IEnumerable<Figure>> BusyAsync()
    {
        var file = await FileAsync("busy", SessionMebibytes);
        var rounds = await Rounds.MeasureAsync(1, way => BusyAsync(way, file));
        File.Delete(file);
        return
        [
            rounds.Absolute("busy50.mb_s", "MB/s", 0.5, speed => speed),
            rounds.AtLeast("busy50.vs_jump", Way.Jump, 1.3),
        ];
    }

    private async Task<double> BusyAsync(Way way, string file)
    {
        var clients = new List<Child>();
        try
        {
            for (var i = 0; i < Sessions; i++)
            {
                clients.Add(ways.Start(way, $"echo; read go; exec cat {file}"));
                if (clients[^1].Output.ReadByte() != '\n') throw new InvalidOperationException($"a session did not start: {await clients[^1].ErrorsAsync()}");
            }

            var start = Stopwatch.GetTimestamp();
            foreach (var client in clients)
            {
                client.Input.WriteByte((byte)'\n');
                client.Input.Flush();
            }

            var drained = await Task.WhenAll(clients.Select(client => Task.Run(() => DrainAsync(client.Output))));
            if (drained.Any(bytes => bytes != SessionMebibytes * 1024L * 1024)) throw new InvalidOperationException("a session broke off");
            return Sessions * SessionMebibytes * 1.048576 / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
        finally
        {
            foreach (var client in clients) await client.DisposeAsync();
        }
    }

    private static async Task<long> DrainAsync(Stream output)
    {
        var (scratch, total) = (new byte[64 * 1024], 0L);
        while (true)
        {
            var read = await output.ReadAsync(scratch);
            if (read == 0) return total;
            total += read;
        }
    }

    /// <returns>In MB/s; set-up and end are part of it.</returns>
    private async Task<double> SpeedAsync(Way way, int size, List<double> cpu, Func<Task<double>> transfer)
    {
        var before = ways.Gateway.CpuSeconds();
        var seconds = await transfer();
        if (way == Way.Gateway) cpu.Add((ways.Gateway.CpuSeconds() - before) * 1024 / size);
        return size * 1.048576 / seconds;
    }

    /// <summary>Of bytes that nothing compresses, read once, so that the disk has no part in it.</summary>
    private async Task<string> FileAsync(string name, int size)
    {
        var path = Path.Combine(folder, name);
        var block = new byte[1024 * 1024];
        var random = new Random(1);
        await using var file = File.Create(path);
        for (var i = 0; i < size; i++)
        {
            random.NextBytes(block);
            await file.WriteAsync(block);
        }

        return path;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
