namespace Countersign.Server.Tests.Platform;

/// <summary>Calls routes as one after the other. Whoever changed something leaves a fresh stage to the next.</summary>
internal sealed class RouteWalk(Tenant tenant, Tenant other, RouteBranches branches)
{
    /// <summary>Who may see nothing of a stage, in whatever list.</summary>
    private static readonly string[] Blind = [RouteCallers.OtherOwner, RouteCallers.Nobody, RouteCallers.Contact];

    /// <summary>What is no secret: which roles there are.</summary>
    private static readonly string[] NoSecret = ["/api/v1/roles", "/api/v1/roles/{id}"];

    private RouteStage? _stage;

    /// <summary>Routes that show the owner something of a stage.</summary>
    public HashSet<string> ShownToTheOwner { get; } = [];

    /// <summary>Leaves the stage as it is.</summary>
    public static bool IsAboutOneself(string pattern) => pattern.StartsWith("/api/v1/me/", StringComparison.Ordinal) || pattern is "/api/v1/me" or "/api/v1/sign-out";

    public async Task<IReadOnlyList<int>> AnswersAsync(string method, string pattern, IEnumerable<(string Name, ApiCaller Caller)> callers)
    {
        var isReady = false;
        if (method != "GET") _stage = null;
        var answers = new List<int>();
        foreach (var (name, caller) in callers)
        {
            if (!isReady)
            {
                _stage ??= await RouteStage.SetAsync(tenant, branches);
                await _stage.PrepareAsync(tenant, pattern);
                isReady = true;
            }

            var answer = await caller.SendAsync(new(method), _stage!.Path(method, pattern), _stage.Body(method, pattern));
            var status = (int)answer.Status;
            answers.Add(status);
            if (method == "GET" && status == 200) LookAt(name, pattern, answer.Text);
            if (method == "GET" || status >= 300) continue;
            if (IsAboutOneself(pattern))
            {
                // The owner comes several times, and what they did away with is made once more.
                isReady = !pattern.Contains('{', StringComparison.Ordinal);
                continue;
            }

            (isReady, _stage) = (false, null);
        }

        if (pattern is "/api/v1/sign-out" or "/api/v1/me/sign-ins")
        {
            await tenant.SignInAgainAsync();
            await other.SignInAgainAsync();
        }

        if (pattern.StartsWith("/api/v1/me/passkeys/", StringComparison.Ordinal)) await tenant.RemovePasskeysAsync();
        return answers;
    }

    /// <summary>A list answers everybody: what counts is what is in it.</summary>
    private void LookAt(string name, string pattern, string text)
    {
        var shown = _stage!.Names.Where(part => text.Contains(part.Value, StringComparison.OrdinalIgnoreCase)).Select(part => part.Name).ToList();
        if (name == RouteCallers.Owner && shown.Count > 0) ShownToTheOwner.Add(pattern);
        if (Blind.Contains(name) && !NoSecret.Contains(pattern)) shown.ShouldBeEmpty($"{pattern} shows {name}");
    }
}
