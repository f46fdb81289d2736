/**
 * A gRPC client in thirty lines: makes a stream, and shows it until it is live.
 *
 *     node examples/grpc-client.mjs 127.0.0.1:50051 dock rtsp://192.0.2.20/stream1
 *
 * The token is LOOKOUT_TOKEN. In other languages: protoc with src/api/grpc/media_plane.proto.
 */
import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const [address, id, url] = process.argv.slice(2);
const proto = fileURLToPath(new URL('../src/api/grpc/media_plane.proto', import.meta.url));
const { MediaPlane } = loadPackageDefinition(loadSync(proto, { longs: Number, enums: String })).vms.media.v1;
const client = new MediaPlane(address, credentials.createInsecure());
const metadata = new Metadata();
metadata.set('authorization', `Bearer ${process.env.LOOKOUT_TOKEN}`);

client.setupStream({ id, url }, metadata, { deadline: Date.now() + 10_000 }, (error) => {
  if (error) return fail(error);
  const watch = client.watchStreams({ ids: [id] }, metadata, { deadline: Date.now() + 30_000 });
  watch.on('error', fail);
  watch.on('data', (event) => {
    const { stream } = event;
    if (!stream) return;
    process.stdout.write(`${stream.id} ${stream.state} ${stream.substate}\n`);
    if (stream.substate === 'live') process.exit(0);
  });
});

function fail(error) {
  process.stderr.write(`${error.code} ${error.details}\n`);
  process.exit(1);
}
