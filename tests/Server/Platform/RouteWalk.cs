namespace Countersign.Server.Tests.Platform;

/// <summary>Calls routes as one after the other. Whoever changed something leaves a fresh stage to the next.</summary>
internal sealed class RouteWalk(Tenant tenant, RouteBranches branches)
{
    private RouteStage? _stage;

    /// <summary>Leaves the stage as it is.</summary>
    public static bool IsAboutOneself(string pattern) => pattern.StartsWith("/api/v1/me/", StringComparison.Ordinal) || pattern is "/api/v1/me" or "/api/v1/sign-out";

    public async Task<IReadOnlyList<int>> AnswersAsync(string method, string pattern, IEnumerable<ApiCaller> callers)
    {
        var isReady = false;
        if (method != "GET") _stage = null;
        var answers = new List<int>();
        foreach (var caller in callers)
        {
            if (!isReady)
            {
                _stage ??= await RouteStage.SetAsync(tenant, branches);
                await _stage.PrepareAsync(tenant, pattern);
                isReady = true;
            }

            var status = (int)(await caller.SendAsync(new(method), _stage!.Path(method, pattern), _stage.Body(method, pattern))).Status;
            answers.Add(status);
            if (method == "GET" || status >= 300) continue;
            if (IsAboutOneself(pattern))
            {
                // The owner comes several times, and what they did away with is made once more.
                isReady = !pattern.Contains('{', StringComparison.Ordinal);
                continue;
            }

            (isReady, _stage) = (false, null);
        }

        if (pattern is "/api/v1/sign-out" or "/api/v1/me/sign-ins") await tenant.SignInAgainAsync();
        if (pattern.StartsWith("/api/v1/me/passkeys/", StringComparison.Ordinal)) await tenant.RemovePasskeysAsync();
        return answers;
    }
}
