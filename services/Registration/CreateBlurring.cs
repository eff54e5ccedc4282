using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Options;
using Sloring.Contracts;
using Sloring.Contracts.Registration.V1;
using Sloring.Hosting;
using Sloring.Registration.Domain;

namespace Sloring.Registration;

/// <summary>The national wire's CreateBlurring: an activation, or an earlier end of the one in force (decision 18 says what stands for what it does not carry).</summary>
public sealed class CreateBlurring(Activate activate, IOptions<SoapOptions> soap, TimeProvider clock)
{
    public const string Name = nameof(CreateBlurring);

    public async Task<XElement> Handle(SoapCall call, CancellationToken cancel)
    {
        if (call.Text("patientId", "classification") != "CPR")
            throw new RejectedException(Rejections.CodeUnknown.For("classification"));
        var endsAt = EndOf(call.Text("endDateTime"));
        if (endsAt > DanishTime.AddDays(clock.GetUtcNow(), soap.Value.LongestDays))
            throw new RejectedException(Rejections.EndTooLate.For("endDateTime"));
        await activate.Handle(
            new ActivateRequest
            {
                IdempotencyKey = KeyOf(call),
                PatientCpr = call.Text("patientId", "id") ?? "",
                Trigger = MaskingRules.TriggerWords.First(trigger => trigger.Value == call.Client.Trigger).Key,
                EndsAt = endsAt.ToTimestamp(),
            },
            call.Caller, national: true, cancel);
        return new XElement(call.Payload + "CreateBlurringResponse", "OK");
    }

    /// <summary>The same client's same message is a repeat (rule M9), also with a newer ticket. Hashed: a MessageID may hold anything.</summary>
    private static string KeyOf(SoapCall call) =>
        "soap-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{call.Caller.ClientId}\n{call.Message.MessageId}")))[..48];

    /// <summary>A time without a zone is Danish. (Inferred.)</summary>
    private static DateTimeOffset EndOf(string? text)
    {
        try
        {
            var wallClock = SoapXml.ToDateTime(text);
            return wallClock.Kind == DateTimeKind.Unspecified ? DanishTime.ToUtc(wallClock) : XmlConvert.ToDateTimeOffset(text!);
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            throw new RejectedException(Rejections.DateInvalid.For("endDateTime"));
        }
    }
}
