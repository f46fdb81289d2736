/**
 * Rehearsal of an idle host: it makes a source like the ones to come and plays it towards nowhere, so that a warm spare has
 * loaded, linked and touched what a start needs. A start is a quarter shorter for it (docs/performance.md).
 */
import { loadGst } from '../gst.ts';

/** Nobody listens on port 1 of loopback: the connection is refused at once, and nothing leaves the machine. */
const source = 'rtspsrc name=src location=rtsp://127.0.0.1:1/ protocols=tcp latency=0 timeout=0 tcp-timeout=5000000 teardown-timeout=200000000';
const rehearsal = `${source}
  src. ! capsfilter caps=application/x-rtp,media=video,encoding-name=H264 ! lookoutflight codec=1 ! lookoutrest ! rtph264depay
    ! video/x-h264,stream-format=avc,alignment=au ! lookoutcount ! tee name=t
  t. ! valve drop=true drop-mode=forward-sticky-events ! rtph264pay config-interval=-1 aggregate-mode=zero-latency mtu=1200
    ! udpsink host=127.0.0.1 port=9 bind-address=127.0.0.1 auto-multicast=false enable-last-sample=false sync=false async=false
  t. ! lookouthub  src. ! capsfilter caps=application/x-rtp,media=audio ! lookoutflight track=1 ! fakesink
  rtpjitterbuffer ! fakesink  rtpbin`;
/** Longer than a refusal takes. */
const rehearsalMs = 50;

/** Begins the rehearsal; the answer ends it, which takes about a millisecond and may be done more than once. */
export function warmUp(): () => void {
  const pipeline = new (loadGst().Pipeline)(rehearsal);
  let isOver = false;
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    pipeline.stop();
  };
  pipeline.play();
  setTimeout(end, rehearsalMs).unref();
  return end;
}
