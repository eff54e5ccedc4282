using System.Xml.Linq;
using Google.Protobuf.WellKnownTypes;
using Sloring.Contracts.Pseudonym.V1;
using Sloring.Hosting;

namespace Sloring.Pseudonym;

/// <summary>The salt in use and the one to follow, for those who compute pseudonyms themselves (rule E3).</summary>
public sealed class GetCurrentSalt(Salts salts)
{
    public async Task<Salt> Handle(GetCurrentSaltRequest request, Caller caller, CancellationToken cancel) =>
        Answer(await salts.Current(caller.Actor, cancel));

    /// <summary>The same over the national wire. The names of the answer's elements are inferred.</summary>
    public async Task<XElement> Handle(SoapCall call, CancellationToken cancel) => new(
        call.Payload + "GetCurrentSaltResponse", new XElement(call.Payload + "salt", (await Handle(new GetCurrentSaltRequest(), call.Caller, cancel)).Value));

    internal static Salt Answer(OpenSalt salt) => new()
    {
        SaltId = salt.Id,
        Value = salt.Text,
        ValidFrom = Timestamp.FromDateTimeOffset(salt.ValidFrom),
        Next = salt.Next is { } next ? Answer(next) : null,
    };
}
