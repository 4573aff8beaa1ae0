using System.Net;
using Countersign.Access;
using Countersign.Server.Features.Sessions;
using Countersign.Server.Platform.Persistence;
using Countersign.Server.Tests.Api;
using Countersign.Sessions;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Countersign.Server.Tests.Platform;

/// <summary>Of a server that has lost a part of itself nothing is left running.</summary>
public sealed class ServingTests : FeatureTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_service_that_dies_ends_the_program_with_1_and_its_sessions_first()
    {
        var options = Running.Server.Services.GetRequiredService<ServerOptions>();
        await Running.Server.DisposeAsync();
        using var dying = new Dying();
        var serving = Serving.ServeAsync(options, readyFile: null, Stop, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddHostedService(services => dying.Of(services));
        });
        var services = await dying.Started.Task;
        var wish = new ConnectionWish(Tenant.Id, new(Ann), "ann", SignInStrength.OneFactor, null, "web1", null, SessionKind.Shell, "");
        var session = (await services.GetRequiredService<Admission>().AskAsync(wish, Stop)).ShouldBeOfType<AdmissionResult.Admitted>().Session;
        session.Ending.Register(() => session.DisposeAsync().AsTask());
        dying.Die.SetResult();
        (await serving).ShouldBe(1);
        var database = new Database(Path.Combine(options.DataDirectory, "countersign.db"));
        await using (var db = database.Read(Tenant.Id))
            (await db.Set<SessionRecord>().SingleAsync(row => row.Id == session.Opening.Id.Value, Stop)).Reason.ShouldBe(EndReason.GatewayStopped);
        database.ReleaseFile();
    }

    [Fact]
    public async Task A_server_that_was_told_to_stop_ends_with_0()
    {
        var options = Running.Server.Services.GetRequiredService<ServerOptions>();
        await Running.Server.DisposeAsync();
        using var told = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var dying = new Dying();
        var serving = Serving.ServeAsync(options, readyFile: null, told.Token, builder =>
        {
            builder.Logging.ClearProviders();
            builder.Services.AddHostedService(services => dying.Of(services));
        });
        await dying.Started.Task;
        await told.CancelAsync();
        (await serving).ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_lost_a_service_is_alive_and_not_ready()
    {
        using var dying = new Dying();
        await using var running = await RunningServer.StartAsync(services => services.AddHostedService(provider => dying.Of(provider)));
        (await running.Anybody.GetAsync("/health/ready")).Expect(HttpStatusCode.OK);
        running.Server.Failed.IsCompleted.ShouldBeFalse();
        dying.Die.SetResult();
        await running.Server.Failed.WaitAsync(Stop);
        (await running.Anybody.GetAsync("/health/live")).Expect(HttpStatusCode.OK);
        (await running.Anybody.GetAsync("/health/ready")).Expect(HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_server_that_begins_to_stop_is_not_ready_while_its_sessions_end()
    {
        var session = await Tenant.OpenSessionAsync(Ann, "web1");
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        session.Ending.Register(stopping.SetResult);
        var ending = Running.Server.DisposeAsync().AsTask();
        await stopping.Task;
        (await Running.Anybody.GetAsync("/health/ready")).Expect(HttpStatusCode.ServiceUnavailable);
        await session.DisposeAsync();
        await ending;
        Running.Server.Failed.IsCompleted.ShouldBeFalse();
    }

    /// <summary>A part of the server that dies when it is told to.</summary>
    private sealed class Dying : BackgroundService
    {
        private IServiceProvider _services = null!;

        public TaskCompletionSource<IServiceProvider> Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Die { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Dying Of(IServiceProvider services)
        {
            _services = services;
            return this;
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            Started.SetResult(_services);
            await Die.Task.WaitAsync(stoppingToken);
            throw new InvalidOperationException("It dies.");
        }
    }
}
