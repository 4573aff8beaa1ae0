namespace Countersign.Access;

public static class SystemRoles
{
}
