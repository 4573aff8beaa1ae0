using System.Globalization;
using Countersign.Sessions;

namespace Countersign.Server.Features.Requests;

/// <summary>Lets running sessions that live on access approved ahead go on with what is approved while they run.</summary>
internal sealed class RunningExtensions(RequestNews news, LiveSessions sessions) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        news.Told += Extend;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        news.Told -= Extend;
        return Task.CompletedTask;
    }

    private void Extend(AccessRequest request)
    {
        if (request is not { IsAhead: true, State: RequestState.Approved }) return;
        var by = request.ChangedByName.Length > 0 ? $"approved by {request.ChangedByName}" : "approved";
        var until = request.Due?.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);
        sessions.Extend(request.OrganizationId, request.Evidence, $"request #{request.Number}: {by}; your access holds until {until}");
    }
}
