using Countersign.Server.Features.Sessions;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Countersign.Server.Tests.Api;

/// <summary>What keeps a session from beginning now, and is told as such, and what is a fault.</summary>
public sealed class LedgerAwayTests
{
    [Theory]
    [InlineData(5, true)]
    [InlineData(7, true)]
    [InlineData(10, true)]
    [InlineData(13, true)]
    [InlineData(1, false)]
    [InlineData(11, false)]
    [InlineData(19, false)]
    public void A_database_that_takes_nothing_now_is_told_from_a_fault_however_it_comes(int code, bool isAway)
    {
        var cause = new SqliteException("", code);
        SessionLedger.IsAway(cause).ShouldBe(isAway);
        SessionLedger.IsAway(new DbUpdateException("", cause)).ShouldBe(isAway);
        SessionLedger.IsAway(new DbUpdateException("", new DbUpdateException("", cause))).ShouldBe(isAway);
    }

    [Fact]
    public void What_the_database_says_nothing_of_is_a_fault() => SessionLedger.IsAway(new InvalidOperationException()).ShouldBeFalse();
}
