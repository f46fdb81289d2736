/* Injected into the page before its own code: notes when each frame of every video track came out of the decoder, by the frame counter that the simulator's clips carry along their lower edge. */
/* global window */
(() => {
  const blocks = 18;
  const frames = [];
  const Native = window.RTCPeerConnection;
  let tracks = 0;

  const readStrip = async (frame) => {
    const { width, height } = frame.codedRect;
    const strip = Math.max(16, Math.round(frame.displayHeight / 15));
    const row = (frame.displayHeight - Math.round(strip / 2)) & ~1;
    const rect = { x: 0, y: Math.min(row, height - 2), width: frame.displayWidth & ~1 || width, height: 2 };
    const luma = new Uint8Array(frame.allocationSize({ rect }));
    await frame.copyTo(luma, { rect });
    const bright = (block) => luma[Math.floor((block + 0.5) * rect.width / blocks)] > 128;
    let index = 0;
    for (let block = 2; block < blocks; block += 1) index = index * 2 + (bright(block) ? 1 : 0);
    return bright(0) && !bright(1) ? index : null;
  };

  const follow = async (track, source) => {
    tracks += 1;
    const id = tracks;
    const reader = new window.MediaStreamTrackProcessor({ track }).readable.getReader();
    for (;;) {
      const { done, value: frame } = await reader.read();
      if (done) return;
      const at = window.performance.timeOrigin + window.performance.now();
      const index = await readStrip(frame).catch(() => null);
      frame.close();
      frames.push({ at, index, track: id, source });
    }
  };

  const connect = (source, configuration) => {
    const connection = new Native(configuration);
    connection.addEventListener('track', ({ track }) => { if (track.kind === 'video') void follow(track.clone(), source); });
    return connection;
  };
  // What the page makes is the page's own.
  window.RTCPeerConnection = new Proxy(Native, { construct: (_target, [configuration]) => connect('page', configuration) });

  let bare;
  window.lookoutDecoded = {
    take: () => frames.splice(0),
    /** Answers an offer of somebody else. */
    answer: async (sdp) => {
      bare?.close();
      bare = connect('bare');
      await bare.setRemoteDescription({ type: 'offer', sdp });
      await bare.setLocalDescription(await bare.createAnswer());
      return bare.localDescription.sdp;
    },
    leave: () => bare?.close(),
  };
})();
