using System.Diagnostics;
using Countersign.Access;

namespace Countersign.Bench.Access;

/// <summary>The access engine at the sizes that its model names: decisions, compiling, changes, listings.</summary>
internal static class AccessBenchmark
{
    private const int Questions = 1 << 20;

    public static async Task<List<Figure>> RunAsync()
    {
        var organization = new LargeOrganization(people: 10_000, devices: 100_000, grants: 200_000, overrides: 10_000);
        var figures = new List<Figure>();
        if (Parts.Wanted("compile"))
        {
            // First, as when a server starts: no other policy is held, which each collection would have to go through.
            figures.Add(Figure.AtMost("compile.ms", Median(5, () => Time(() => PolicySnapshot.Compile(LargeOrganization.Organization, 1, organization.Rows))), "ms", 1000));
        }

        var policy = PolicySnapshot.Compile(LargeOrganization.Organization, 1, organization.Rows);
        if (Parts.Wanted("decide")) figures.AddRange(Deciding(organization, policy));
        if (Parts.Wanted("change")) figures.AddRange(Changing(organization, policy));
        if (Parts.Wanted("listings")) figures.AddRange([.. Listings(organization, policy), .. ForceAtTheRoot(organization, policy)]);
        if (Parts.Wanted("audience")) figures.AddRange(Audiences(organization, policy));
        if (Parts.Wanted("peers")) figures.AddRange(await PeerComparison.RunAsync(organization, policy));
        return figures;
    }

    private static IEnumerable<Figure> Deciding(LargeOrganization organization, PolicySnapshot policy)
    {
        var questions = organization.RandomQuestions(Questions, seed: 1);
        var random = Decisions(policy, questions);
        var map = LookUps(policy, questions);
        yield return Figure.AtMost("decide.hot.ns", Hot(policy, questions), "ns", 150);
        yield return Figure.AtMost("decide.random.ns", random, "ns", 500);
        yield return Figure.AtMost("decide.random.p99.ns", Percentile(policy, questions), "ns", 2000);
        yield return Figure.AtMost("decide.bytes", Bytes(policy, questions), "B", 0);
        yield return Figure.AtMost("decide.vs_map", random / map, "ratio", 3);
        yield return Figure.AtMost("decide.heavy_person.ns", Decisions(policy, Heavy(organization)), "ns", 2 * random);
        var larger = new LargeOrganization(people: 10_000, devices: 1_000_000, grants: 200_000, overrides: 10_000);
        var million = PolicySnapshot.Compile(LargeOrganization.Organization, 1, larger.Rows);
        yield return Figure.AtMost("decide.1m_devices.ns", Decisions(million, larger.RandomQuestions(Questions, seed: 1)), "ns", 1.5 * random);
    }

    private static IEnumerable<Figure> Changing(LargeOrganization organization, PolicySnapshot policy)
    {
        var changes = Changes.Run(organization, policy);
        return [Figure.AtMost("change.ms", changes.Max(change => change.Milliseconds), "ms", 5), .. changes.Select(change => Figure.Plain($"change.{change.Name}.ms", change.Milliseconds, "ms"))];
    }

    /// <summary>Nanoseconds for each of a few questions that are asked again and again.</summary>
    private static double Hot(PolicySnapshot policy, AccessQuestion[] questions) => Decisions(policy, [.. Enumerable.Repeat(questions.Take(16), 4096).SelectMany(few => few)]);

    private static double Decisions(PolicySnapshot policy, AccessQuestion[] questions)
    {
        var best = Ask(policy, questions);
        return Math.Min(best, Median(9, () => Ask(policy, questions)));
    }

    /// <summary>Nanoseconds for each question, in one pass over all.</summary>
    public static double Ask(PolicySnapshot policy, AccessQuestion[] questions)
    {
        var allowed = 0;
        var start = Stopwatch.GetTimestamp();
        foreach (ref readonly var question in questions.AsSpan())
        {
            if (policy.Decide(question).Kind == DecisionKind.Allowed) allowed++;
        }

        var spent = Stopwatch.GetElapsedTime(start).TotalNanoseconds / questions.Length;
        return allowed >= 0 ? spent : throw new InvalidOperationException();
    }

    private static double Percentile(PolicySnapshot policy, AccessQuestion[] questions)
    {
        var ticks = new long[questions.Length];
        for (var index = 0; index < questions.Length; index++)
        {
            var start = Stopwatch.GetTimestamp();
            policy.Decide(questions[index]);
            ticks[index] = Stopwatch.GetTimestamp() - start;
        }

        Array.Sort(ticks);
        return ticks[ticks.Length * 99 / 100] * (1e9 / Stopwatch.Frequency);
    }

    private static double Bytes(PolicySnapshot policy, AccessQuestion[] questions)
    {
        Ask(policy, questions);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Ask(policy, questions);
        return (double)(GC.GetAllocatedBytesForCurrentThread() - before) / questions.Length;
    }

    /// <summary>Nanoseconds to look the same questions up in a map that holds their answers.</summary>
    private static double LookUps(PolicySnapshot policy, AccessQuestion[] questions)
    {
        var map = new Dictionary<(PersonId, DeviceId, ulong), AccessDecision>();
        foreach (var question in questions) map[(question.Subject, question.Device, question.Wanted.Bits)] = policy.Decide(question);
        return Median(9, () =>
        {
            var allowed = 0;
            var start = Stopwatch.GetTimestamp();
            foreach (ref readonly var question in questions.AsSpan())
            {
                if (map[(question.Subject, question.Device, question.Wanted.Bits)].Kind == DecisionKind.Allowed) allowed++;
            }

            var spent = Stopwatch.GetElapsedTime(start).TotalNanoseconds / questions.Length;
            return allowed >= 0 ? spent : throw new InvalidOperationException();
        });
    }

    private static AccessQuestion[] Heavy(LargeOrganization organization)
    {
        var random = new Random(2);
        var devices = organization.HeavyDevices;
        return [.. Enumerable.Range(0, Questions).Select(_ => LargeOrganization.Ask(organization.Heavy, devices[random.Next(devices.Count)], Permission.Terminal))];
    }

    private static IEnumerable<Figure> Listings(LargeOrganization organization, PolicySnapshot policy)
    {
        var random = new Random(3);
        var people = Enumerable.Range(0, 60).Select(_ => organization.People[random.Next(organization.People.Count)]).ToList();
        var devices = Enumerable.Range(0, 60).Select(_ => organization.Devices[random.Next(organization.Devices.Count)]).ToList();
        long listed = 0, reached = 0;
        var ofPeople = Warm(() => listed = people.Sum(person => (long)policy.DevicesOf(person, LargeOrganization.Noon).Count));
        var ofDevices = Warm(() => reached = devices.Sum(device => (long)policy.PeopleOf(device, LargeOrganization.Noon).Count));
        yield return Figure.Plain("devices_of.ns_per_device", ofPeople * 1e6 / listed, "ns");
        yield return Figure.AtMost("people_of.ms_per_1000", ofDevices * 1000 / reached, "ms", 1);
    }

    /// <summary>
    /// Who is told of an event at a device, which is worked out on the one writer: the slowest of sixty devices. <c>all</c>: of those who hold what the role of Everyone
    /// gives everybody on all devices.
    /// </summary>
    private static IEnumerable<Figure> Audiences(LargeOrganization organization, PolicySnapshot policy)
    {
        var random = new Random(4);
        var devices = Enumerable.Range(0, 60).Select(_ => organization.Devices[random.Next(organization.Devices.Count)]).ToList();
        foreach (var (name, recipient) in ((string, string)[])[("master", "master"), ("managers", "managers"), ("holders", "holders:ConnectionHistory"), ("all", "holders:RequestAccess")])
        {
            var told = policy.Apply(((PlanResult.Planned)policy.Plan(
                new PolicyCommand.SetSetting(SettingNode.Organization, SettingKind.Notifications, $"session.began: {recipient}"), organization.Owner, LargeOrganization.Noon)).Delta);
            var most = devices.Max(device => told.NotificationsFor(device, "session.began", organization.Heavy, LargeOrganization.Noon).People.Count);
            var slowest = devices.Max(device => Warm(() => told.NotificationsFor(device, "session.began", organization.Heavy, LargeOrganization.Noon)));
            yield return Figure.AtMost($"audience.{name}.ms", slowest, "ms", 5);
            yield return Figure.Plain($"audience.{name}.people", most, "people");
        }
    }

    /// <summary>The preview of a setting that is forced from the root down, removing overrides everywhere.</summary>
    private static IEnumerable<Figure> ForceAtTheRoot(LargeOrganization organization, PolicySnapshot policy)
    {
        var force = new PolicyCommand.ForceSetting(SettingNode.Organization, SettingKind.MaxSession, "4h");
        var planned = (PlanResult.Planned)policy.Plan(force, organization.Owner, LargeOrganization.Noon);
        var after = policy.Apply(planned.Delta);
        PolicyDifference? difference = null;
        yield return Figure.AtMost("diff.force_root.ms", Warm(() => difference = PolicySnapshot.Diff(policy, after)), "ms", 500);
        yield return Figure.Plain("diff.force_root.pairs", difference!.Pairs, "pairs");
        yield return Figure.Plain("diff.force_root.rectangles", difference.Rectangles.Count, "rectangles");
    }

    /// <summary>The median of nine, after as many off the clock, in which the runtime compiles what runs for good.</summary>
    private static double Warm(Action act)
    {
        for (var round = 0; round < 9; round++) act();
        return Median(9, () => Time(act));
    }

    public static double Time(Action act)
    {
        var start = Stopwatch.GetTimestamp();
        act();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    public static double Median(int times, Func<double> measure)
    {
        var values = Enumerable.Range(0, times).Select(_ => measure()).Order().ToList();
        return values[times / 2];
    }
}
