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

  const readStrip = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    const strip = Math.max(16, Math.round(height / 15));
    context.drawImage(video, 0, height - Math.round(strip / 2), width, 1, 0, 0, blocks, 1);
    const { data } = context.getImageData(0, 0, blocks, 1);
    let index = 0;
    for (let block = 2; block < blocks; block += 1) index = index * 2 + (data[block * 4] > 128 ? 1 : 0);
    return data[0] > 128 && data[4] < 128 ? index : null;
  };
  const follow = (video, id) => video.requestVideoFrameCallback((_now, { presentationTime }) => {
    frames.push({ at: window.performance.timeOrigin + presentationTime, index: readStrip(video), video: id });
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
  window.lookoutStrip = { take: () => frames.splice(0), received };
})();
