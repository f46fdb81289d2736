/* What is injected into the page before its own code: it keeps every RTCPeerConnection, and reads what each tile's consumer received. */
/* global window, document */
(() => {
  const connections = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(configuration) {
      super(configuration);
      connections.push(this);
    }
  };

  const tiles = () => [...document.querySelectorAll('[data-tile]')].flatMap((tile) => {
    const videos = [...tile.querySelectorAll('video')];
    return videos.map((video) => [tile.dataset.tile, video, videos.length]);
  });

  const inbound = async (camera, track) => {
    const connection = connections.findIndex((each) => each.getReceivers().some((receiver) => receiver.track === track));
    if (connection < 0) return [];
    const stats = [...(await connections[connection].getStats(track)).values()].find(({ type }) => type === 'inbound-rtp');
    if (!stats) return [];
    const { timestamp: at, packetsReceived: received = 0, packetsLost: lost = 0, nackCount: nacks = 0, framesDecoded: decoded = 0 } = stats;
    return [[camera, { connection, at, received, lost, nacks, decoded }]];
  };

  const read = async () => Object.fromEntries((await Promise.all(tiles().filter(([, , count]) => count === 1).map(([camera, video]) => inbound(camera, video.srcObject?.getVideoTracks()[0])))).flat());

  const times = new Map();
  const watched = new WeakSet();
  const follow = (camera, video) => video.requestVideoFrameCallback((_now, { presentationTime }) => {
    times.set(camera, [...(times.get(camera) ?? []), window.performance.timeOrigin + presentationTime]);
    follow(camera, video);
  });
  const frames = () => {
    for (const [camera, video] of tiles()) {
      if (watched.has(video)) continue;
      watched.add(video);
      follow(camera, video);
    }
    const all = Object.fromEntries([...times].map(([camera, list]) => [camera, list.toSorted((a, b) => a - b)]));
    times.clear();
    return all;
  };

  window.lookoutTest = { read, frames };
})();
