namespace Countersign.Access.Tests;

public class DeviceTagTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly Sample _sample = new();

    [Fact]
    public void Tags_are_kept_small_sorted_and_once_each()
    {
        Edited(new(_sample.Web01) { Tags = ["Linux", "env:production", " linux "] }).Tags.ShouldBe("env:production,linux");
        DeviceTags.Read("env:production,linux").ShouldBe(["env:production", "linux"]);
        DeviceTags.Read("").ShouldBeEmpty();
    }

    [Fact]
    public void Tags_come_and_go_without_the_others_being_named()
    {
        _sample.Put(_sample.Snapshot.Device(_sample.Web01)! with { Tags = "a,b" });
        Edited(new(_sample.Web01) { AddedTags = ["C", "a"], RemovedTags = ["B", "none"] }).Tags.ShouldBe("a,c");
        Edited(new(_sample.Web01, Name: "web02")).Tags.ShouldBe("a,b");
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("a,b")]
    [InlineData("-a")]
    [InlineData("ä")]
    [InlineData("=1")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789")]
    public void What_is_no_tag_is_refused_beside_the_field(string tag) => Refused(new(_sample.Web01) { AddedTags = [tag] }).ShouldBe("tags");

    [Fact]
    public void A_device_has_a_bounded_number_of_tags()
    {
        string[] tags = [.. Enumerable.Range(0, DeviceTags.Most + 1).Select(number => $"t{number}")];
        Edited(new(_sample.Web01) { Tags = tags[1..] });
        Refused(new(_sample.Web01) { Tags = tags }).ShouldBe("tags");
        DeviceTags.TryWrite([.. Enumerable.Range(10, DeviceTags.Most).Select(number => $"{number}".PadRight(DeviceTags.Longest, 'x'))], out var longest, out _).ShouldBeTrue();
        longest.Length.ShouldBeLessThanOrEqualTo(DeviceTags.MaxLength);
    }

    [Fact]
    public void The_accounts_of_a_device_are_given_as_a_whole_the_first_is_the_default()
    {
        var policy = _sample.Snapshot;
        var after = policy.Apply(Plan(new(_sample.Web01) { Accounts = ["app", "root"] }).ShouldBeOfType<PlanResult.Planned>().Delta);
        after.AccountsOf(_sample.Web01).ShouldBe([new(_sample.Web01, "app", true), new(_sample.Web01, "root", false)]);
        Refused(new(_sample.Web01) { Accounts = ["a b"] }).ShouldBe("accounts");
    }

    private PlanResult Plan(PolicyCommand.EditDevice command) => _sample.Snapshot.Plan(command, _sample.Olga, At);

    private DeviceRow Edited(PolicyCommand.EditDevice command) =>
        _sample.Snapshot.Apply(Plan(command).ShouldBeOfType<PlanResult.Planned>().Delta).Device(_sample.Web01)!;

    private string Refused(PolicyCommand.EditDevice command) => Plan(command).ShouldBeOfType<PlanResult.Invalid>().Field;
}
