using System.Text;
using Countersign.Access;
using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Devices;

internal static class ExportDevices
{
    private const int AtOnce = 64 * 1024;

    /// <summary>The devices that the caller may see as a table that can be imported, in order of their names. Host, services and host key are empty where the caller may not know them.</summary>
    /// <param name="search">As for the list of devices.</param>
    /// <param name="group">Only devices directly in this group.</param>
    /// <param name="under">Only devices in this group or one below it.</param>
    public static Results<PushStreamHttpResult, ProblemHttpResult> Handle(
        CallersPolicy policy, LongAnswer answer, string? search = null, Guid? group = null, Guid? under = null)
    {
        if (!ListDevices.TryRead(search, group, under, out var query, out var problem)) return problem;
        return answer.Send((stream, stop) => WriteAsync(policy, query, stream, stop), (_, _) => true, Csv.ContentType, "devices.csv");
    }

    private static async Task WriteAsync(CallersPolicy policy, DeviceQuery query, Stream stream, CancellationToken cancellation)
    {
        var paths = new GroupPaths(policy.Snapshot.All<DeviceGroupRow>());
        var text = new StringBuilder(DeviceColumns.Heading);
        foreach (var device in policy.Snapshot.Search(policy.Person, query, policy.At))
        {
            text.Append(DeviceColumns.Row(policy, device, paths.Of(device.Group)));
            if (text.Length >= AtOnce) await FlushAsync();
        }

        await FlushAsync();

        async Task FlushAsync()
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellation);
            text.Clear();
        }
    }
}
