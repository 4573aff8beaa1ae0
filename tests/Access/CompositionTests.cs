using System.Security.Cryptography;
using System.Text;

namespace Countersign.Access.Tests;

/// <summary>What looks the same is the same.</summary>
public class CompositionTests
{
    private const string Composed = "Caf\u00e9", Apart = "Cafe\u0301";

    private readonly Sample _sample = new();

    [Theory]
    [InlineData("Cafe", "Cafe")]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("\u212b", "\u00c5")] // Angstrom
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // marks below before those above
    [InlineData("d\u0307\u0323", "\u1e0d\u0307")]
    [InlineData("e\u0301\u0301", "\u00e9\u0301")] // of one class: the second is not composed
    [InlineData("\u1100\u1161\u11a8", "\uac01")]
    [InlineData("\uac00\u11a8", "\uac01")]
    [InlineData("\u0958", "\u0915\u093c")] // never composed
    [InlineData("\U0001d15e", "\U0001d157\U0001d165")]
    [InlineData("\u0301e", "\u0301e")]
    public void Letters_are_composed_in_one_way(string text, string composed)
    {
        Names.Composed(text).ShouldBe(composed);
        Names.Composed(composed).ShouldBe(composed);
    }

    [Fact]
    public void Half_a_character_becomes_one_that_no_name_has() => Names.Composed("\u00e9\ud800\u0301").ShouldBe("\u00e9\ufffd\u0301");

    /// <summary>The digest is of what CPython's unicodedata, version 14.0.0, makes of the same texts.</summary>
    [Fact]
    public void All_characters_and_many_sequences_are_composed_as_another_implementation_does()
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var character = 0x300; character < 0x30000; character++)
        {
            if (!Rune.TryCreate(character, out var rune)) continue;
            foreach (var text in (string[])[$"{rune}", $"a{rune}", $"{rune}\u0301\u0323"]) Add(text);
        }

        (int First, int Count)[] ranges =
        [
            (0x41, 26), (0xC0, 0x140), (0x300, 0x70), (0x385, 0x50), (0x591, 0x40), (0x915, 0x40), (0x1100, 0x100), (0x11A8, 27), (0xAC00, 11172), (0x1E00, 0x200), (0x300, 0x70), (0x1D165, 16),
        ];
        for (var number = 0; number < 200_000; number++)
        {
            Add(string.Concat(((int[])[1, 3, 7, 31, 131]).Select(step =>
            {
                var (first, count) = ranges[((number / step) + (step * number)) % ranges.Length];
                return new Rune(first + (number * (step + 13) % count)).ToString();
            })));
        }

        Convert.ToHexStringLower(digest.GetHashAndReset()).ShouldBe("854229927600c58ff40f3b11309b149b5e4972e7ec69e4d3dc2fb36835325426");

        void Add(string text) => digest.AppendData(Encoding.UTF8.GetBytes(Names.Composed(text) + "\n"));
    }

    [Fact]
    public void The_process_has_no_tables_of_its_own_to_do_it_with() => Apart.Normalize(NormalizationForm.FormC).ShouldBe(Apart, "it has, and they are to be used");

    [Fact]
    public void A_name_is_kept_composed()
    {
        var (group, role) = (new TechnicianGroupId(_sample.Next()), new RoleId(_sample.Next()));
        var policy = Apply(_sample.Snapshot, Group(group, Apart));
        policy.Find(new(PolicyTable.TechnicianGroup, group.Value)).ShouldBeOfType<TechnicianGroupRow>().Name.ShouldBe(Composed);
        policy = Apply(policy, new PolicyCommand.AddRole(role, Apart, RolePurpose.DevicesAndGroups, PermissionSet.Of(Permission.Chat)));
        policy.Role(role)!.Name.ShouldBe(Composed);
        policy = Apply(policy, new PolicyCommand.EditDevice(_sample.Web01, Description: Apart));
        policy.Device(_sample.Web01)!.Description.ShouldBe(Composed);
    }

    [Theory]
    [InlineData(Composed, Apart)]
    [InlineData(Apart, Composed)]
    [InlineData(Composed, "Cafe\u200d\u0301")]
    public void Two_ways_of_writing_one_name_are_one_name(string first, string second)
    {
        var policy = Apply(_sample.Snapshot, Group(new(_sample.Next()), first));
        policy.Plan(Group(new(_sample.Next()), second), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
        policy = Apply(policy, new PolicyCommand.AddDeviceGroup(new(_sample.Next()), null, first));
        policy.Plan(new PolicyCommand.AddDeviceGroup(new(_sample.Next()), null, second), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
        policy = Apply(policy, new PolicyCommand.AddExternalGroup(new(_sample.Next()), first, ""));
        policy.Plan(new PolicyCommand.AddExternalGroup(new(_sample.Next()), second, ""), _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Conflict>();
    }

    [Theory]
    [InlineData(Composed, Apart)]
    [InlineData(Apart, Composed)]
    public void Devices_are_found_by_either(string written, string sought)
    {
        var policy = Apply(_sample.Snapshot, new PolicyCommand.EditDevice(_sample.Web01, Description: written));
        policy = Apply(policy, new PolicyCommand.EditDeviceGroup(_sample.Servers, null, written));
        foreach (var text in (string[])[sought, $"group:{sought}"])
        {
            DeviceQuery.TryParse(text, out var query, out _).ShouldBeTrue();
            policy.Search(_sample.Olga, query, Sample.Noon).Count().ShouldBe(1, text);
        }
    }

    [Fact]
    public void A_name_has_at_most_200_characters_once_it_is_composed()
    {
        var letters = string.Concat(Enumerable.Repeat("e\u0301", 200));
        Names.IsName(letters).ShouldBeTrue();
        Names.IsName(letters + "e").ShouldBeFalse();
        Names.IsName(new string('\u0301', 1_000_000)).ShouldBeFalse();
    }

    private PolicyCommand.AddTechnicianGroup Group(TechnicianGroupId id, string name) => new(id, _sample.Everyone, name, "", true, false, GroupConsent.None, false);

    private PolicySnapshot Apply(PolicySnapshot policy, PolicyCommand command) =>
        policy.Apply(policy.Plan(command, _sample.Olga, Sample.Noon).ShouldBeOfType<PlanResult.Planned>().Delta);
}
