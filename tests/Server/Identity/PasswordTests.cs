using Countersign.Server.Features.Identity;

namespace Countersign.Server.Tests.Identity;

public sealed class PasswordTests
{
    private static readonly SignInLimits _cheap = new() { PasswordIterations = 1000 };

    [Theory]
    [InlineData("correct horse battery")]
    [InlineData("3xK!9qLm#Wz2")]
    [InlineData("Kx7-mountain-otter-lamp")]
    public void A_good_password_is_accepted(string password) => PasswordRules.Problem(password, PasswordRules.UsualScore, "bob", "Bob Builder", "bob@example.org").ShouldBeNull();

    [Theory]
    [InlineData("", "at least 12")]
    [InlineData("3xK!9qLm#Wz", "at least 12")]
    [InlineData("password1234!", "too easy")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaa", "too easy")]
    [InlineData("qwertyuiop12", "too easy")]
    [InlineData("builder.builder", "too easy")]
    [InlineData("horse BOB-1 battery staple", "login")]
    public void A_bad_password_is_refused_with_a_reason(string password, string reason) =>
        PasswordRules.Problem(password, PasswordRules.UsualScore, "bob-1", "Bob Builder", "bob@example.org").ShouldNotBeNull().ShouldContain(reason);

    [Fact]
    public void The_longest_password_is_judged_and_a_longer_one_refused()
    {
        var words = string.Concat(Enumerable.Range(0, 100).Select(number => $"w{number:x}Q!"))[..256];
        PasswordRules.Problem(words, PasswordRules.UsualScore, "bob").ShouldBeNull();
        PasswordRules.Problem(words + "x", PasswordRules.UsualScore, "bob").ShouldNotBeNull().ShouldContain("at most 256");
    }

    [Fact]
    public async Task A_hash_of_fewer_rounds_costs_as_many_as_one_of_today()
    {
        using var before = new PasswordHashing(_cheap);
        using var today = new PasswordHashing(_cheap with { PasswordIterations = 2500 });
        var old = await before.HashAsync("correct horse battery", TestContext.Current.CancellationToken);
        today.RoundsShort(old).ShouldBe(1500);
        today.RoundsShort(await today.HashAsync("correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(0);
        before.RoundsShort(await today.HashAsync("correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(0);
        today.RoundsShort("no hash").ShouldBe(0);
        (await today.VerifyAsync(old, "correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.RightButOutdated);
        today.RoundsSpent.ShouldBe(2500);
        (await today.VerifyAsync(old, "another", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Wrong);
        today.RoundsSpent.ShouldBe(5000);
    }

    [Fact]
    public async Task A_login_that_nobody_has_costs_as_much_as_a_wrong_password_and_a_right_one()
    {
        using var hashing = new PasswordHashing(_cheap);
        var hash = await hashing.HashAsync("correct horse battery", TestContext.Current.CancellationToken);
        foreach (var (kept, password) in ((string?, string)[])[(null, "correct horse battery"), (hash, "another"), (hash, "correct horse battery")])
        {
            var before = hashing.RoundsSpent;
            await hashing.VerifyAsync(kept, password, TestContext.Current.CancellationToken);
            (hashing.RoundsSpent - before).ShouldBe(1000);
        }
    }

    [Fact]
    public async Task A_hash_verifies_its_password_and_no_other()
    {
        using var hashing = new PasswordHashing(_cheap);
        var hash = await hashing.HashAsync("correct horse battery", TestContext.Current.CancellationToken);
        hash.ShouldNotContain("horse");
        (await hashing.VerifyAsync(hash, "correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Right);
        (await hashing.VerifyAsync(hash, "correct horse batterz", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Wrong);
        (await hashing.VerifyAsync(null, "correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Wrong);
    }

    [Fact]
    public void The_default_of_the_iterations_is_what_is_recommended() => new SignInLimits().PasswordIterations.ShouldBe(210_000);

    [Fact]
    public async Task The_hash_says_the_iterations_that_were_set()
    {
        using var hashing = new PasswordHashing(_cheap);
        var hash = Convert.FromBase64String(await hashing.HashAsync("correct horse battery", TestContext.Current.CancellationToken));
        // Version 3 of the format: marker, pseudo-random function (2: HMAC-SHA-512), iterations.
        hash[0].ShouldBe((byte)1);
        System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(1)).ShouldBe(2);
        System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(hash.AsSpan(5)).ShouldBe(1000);
    }

    [Fact]
    public async Task A_hash_with_fewer_iterations_is_right_but_outdated()
    {
        using var old = new PasswordHashing(_cheap);
        using var hashing = new PasswordHashing(_cheap with { PasswordIterations = 1001 });
        var hash = await old.HashAsync("correct horse battery", TestContext.Current.CancellationToken);
        (await hashing.VerifyAsync(hash, "correct horse battery", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.RightButOutdated);
        (await hashing.VerifyAsync(hash, "wrong", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Wrong);
    }

    [Fact]
    public async Task Beyond_the_queue_passwords_are_refused_at_once_and_afterwards_served_again()
    {
        using var hashing = new PasswordHashing(_cheap with { PasswordIterations = 300_000, Verifications = 1, WaitingVerifications = 2 });
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => hashing.VerifyAsync(null, "wrong", TestContext.Current.CancellationToken)));
        answers.ShouldContain(PasswordCheck.Busy);
        answers.ShouldContain(PasswordCheck.Wrong);
        (await hashing.VerifyAsync(null, "wrong", TestContext.Current.CancellationToken)).ShouldBe(PasswordCheck.Wrong);
    }

    [Fact]
    public void A_token_is_recognized_by_its_own_text_only()
    {
        var token = TokenText.Make();
        token.ShouldStartWith("cst_");
        token.Length.ShouldBe(47);
        TokenText.Make().ShouldNotBe(token);
        TokenText.Hash(token).ShouldBe(TokenText.Hash(token));
        TokenText.Hash(token).ShouldNotBe(TokenText.Hash(TokenText.Make()));
        foreach (var other in new[] { "", "cst_", token[4..], token + "A", token[..^1], "CST_" + token[4..], token[..^1] + "ä", token[..^1] + " ", token[..^1] + "+" }) TokenText.Hash(other).ShouldBeNull();
    }
}
