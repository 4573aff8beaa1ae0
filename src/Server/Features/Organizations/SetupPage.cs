using Countersign.Server.Platform;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Countersign.Server.Features.Organizations;

/// <summary>The form for the first organization: there only as long as nobody has sent it.</summary>
internal static class SetupPage
{
    private static readonly EmbeddedPage _page = new("SetupPage.html");

    public static Results<ContentHttpResult, ProblemHttpResult> Show(HttpContext context, OrganizationSetup setup) =>
        setup.IsOpen ? _page.Show(context) : Problems.NotFound();
}
