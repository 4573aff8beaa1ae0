namespace Countersign.Access;

public static class PermissionCatalogue
{
}
