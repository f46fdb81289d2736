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

  const [times, begun] = [new Map(), new Map()];
  const add = (map, camera, at) => map.set(camera, [...(map.get(camera) ?? []), at]);
  const drain = (map) => {
    const all = Object.fromEntries([...map].map(([camera, list]) => [camera, list.toSorted((a, b) => a - b)]));
    map.clear();
    return all;
  };
  const watched = new WeakSet();
  const follow = (camera, video, before) => video.requestVideoFrameCallback((_now, { presentationTime }) => {
    const at = window.performance.timeOrigin + presentationTime;
    const track = video.srcObject?.getVideoTracks()[0]?.id;
    add(times, camera, at);
    if (track !== before) add(begun, camera, at);
    follow(camera, video, track);
  });
  const attach = () => {
    for (const [camera, video] of tiles()) {
      if (watched.has(video)) continue;
      watched.add(video);
      follow(camera, video);
    }
  };
  document.addEventListener('DOMContentLoaded', () => new window.MutationObserver(attach).observe(document.body, { childList: true, subtree: true }));

  window.lookoutTest = { read, frames: () => drain(times), begun: () => drain(begun) };
})();
