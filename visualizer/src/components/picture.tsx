/** The picture of a camera: a still at once, live video as soon as it comes, and the last frame for as long as it is away. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useApp } from '../app.ts';
import type { Playback } from '../models/playbacks.ts';

/** Where WebRTC cannot carry the camera, stills are renewed this often. */
const stillEveryMs = 2_000;

/** `playback` is null while the picture is out of sight, or where WebRTC cannot carry the camera. */
export function Picture({ id, playback, stillWidth, refresh }: { id: string; playback: Playback | null; stillWidth: number; refresh: boolean }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const frozen = useRef<HTMLCanvasElement>(null);
  const [playing, setPlaying] = useState(false);
  const still = useStill({ id, width: stillWidth, wanted: !playing, refresh });
  const stream = playback?.stream.value ?? null;

  useEffect(() => {
    const element = video.current;
    if (!element || !stream) return undefined;
    if (element.videoWidth > 0) freeze(element, frozen.current);
    setPlaying(false);
    element.srcObject = stream;
    void element.play().catch(() => undefined);
    return onFrames(element, () => {
      setPlaying(true);
      playback?.frame();
    });
  }, [stream]);
  useEffect(() => () => {
    if (video.current) video.current.srcObject = null;
  }, []);

  return (
    <div class="picture" data-playing={playing}>
      {still && <img class="picture-layer" src={still} alt="" decoding="async" />}
      <canvas ref={frozen} class="picture-layer" width={0} height={0} />
      <video ref={video} class="picture-layer picture-video" muted playsInline autoPlay tabIndex={-1} disablePictureInPicture aria-hidden="true" />
    </div>
  );
}

/** A current still picture: once while there is no video, again and again where there never will be. */
function useStill({ id, width, wanted, refresh }: { id: string; width: number; wanted: boolean; refresh: boolean }): string | null {
  const { fleet, stills } = useApp();
  const [url, setUrl] = useState<string | null>(null);
  const live = fleet.camera(id).value?.view.state === 'streaming';
  useEffect(() => {
    if (!wanted || !live) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const load = async (): Promise<void> => {
      const loaded = await stills.load({ camera: id, width }, abort.signal);
      if (abort.signal.aborted) return;
      if (loaded !== null) setUrl(URL.createObjectURL(loaded));
      if (refresh) timer = setTimeout(() => void load(), stillEveryMs);
    };
    void load();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [id, wanted, live, refresh]);
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

/** Keeps what the video shows, so that a new stream does not begin with black. */
function freeze(video: HTMLVideoElement, canvas: HTMLCanvasElement | null): void {
  if (!canvas) return;
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
}
