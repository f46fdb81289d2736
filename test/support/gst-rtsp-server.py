"""An RTSP server that is not ours (gst-rtsp-server), for tests: prints one JSON line when it listens, ends with stdin.

argv[1]: {"mounts": {"/path": a key of LAUNCH}, "auth": {"user": ..., "password": ..., "digest": bool}}; auth is optional.
"""
import json
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtsp', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

Gst.init(None)
options = json.loads(sys.argv[1])

PICTURE = 'videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=25/1'
H264 = f'{PICTURE} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300'
SOUND = 'audiotestsrc is-live=true wave=ticks ! audio/x-raw,rate=8000,channels=1 ! alawenc'
LAUNCH = {
    'h264': f'( {H264} ! rtph264pay name=pay0 pt=96 )',
    'h264-high': f'( {PICTURE} ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=25 bitrate=300 ! video/x-h264,profile=high ! rtph264pay name=pay0 pt=96 )',
    'h264-still': f'( {H264} ! rtph264pay name=pay0 pt=96 )'.replace('pattern=ball', 'pattern=smpte75'),
    'h264-pcma': f'( {H264} ! rtph264pay name=pay0 pt=96 {SOUND} ! rtppcmapay name=pay1 pt=8 )',
    'h265': f'( {PICTURE} ! x265enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300 ! rtph265pay name=pay0 pt=96 )',
    'pcma': f'( {SOUND} ! rtppcmapay name=pay0 pt=8 )',
}

server = GstRtspServer.RTSPServer()
server.set_address('127.0.0.1')
server.set_service('0')

auth = options.get('auth')
if auth:
    keeper = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string('media.factory.role', 'user')
    if auth.get('digest'):
        keeper.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        keeper.add_digest(auth['user'], auth['password'], token)
    else:
        keeper.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        keeper.add_basic(GstRtspServer.RTSPAuth.make_basic(auth['user'], auth['password']), token)
    server.set_auth(keeper)

for path, kind in options['mounts'].items():
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH[kind])
    factory.set_shared(True)
    if auth:
        factory.add_role_from_structure(Gst.Structure.new_from_string(
            'user,media.factory.access=(boolean)true,media.factory.construct=(boolean)true'))
    server.get_mount_points().add_factory(path, factory)

server.attach(None)
loop = GLib.MainLoop()
GLib.io_add_watch(sys.stdin.fileno(), GLib.PRIORITY_DEFAULT, GLib.IOCondition.HUP | GLib.IOCondition.ERR, lambda *_: loop.quit())
print(json.dumps({'port': server.get_bound_port()}), flush=True)
loop.run()
