/* Injected into the page before its own code: notes each painted frame of a tile, by the frame counter that the simulator's clips carry along their lower edge. */
/* global window, document */
(() => {
  const connections = [];
  window.RTCPeerConnection = class extends window.RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      connections.push(this);
    }
  };
  const blocks = 18;
  const frames = [];
  const watched = new WeakMap();
  let videos = 0;
  const canvas = document.createElement('canvas');
  canvas.width = blocks;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });

  /** Where the strip's middle is, px from above. */
  const rowOf = (height) => height - Math.round(Math.max(16, Math.round(height / 15)) / 2);
  const indexOf = (bright) => {
    let index = 0;
    for (let block = 2; block < blocks; block += 1) index = index * 2 + (bright(block) ? 1 : 0);
    return bright(0) && !bright(1) ? index : null;
  };
  /** The brightness of two lines as they were decoded: painting a frame to read it costs the page 20 ms, which is what is to be measured here. */
  const readLines = async (video) => {
    const frame = new window.VideoFrame(video);
    try {
      const { width, height } = frame.visibleRect;
      const rect = { x: 0, y: rowOf(height) & ~1, width: width & ~1, height: 2 };
      const bytes = new window.Uint8Array(frame.allocationSize({ rect }));
      const [luma] = await frame.copyTo(bytes, { rect });
      return indexOf((block) => bytes[luma.offset + Math.floor(((block + 0.5) * width) / blocks)] > 126);
    } finally {
      frame.close();
    }
  };
  const readCanvas = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    context.drawImage(video, 0, rowOf(height), width, 1, 0, 0, blocks, 1);
    const { data } = context.getImageData(0, 0, blocks, 1);
    return indexOf((block) => data[block * 4] > 128);
  };
  // Pages that came over plain HTTP from another machine have no VideoFrame.
  const readStrip = window.VideoFrame ? readLines : readCanvas;
  const reading = new Set();
  const follow = (video, id) => video.requestVideoFrameCallback((_now, { presentationTime, presentedFrames }) => {
    const frame = { at: window.performance.timeOrigin + presentationTime, index: null, video: id, presented: presentedFrames };
    frames.push(frame);
    const read = Promise.resolve(readStrip(video)).then((index) => { frame.index = index; }, () => undefined).finally(() => reading.delete(read));
    reading.add(read);
    follow(video, id);
  });
  // As soon as it is there: its first frame is what is measured.
  new window.MutationObserver(() => {
    for (const video of document.querySelectorAll('[data-tile] video')) {
      if (watched.has(video)) continue;
      videos += 1;
      watched.set(video, videos);
      follow(video, videos);
    }
  }).observe(document, { childList: true, subtree: true });

  /** Of what the page receives now: repairs asked for, packets that never came, frames decoded, and the seconds that took. */
  const received = async () => {
    const reports = await Promise.all(connections.filter(({ connectionState }) => connectionState !== 'closed').map(async (connection) => [...(await connection.getStats()).values()]));
    return reports.flat().filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')
      .map(({ nackCount = 0, packetsLost = 0, framesDecoded = 0, totalDecodeTime = 0 }) => ({ nacks: nackCount, lost: packetsLost, decoded: framesDecoded, decodeSeconds: totalDecodeTime }));
  };
  const take = async () => {
    await Promise.all(reading);
    return frames.splice(0);
  };
  window.lookoutStrip = { take, received };
})();
