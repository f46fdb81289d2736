#!/usr/bin/env python3
"""Reads raw frames of a camera from Lookout, over TCP or through shared memory. One file, Python 3.9 or newer, no packages.

The wire format is in docs/frames.md. Run it for a line of JSON for each frame:

    LOOKOUT_TOKEN=... python3 lookout_frames.py http://127.0.0.1:8085 CAMERA [tcp|shm]
"""
import datetime
import json
import mmap
import os
import re
import socket
import struct
import sys
import time
import urllib.error
import urllib.request
from typing import Callable, Dict, Iterator, NamedTuple, Tuple, Union

# Where to connect: a port of 127.0.0.1, or the path of a socket that hands out shared memory.
Address = Union[int, str]

HEADER_BYTES = 62  # GStreamer Data Protocol 1.0
BUFFER, CAPS = 1, 2
NEW_AREA, CLOSE_AREA, NEW_BUFFER, ACKNOWLEDGE = 1, 2, 3, 4
COMMAND = struct.Struct("=IiQQ")  # of shmsink; a new area has the length of its name in the low half of the last word
RETRY_SECONDS = 0.25


class Frame(NamedTuple):
    """One frame. Numbers begin at 0 with each run, and one that is left out was missed.

    `data` lies in shared memory until the next frame is asked for, where it came that way: copy what is to stay.
    """

    run: str
    sequence: int
    taken_at: int  # ns since 1970
    format: str
    width: int
    height: int
    data: memoryview


class Packets:
    """What the packets of one connection say, one after the other."""

    def __init__(self) -> None:
        self.run, self.format, self.width, self.height = "", "", 0, 0

    def read(self, header: memoryview, data: memoryview) -> Union[Frame, None]:
        """The frame in a packet; None where it holds something else."""
        kind = struct.unpack_from(">H", header, 4)[0]
        if kind == BUFFER:
            taken_at, _duration, sequence = struct.unpack_from(">QQQ", header, 10)
            return Frame(self.run, sequence, taken_at, self.format, self.width, self.height, data)
        text = bytes(data).decode()
        if kind == CAPS:
            self.format = _field(r"format=\(string\)(\w+)", text)
            self.width, self.height = int(_field(r"width=\(int\)(\d+)", text)), int(_field(r"height=\(int\)(\d+)", text))
        else:
            self.run = _field(r"stream-id=\(string\)([^,;]+)", text) or self.run
        return None


def _field(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found.group(1) if found else ""


def read_frames(address: Address) -> Iterator[Frame]:
    """Frames of one connection, until the server ends it. Raises OSError where it cannot connect."""
    return _read_shared(address) if isinstance(address, str) else _read_tcp(address)


def _receive(connection: socket.socket, size: int) -> memoryview:
    """Exactly so many bytes. Raises EOFError at the end."""
    data = memoryview(bytearray(size))
    at = 0
    while at < size:
        got = connection.recv_into(data[at:])
        if got == 0:
            raise EOFError("The connection ended.")
        at += got
    return data


def _read_tcp(port: int) -> Iterator[Frame]:
    packets = Packets()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while True:
            try:
                header = _receive(connection, HEADER_BYTES)
                frame = packets.read(header, _receive(connection, struct.unpack_from(">I", header, 6)[0]))
            except EOFError:
                return
            if frame is not None:
                yield frame


def _read_shared(path: str) -> Iterator[Frame]:
    packets = Packets()
    areas: Dict[int, mmap.mmap] = {}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        while True:
            try:
                kind, area, first, second = COMMAND.unpack(_receive(connection, COMMAND.size))
                if kind == NEW_AREA:
                    name = bytes(_receive(connection, second & 0xFFFFFFFF)).rstrip(b"\0").decode()
                    areas[area] = _map_area(name)
            except EOFError:
                return
            if kind == CLOSE_AREA:
                del areas[area]
            elif kind == NEW_BUFFER:
                block = memoryview(areas[area])[first : first + second]
                yield from _frames_of(packets, block)
                connection.sendall(COMMAND.pack(ACKNOWLEDGE, area, first, 0))


def _map_area(name: str) -> mmap.mmap:
    with open(f"/dev/shm{name}", "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


def _frames_of(packets: Packets, block: memoryview) -> Iterator[Frame]:
    """Packets are whole in a block: one frame, or what goes before the first one."""
    at = 0
    while at < len(block):
        end = at + HEADER_BYTES + struct.unpack_from(">I", block, at + 6)[0]
        frame = packets.read(block[at : at + HEADER_BYTES], block[at + HEADER_BYTES : end])
        if frame is not None:
            yield frame
        at = end


def follow_frames(find: Callable[[], Address], on_loss: Callable[[Exception], None] = lambda _error: None) -> Iterator[Frame]:
    """Frames for good: connects again when a connection ends, to wherever `find` says."""
    while True:
        try:
            yield from read_frames(find())
            on_loss(EOFError("The connection ended."))
        except OSError as error:
            on_loss(error)
        time.sleep(RETRY_SECONDS)


def ask(url: str, token: str) -> dict:
    """An answer of Lookout's REST interface. Raises OSError with what it said where it refused."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise OSError(json.load(error).get("message", str(error))) from None


def find_frames(url: str, camera: str, token: str, transport: str) -> Address:
    """Asks Lookout where the frames of a camera are."""
    found = ask(f"{url}/api/v1/cameras/{camera}/frames", token)
    if transport == "shm":
        return found["sharedMemory"]["socket"]
    if found["tcp"] is None:
        raise OSError("No frames have been served yet.")
    return found["tcp"]["port"]


def address_from_arguments() -> Tuple[Callable[[], Address], Callable[[Exception], None]]:
    """What a program was called with: where to find frames, and where to complain."""
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["tcp"], ["shm"]):
        sys.exit(f"usage: LOOKOUT_TOKEN=... python3 {sys.argv[0]} http://127.0.0.1:8085 CAMERA [tcp|shm]")
    url, camera, transport = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["tcp"])[0]
    return lambda: find_frames(url, camera, os.environ.get("LOOKOUT_TOKEN", ""), transport), lambda error: print(error, file=sys.stderr)


def iso(nanoseconds: int) -> str:
    """A moment as ISO 8601 writes it, in UTC."""
    return datetime.datetime.fromtimestamp(nanoseconds / 1e9, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def main() -> None:
    for frame in follow_frames(*address_from_arguments()):
        print(json.dumps({"run": frame.run, "sequence": frame.sequence, "format": frame.format, "width": frame.width, "height": frame.height, "takenAt": iso(frame.taken_at), "bytes": len(frame.data)}), flush=True)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        pass
