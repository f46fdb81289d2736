#!/usr/bin/env python3
"""Records a camera from Lookout's packets, without decoding: a Matroska file for each run of its source. No packages.

    LOOKOUT_TOKEN=... python3 lookout_packets.py http://127.0.0.1:8085 CAMERA FOLDER [SECONDS]

H.264 comes as RTP (RFC 6184) framed by RFC 4571, H.265 as a Matroska stream (docs/frames.md). Both begin with a keyframe.
"""
import datetime
import os
import signal
import socket
import struct
import sys
import time
from typing import BinaryIO, Iterator, List, NamedTuple, Optional, Tuple

from lookout_frames import ask

RETRY_SECONDS = 0.25
CLUSTER_MS = 20_000  # a block tells its time in 16 bits
EBML, SEGMENT, INFO, TRACKS, CLUSTER, TIMESTAMP, SIMPLE_BLOCK = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675, 0xE7, 0xA3


class Unit(NamedTuple):
    """An access unit as Matroska holds it (NAL units with their lengths). `ms` is on the camera's time line."""

    ms: int
    key: bool
    data: bytes


def element(number: int, *content: bytes) -> bytes:
    """An EBML element (RFC 8794); its size always takes eight bytes."""
    body = b"".join(content)
    return number.to_bytes((number.bit_length() + 7) // 8, "big") + (1 << 56 | len(body)).to_bytes(8, "big") + body


def number_of(number: int, value: int) -> bytes:
    """An element that holds an unsigned integer."""
    return element(number, value.to_bytes(8, "big"))


class MatroskaFile:
    """A file (RFC 9559) that is whole after each cluster, so that nothing has to be finished."""

    def __init__(self, file: BinaryIO, tracks: bytes) -> None:
        self._file, self._cluster, self._first, self._begun = file, [], None, 0
        head = element(EBML, number_of(0x4286, 1), number_of(0x42F7, 1), number_of(0x42F2, 4), number_of(0x42F3, 8), element(0x4282, b"matroska"), number_of(0x4287, 4), number_of(0x4285, 2))
        info = element(INFO, number_of(0x2AD7B1, 1_000_000), element(0x4D80, b"lookout_packets"), element(0x5741, b"lookout_packets"))
        file.write(head + SEGMENT.to_bytes(4, "big") + b"\x01" + b"\xff" * 7 + info + tracks)

    def write(self, unit: Unit) -> None:
        """The first one must be a keyframe; it becomes time 0."""
        self._first = unit.ms if self._first is None else self._first
        ms = unit.ms - self._first
        if not self._cluster or unit.key or ms - self._begun > CLUSTER_MS:
            self.flush()
            self._begun = ms
        self._cluster.append(element(SIMPLE_BLOCK, struct.pack(">BhB", 0x81, ms - self._begun, 0x80 if unit.key else 0), unit.data))

    def flush(self) -> None:
        """Writes what is held back, up to a GOP."""
        if self._cluster:
            self._file.write(element(CLUSTER, number_of(TIMESTAMP, self._begun), *self._cluster))
            self._file.flush()
        self._cluster = []


def h264_tracks(sps: bytes, pps: bytes, width: int, height: int) -> bytes:
    """The description of an H.264 track, with its decoder configuration (ISO/IEC 14496-15)."""
    private = bytes([1, sps[1], sps[2], sps[3], 0xFF, 0xE1]) + struct.pack(">H", len(sps)) + sps + b"\x01" + struct.pack(">H", len(pps)) + pps
    video = element(0xE0, number_of(0xB0, width), number_of(0xBA, height))
    return element(TRACKS, element(0xAE, number_of(0xD7, 1), number_of(0x73C5, 1), number_of(0x83, 1), number_of(0x9C, 0), element(0x86, b"V_MPEG4/ISO/AVC"), element(0x63A2, private), video))


def nal_units(payloads: List[bytes]) -> Iterator[bytes]:
    """NAL units out of the RTP payloads of one access unit (RFC 6184: single, STAP-A, FU-A)."""
    fragments: List[bytes] = []
    for payload in payloads:
        kind = payload[0] & 0x1F
        if kind == 24:
            at = 1
            while at + 2 < len(payload):
                size = struct.unpack_from(">H", payload, at)[0]
                yield payload[at + 2 : at + 2 + size]
                at += 2 + size
        elif kind == 28:
            fragments = [bytes([payload[0] & 0xE0 | payload[1] & 0x1F])] if payload[1] & 0x80 else fragments
            fragments.append(payload[2:])
            if payload[1] & 0x40:
                yield b"".join(fragments)
        else:
            yield payload


def read_rtp(stream: BinaryIO, width: int, height: int) -> Iterator[Tuple[Optional[bytes], Optional[Unit]]]:
    """The track once it is known, then access units."""
    payloads: List[bytes] = []
    known, ticks, last = False, 0, None
    while True:
        packet = stream.read(struct.unpack(">H", _exactly(stream, 2))[0])
        stamp = struct.unpack_from(">I", packet, 4)[0]
        payloads.append(packet[12:])
        if not packet[1] & 0x80:  # the marker ends an access unit
            continue
        # 32 bits of 90 kHz come round after 13 hours.
        ticks += 0 if last is None else (stamp - last + 0x80000000) % 0x100000000 - 0x80000000
        last = stamp
        units, payloads = list(nal_units(payloads)), []
        by_kind = {unit[0] & 0x1F: unit for unit in units}
        if not known and 7 in by_kind and 8 in by_kind:
            known = True
            yield h264_tracks(by_kind[7], by_kind[8], width, height), None
        if known:
            yield None, Unit(ticks // 90, 5 in by_kind, b"".join(struct.pack(">I", len(unit)) + unit for unit in units))


def read_matroska(stream: BinaryIO) -> Iterator[Tuple[Optional[bytes], Optional[Unit]]]:
    """The track as it stands in the stream, then access units."""
    begun = 0
    while True:
        kind, size = _vint(stream, True), _vint(stream, False)
        if kind in (SEGMENT, CLUSTER):
            continue
        body = _exactly(stream, size)
        if kind == TRACKS:
            yield element(TRACKS, body), None
        elif kind == TIMESTAMP:
            begun = int.from_bytes(body, "big")
        elif kind == SIMPLE_BLOCK:
            relative, flags = struct.unpack_from(">hB", body, 1)
            yield None, Unit(begun + relative, bool(flags & 0x80), body[4:])


def _vint(stream: BinaryIO, with_marker: bool) -> int:
    first = _exactly(stream, 1)
    size = 9 - first[0].bit_length()
    value = int.from_bytes(first + _exactly(stream, size - 1), "big")
    return value if with_marker else value & ((1 << 7 * size) - 1)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def record(found: dict, folder: str, until: float) -> str:
    """One file, until the hub ends or time is over. Returns its path."""
    with socket.create_connection((found["host"], found["port"])) as connection:
        path = os.path.join(folder, f"{found['camera']}-{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%S.%fZ}.mkv")
        stream = connection.makefile("rb")
        items = read_rtp(stream, found["width"] or 0, found["height"] or 0) if found["protocol"] == "rtp-rfc4571" else read_matroska(stream)
        with open(path, "wb") as target:
            file: Optional[MatroskaFile] = None
            try:
                for tracks, unit in items:
                    if tracks is not None:
                        file = file or MatroskaFile(target, tracks)
                    elif file is not None and unit is not None:
                        file.write(unit)
                    if time.monotonic() > until:
                        break
            except (EOFError, OSError):
                pass
            finally:
                if file is not None:
                    file.flush()
        return path


def main() -> None:
    if len(sys.argv) not in (4, 5):
        sys.exit(f"usage: LOOKOUT_TOKEN=... python3 {sys.argv[0]} http://127.0.0.1:8085 CAMERA FOLDER [SECONDS]")
    url, camera, folder = sys.argv[1:4]
    until = time.monotonic() + (float(sys.argv[4]) if len(sys.argv) == 5 else float("inf"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while time.monotonic() < until:
        try:
            print(record(ask(f"{url}/api/v1/cameras/{camera}/packets", os.environ.get("LOOKOUT_TOKEN", "")), folder, until), flush=True)
        except OSError as error:
            print(error, file=sys.stderr)
            time.sleep(RETRY_SECONDS)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
