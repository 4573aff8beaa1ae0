using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Countersign.Access.Tests.Naive;

/// <summary>Two-factor required, allowed networks: the organization's, for everybody who asks.</summary>
internal sealed partial class NaivePolicy
{
    private DenialReason SignInRule(AccessQuestion question)
    {
        if (question.SignIn == SignInStrength.None) return DenialReason.NotSignedIn;
        var networks = Setting(SettingNode.Organization, SettingKind.AllowedNetworks).Value;
        if (networks != "none" && !(question.Source is { } source && networks.Split(", ").Any(network => IsWithin(source, network)))) return DenialReason.NetworkNotAllowed;
        var required = Setting(SettingNode.Organization, SettingKind.TwoFactorRequired).Value == "true";
        return required && question.SignIn == SignInStrength.OneFactor ? DenialReason.TwoFactorMissing : DenialReason.None;
    }

    /// <summary>Bit by bit. An address of IPv4 that is dressed as one of IPv6 is taken for what it is.</summary>
    private static bool IsWithin(IPAddress source, string network)
    {
        var (first, length) = network.Split('/') is [var address, var digits] ? (IPAddress.Parse(address), int.Parse(digits, CultureInfo.InvariantCulture)) : throw new FormatException(network);
        if (source.IsIPv4MappedToIPv6) source = source.MapToIPv4();
        return source.AddressFamily == first.AddressFamily && Bits(source)[..length] == Bits(first)[..length];
    }

    private static string Bits(IPAddress address)
    {
        (address.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6).ShouldBeTrue();
        return string.Concat(address.GetAddressBytes().Select(part => Convert.ToString(part, 2).PadLeft(8, '0')));
    }
}
