using System.Net;

namespace Sloring.Hosting;

/// <summary>The network that an address lies in.</summary>
internal static class Network
{
    /// <summary>In CIDR notation; an IPv4 address that came in IPv6's form is one of IPv4. Null for none.</summary>
    /// <param name="address">The address.</param>
    /// <param name="bits4">Length of an IPv4 network's prefix, whole bytes.</param>
    /// <param name="bits6">Length of an IPv6 network's prefix, whole bytes.</param>
    public static string? Of(IPAddress? address, int bits4, int bits6)
    {
        if (address is null)
            return null;
        var bytes = (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).GetAddressBytes();
        var bits = bytes.Length == 4 ? bits4 : bits6;
        Array.Clear(bytes, bits / 8, bytes.Length - (bits / 8));
        return $"{new IPAddress(bytes)}/{bits}";
    }
}
