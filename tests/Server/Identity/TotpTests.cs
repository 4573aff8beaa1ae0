using System.Text;
using Countersign.Server.Features.Identity;

namespace Countersign.Server.Tests.Identity;

public sealed class TotpTests
{
    private static readonly byte[] Secret = Encoding.ASCII.GetBytes("12345678901234567890");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_111_111_111);

    /// <summary>RFC 6238 appendix B; its eight digits end with our six.</summary>
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1_111_111_109, "081804")]
    [InlineData(1_111_111_111, "050471")]
    [InlineData(1_234_567_890, "005924")]
    [InlineData(2_000_000_000, "279037")]
    [InlineData(20_000_000_000, "353130")]
    public void Codes_are_those_of_the_standard(long seconds, string code) =>
        Totp.Code(Secret, Totp.StepAt(DateTimeOffset.FromUnixTimeSeconds(seconds))).ShouldBe(code);

    [Theory]
    [InlineData(-2, false)]
    [InlineData(-1, true)]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void A_code_may_be_one_step_early_or_late(int steps, bool taken)
    {
        var step = Totp.StepAt(Now) + steps;
        Totp.Match(Secret, Totp.Code(Secret, step), Now, lastUsed: 0).ShouldBe(taken ? step : null);
    }

    [Fact]
    public void A_code_is_not_taken_again_nor_one_before_it()
    {
        var step = Totp.StepAt(Now);
        Totp.Match(Secret, Totp.Code(Secret, step), Now, step).ShouldBeNull();
        Totp.Match(Secret, Totp.Code(Secret, step - 1), Now, step).ShouldBeNull();
        Totp.Match(Secret, Totp.Code(Secret, step + 1), Now, step).ShouldBe(step + 1);
    }

    /// <summary>RFC 4648 section 10, as far as nothing is left over.</summary>
    [Theory]
    [InlineData("fooba", "MZXW6YTB")]
    [InlineData("foobafooba", "MZXW6YTBMZXW6YTB")]
    public void Secrets_are_written_in_base32(string text, string written) => Base32.Encode(Encoding.ASCII.GetBytes(text)).ShouldBe(written);

    [Theory]
    [InlineData("123456", "Authenticator")]
    [InlineData(" 123 456 ", "Authenticator")]
    [InlineData("12345", "Neither")]
    [InlineData("1234567", "Neither")]
    [InlineData("١٢٣٤٥٦", "Neither")]
    [InlineData("", "Neither")]
    [InlineData("abcd-efgh-ijkl-mn23", "Recovery")]
    [InlineData("ABCDEFGHIJKLMN23", "Recovery")]
    [InlineData("abcd-efgh-ijkl-mn01", "Neither")]
    [InlineData("abcd-efgh-ijkl-mn2", "Neither")]
    public void What_is_typed_is_read_with_spaces_hyphens_and_in_either_case(string typed, string kind) =>
        SecondFactorCode.Read(typed).Kind.ToString().ShouldBe(kind);

    [Fact]
    public void A_recovery_code_that_was_made_can_be_read_and_is_not_made_twice()
    {
        var codes = Enumerable.Range(0, 100).Select(_ => RecoveryCodes.Make()).ToList();
        codes.ShouldAllBe(code => SecondFactorCode.Read(code).Kind == CodeKind.Recovery);
        codes.Distinct().Count().ShouldBe(100);
    }
}
