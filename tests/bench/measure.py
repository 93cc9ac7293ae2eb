# SPDX-License-Identifier: Apache-2.0
"""What benches measure with: two sides in turn, filesystems of their own, and the line that tells the ratio."""
import fcntl
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from peers import Dockerd, Volumed  # noqa: E402

SCRATCH = tempfile.mkdtemp(prefix="volumed-bench.", dir=os.environ.get("TMPDIR", "/tmp"))


def report(what, ours, peer, peer_name, aim="", unit="ms", scale=1e3):
    ratio = ours / peer if peer else float("nan")
    print(f"  {what:44} {ours * scale:10.2f} {unit:3} {peer_name + ' ' + format(peer * scale, '.2f'):>22}"
          f"   ratio {ratio:6.3f}   {aim}", flush=True)


def timed(action):
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def alternate(a, b, count):
    """Medians of two actions run in turn; each gets the round's number."""
    times = ([], [])
    for i in range(count):
        for side, action in enumerate((a, b)):
            times[side].append(timed(lambda: action(i)))
    return statistics.median(times[0]), statistics.median(times[1])


def median_of(action, count):
    return statistics.median(timed(action) for _ in range(count))


def quiet(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Pair:
    """Ours and dockerd, both running."""

    def __init__(self):
        self.ours, self.peer = Volumed(SCRATCH), Dockerd(SCRATCH)

    def __enter__(self):
        self.ours.start()
        self.peer.start()
        return self.ours, self.peer

    def __exit__(self, *_):
        self.ours.end()
        self.peer.end()


class Disk:
    """A filesystem in a file."""

    def __init__(self, kind, size=6 << 30):
        self.image = pathlib.Path(SCRATCH) / f"{kind}.img"
        self.path = pathlib.Path(SCRATCH) / kind
        self.path.mkdir()
        with open(self.image, "wb") as image:
            image.truncate(size)
        make = {"btrfs": ["mkfs.btrfs", "-q"], "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"],
                "ext4": ["mkfs.ext4", "-q", "-F", "-N", "1500000"]}[kind]
        subprocess.run([*make, self.image], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", self.image, self.path], check=True)

    def end(self):
        subprocess.run(["umount", self.path], check=True)
        self.image.unlink()
        self.path.rmdir()


def fill(path, files):
    for i in range(files):
        if i % 1000 == 0:
            directory = pathlib.Path(path) / f"d{i // 1000:04}"
            directory.mkdir(exist_ok=True)
        with open(directory / f"f{i % 1000:03}", "wb") as file:
            file.write(b"x" * 100)


def raw_btrfs_snapshot(source, parent, name):
    """BTRFS_IOC_SNAP_CREATE_V2, read-only (linux/btrfs.h), durable like ours."""
    source_fd = os.open(source, os.O_RDONLY)
    parent_fd = os.open(parent, os.O_RDONLY)
    args = bytearray(struct.pack("=qQQ32x4040s", source_fd, 0, 2, name.encode()))
    try:
        fcntl.ioctl(parent_fd, 0x50009417, args)
    finally:
        os.close(source_fd)
        os.close(parent_fd)


def copy_tree(source, target, reflink):
    subprocess.run(["cp", "-a", f"--reflink={reflink}", source, target], check=True)
    fd = os.open(target, os.O_RDONLY)
    os.sync()
    os.close(fd)
