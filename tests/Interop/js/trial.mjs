// What the JavaScript client and server share: the proto and the failure every "fail" request gets.
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const definition = protoLoader.loadSync(new URL('../proto/trial.proto', import.meta.url).pathname, {
  keepCase: true, longs: Number, defaults: true,
});
export const { Trial, Guarded } = grpc.loadPackageDefinition(definition).sloring.interop.v1;
export const allBytes = Buffer.from([...Array(256).keys()]);
export const failureText = 'bad luck: æøå, 100 %, tab\tand line\nbreak';

export function failure(code) {
  const metadata = new grpc.Metadata();
  metadata.add('reason', 'first');
  metadata.add('reason', 'second');
  metadata.add('reason-bin', allBytes);
  metadata.add('grpc-status-details-bin', Buffer.from([8, 5]));
  return { code, details: failureText, metadata };
}
