namespace Countersign.Access;

public sealed class WeeklyHours
{
    public static bool TryParse(string text, out WeeklyHours? hours) => throw new NotImplementedException();
}
