using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Mvc;
using Sloring.Contracts;
using Sloring.Contracts.Effectuation.V1;
using Sloring.Hosting;

namespace Sloring.Portal.Pages;

/// <summary>The log of the citizen, or of those whom they act for, as the national log shows it. The masking follows the patient whose log it is (rule E4).</summary>
public sealed class LogModel(LogSources sources, CitizenView view, Sealer sealer, ILogger<LogModel> log) : PortalPage
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Whose logs this person may see.</summary>
    public IReadOnlyList<PatientSeen> Patients { get; private set; } = [];

    /// <summary>Which of them is shown: its place in <see cref="Patients"/>, so that no address holds a CPR number.</summary>
    [BindProperty(SupportsGet = true)]
    public int Of { get; set; }

    /// <summary>From 0, the newest.</summary>
    [BindProperty(SupportsGet = true)]
    public int At { get; set; }

    /// <summary>Null where nothing can be shown.</summary>
    public MaskedLog? Log { get; private set; }

    /// <summary>Sources that gave no log.</summary>
    public IReadOnlyList<string> Away { get; private set; } = [];

    /// <summary>Somebody can be asked for logs: without, an empty page says nothing about the patient.</summary>
    public bool HasSources => sources.Any;

    /// <summary>Why there is no log; null where there is one.</summary>
    public Rejection? Unavailable { get; private set; }

    public async Task<IActionResult> OnGetAsync(CancellationToken cancel)
    {
        // No claim: the token service does not know the portal for a citizen-facing view. One that cannot be opened: its key is gone.
        if (User.FindFirst(Hosting.Patients.Claim) is not { } claim)
            return Refusal.Show(Rejections.NotAllowed);
        if (!Hosting.Patients.TryOpen(sealer, claim.Value, out var patients))
            throw new RejectedException(Rejections.TokenMissing);
        Patients = patients;
        if (Of < 0 || Of >= patients.Count || At < 0 || !ModelState.IsValid)
            return Refusal.Show(Rejections.NotHere);
        try
        {
            var patient = patients[Of].Cpr;
            (var unmasked, Away) = await sources.Read(patient, cancel);
            Log = await unmasked.Mask(view.Effectuation, patient, At, DateTime.UtcNow + Patience, cancel);
        }
        catch (RpcException e) when (!cancel.IsCancellationRequested)
        {
            // Rule E7: without an answer there is no name to show. Whatever it is, it is not for a citizen to mend.
            log.LogWarning("A citizen's log cannot be shown: {Status}", e.StatusCode);
            Unavailable = Refusal.Of(e);
            Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        }
        return Page();
    }

    /// <summary>What stands on the choice of a patient: the day of birth, which whoever acts for them knows, and no more of the number.</summary>
    public string NameOf(PatientSeen patient) => patient.IsOwn ? Wording.OwnLog : Show.Filled(Wording.LogOfOther, BirthOf(patient));

    private static string BirthOf(PatientSeen patient) => string.Create(CultureInfo.InvariantCulture, $"{patient.Cpr.Digits.AsSpan(0, 6)}-••••");

    /// <summary>What somebody did, in the reader's language where the source uses the national log's words.</summary>
    public static string PartOf(string role) => role switch
    {
        "responsible" => Wording.StaffResponsible,
        "user" => Wording.StaffUser,
        "" => Wording.StaffOther,
        _ => role,
    };
}

/// <summary>Effectuation as the portal's own client, a citizen-facing view, asks it: a citizen's token opens nothing.</summary>
public sealed record CitizenView(EffectuationService.EffectuationServiceClient Effectuation);
