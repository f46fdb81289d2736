#!/usr/bin/env python3
"""Says for each frame how much of the picture moved: an example of what a program does with raw frames.

    LOOKOUT_TOKEN=... python3 motion.py http://127.0.0.1:8085 CAMERA [tcp|shm]

A score is the share of looked-at pixels, 0 to 1, whose brightness changed since the frame before by more than noise does.
"""
import json
from typing import Optional

from lookout_frames import Frame, address_from_arguments, follow_frames, iso

STEP = 4  # every fourth pixel of every fourth line
NOISE = 16  # of 255


def brightness(frame: Frame) -> bytes:
    """A coarse grid of the picture: green stands for brightness in RGB, in the other formats the first plane is it."""
    pixel = 3 if frame.format == "RGB" else 1
    row = frame.width * pixel
    return b"".join(bytes(frame.data[line * row + pixel // 2 : (line + 1) * row : STEP * pixel]) for line in range(0, frame.height, STEP))


def motion(now: bytes, before: Optional[bytes]) -> float:
    """The score; 0 for a first frame, or one of another size."""
    if before is None or len(before) != len(now):
        return 0.0
    return sum(abs(a - b) > NOISE for a, b in zip(now, before)) / len(now)


def main() -> None:
    before: Optional[bytes] = None
    for frame in follow_frames(*address_from_arguments()):
        now = brightness(frame)
        print(json.dumps({"sequence": frame.sequence, "takenAt": iso(frame.taken_at), "motion": round(motion(now, before), 4)}), flush=True)
        before = now


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        pass
