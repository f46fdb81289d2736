/** A feed that is aimed elsewhere while it runs, on GStreamer's own `udpsink`. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { test } from 'node:test';
import { aim, child, loadGst } from '../../src/native/gst.ts';
import { eventually } from '../support/eventually.ts';
import { udpSockets } from '../support/procfs.ts';

test('no packet is lost between two aims, however often the aim changes', async (t) => {
  const sequence = new Set<number>();
  const receiver = async (): Promise<number> => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
    t.after(() => socket.close());
    socket.on('message', (packet) => sequence.add(packet.readUInt16BE(2)));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket.address().port;
  };
  const ports = [await receiver(), await receiver()];
  // 6,000 packets a second, so that one comes into every gap there is.
  const source = 'audiotestsrc is-live=true samplesperbuffer=8 ! audio/x-raw,rate=48000,channels=1,format=S16BE ! rtpL16pay seqnum-offset=0';
  const pipeline = new (loadGst().Pipeline)(`${source} ! udpsink name=udp host=127.0.0.1 port=${ports[0]} sync=false`);
  t.after(() => pipeline.stop());
  const udp = child(pipeline, 'udp');
  pipeline.play();
  await eventually(() => sequence.size > 0, { what: 'the first packet' });
  for (let nth = 0; nth < 20_000 || sequence.size <= 1_000; nth += 1) {
    aim(udp, ports[nth % 2]!);
    if (nth % 20 === 0) await turn();
  }
  pipeline.stop();
  // What a full socket could not take reached it all the same: this process has no time for it while it aims.
  const thrownAway = (): number => udpSockets().filter(({ port }) => ports.includes(port)).reduce((sum, { drops }) => sum + drops, 0);
  const missing = (): number => Math.max(...sequence) + 1 - sequence.size;
  await eventually(() => missing() <= thrownAway(), { what: 'every number up to the newest one' });
});
