namespace Countersign.Access;

public static class Settings
{
}
