using System.Reflection;
using static Sloring.Contracts.RejectionKind;

namespace Sloring.Contracts;

/// <summary>The catalogue of everything the platform can refuse. Numbers are never reused; texts say what to do.</summary>
public static class Rejections
{
    // 1xx Registration
    public static readonly Rejection TriggerMissing = new("SLR-101", Invalid,
        "Angiv hvad der udløste sløringen: vold, trusler, chikane eller begrundet frygt for et af dem. Generel utryghed er ikke nok.",
        "State what triggered the masking: violence, threats, harassment, or founded fear of one of them. General unease is not enough.");

    public static readonly Rejection BehaviourTooEarly = new("SLR-102", Invalid,
        "Adfærd før 1. februar 2024 kan ikke begrunde en sløring. Angiv den dag adfærden fandt sted.",
        "Behaviour before 1 February 2024 cannot be the ground of a masking. State the day of the behaviour.");

    public static readonly Rejection BehaviourInFuture = new("SLR-103", Invalid,
        "Adfærdens dato ligger i fremtiden. Angiv den dag adfærden fandt sted.",
        "The day of the behaviour is in the future. State the day it took place.");

    public static readonly Rejection NotYetInForce = new("SLR-104", State,
        "Ingen sløring kan træde i kraft før 1. marts 2024. Aktivér den fra den dag.",
        "No masking can be in force before 1 March 2024. Activate it from that day.");

    public static readonly Rejection EndTooLate = new("SLR-105", Invalid,
        "Slutdatoen ligger efter den tilladte grænse. Udelad den for at få 90 dage.",
        "The end date is beyond the limit. Leave it out to get 90 days.");

    public static readonly Rejection EndInPast = new("SLR-106", Invalid,
        "Slutdatoen er allerede passeret. Angiv et senere tidspunkt, eller udelad den.",
        "The end date has already passed. Give a later instant, or leave it out.");

    public static readonly Rejection IdempotencyKeyReused = new("SLR-107", Conflict,
        "Nøglen er brugt før med et andet indhold. Send den oprindelige anmodning igen, eller brug en ny nøgle til en ny aktivering.",
        "The idempotency key was used before with other content. Repeat the original request, or use a new key for a new activation.");

    public static readonly Rejection IdempotencyKeyInvalid = new("SLR-108", Invalid,
        "Angiv en nøgle (idempotency key) på 8 til 64 tegn: A-Z, a-z, 0-9 og . _ : -",
        "Give an idempotency key of 8 to 64 characters: A-Z, a-z, 0-9 and . _ : -");

    public static readonly Rejection MaskingNotFound = new("SLR-109", NotFound,
        "Sløringen findes ikke i din organisation. Slå dens id op i listen over sløringer.",
        "Your organisation has no such masking. Look its id up in the list of maskings.");

    public static readonly Rejection ReasonAlreadyGiven = new("SLR-110", State,
        "Sløringen har allerede en begrundelse. Ny adfærd kræver en ny aktivering.",
        "The masking already has a reason. New behaviour takes a new activation.");

    public static readonly Rejection ReasonEmpty = new("SLR-111", Invalid,
        "Skriv en konkret begrundelse: hvad skete der?",
        "Write a concrete reason: what happened?");

    public static readonly Rejection MaskingNotInForce = new("SLR-112", State,
        "Sløringen er ikke længere i kraft. Aktivér en ny, hvis der er ny adfærd.",
        "The masking is no longer in force. Activate a new one if there is new behaviour.");

    public static readonly Rejection EndReasonMissing = new("SLR-113", Invalid,
        "Skriv hvorfor sløringen afsluttes.",
        "Write why the masking is ended.");

    public static readonly Rejection ActivatorMissing = new("SLR-114", Invalid,
        "Systemet handler på vegne af en person: angiv personens id og rolle i activator.",
        "The system acts for a person: give the person's id and role in activator.");

    public static readonly Rejection ActivatorNotAllowed = new("SLR-115", Invalid,
        "Personen er allerede angivet i adgangsbilletten: udelad activator.",
        "The token already names the person: leave activator out.");

    public static readonly Rejection ActivatorRoleInvalid = new("SLR-116", Invalid,
        "Kun en sundhedsmedarbejder (health-worker) eller leder (leader) kan dette; kun en leder kan afslutte en sløring.",
        "Only a health-worker or a leader may do this; only a leader may end a masking.");

    public static readonly Rejection EndNotCurrent = new("SLR-117", State,
        "Sløringen har et andet udløb end det, der skal forlænges. Hent sløringen, og forlæng dens nuværende udløb.",
        "The masking has another end than the one to extend. Read the masking and extend its present end.");

    public static readonly Rejection UnitAlreadyNominated = new("SLR-120", State,
        "Enheden er allerede indstillet eller sløret. Slå den op i listen over afdelingssløringer.",
        "The unit is already nominated or masked. Look it up in the list of department maskings.");

    public static readonly Rejection UnitMaskingNotFound = new("SLR-121", NotFound,
        "Afdelingssløringen findes ikke for dig. Slå dens id op i listen over afdelingssløringer.",
        "There is no such department masking for you. Look its id up in the list of department maskings.");

    public static readonly Rejection UnitStateWrong = new("SLR-122", State,
        "Afdelingssløringen er ikke på et trin hvor det kan lade sig gøre. Se dens tilstand i listen.",
        "The department masking is not at a step where this is possible. See its state in the list.");

    public static readonly Rejection GroundsIncomplete = new("SLR-123", Invalid,
        "Alle fire begrundelser kræves: indberettede voldsepisoder, APV-dokumentation, alvor, og hvorfor individuel sløring ikke er nok.",
        "All four grounds are required: reported incidents, workplace assessment (APV), severity, and why individual masking is not enough.");

    public static readonly Rejection UnitUnknown = new("SLR-124", Invalid,
        "Enheden findes ikke i organisationsregistret. Angiv enten en SOR-id eller en SHAK-kode fra registret.",
        "The unit is not in the organisation register. Give either a SOR id or a SHAK code from the register.");

    public static readonly Rejection UnitOfOther = new("SLR-125", Forbidden,
        "Enheden hører til en anden organisation. Indstil kun egne enheder.",
        "The unit belongs to another organisation. Nominate your own units only.");

    public static readonly Rejection UnitTooLarge = new("SLR-126", Invalid,
        "Enheden er en hel organisation. Indstil den mindst mulige enhed.",
        "The unit is a whole organisation. Nominate the smallest possible unit.");

    public static readonly Rejection ReviewReasonMissing = new("SLR-127", Invalid,
        "Skriv hvorfor indstillingen returneres eller afslås.",
        "Write why the nomination is returned or refused.");

    public static readonly Rejection TakeoverOfItself = new("SLR-128", Invalid,
        "De to CVR-numre er ens. Angiv den organisation der ikke findes mere, og den der har overtaget den.",
        "The two CVR numbers are the same. Name the organisation that is no more, and the one that has replaced it.");

    public static readonly Rejection AlreadyReplaced = new("SLR-129", State,
        "Den ene af de to organisationer er allerede overtaget af en anden. Brug CVR-nummeret på den der har overtaget den.",
        "One of the two organisations has been replaced by another already. Use the CVR number of the one that replaced it.");

    public static readonly Rejection PlanNotKnown = new("SLR-130", State,
        "Planen er ikke lavet for disse to organisationer i dag eller i går, eller en anden overtagelse er sket siden. Kald uden plan, læs svaret og send dets plan.",
        "The plan was not made for these two organisations today or yesterday, or another takeover was done since. Call without a plan, read the answer and send its plan.");

    // 2xx Approval
    public static readonly Rejection CaseNotFound = new("SLR-201", NotFound,
        "Sagen findes ikke i din organisation. Slå den op i arbejdslisten.",
        "Your organisation has no such case. Look it up in the work list.");

    public static readonly Rejection NotYourLevel = new("SLR-202", Forbidden,
        "Sagen skal afgøres på et andet ledelsesniveau. Bed en leder på det niveau om det.",
        "The case is decided at another management level. Ask a leader of that level.");

    public static readonly Rejection OwnActivation = new("SLR-203", Forbidden,
        "Du har selv aktiveret sløringen. En anden leder på niveauet skal afgøre sagen.",
        "You activated this masking yourself. Another leader of the level must decide.");

    public static readonly Rejection CannotUpholdWithoutReason = new("SLR-204", State,
        "Sløringen mangler en begrundelse og kan ikke opretholdes. Bed den, der aktiverede den, om at skrive den.",
        "The masking has no reason yet and cannot be upheld. Ask the activator to write it.");

    public static readonly Rejection AlreadyDecided = new("SLR-205", State,
        "Sagen er allerede afgjort. Hent sagen for at se afgørelsen.",
        "The case has already been decided. Read the case to see the decision.");

    public static readonly Rejection CaseClosed = new("SLR-206", State,
        "Sagen er lukket: sløringen er afløst, afsluttet eller udløbet.",
        "The case is closed: its masking was superseded, ended or has expired.");

    public static readonly Rejection LiftReasonMissing = new("SLR-207", Invalid,
        "Skriv en begrundelse for at ophæve sløringen.",
        "Write a reason for lifting the masking.");

    public static readonly Rejection RenewalTooEarly = new("SLR-208", State,
        "Fornyelse kan først besluttes fra adviset om udløb, 10 dage før udløb.",
        "A renewal can be decided from the expiry notice, 10 days before the end, not before.");

    public static readonly Rejection RenewalTooLate = new("SLR-209", State,
        "Sløringen er udløbet og kan ikke fornys. Ny adfærd kræver en ny aktivering.",
        "The masking has ended and cannot be renewed. New behaviour takes a new activation.");

    public static readonly Rejection RenewalReasonMissing = new("SLR-210", Invalid,
        "Fornyelse er en undtagelse: skriv en konkret begrundelse for netop fornyelsen.",
        "Renewal is an exception: write a concrete reason for the renewal itself.");

    public static readonly Rejection RenewalNeedsUphold = new("SLR-211", State,
        "Sagen er ikke opretholdt. Afgør sagen før fornyelse.",
        "The case has not been upheld. Decide the case before renewing.");

    public static readonly Rejection NoteEmpty = new("SLR-212", Invalid,
        "Skriv spørgsmålet eller svaret.",
        "Write the question or the answer.");

    public static readonly Rejection QuestionNotFound = new("SLR-213", NotFound,
        "Spørgsmålet findes ikke i sagen. Hent sagen for at se spørgsmålene.",
        "The case has no such question. Read the case to see its questions.");

    public static readonly Rejection QuestionAnswered = new("SLR-214", State,
        "Spørgsmålet er allerede besvaret. Stil et nyt for at få mere at vide.",
        "The question has already been answered. Ask a new one to learn more.");

    public static readonly Rejection DecisionMissing = new("SLR-215", Invalid,
        "Angiv afgørelsen: opretholde eller ophæve.",
        "State the decision: uphold or lift.");

    public static readonly Rejection OverviewPeriodInvalid = new("SLR-216", Invalid,
        "Perioden er forkert. Angiv to måneder (åååå-MM), den sidste ikke før den første og højst 60 måneder senere.",
        "The period is wrong. Give two months (yyyy-MM), the last not before the first and at most 60 months later.");

    public static readonly Rejection ComplaintNotFound = new("SLR-217", NotFound,
        "Klagen findes ikke i din organisation. Kontrollér id'et på listen over klager.",
        "There is no such complaint in your organisation. Check the id in the list of complaints.");

    public static readonly Rejection ComplaintTextMissing = new("SLR-218", Invalid,
        "Skriv, hvad der klages over.",
        "Write what the complaint is.");

    public static readonly Rejection ComplaintReceivedInvalid = new("SLR-219", Invalid,
        "Klagen kan tidligst være modtaget den dag, sløringen blev aktiveret, og senest i dag. Ret datoen.",
        "The complaint can have been received on the day of the activation at the earliest and today at the latest. Correct the day.");

    public static readonly Rejection ComplainantMissing = new("SLR-220", Invalid,
        "Angiv, hvem der klager: patienten, en repræsentant, en pårørende eller en anden. Aldrig et navn.",
        "State who complains: the patient, a representative, a relative or somebody else. Never a name.");

    public static readonly Rejection ComplaintIdReused = new("SLR-221", Conflict,
        "En anden klage har allerede dette id. Registrér klagen med et nyt.",
        "Another complaint has this id already. Register the complaint with a new one.");

    public static readonly Rejection ComplaintUnderTreatment = new("SLR-222", State,
        "Klagen er allerede under behandling. Hent den for at se hos hvem.",
        "The complaint is under treatment already. Read it to see by whom.");

    public static readonly Rejection ComplaintNotTakenUp = new("SLR-223", State,
        "Klagen er ikke under behandling. Tag den under behandling, før du svarer.",
        "The complaint is not under treatment. Take it up before you answer.");

    public static readonly Rejection ComplaintClosed = new("SLR-224", State,
        "Klagen er allerede besvaret eller trukket tilbage. Hent den for at se svaret; en ny klage registreres for sig.",
        "The complaint has already been answered or withdrawn. Read it to see the answer; a new complaint is registered by itself.");

    public static readonly Rejection ComplaintAnswerMissing = new("SLR-225", Invalid,
        "Skriv svaret på klagen.",
        "Write the answer to the complaint.");

    public static readonly Rejection ComplaintOutcomeMissing = new("SLR-226", Invalid,
        "Angiv, hvad klagen førte til: medhold, ikke medhold, eller at en leder har ophævet sløringen.",
        "State what the complaint led to: upheld, not upheld, or that a leader has lifted the masking.");

    public static readonly Rejection ComplaintNotLifted = new("SLR-227", State,
        "Ingen leder har ophævet sløringen, siden klagen blev modtaget. Bed en leder om at afgøre det først, eller vælg et andet udfald.",
        "No leader has lifted the masking since the complaint was received. Ask a leader to decide first, or choose another outcome.");

    public static readonly Rejection PracticeChangedMeanwhile = new("SLR-228", State,
        "En anden har ændret indstillingerne imens. Se, hvad der gælder nu, og ret derfra; din ændring er ikke gemt.",
        "Somebody else has changed the settings meanwhile. See what holds now and change that; your change was not saved.");

    public static readonly Rejection PracticeLevelUnknown = new("SLR-229", Invalid,
        "Godkendelsesniveauet skal være afdeling, hospital eller region.",
        "The approval level must be department, hospital or region.");

    public static readonly Rejection PracticeDaysOffInvalid = new("SLR-230", Invalid,
        "Skriv fridage som MM-dd, for eksempel 06-05, hver dag én gang og højst 30.",
        "Write days off as MM-dd, for example 06-05, each day once and at most 30.");

    public static readonly Rejection PracticeDecisionDaysInvalid = new("SLR-231", Invalid,
        "Angiv mellem 1 og 30 arbejdsdage til afgørelsen.",
        "Give 1 to 30 working days for the decision.");

    public static readonly Rejection PracticeNoticeDaysInvalid = new("SLR-232", Invalid,
        "Angiv mellem 1 og 89 dage for adviset om udløb.",
        "Give 1 to 89 days for the expiry notice.");

    // 3xx Scheduler
    public static readonly Rejection ClockCannotGoBack = new("SLR-301", Invalid,
        "Demouret kan kun stilles frem. Angiv et senere tidspunkt.",
        "The demo clock only moves forward. Give a later instant.");

    // 4xx Pseudonym
    public static readonly Rejection NoSalt = new("SLR-401", Unavailable,
        "Ingen salt var fundet. Driften skal oprette en salt.",
        "No salt was found. Operations must create a salt.");

    public static readonly Rejection PurposeMissing = new("SLR-402", Invalid,
        "Angiv formålet med opslaget, højst 1.000 tegn.",
        "State the purpose of the resolution, at most 1,000 characters.");

    public static readonly Rejection PseudonymInvalid = new("SLR-403", Invalid,
        "Pseudonymet er ikke en UUID. Kopiér det, som borgeren så det.",
        "The pseudonym is not a UUID. Copy it as the citizen saw it.");

    public static readonly Rejection PeriodInvalid = new("SLR-404", Invalid,
        "Perioden er forkert. Angiv to datoer (åååå-MM-dd), den sidste ikke før den første.",
        "The period is wrong. Give two dates (yyyy-MM-dd), the last not before the first.");

    public static readonly Rejection CandidatesInvalid = new("SLR-405", Invalid,
        "Angiv mellem 1 og 10.000 kandidater.",
        "Give 1 to 10,000 candidates.");

    public static readonly Rejection NameMissing = new("SLR-406", Invalid,
        "Et navn mangler eller er for langt (højst 200 tegn).",
        "A name is missing or too long (at most 200 characters).");

    public static readonly Rejection SaltErased = new("SLR-407", State,
        "Perioden rækker længere tilbage, end salte gemmes; pseudonymer fra dengang kan ikke længere opløses. Angiv en senere fra-dato.",
        "The period reaches back further than salts are kept; pseudonyms of then can no longer be resolved. Give a later from date.");

    // 5xx Effectuation
    public static readonly Rejection PictureNotFresh = new("SLR-501", Unavailable,
        "Sløringerne kan ikke aflæses friskt nok lige nu. Vis ingen navne, og prøv igen om lidt.",
        "The picture of maskings is not fresh enough right now. Show no names, and try again shortly.");

    public static readonly Rejection TooManyEntries = new("SLR-502", TooMuch,
        "Højst 10.000 poster i én anmodning. Del dem op.",
        "At most 10,000 entries in one request. Split them.");

    public static readonly Rejection EntryOfOther = new("SLR-503", Forbidden,
        "En datakilde kan kun sløre sin egen organisations poster. Send kun poster med eget CVR-nummer.",
        "A data source may mask entries of its own organisation only. Send entries with your own CVR number only.");

    public static readonly Rejection EntryTooLarge = new("SLR-505", TooMuch,
        "En post er for stor: højst 50 personer, navne på 200 tegn og 100.000 tegn fritekst.",
        "An entry is too large: at most 50 people, names of 200 characters and 100,000 characters of free text.");

    public static readonly Rejection AuditUnavailable = new("SLR-504", Unavailable,
        "Opslaget kan ikke logges lige nu og besvares derfor ikke. Prøv igen om lidt.",
        "The read cannot be logged right now and is therefore not answered. Try again shortly.");

    public static readonly Rejection UpdateTooLarge = new("SLR-506", TooMuch,
        "Højst 1.000 poster i én opdatering. Del dem op på flere beskeder.",
        "At most 1,000 entries in one update. Split them into several messages.");

    // 6xx Tokens: OAuth's own error words travel beside the number
    public static readonly Rejection ClientInvalid = new("SLR-601", Unauthenticated,
        "Klienten er ukendt, eller dens hemmelighed, signerede bevis eller certifikat er forkert.",
        "The client is unknown, or its secret, assertion or certificate is wrong.");

    public static readonly Rejection GrantUnsupported = new("SLR-602", Invalid,
        "Denne grant_type understøttes ikke. De, der gør, står i /.well-known/openid-configuration.",
        "This grant_type is not supported. Those that are stand in /.well-known/openid-configuration.");

    public static readonly Rejection TokenRequestInvalid = new("SLR-603", Invalid,
        "Anmodningen er ikke en gyldig tokenanmodning (application/x-www-form-urlencoded med grant_type).",
        "This is not a valid token request (application/x-www-form-urlencoded with grant_type).");

    public static readonly Rejection ScopeInvalid = new("SLR-604", Invalid,
        "Klienten har ikke det ønskede scope. Udelad scope for at få alt, klienten har.",
        "The client does not have the requested scope. Leave scope out to get all that the client has.");

    public static readonly Rejection AssertionClaimsInvalid = new("SLR-605", Unauthenticated,
        "Klientens signerede bevis mangler noget: iss og sub skal være klientens id, og jti, iat og exp skal være der.",
        "The client assertion lacks something: iss and sub must be the client id, and jti, iat and exp must be there.");

    public static readonly Rejection AssertionForOther = new("SLR-606", Unauthenticated,
        "Klientens signerede bevis gælder en anden modtager. Sæt aud til tokenadressen eller udstederen, og kun den.",
        "The client assertion is for another audience. Set aud to the token endpoint or the issuer, and to nothing else.");

    public static readonly Rejection AssertionNotNow = new("SLR-607", Unauthenticated,
        "Klientens signerede bevis gælder ikke nu. Lav et nyt, hvor iat er nu, og exp er højst 5 minutter senere.",
        "The client assertion does not hold now. Make a new one with iat now and exp at most 5 minutes later.");

    public static readonly Rejection AssertionUsed = new("SLR-608", Unauthenticated,
        "Klientens signerede bevis er brugt før. Lav et nyt med sin egen jti til hver anmodning.",
        "The client assertion has been used before. Make a new one with a jti of its own for each request.");

    public static readonly Rejection ClientRevoked = new("SLR-609", Forbidden,
        "Klienten er spærret. Henvend dig til driften.",
        "The client has been revoked. Ask operations.");

    public static readonly Rejection ExchangeNotAllowed = new("SLR-610", Forbidden,
        "Klienten må ikke omveksle borgeres billetter. Driften skal tilføje modtagere under Tokens:Clients:<n>:Audiences.",
        "The client may not exchange citizens' tokens. Operations must add audiences under Tokens:Clients:<n>:Audiences.");

    public static readonly Rejection TargetInvalid = new("SLR-611", Invalid,
        "Modtageren (audience) er ukendt, ikke tilladt for klienten, eller der er ikke præcis én.",
        "The audience is unknown, not allowed for the client, or there is not exactly one.");

    public static readonly Rejection SubjectTokenInvalid = new("SLR-612", Invalid,
        "Borgerens billet (subject_token) er ikke fra en betroet udsteder, er udløbet eller er ikke gyldig. Lad borgeren logge på igen.",
        "The citizen's token (subject_token) is not from a trusted provider, has expired or is not valid. Have the citizen sign in again.");

    public static readonly Rejection SubjectWithoutCpr = new("SLR-613", Invalid,
        "Borgerens billet (subject_token) indeholder ikke et gyldigt CPR-nummer i det aftalte felt.",
        "The citizen's token (subject_token) holds no valid CPR number in the agreed claim.");

    public static readonly Rejection RelationNotAsserted = new("SLR-614", Invalid,
        "Borgerens billet siger ikke, at borgeren må handle for denne person. En fuldmagt eller forældremyndighed skal stå i selve billetten.",
        "The citizen's token does not say that the citizen may act for this person. Power of attorney or custody must stand in the token itself.");

    public static readonly Rejection InstructionsUnavailable = new("SLR-615", Unavailable,
        "Sløringerne kan ikke aflæses friskt nok lige nu, så der udstedes ingen billet. Prøv igen om lidt.",
        "What is masked cannot be read freshly enough right now, so no token is issued. Try again shortly.");

    public static readonly Rejection TooManyAssertions = new("SLR-616", TooOften,
        "Klienten har brugt for mange signerede beviser på kort tid. Genbrug billetten, til den udløber.",
        "The client has used too many assertions in a short time. Use a token again until it expires.");

    public static readonly Rejection NoTokenState = new("SLR-617", State,
        "Tokentjenesten har intet sted at huske dette. Driften skal sætte Tokens:StateFile.",
        "The token service has nowhere to remember this. Operations must set Tokens:StateFile.");

    public static readonly Rejection ClientNotFound = new("SLR-618", NotFound,
        "Der er ingen klient med den id. Se Tokens:Clients.",
        "There is no client with that id. See Tokens:Clients.");

    public static readonly Rejection RotationUnderWay = new("SLR-619", State,
        "Et nøgleskifte er allerede i gang. Vent, til den næste nøgle er taget i brug.",
        "A change of keys is under way already. Wait until the next key is in use.");

    public static readonly Rejection SignInClientUnknown = new("SLR-620", Invalid,
        "Ingen kan logge på for den app, du kommer fra: den er ikke registreret til det. Driften skal angive dens RedirectUris under Tokens:Clients.",
        "Nobody can sign in for the app that you come from: it is not registered for that. Operations must give its RedirectUris under Tokens:Clients.");

    public static readonly Rejection RedirectUriUnknown = new("SLR-621", Invalid,
        "Appen vil sende dig videre til en adresse, der ikke er registreret for den. Gå ikke videre, og sig det til driften.",
        "The app wants to send you on to an address that is not registered for it. Do not go on, and tell operations.");

    public static readonly Rejection AuthorizationRequestInvalid = new("SLR-622", Invalid,
        "Anmodningen om at logge på er forkert: feltet mangler, står der flere gange eller har en værdi, der ikke understøttes.",
        "The sign-in request is wrong: the field is missing, stands there twice or has a value that is not supported.");

    public static readonly Rejection PkceRequired = new("SLR-623", Invalid,
        "PKCE kræves: send code_challenge_method=S256 og code_challenge, 43 tegn base64url af SHA-256.",
        "PKCE is required: send code_challenge_method=S256 and code_challenge, the 43 characters of base64url of a SHA-256.");

    public static readonly Rejection LoginRequired = new("SLR-624", Unauthenticated,
        "Personen skal logge på. Send anmodningen igen uden prompt=none.",
        "The person has to sign in. Send the request again without prompt=none.");

    public static readonly Rejection GrantInvalid = new("SLR-625", Invalid,
        "Koden eller refresh_token gælder ikke: den er udløbet, brugt, til en anden app eller adresse, eller code_verifier er forkert. Lad personen logge på igen.",
        "The code or refresh_token does not hold: it has expired, was used, is for another app or address, or code_verifier is wrong. Have the person sign in again.");

    public static readonly Rejection GrantNotForClient = new("SLR-626", Forbidden,
        "Klienten er ikke registreret til denne grant_type. En klient uden Roles får kun billetter for personer, og kun en med RedirectUris får dem.",
        "The client is not registered for this grant_type. A client without Roles gets tokens for people only, and only one with RedirectUris gets those.");

    public static readonly Rejection SignInPageStale = new("SLR-627", Forbidden,
        "Siden er for gammel eller åbnet i en anden browser. Gå tilbage til appen, og begynd forfra.",
        "The page is too old or was opened in another browser. Go back to the app and begin anew.");

    public static readonly Rejection PersonRefused = new("SLR-628", Forbidden,
        "Personen er spærret eller kendes ikke længere her. Henvend dig til driften.",
        "The person has been revoked or is not known here any longer. Ask operations.");

    public static readonly Rejection ProviderFailed = new("SLR-629", Unavailable,
        "Du kunne ikke logges på hos den, der kender dig. Gå tilbage til appen, og prøv igen; sig det til driften, hvis det fortsætter.",
        "You could not be signed in at the provider that knows you. Go back to the app and try again; tell operations if it goes on.");

    public static readonly Rejection ProviderPersonInvalid = new("SLR-630", Forbidden,
        "Den, der kender dig, oplyser ikke, hvem du er, på en måde, der kan bruges her. Driften skal se på feltet.",
        "The provider that knows you does not say who you are in a way that can be used here. Operations must look at the field.");

    public static readonly Rejection PersonWithoutRole = new("SLR-631", Forbidden,
        "Du har ingen rolle her. Bed din leder om en; driften angiver, hvad der giver roller, under Tokens:OpenIdProvider:Roles.",
        "You have no role here. Ask your leader for one; operations state what gives roles under Tokens:OpenIdProvider:Roles.");

    public static readonly Rejection TrustRequestInvalid = new("SLR-632", Invalid,
        "Beskeden er ikke en RequestSecurityToken (WS-Trust 1.3, Issue), som docs/tokens.md viser den. Feltet siger hvad.",
        "The message is not a RequestSecurityToken (WS-Trust 1.3, Issue) as docs/tokens.md shows it. The field says what.");

    public static readonly Rejection MessageNotSigned = new("SLR-633", Unauthenticated,
        "Beskeden er ikke signeret, som den skal være. Signér Action, MessageID, Timestamp og Body med klientens registrerede certifikat; feltet siger hvad der mangler.",
        "The message is not signed as it must be. Sign Action, MessageID, Timestamp and Body with the client's registered certificate; the field says what is missing.");

    public static readonly Rejection MessageNotNow = new("SLR-634", Unauthenticated,
        "Beskeden gælder ikke nu, eller dens MessageID er brugt før. Send en ny med sin egen MessageID og et Timestamp, der er nu.",
        "The message does not hold now, or its MessageID has been used before. Send a new one with a MessageID of its own and a Timestamp that is now.");

    public static readonly Rejection ClaimsDiffer = new("SLR-635", Invalid,
        "Anmodningen nævner et andet CPR-nummer end borgerens billet. Sæt CprNumberIdentifier til den borger, der er logget på.",
        "The request names another CPR number than the citizen's token. Set CprNumberIdentifier to the citizen who has signed in.");

    // 7xx Portal
    public static readonly Rejection FormStale = new("SLR-701", State,
        "Formularen er for gammel eller hører til en anden session. Åbn siden igen, og send den derfra; intet er gemt.",
        "The form is too old or belongs to another session. Open the page again and send it from there; nothing was saved.");

    public static readonly Rejection SessionEnded = new("SLR-702", Unauthenticated,
        "Du er logget ud. Log ind i et nyt vindue, og send så herfra; det, du har skrevet, står her endnu, men er ikke gemt.",
        "You are signed out. Sign in in a new window, then send from here; what you wrote is still here, but was not saved.");

    public static readonly Rejection FormHeld = new("SLR-703", State,
        "Formularen blev udfyldt, før du loggede ind. Se den igennem, og send den igen, hvis den er din; intet er gemt.",
        "The form was filled in before you signed in. Look it over, and send it again if it is yours; nothing was saved.");

    // 8xx SOAP and its security ticket. As fault strings the national service's own texts stand for some of them: services/Hosting/Soap/SoapFaults.cs.
    public static readonly Rejection TicketMissing = new("SLR-801", Unauthenticated,
        "Sikkerhedsbilletten mangler. Send en underskrevet SAML 2.0-assertion i hovedet wsse:Security.",
        "The security ticket is missing. Send a signed SAML 2.0 assertion in the header wsse:Security.");

    public static readonly Rejection TicketNotValid = new("SLR-802", Unauthenticated,
        "Sikkerhedsbilletten er ikke valid. Feltet siger hvorfor: hent en ny hos en betroet udsteder, til denne modtager.",
        "The security ticket is not valid. The field says why: get a new one from a trusted issuer, for this audience.");

    public static readonly Rejection TicketExpired = new("SLR-803", Unauthenticated,
        "Sikkerhedsbilletten er udløbet. Hent en ny.",
        "The security ticket has expired. Get a new one.");

    public static readonly Rejection TicketNotYetValid = new("SLR-804", Unauthenticated,
        "Sikkerhedsbilletten er ikke gyldig endnu. Kontrollér udstederens ur.",
        "The security ticket is not valid yet. Check the clock of its issuer.");

    public static readonly Rejection UserTypeUnknown = new("SLR-805", Unauthenticated,
        "Sikkerhedsbilletten er hverken et systems (niveau 3) eller en sundhedsfaglig persons (niveau 4). Hent en, der er.",
        "The security ticket is neither a system's (level 3) nor a health professional's (level 4). Get one that is.");

    public static readonly Rejection UserTypeAmbiguous = new("SLR-806", Unauthenticated,
        "Sikkerhedsbilletten er både et systems og en sundhedsfaglig persons. Hent en, der er én af delene.",
        "The security ticket is both a system's and a health professional's. Get one that is one of them.");

    public static readonly Rejection SaltNotWhitelisted = new("SLR-807", Forbidden,
        "Klienten er ikke whitelisted til saltet. Driften skal tilføje GetCurrentSalt til den under Soap:Clients.",
        "The client is not whitelisted for the salt. Operations must add GetCurrentSalt to it under Soap:Clients.");

    public static readonly Rejection SoapNotWhitelisted = new("SLR-808", Forbidden,
        "Klienten er ikke whitelisted til operationen. Driften skal tilføje den under Soap:Clients.",
        "The client is not whitelisted for the operation. Operations must add it under Soap:Clients.");

    public static readonly Rejection SystemTicketRequired = new("SLR-809", Forbidden,
        "Operationen kræver et systems sikkerhedsbillet (niveau 3).",
        "The operation takes a system's security ticket (level 3).");

    public static readonly Rejection SoapMalformed = new("SLR-810", Invalid,
        "Anmodningen kan ikke læses: den skal være en SOAP 1.1-konvolut uden DTD, med én operation i Body, som WSDL'en viser den.",
        "The request cannot be read: it must be a SOAP 1.1 envelope without a DTD, with one operation in its Body, as the WSDL shows it.");

    public static readonly Rejection SoapVersionWrong = new("SLR-811", Invalid,
        "Konvolutten er ikke SOAP 1.1. Brug navnerummet http://schemas.xmlsoap.org/soap/envelope/.",
        "The envelope is not SOAP 1.1. Use the namespace http://schemas.xmlsoap.org/soap/envelope/.");

    public static readonly Rejection SoapHeaderNotUnderstood = new("SLR-812", Invalid,
        "Et SOAP-hoved med mustUnderstand er ukendt her. Udelad det.",
        "A SOAP header with mustUnderstand is unknown here. Leave it out.");

    public static readonly Rejection SoapOperationUnknown = new("SLR-813", NotFound,
        "Operationen findes ikke på denne adresse. Hent WSDL'en ved at tilføje ?wsdl.",
        "There is no such operation at this address. Add ?wsdl to read the WSDL.");

    public static readonly Rejection SoapMessageIdMissing = new("SLR-814", Invalid,
        "Beskeden mangler MessageID. Sæt medcom:Header/medcom:Linking/medcom:MessageID til en ny id for hver besked.",
        "The message has no MessageID. Set medcom:Header/medcom:Linking/medcom:MessageID to a new id for each message.");

    // 9xx Common
    public static readonly Rejection TokenMissing = new("SLR-901", Unauthenticated,
        "Adgangsbilletten mangler, er udløbet eller er ikke gyldig. Hent en ny.",
        "The token is missing, expired or not valid. Get a new one.");

    public static readonly Rejection NotAllowed = new("SLR-902", Forbidden,
        "Din rolle giver ikke adgang til dette.",
        "Your role does not allow this.");

    public static readonly Rejection TokenWithoutCvr = new("SLR-903", Forbidden,
        "Adgangsbilletten angiver ingen organisation (CVR). Hent en billet for en klient med CVR.",
        "The token names no organisation (CVR). Get a token for a client that has a CVR.");

    public static readonly Rejection Malformed = new("SLR-904", Invalid,
        "Anmodningen kan ikke læses: den skal være gyldig JSON i UTF-8 med kontraktens felter.",
        "The request cannot be read: it must be valid JSON in UTF-8 with the contract's fields.");

    public static readonly Rejection TextTooLong = new("SLR-905", Invalid,
        "Teksten er for lang eller indeholder ugyldige tegn. Grænsen står i kontrakten.",
        "The text is too long or holds invalid characters. The limit is stated in the contract.");

    public static readonly Rejection CodeUnknown = new("SLR-906", Invalid,
        "Koden er ukendt. Se de tilladte værdier i kontrakten.",
        "The code is unknown. See the allowed values in the contract.");

    public static readonly Rejection TooLarge = new("SLR-907", TooMuch,
        "Anmodningen er for stor. Del den op.",
        "The request is too large. Split it.");

    public static readonly Rejection Failed = new("SLR-908", RejectionKind.Internal,
        "Der skete en fejl hos os. Intet er ændret. Prøv igen, og oplys tidspunktet til driften, hvis det fortsætter.",
        "Something failed on our side. Nothing was changed. Try again, and tell operations the time if it goes on.");

    public static readonly Rejection Busy = new("SLR-909", Unavailable,
        "Tjenesten er optaget eller ved at starte. Prøv igen om lidt.",
        "The service is busy or starting. Try again shortly.");

    public static readonly Rejection CprInvalid = new("SLR-910", Invalid,
        "CPR-nummeret er ikke gyldigt: 10 cifre uden bindestreg, med en mulig dato.",
        "The CPR number is not valid: 10 digits without a hyphen, with a possible date.");

    public static readonly Rejection CvrInvalid = new("SLR-911", Invalid,
        "CVR-nummeret er ikke gyldigt: 8 cifre med rigtigt kontrolciffer.",
        "The CVR number is not valid: 8 digits with a right check digit.");

    public static readonly Rejection SorInvalid = new("SLR-912", Invalid,
        "SOR-id'en er ikke gyldig: 11 til 18 cifre med rigtigt kontrolciffer.",
        "The SOR id is not valid: 11 to 18 digits with a right check digit.");

    public static readonly Rejection ShakInvalid = new("SLR-913", Invalid,
        "SHAK-koden er ikke gyldig: 4, 6 eller 7 tegn, de første fire cifre.",
        "The SHAK code is not valid: 4, 6 or 7 characters, the first four digits.");

    public static readonly Rejection IdInvalid = new("SLR-914", Invalid,
        "Id'en har ikke den rigtige form. Brug den id, som tjenesten gav.",
        "The id does not have the right form. Use the id that the service gave.");

    public static readonly Rejection PageInvalid = new("SLR-915", Invalid,
        "Siden er forkert angivet: page_size er 0 til 500, og page_token er den, som forrige side gav.",
        "The page is wrongly given: page_size is 0 to 500, and page_token is the one the page before gave.");

    public static readonly Rejection DateInvalid = new("SLR-916", Invalid,
        "Datoen er ikke gyldig. Skriv den som åååå-MM-dd.",
        "The date is not valid. Write it as yyyy-MM-dd.");

    public static readonly Rejection NotHere = new("SLR-917", NotFound,
        "Adressen findes ikke. Se /openapi/v1.json.",
        "There is no such address. See /openapi/v1.json.");

    public static readonly Rejection SenderMissing = new("SLR-918", Unauthenticated,
        "Beskeden har ingen user-id. Sæt AMQP-egenskaben user-id til jeres brugernavn hos brokeren.",
        "The message has no user-id. Set the AMQP property user-id to your user name at the broker.");

    public static readonly Rejection SenderUnknown = new("SLR-919", Unauthenticated,
        "Brokerens bruger er ikke knyttet til en organisation. Driften skal tilføje den under Edge:Users.",
        "The broker's user is not mapped to an organisation. Operations must add it under Edge:Users.");

    public static readonly Rejection SenderNotAllowed = new("SLR-920", Forbidden,
        "Brokerens bruger har ikke den rolle, som beskeden kræver. Send den med en bruger af den rigtige rolle.",
        "The broker's user does not have the role that this message takes. Send it as a user of the right role.");

    public static readonly Rejection NobodyTakesAnswer = new("SLR-921", State,
        "Ingen kø modtager svaret. Bind en kø til sloring.masked-updates med jeres CVR-nummer og brugernavn, og send beskeden igen.",
        "No queue takes the answer. Bind a queue to sloring.masked-updates with your CVR number and user name, and send the message again.");

    public static readonly Rejection QueueUnknown = new("SLR-922", NotFound,
        "Tjenesten har ikke den kø. Brug et navn, som tjenestens status viser.",
        "The service has no such queue. Use a name that the service's status shows.");

    public static readonly Rejection NoBroker = new("SLR-923", State,
        "Her er ingen broker: installationen tager ikke imod over AMQP (Edge=inmemory).",
        "There is no broker here: this deployment takes nothing over AMQP (Edge=inmemory).");

    public static readonly Rejection BrokerAway = new("SLR-924", Unavailable,
        "Brokeren svarer ikke. Intet er tabt. Prøv igen, når den er tilbage.",
        "The broker does not answer. Nothing is lost. Try again when it is back.");

    public static readonly Rejection TooManyRequests = new("SLR-930", TooOften,
        "Der er kommet for mange anmodninger på kort tid. Vent så mange sekunder, som Retry-After siger, og prøv igen.",
        "Too many requests came in a short time. Wait for as many seconds as Retry-After says, and try again.");

    public static readonly Rejection TokenBoundElsewhere = new("SLR-931", Unauthenticated,
        "Adgangsbilletten er bundet til et klientcertifikat. Kald over TLS med det certifikat, som billetten blev hentet med.",
        "The token is bound to a client certificate. Call over TLS with the certificate that the token was fetched with.");

    public static readonly Rejection TokenRevoked = new("SLR-932", Unauthenticated,
        "Klientens adgangsbilletter er spærret. Henvend dig til driften.",
        "The client's tokens have been revoked. Ask operations.");

    public static readonly Rejection TooManyWatches = new("SLR-933", TooOften,
        "Klienten følger allerede sløringerne fra for mange steder. Luk en forbindelse, før en ny åbnes.",
        "The client watches the maskings from too many places already. Close a connection before opening another.");

    public static readonly Rejection TooManyStreams = new("SLR-934", TooOften,
        "Klienten sender allerede indførsler ad for mange forbindelser på én gang. Luk en, før en ny åbnes, eller send flere indførsler ad den samme.",
        "The client sends entries on too many streams at once already. Close one before opening another, or send more entries on the same.");

    /// <summary>The whole catalogue by number.</summary>
    public static IReadOnlyDictionary<string, Rejection> All { get; } = typeof(Rejections)
        .GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => field.GetValue(null)).OfType<Rejection>()
        .ToDictionary(rejection => rejection.Code);
}
