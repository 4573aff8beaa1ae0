using Countersign.Gateway.SshDoor;

namespace Countersign.Gateway.Tests;

public sealed class SshTargetTests
{
    [Theory]
    [InlineData("alice", "alice", null, null)]
    [InlineData("alice+web01", "alice", "web01", null)]
    [InlineData("alice+web01+root", "alice", "web01", "root")]
    [InlineData("alice+", "alice", null, null)]
    [InlineData("alice+web01+", "alice", "web01", null)]
    [InlineData("alice++root", "alice", null, "root")]
    [InlineData("", "", null, null)]
    [InlineData("+web01", "", "web01", null)]
    public void A_user_name_is_login_device_and_account(string user, string login, string? device, string? account) =>
        SshTarget.Parse(user).ShouldBe(new(login, device, account));

    [Fact]
    public void What_follows_the_second_plus_is_one_account_name() =>
        SshTarget.Parse("a+b+c+d").Account.ShouldBe("c+d");

    [Theory]
    [InlineData("alice+web\u001b[31m01", "web?[31m01")]
    [InlineData("alice+web\r\n01", "web??01")]
    [InlineData("alice+web\u009b01", "web?01")]
    [InlineData("alice+web\u202e10", "web?10")]
    [InlineData("alice+web\u2028\u200b01", "web??01")]
    [InlineData("alice+web\U000e004101", "web?01")]
    [InlineData("alice+web😀01", "web😀01")]
    public void Control_and_hidden_characters_become_question_marks(string user, string device) =>
        SshTarget.Parse(user).Device.ShouldBe(device);
}
