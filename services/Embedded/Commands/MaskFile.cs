using System.Diagnostics;
using System.Text;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Sloring.Contracts.Effectuation.V1;

namespace Sloring.Embedded;

/// <summary><c>./run mask FILE</c>: masks a file of any length in bounded memory, over the same stream a citizen view would use.</summary>
internal static class MaskFile
{
    private const int UnderWay = 256;
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(false));
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default);

    public static async Task<int> Run(string[] args, FileInfo file, FileInfo? output, CancellationToken cancel)
    {
        if (!file.Exists)
        {
            await Console.Error.WriteLineAsync($"There is no file {file.FullName}.");
            return 1;
        }
        using var platform = await Running.Find(args, cancel);
        if (platform is null)
            return 1;
        using var channel = GrpcChannel.ForAddress(Serve.Listen(args).Grpc, new GrpcChannelOptions { MaxReceiveMessageSize = 32 * 1024 * 1024 });
        var headers = new Metadata { { "authorization", "Bearer " + await platform.Token("borgervisning", cancel) } };
        using var call = new EffectuationService.EffectuationServiceClient(channel).MaskEntryStream(headers, cancellationToken: cancel);
        await using var writer = new StreamWriter(output?.Create() ?? Console.OpenStandardOutput(), new UTF8Encoding(false), 1 << 16);
        var room = Channel.CreateBounded<bool>(UnderWay);
        var progress = new Progress(file.Length);
        try
        {
            var sending = Send(file, call, room.Writer, progress, cancel);
            var receiving = Receive(call, room.Reader, writer, progress, cancel);
            await await Task.WhenAny(sending, receiving);
            await Task.WhenAll(sending, receiving);
            await writer.FlushAsync(cancel);
        }
        catch (FormatException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return 1;
        }
        catch (RpcException e)
        {
            await Console.Error.WriteLineAsync($"After line {progress.Lines}: {e.Status.Detail}");
            return 1;
        }
        progress.Finish();
        return 0;
    }

    private static async Task Send(
        FileInfo file, AsyncDuplexStreamingCall<MaskEntriesRequest, MaskEntriesResponse> call, ChannelWriter<bool> room, Progress progress, CancellationToken cancel)
    {
        using var reader = new StreamReader(file.FullName, new UTF8Encoding(false, true), false, 1 << 16);
        var number = 0L;
        try
        {
            while (await reader.ReadLineAsync(cancel) is { } line)
            {
                number++;
                progress.Read(Encoding.UTF8.GetByteCount(line) + 1);
                if (line.Length == 0)
                    continue;
                await room.WriteAsync(true, cancel);
                await call.RequestStream.WriteAsync(Parse(line, number), cancel);
            }
        }
        catch (DecoderFallbackException)
        {
            throw new FormatException($"Line {number + 1} is not UTF-8.");
        }
        await call.RequestStream.CompleteAsync();
    }

    private static MaskEntriesRequest Parse(string line, long number)
    {
        try
        {
            return Parser.Parse<MaskEntriesRequest>(line);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException)
        {
            // The parser's own message may quote the line, and the line may hold a CPR number.
            throw new FormatException($"Line {number} is not a request in JSON: {{\"patientCpr\":\"…\",\"entries\":[…]}}. See samples/entries.jsonl.");
        }
    }

    private static async Task Receive(
        AsyncDuplexStreamingCall<MaskEntriesRequest, MaskEntriesResponse> call, ChannelReader<bool> room, StreamWriter writer, Progress progress, CancellationToken cancel)
    {
        while (await call.ResponseStream.MoveNext(cancel))
        {
            await room.ReadAsync(cancel);
            var response = call.ResponseStream.Current;
            Formatter.Format(response, writer);
            await writer.WriteAsync('\n');
            progress.Count(response);
        }
    }

    /// <summary>Counts, and shows on a terminal how far it is.</summary>
    private sealed class Progress(long length)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly bool _shown = !Console.IsErrorRedirected;
        private long _read;
        private long _masked;
        private long _findings;
        private long _nextShown = 200;

        public long Lines { get; private set; }

        public void Read(int bytes) => Interlocked.Add(ref _read, bytes);

        public void Count(MaskEntriesResponse response)
        {
            Lines++;
            foreach (var entry in response.Entries)
                _masked += entry.Staff.Any(staff => staff.Masked) ? 1 : 0;
            _findings += response.Findings.Count;
            if (!_shown || _clock.ElapsedMilliseconds < _nextShown)
                return;
            _nextShown = _clock.ElapsedMilliseconds + 200;
            Console.Error.Write($"\r{Math.Min(100, 100 * Interlocked.Read(ref _read) / Math.Max(1, length)),3} %  {Lines:N0} lines  {Lines / _clock.Elapsed.TotalSeconds:N0}/s ");
        }

        public void Finish() => Console.Error.WriteLine(
            $"{(_shown ? "\r" : "")}{Lines:N0} lines in {_clock.Elapsed.TotalSeconds:F1} s: {_masked:N0} entries masked, {_findings:N0} findings on data quality.");
    }
}
