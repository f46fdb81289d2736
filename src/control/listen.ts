/** Opens the port of the interfaces and says where it is; warns of what this machine grants too little of. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { maxReceiveBuffer, receiveBufferRemedy } from '../receive-buffer.ts';

/** Resolves with its address, without a token, and the port it got. */
export async function listen(app: FastifyInstance, { host, port: wanted, tls }: Config): Promise<{ url: string; port: number }> {
  await app.listen({ host, port: wanted });
  const address = app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : wanted;
  return { url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`, port };
}

/** One line with the remedy where the kernel (`cap`) grants less than a large keyframe. */
export function warnOfSmallBuffers({ sfu: { recvBufferBytes: wanted } }: { sfu: Pick<Config['sfu'], 'recvBufferBytes'> }, log: Pick<Log, 'warn'>, cap = maxReceiveBuffer()): void {
  const remedy = receiveBufferRemedy({ wanted, cap });
  if (remedy) log.warn({ granted: cap, wanted, remedy: remedy.now }, `the kernel grants receive buffers of ${cap} bytes: keyframes of large cameras lose packets. As root: ${remedy.now}`);
}
