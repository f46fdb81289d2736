/** A player without a server: a painted scene captured from a canvas. */
import type { Player, PlayerSink } from '../adapter.ts';
import { paintScene, sceneHeight, sceneWidth } from './scene.ts';

const joinMs = 350;

export type FakePlayerOptions = { seed: number; name: string; sink: PlayerSink; fps: number; live: () => boolean };

/** Plays while `live()`; keeps the last frame otherwise. */
export function createFakePlayer({ seed, name, sink, fps, live }: FakePlayerOptions): Player {
  const canvas = sceneCanvas();
  const context = canvas.getContext('2d')!;
  let active = true;
  let frames = 0;
  let painting: ReturnType<typeof setInterval> | undefined;
  const start = (): void => {
    if (painting !== undefined) return;
    sink.stream(canvas.captureStream(fps), null);
    sink.phase('flowing', null);
    painting = setInterval(() => {
      if (!active || !live()) return;
      paintScene(context, { seed, time: Date.now(), name });
      frames += 1;
    }, 1000 / fps);
  };
  const joining = setInterval(() => {
    if (!live()) return;
    clearInterval(joining);
    start();
  }, joinMs);
  sink.phase('joining', null);
  return {
    setAvailable: () => undefined,
    setActive: (value) => { active = value; },
    setSound: (on) => sink.sound(null, on ? 'The demonstration has no sound.' : null),
    frame: () => undefined,
    tookOver: () => undefined,
    stats: async () => (frames === 0 ? null : {
      codec: 'H264', profileLevelId: '4d0028', width: 1280, height: 720, fps: live() ? 25 : 0, bitrate: live() ? 1_940_000 + 40_000 * Math.sin(Date.now() / 3000) : 0, jitterMs: 3.2,
      packetsLost: 0, packetsReceived: frames * 9, framesDecoded: frames, framesDropped: 0, freezes: 0, decodeMs: 1.8, latencyMs: 41.5,
    }),
    close: () => {
      clearInterval(joining);
      clearInterval(painting);
    },
  };
}

/** A still picture of a scene. */
export function stillOf(seed: number, name: string): Promise<Blob> {
  const canvas = sceneCanvas();
  paintScene(canvas.getContext('2d')!, { seed, time: Date.now(), name });
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no blob'))), 'image/jpeg', 0.8));
}

function sceneCanvas(): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = sceneWidth;
  canvas.height = sceneHeight;
  return canvas;
}
