/** Opens the port of the interfaces and says where it is; warns of what this machine grants too little of. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { maxReceiveBuffer } from '../native/ingest.ts';

/** Under this, single frames of 4K cameras overflow the socket (field notes §0). */
const enoughReceiveBuffer = 4 * 1024 * 1024;

/** Resolves with its address, without a token, and the port it got. */
export async function listen(app: FastifyInstance, { host, port: wanted, tls }: Config): Promise<{ url: string; port: number }> {
  await app.listen({ host, port: wanted });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : wanted;
  return { url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`, port };
}

/** One line with the remedy where the kernel grants less than a large keyframe. */
export function warnOfSmallBuffers({ sfu }: Config, log: Log): void {
  const granted = Math.min(sfu.recvBufferBytes, maxReceiveBuffer());
  if (granted >= enoughReceiveBuffer) return;
  log.warn({ granted, wanted: sfu.recvBufferBytes, remedy: `sysctl -w net.core.rmem_max=${sfu.recvBufferBytes}` }, 'the kernel grants small receive buffers: large key frames will lose packets');
}
