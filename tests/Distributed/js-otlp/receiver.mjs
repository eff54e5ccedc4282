// Takes OTLP over gRPC and over HTTP on two ports of 127.0.0.1 and prints each request as a line of JSON. The messages are those of OpenTelemetry's own package, which
// has them for its exporter; a collector that could be installed from npm or Debian there is not.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { gunzipSync } from 'node:zlib';
import { Server, ServerCredentials } from '@grpc/grpc-js';

const root = createRequire(import.meta.url)('@opentelemetry/otlp-proto-exporter-base/build/src/generated/root.js');
const { trace, metrics, logs } = root.opentelemetry.proto.collector;
const signals = {
  traces: ['TraceService', 'trace', trace.v1.ExportTraceServiceRequest],
  metrics: ['MetricsService', 'metrics', metrics.v1.ExportMetricsServiceRequest],
  logs: ['LogsService', 'logs', logs.v1.ExportLogsServiceRequest],
};
const hex = (key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('hex') : value);
const take = (signal, wire, request) => process.stdout.write(JSON.stringify({ signal, wire, request: signals[signal][2].toObject(request, { longs: String }) }, hex) + '\n');

const grpc = new Server({ 'grpc.max_receive_message_length': -1 });
for (const [signal, [service, name, type]] of Object.entries(signals)) {
  const path = `/opentelemetry.proto.collector.${name}.v1.${service}/Export`;
  grpc.addService(
    { export: { path, requestStream: false, responseStream: false, requestDeserialize: (bytes) => type.decode(bytes), responseSerialize: (bytes) => bytes } },
    { export: (call, answer) => { take(signal, 'grpc', call.request); answer(null, Buffer.alloc(0)); } },
  );
}

const http = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  const signal = request.url.split('/').pop();
  take(signal, 'http', signals[signal][2].decode(request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body));
  response.setHeader('content-type', 'application/x-protobuf');
  response.end();
});

const bound = new Promise((done, failed) => grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => (error ? failed(error) : done(port))));
http.listen(0, '127.0.0.1', async () => process.stdout.write(JSON.stringify({ grpc: await bound, http: http.address().port }) + '\n'));
