/** A file as an answer: whole or a range of it, no faster than it is taken. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LookoutError } from '../errors.ts';
import { parseRange } from './range.ts';

/** One slice at a time is in memory, whatever the file's size. */
const sliceBytes = 64 * 1024;

/** Sends a file. Throws `LOOKOUT_STORAGE` where it cannot be read, `LOOKOUT_RANGE` for a range beyond its end. */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, { path, name, type }: { path: string; name: string; type: string }): Promise<FastifyReply> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new LookoutError('LOOKOUT_STORAGE', { message: 'The file of this recording cannot be read.', cause });
  });
  try {
    const { size, mtimeMs } = await file.stat();
    const etag = `"${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"`;
    // A range of what has changed meanwhile would not fit what the other side has.
    const isStale = request.headers['if-range'] !== undefined && request.headers['if-range'] !== etag;
    const range = isStale ? null : parseRange(request.headers.range, size);
    void reply.headers({ 'accept-ranges': 'bytes', etag, 'cache-control': 'private, no-cache', 'content-disposition': `inline; filename="${name}"` }).type(type);
    if (range === 'unsatisfiable') {
      void reply.header('content-range', `bytes */${size}`);
      throw new LookoutError('LOOKOUT_RANGE');
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    if (range) void reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
    void reply.header('content-length', end - start + 1);
    if (request.method === 'HEAD' || end < start) {
      await file.close();
      // Fastify would drain a real stream for HEAD, and take the length from anything else.
      return reply.send(Readable.from([]) as never);
    }
    return reply.send(createReadStream('', { fd: file, start, end, highWaterMark: sliceBytes }) as never);
  } catch (error) {
    await file.close();
    throw error;
  }
}
