using Microsoft.Data.Sqlite;

namespace Countersign.Server.Platform.Persistence;

/// <summary>What the database itself says of a failure, however it was wrapped on its way.</summary>
internal static class DatabaseFailure
{
    /// <summary>Null: it is no failure of the database.</summary>
    public static SqliteException? Cause(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (cause is SqliteException database) return database;
        }

        return null;
    }
}
