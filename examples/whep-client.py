"""A WHEP player without a browser: GStreamer's webrtcbin. Plays until it saw some frames, says so as JSON, and ends its session.

    /usr/bin/python3 examples/whep-client.py http://127.0.0.1:8085/whep/gate [FRAMES]

The token is LOOKOUT_TOKEN, or part of the address (`?token=…`, a signed link). Debian: python3-gi gir1.2-gst-plugins-bad-1.0
gstreamer1.0-nice gstreamer1.0-plugins-bad.
"""
import json
import os
import sys
import urllib.parse
import urllib.request

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstSdp', '1.0')
gi.require_version('GstWebRTC', '1.0')
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

ADDRESS, WANTED = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
DEADLINE_S = 30
VIDEO = 'application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,packetization-mode=(string)1,profile-level-id=(string)42e01f'


class Player:
    def __init__(self):
        self.loop = GLib.MainLoop()
        self.frames = 0
        self.session = None
        self.error = None
        self.pipeline = Gst.Pipeline.new(None)
        self.webrtc = Gst.ElementFactory.make('webrtcbin')
        self.webrtc.set_property('bundle-policy', 'max-bundle')
        self.pipeline.add(self.webrtc)
        self.webrtc.connect('pad-added', self.on_pad)
        self.webrtc.connect('notify::ice-gathering-state', self.on_gathering)
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect('message::error', lambda _, message: self.end(str(message.parse_error())))

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.webrtc.emit('add-transceiver', GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, Gst.Caps.from_string(VIDEO))
        self.webrtc.emit('create-offer', None, Gst.Promise.new_with_change_func(self.on_offer))
        GLib.timeout_add_seconds(DEADLINE_S, lambda: self.end(f'only {self.frames} frames in {DEADLINE_S} s'))
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        ended = self.request('DELETE', self.session).status if self.session else None
        print(json.dumps({'frames': self.frames, 'session': self.session and self.session.split('?')[0], 'ended': ended, 'error': self.error}))
        return 0 if self.error is None else 1

    def on_offer(self, promise):
        # PyGObject 3.42 frees the offer with the reply, so that both are kept.
        self.reply = promise.get_reply()
        offer = self.reply.get_value('offer')
        self.webrtc.emit('set-local-description', offer, Gst.Promise.new())

    def on_gathering(self, *_):
        if self.webrtc.get_property('ice-gathering-state') == GstWebRTC.WebRTCICEGatheringState.COMPLETE:
            GLib.idle_add(self.post)

    def post(self):
        """Our candidates are in the offer, the server's in the answer: nothing trickles."""
        try:
            description = self.webrtc.get_property('local-description')
            answer = self.request('POST', ADDRESS, description.sdp.as_text())
        except OSError as error:
            return self.end(str(error))
        self.session = urllib.parse.urljoin(ADDRESS, answer.headers['Location'])
        _, sdp = GstSdp.SDPMessage.new_from_text(answer.read().decode())
        self.webrtc.emit('set-remote-description', GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp), Gst.Promise.new())
        return False

    def request(self, method, address, body=None):
        token = os.environ.get('LOOKOUT_TOKEN')
        query = urllib.parse.urlsplit(ADDRESS).query
        address = address if '?' in address or not query else f'{address}?{query}'
        headers = {'Content-Type': 'application/sdp', **({'Authorization': f'Bearer {token}'} if token and 'token=' not in query else {})}
        return urllib.request.urlopen(urllib.request.Request(address, method=method, data=body.encode() if body else None, headers=headers), timeout=20)

    def on_pad(self, _, pad):
        decode = Gst.parse_bin_from_description('rtph264depay ! h264parse ! avdec_h264 ! fakesink name=sink signal-handoffs=true sync=false', True)
        decode.get_by_name('sink').connect('handoff', self.on_frame)
        self.pipeline.add(decode)
        decode.sync_state_with_parent()
        pad.link(decode.get_static_pad('sink'))

    def on_frame(self, *_):
        self.frames += 1
        if self.frames == WANTED:
            GLib.idle_add(self.end)

    def end(self, error=None):
        self.error = error
        self.loop.quit()
        return False


Gst.init(None)
sys.exit(Player().run())
