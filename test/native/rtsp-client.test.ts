/** The probe against the simulator, against a server that is not ours, and against what is no RTSP server at all. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { healthy, type Behaviour } from '../../src/camera-sim/types.ts';
import { CameraUrl } from '../../src/camera-url.ts';
import { FailureError, type FailureClass } from '../../src/errors.ts';
import { createResolver } from '../../src/native/resolve.ts';
import { describe as probe, type DescribeOptions } from '../../src/native/rtsp-client.ts';
import { eventually } from '../support/eventually.ts';
import { startGstRtspServer } from '../support/gst-rtsp-server.ts';
import { startSimulator } from '../support/simulator.ts';

const resolver = createResolver();
const ask = (url: string, changes: Partial<DescribeOptions> = {}) =>
  probe(CameraUrl.parse(url), { tls: { verify: true, fingerprint: undefined }, resolver, deadlineMs: 2000, signal: new AbortController().signal, ...changes });

async function refusal(promise: Promise<unknown>) {
  const error = await promise.then(() => assert.fail('it was not refused'), (reason: unknown) => reason);
  assert.ok(error instanceof FailureError, String(error));
  return error.failure;
}

describe('probe of simulated cameras', () => {
  let simulator: Awaited<ReturnType<typeof startSimulator>>;
  const credentials = { username: 'ad min', password: 'p@ss:word/' };
  before(async () => {
    simulator = await startSimulator({ mounts: [
      { name: 'baseline', video: 'entrance-360p-baseline', audio: 'beep-pcmu' },
      { name: 'main', video: 'parking-360p-main', audio: 'beep-aac' },
      { name: 'high', video: 'dock-360p-high' },
      { name: 'hevc', video: 'hevc-360p' },
      { name: 'sound', video: null, audio: 'beep-pcma' },
      ...(['basic', 'digest-md5', 'digest-sha256'] as const).map((scheme) => ({ name: scheme, video: 'parking-360p-main', auth: { scheme, credentials } })),
    ] });
  });
  after(() => simulator.close());

  for (const { name, profile, level, audio } of [
    { name: 'baseline', profile: 'constrained-baseline', level: /^42[c-f]0/u, audio: 'PCMU' },
    { name: 'main', profile: 'main', level: /^4d/u, audio: 'MPEG4-GENERIC' },
    { name: 'high', profile: 'high', level: /^6400/u, audio: undefined },
  ]) {
    test(`H.264 ${name} tells profile, size, rate and audio`, async () => {
      const { video, audio: sound, unsupported } = await ask(simulator.url(name));
      assert.equal(video?.codec, 'H264');
      assert.match(video.profileLevelId!, level);
      assert.deepEqual([video.profile, video.width, video.height, video.fps, video.bFrames], [profile, 640, 360, 25, null]);
      assert.ok(video.control.startsWith('rtsp://127.0.0.1:'));
      assert.equal(sound?.codec, audio);
      assert.deepEqual(unsupported, []);
    });
  }

  test('H.265 tells its size and has no profile-level-id', async () => {
    const { video } = await ask(simulator.url('hevc'));
    assert.deepEqual([video?.codec, video?.profileLevelId, video?.width, video?.height], ['H265', null, 640, 360]);
  });

  test('camera without video is described without video', async () => {
    const { video, audio } = await ask(simulator.url('sound'));
    assert.deepEqual([video, audio], [null, { codec: 'PCMA', rate: 8000, channels: 1 }]);
  });

  for (const scheme of ['basic', 'digest-md5', 'digest-sha256']) {
    test(`${scheme} with the right password is let in, with a wrong one or none it is auth and says no secret`, async () => {
      const url = simulator.url(scheme);
      assert.equal((await ask(url)).video?.codec, 'H264');
      for (const bad of [url.replace(/:[^:@/]+@/u, ':hunter2@'), url.replace(/\/\/[^@]*@/u, '//')]) {
        const failure = await refusal(ask(bad));
        assert.deepEqual([failure.class, failure.code, failure.evidence], ['auth', 'rtsp-401', 'RTSP/1.0 401 Unauthorized']);
        assert.equal(JSON.stringify(failure).includes('hunter2'), false);
      }
    });
  }

  const refusals: { behaviour: Partial<Behaviour>; class: FailureClass; code: string }[] = [
    { behaviour: { status: { code: 403 } }, class: 'auth', code: 'rtsp-403' },
    { behaviour: { status: { code: 404 } }, class: 'not-found', code: 'rtsp-404' },
    { behaviour: { status: { code: 453 } }, class: 'busy', code: 'rtsp-453' },
    { behaviour: { status: { code: 454 } }, class: 'server-error', code: 'rtsp-454' },
    { behaviour: { status: { code: 503 } }, class: 'server-error', code: 'rtsp-503' },
    { behaviour: { answer: false }, class: 'timeout', code: 'probe-timeout' },
    { behaviour: { listen: 'closed' }, class: 'refused', code: 'econnrefused' },
  ];
  for (const { behaviour, class: cls, code } of refusals) {
    test(`camera with ${JSON.stringify(behaviour)} is ${cls} (${code})`, async () => {
      await simulator.script('main', { ...healthy, ...behaviour });
      const failure = await refusal(ask(simulator.url('main'), { deadlineMs: 600 }));
      await simulator.script('main', healthy);
      assert.deepEqual([failure.class, failure.code], [cls, code]);
    });
  }

  test('probe that is given up rejects at once', async () => {
    await simulator.script('main', { answer: false });
    const giveUp = new AbortController();
    const asked = refusal(ask(simulator.url('main'), { signal: giveUp.signal }));
    giveUp.abort();
    assert.equal((await asked).code, 'aborted');
    await simulator.script('main', healthy);
  });

  test('probe leaves no connection behind', async () => {
    await ask(simulator.url('high'));
    await eventually(async () => {
      const { connections, sessions } = await simulator.stats('high');
      return connections === 0 && sessions === 0;
    }, { timeoutMs: 1000, what: 'the end of the connection' });
  });
});

describe('probe of a server that is not ours', () => {
  test('gst-rtsp-server with Digest is described like any camera', async () => {
    const server = await startGstRtspServer({ mounts: { '/video': 'h264-high' }, auth: { user: 'u', password: 'p', digest: true } });
    const { video, server: name } = await ask(server.url('/video', { user: 'u', password: 'p' }));
    assert.deepEqual([video?.profile, video?.width, video?.height, name], ['high', 320, 240, 'GStreamer RTSP server']);
    assert.equal((await refusal(ask(server.url('/video', { user: 'u', password: 'x' })))).class, 'auth');
    await server.close();
  });
});

describe('probe over TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lookout-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  let server: TlsServer;
  let url: string;
  let fingerprint: string;
  before(async () => {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=camera'], { stdio: 'ignore' });
    const sdp = 'v=0\r\ns=camera\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n';
    server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => {
      socket.on('error', () => {}).on('data', () => socket.write(`RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `rtsps://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    fingerprint = new X509Certificate(readFileSync(cert)).fingerprint256;
  });
  after(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  test('certificate of no known authority is refused with the reason', async () => {
    const failure = await refusal(ask(url));
    assert.deepEqual([failure.class, failure.code], ['unsupported', 'tls']);
    assert.match(failure.evidence!, /SELF_SIGNED/u);
  });

  test('certificate with the configured fingerprint is accepted, colons or not, another is refused', async () => {
    for (const known of [fingerprint, fingerprint.replaceAll(':', '').toLowerCase()]) {
      assert.equal((await ask(url, { tls: { verify: true, fingerprint: known } })).video?.codec, 'H264');
    }
    const failure = await refusal(ask(url, { tls: { verify: false, fingerprint: fingerprint.replace(/^../u, fingerprint.startsWith('00') ? '11' : '00') } }));
    assert.deepEqual([failure.class, failure.code], ['unsupported', 'tls-fingerprint']);
  });

  test('any certificate is accepted where verification is off', async () => {
    assert.equal((await ask(url, { tls: { verify: false, fingerprint: undefined } })).video?.codec, 'H264');
  });
});

describe('probe of what is no camera', () => {
  const peers: { does: string; serve: (server: Server) => void; class: FailureClass; code: string }[] = [
    { does: 'speaks HTTP', serve: (server) => server.on('connection', (socket) => socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')).on('error', () => {})), class: 'server-error', code: 'not-rtsp' },
    { does: 'closes at once', serve: (server) => server.on('connection', (socket) => socket.on('error', () => {}).end()), class: 'reset', code: 'closed-early' },
    { does: 'resets', serve: (server) => server.on('connection', (socket) => socket.on('data', () => socket.resetAndDestroy())), class: 'reset', code: 'econnreset' },
    { does: 'answers with no SDP', serve: (server) => server.on('connection', (socket) => socket.on('data', () => socket.write('RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nhello')).on('error', () => {})), class: 'unsupported', code: 'sdp-invalid' },
  ];
  for (const { does, serve, class: cls, code } of peers) {
    test(`peer that ${does} is ${cls} (${code})`, async (t) => {
      const server = createServer();
      serve(server);
      t.after(() => server.close());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const failure = await refusal(ask(`rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/x`));
      assert.deepEqual([failure.class, failure.code], [cls, code]);
    });
  }

  test('name that does not resolve is dns', async () => {
    const failure = await refusal(ask('rtsp://camera.invalid/x'));
    assert.equal(failure.class, 'dns');
  });
});
