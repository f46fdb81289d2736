/** The picture of a camera: live video as soon as it comes, a still where that takes long, and the last frame for as long as it is away. */
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app.ts';
import { playLive } from '../models/live-hls.ts';
import type { Shown } from './way.ts';

/** Where there is no live video, stills are renewed this often. */
const stillEveryMs = 2_000;
/**
 * Live video is there within a fraction of a second, mostly. A still costs the server a process for a moment: those of 36 tiles that
 * open together would take from their videos what these need to begin.
 */
const stillAfterMs = 5_000;

/** `playback` is null while the picture is out of sight, or where WebRTC cannot carry the camera. */
export function Picture({ id, shown: { playback, choice: { way }, hlsFailed }, stillWidth }: { id: string; shown: Shown; stillWidth: number }): JSX.Element {
  const frozen = useRef<HTMLCanvasElement>(null);
  /** The same canvas, also while all of this goes: its own ref is empty before the videos are gone. */
  const kept = useRef<HTMLCanvasElement | null>(null);
  const [painted, setPainted] = useState<MediaStream | null>(null);
  const stream = playback?.stream.value ?? null;
  const next = playback?.next.value ?? null;
  const playing = stream !== null && painted === stream;
  const still = useStill({ id, width: stillWidth, wanted: !playing, refresh: way === 'stills', afterMs: way === 'webrtc' ? stillAfterMs : 0 });
  /** Whose picture is seen: what it took it from paints on until it is gone. */
  const holder = useRef<{ stream: MediaStream; video: HTMLVideoElement } | null>(null);
  const paint = (seen: MediaStream, by: HTMLVideoElement): void => {
    if (seen !== stream && seen !== next) return;
    if (seen === stream && next !== null && holder.current?.stream === next) return;
    holder.current = { stream: seen, video: by };
    setPainted(seen);
    if (playback) playback.lastPicture.from = by;
    if (seen === next) playback?.tookOver();
    playback?.frame();
  };

  // Before anything is painted: a picture that was on the wall a moment ago goes on here.
  useLayoutEffect(() => {
    const from = playback?.lastPicture.from;
    kept.current = frozen.current;
    if (from && frozen.current && frozen.current.width === 0) draw(from, frozen.current);
  }, [playback]);
  const keep = (video: HTMLVideoElement): void => {
    const canvas = kept.current;
    if (!canvas || video.videoWidth === 0) return;
    draw(video, canvas);
    if (playback?.lastPicture.from === video) playback.lastPicture.from = canvas;
  };
  // Its successor has the picture already: to keep this one too would cost the page a frame or two, right at the change.
  const leave = (video: HTMLVideoElement): void => {
    if (holder.current === null || holder.current.video === video) keep(video);
  };

  return (
    <div class="picture" data-playing={playing} data-way={way}>
      {still && <img class="picture-layer" src={still} alt="" decoding="async" />}
      <canvas ref={frozen} class="picture-layer" width={0} height={0} />
      {/* The one that is to come lies above and is transparent until it has its first frame: nobody sees a seam. */}
      {way === 'hls' && <HlsVideo key={id} id={id} onProblem={hlsFailed} leave={keep} />}
      {[stream, next].map((each) => each && <Video key={each.id} stream={each} paint={paint} leave={leave} />)}
    </div>
  );
}

/** One stream; leaves its last frame behind when it goes, so that what follows does not begin with black. */
function Video({ stream, paint, leave }: { stream: MediaStream; paint: (shown: MediaStream, by: HTMLVideoElement) => void; leave: (video: HTMLVideoElement) => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef({ paint, leave });
  latest.current = { paint, leave };
  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    element.srcObject = stream;
    void element.play().catch(() => undefined);
    const stop = onFrames(element, () => latest.current.paint(stream, element));
    return () => {
      stop();
      latest.current.leave(element);
      element.srcObject = null;
    };
  }, []);
  return <video ref={video} class="picture-layer picture-video" muted playsInline autoPlay tabIndex={-1} disablePictureInPicture aria-hidden="true" />;
}

/** Live over HLS, some seconds behind. */
function HlsVideo({ id, onProblem, leave }: { id: string; onProblem: (text: string) => void; leave: (video: HTMLVideoElement) => void }): JSX.Element {
  const { adapter } = useApp();
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef(leave);
  latest.current = leave;
  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    const stop = playLive(element, adapter.hls(id), onProblem);
    return () => {
      latest.current(element);
      stop();
    };
  }, []);
  return <video ref={video} class="picture-layer picture-video" muted playsInline autoPlay tabIndex={-1} disablePictureInPicture aria-hidden="true" />;
}

/** A current still picture: once while there is no video for `afterMs`, again and again where there never will be. */
function useStill({ id, width, wanted, refresh, afterMs }: { id: string; width: number; wanted: boolean; refresh: boolean; afterMs: number }): string | null {
  const { fleet, stills } = useApp();
  const [url, setUrl] = useState<string | null>(null);
  const live = fleet.camera(id).value?.view.state === 'streaming';
  useEffect(() => {
    if (!wanted || !live) return undefined;
    const abort = new AbortController();
    let timer = setTimeout(() => void load(), afterMs);
    const load = async (): Promise<void> => {
      const loaded = await stills.load({ camera: id, width }, abort.signal);
      if (abort.signal.aborted) return;
      if (loaded !== null) setUrl(URL.createObjectURL(loaded));
      if (refresh) timer = setTimeout(() => void load(), stillEveryMs);
    };
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, wanted, live, refresh, afterMs]);
  useEffect(() => () => {
    if (url !== null) URL.revokeObjectURL(url);
  }, [url]);
  return url;
}

/** Calls back for each painted frame until the returned function is called. */
function onFrames(video: HTMLVideoElement, painted: () => void): () => void {
  let handle = video.requestVideoFrameCallback(function next() {
    painted();
    handle = video.requestVideoFrameCallback(next);
  });
  return () => video.cancelVideoFrameCallback(handle);
}

/** Keeps what is shown, so that a new stream does not begin with black. */
function draw(from: HTMLVideoElement | HTMLCanvasElement, to: HTMLCanvasElement): void {
  const isVideo = from instanceof HTMLVideoElement;
  to.width = isVideo ? from.videoWidth : from.width;
  to.height = isVideo ? from.videoHeight : from.height;
  to.getContext('2d')?.drawImage(from, 0, 0);
}
