using Countersign.Access;
using Countersign.Gateway.SshDoor.Picking;
using Countersign.Sessions;
using Countersign.Ssh;
using Countersign.Ssh.Tests;
using static Countersign.Gateway.Tests.LoopbackDoor;

namespace Countersign.Gateway.Tests.Picking;

/// <summary>What a person's pickers cost does not grow with how many they open.</summary>
public sealed class DeviceListsTests
{
    private static readonly PersonId Tina = RightPassword.People["tina"];
    private static readonly PersonId Nora = RightPassword.People["nora"];

    [Fact]
    public async Task All_that_a_person_has_open_shares_one_list()
    {
        using var policy = new ChangingPolicy();
        using var lists = new DeviceLists(policy, TimeProvider.System);
        using var first = lists.Enter(RightPassword.Organization, Tina, () => { });
        using var second = lists.Enter(RightPassword.Organization, Tina, () => { });
        using var other = lists.Enter(RightPassword.Organization, Nora, () => { });

        var seen = await Task.WhenAll(first.LookAsync().AsTask(), second.LookAsync().AsTask(), other.LookAsync().AsTask());

        seen[0].ShouldNotBeNull().Items.Select(item => item.Name).ShouldBe(["web01"]);
        seen[1].ShouldBeSameAs(seen[0]);
        seen[2].ShouldNotBeSameAs(seen[0]);
        (await first.LookAsync()).ShouldBeSameAs(seen[0]);
    }

    [Fact]
    public async Task After_a_change_of_policy_everybody_is_told_and_goes_on_to_one_new_list()
    {
        using var policy = new ChangingPolicy();
        using var lists = new DeviceLists(policy, TimeProvider.System);
        var told = new List<string>();
        using var first = lists.Enter(RightPassword.Organization, Tina, () => told.Add("first"));
        using var second = lists.Enter(RightPassword.Organization, Tina, () => told.Add("second"));
        var before = await first.LookAsync();
        await second.LookAsync();

        policy.Change();

        told.ShouldBe(["first", "second"]);
        var after = await first.LookAsync();
        after.ShouldNotBeSameAs(before);
        after!.Snapshot.ShouldBeSameAs(policy.Current(RightPassword.Organization));
        (await second.LookAsync()).ShouldBeSameAs(after);
        told.Count.ShouldBe(2);
    }

    /// <summary>Time alone may have given or taken a device since.</summary>
    [Fact]
    public async Task Who_opens_a_picker_later_is_shown_no_old_list_and_the_others_go_on_to_theirs()
    {
        using var policy = new ChangingPolicy();
        var time = new FakeTime();
        using var lists = new DeviceLists(policy, time);
        var told = 0;
        using var first = lists.Enter(RightPassword.Organization, Tina, () => told++);
        var before = await first.LookAsync();
        time.Advance(DeviceLists.LongestUse - TimeSpan.FromTicks(1));
        using (var soon = lists.Enter(RightPassword.Organization, Tina, () => { })) (await soon.LookAsync()).ShouldBeSameAs(before);
        time.Advance(TimeSpan.FromTicks(1));
        (await first.LookAsync()).ShouldBeSameAs(before);
        told.ShouldBe(0);

        using var later = lists.Enter(RightPassword.Organization, Tina, () => { });
        var after = await later.LookAsync();

        after.ShouldNotBeSameAs(before);
        told.ShouldBe(1);
        (await first.LookAsync()).ShouldBeSameAs(after);
    }

    [Fact]
    public void Nothing_is_kept_of_who_has_none_open()
    {
        using var policy = new ChangingPolicy();
        using var lists = new DeviceLists(policy, TimeProvider.System);
        using (lists.Enter(RightPassword.Organization, Tina, () => { }))
        {
            using (lists.Enter(RightPassword.Organization, Tina, () => { })) lists.Holders.ShouldBe(1);
            lists.Holders.ShouldBe(1);
        }

        lists.Holders.ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_has_few_pickers_and_a_place_is_free_when_one_is_closed()
    {
        await using var door = Start(options => options, new Office());
        await using var tina = await SignInAsync(door, "tina");
        var open = new List<Picked>();
        for (var number = 0; number < OpenPickers.Most; number++)
        {
            open.Add(await OpenAsync(tina));
            await open[^1].Shows.WaitAsync(Patience, Cancellation);
        }

        var turnedAway = await OpenAsync(tina);
        (await turnedAway.Closed.WaitAsync(Patience, Cancellation)).ShouldContain("4 lists to choose from are open on this connection");
        await using (var second = await SignInAsync(door, "tina")) await (await OpenAsync(second)).Shows.WaitAsync(Patience, Cancellation);

        open[0].Channel!.Close();
        await UntilAsync(async () =>
        {
            var again = await OpenAsync(tina);
            return await Task.WhenAny(again.Shows, again.Closed).WaitAsync(Patience, Cancellation) == again.Shows;
        });
    }

    private static async Task<Picked> OpenAsync(SshClientConnection connection)
    {
        var picked = new Picked();
        var channel = await connection.OpenChannelAsync("session", default, picked, 1024 * 1024, Cancellation);
        picked.Channel = channel;
        (await channel.RequestAsync(SessionRequests.Pty, new PtyRequest("xterm", new(80, 24), []).Encode(), Cancellation)).ShouldBeTrue();
        (await channel.RequestAsync(SessionRequests.Shell, default, Cancellation)).ShouldBeTrue();
        return picked;
    }

    /// <summary>The client's end of a channel.</summary>
    private sealed class Picked : SshChannelHandler
    {
        private readonly System.Text.StringBuilder _text = new();
        private readonly TaskCompletionSource _shows = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SshChannel? Channel { get; set; }

        /// <summary>The list is there.</summary>
        public Task Shows => _shows.Task;

        /// <summary>All that was said.</summary>
        public Task<string> Closed => _closed.Task;

        public override void OnData(SshChannel channel, uint type, ReadOnlySpan<byte> data)
        {
            _text.Append(System.Text.Encoding.UTF8.GetString(data));
            if (_text.ToString().Contains("tina: devices", StringComparison.Ordinal)) _shows.TrySetResult();
        }

        public override void OnClosed(SshChannel channel) => _closed.TrySetResult(_text.ToString());
    }

    /// <summary>Policy of an <see cref="Office"/>, of which another version may come.</summary>
    private sealed class ChangingPolicy : IPolicySource, IDisposable
    {
        private PolicySnapshot _snapshot = ((IPolicySource)new Office()).Current(RightPassword.Organization)!;
        private Action<PolicySnapshot>? _changed;

        public PolicySnapshot? Current(OrganizationId organization) => organization == RightPassword.Organization ? _snapshot : null;

        public IDisposable OnChange(Action<PolicySnapshot> changed)
        {
            _changed = changed;
            return this;
        }

        public void Change()
        {
            _snapshot = _snapshot.Apply(new(RightPassword.Organization, _snapshot.Version, "another version", [new(null, new DeviceGroupRow(new(Guid.NewGuid()), null, "More"))]));
            _changed!(_snapshot);
        }

        public void Dispose() => _changed = null;
    }
}
