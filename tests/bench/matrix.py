# SPDX-License-Identifier: Apache-2.0
"""Snapshot, clone, rollback and the pause of a set, by the number of files and of volumes: one table.

BENCH_MATRIX_FILES (1,1000,20000) are the files of each volume, BENCH_MATRIX_VOLUMES (1,8) the volumes that are
treated at once; BENCH_MATRIX_KINDS (btrfs,xfs) the filesystems.  A million files take an hour, most of it to be made."""
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from measure import SCRATCH, Disk, copy_tree, fill, quiet, raw_btrfs_snapshot, timed
from peers import Connection, Volumed, import_busybox

FEW = 20000  # files of all volumes: beyond it, what costs by the file is done once


def numbers(name, default):
    return [int(word) for word in os.environ.get(name, default).split(",")]


class Lxd:
    """Debian's lxd over its socket, with a pool on the same btrfs.  Starting raises where it cannot run."""

    def __init__(self, disk):
        self.dir = pathlib.Path(SCRATCH) / "lxd"
        self.source = disk.path / "lxd"
        self.process = None

    def start(self):
        if shutil.which("lxd") is None:
            raise RuntimeError("there is no lxd (apt-get install lxd)")
        self.dir.mkdir()
        environment = {**os.environ, "LXD_DIR": str(self.dir)}
        log = open(pathlib.Path(SCRATCH) / "lxd.log", "ab")
        self.process = subprocess.Popen(["lxd"], env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        subprocess.run(["lxd", "waitready", "--timeout", "60"], env=environment, check=True)
        quiet("btrfs", "subvolume", "create", self.source)
        self.connection = Connection(self.dir / "unix.socket")
        self.ask("POST", "/1.0/storage-pools", {"name": "p", "driver": "btrfs", "config": {"source": str(self.source)}})

    def ask(self, method, path, body=None):
        """Waits for what the answer only begins."""
        answer = self.connection.ask(method, path, body)
        if answer.get("operation"):
            answer = self.connection.ask("GET", answer["operation"] + "/wait")
            if answer["metadata"]["status"] != "Success":
                raise RuntimeError(f"lxd: {answer['metadata']['err']}")
        return answer

    def make(self, name, files):
        self.ask("POST", "/1.0/storage-pools/p/volumes/custom", {"name": name, "config": {}})
        fill(self.source / "custom" / f"default_{name}", files)

    def snapshot(self, name, snapshot):
        self.ask("POST", f"/1.0/storage-pools/p/volumes/custom/{name}/snapshots", {"name": snapshot})

    def clone(self, name, copy):
        self.ask("POST", "/1.0/storage-pools/p/volumes/custom",
                 {"name": copy, "config": {}, "source": {"type": "copy", "name": name, "pool": "p", "volume_only": True}})

    def rollback(self, name, snapshot):
        self.ask("PUT", f"/1.0/storage-pools/p/volumes/custom/{name}", {"restore": snapshot})

    def end(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
        for mount in [line.split()[4] for line in open("/proc/self/mountinfo")][::-1]:
            if mount.startswith(str(self.dir) + "/"):
                subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Cell:
    """One filesystem, so many volumes of so many files."""

    def __init__(self, kind, files, count):
        self.kind, self.files = kind, files
        self.names = [f"data{i}" for i in range(count)]
        self.rounds = 9 if kind == "btrfs" or files * count < 2000 else 3 if files * count <= FEW else 1
        self.made = 0
        self.disk = Disk(kind, 40 << 30)
        self.daemon = Volumed(SCRATCH)
        self.lxd = Lxd(self.disk) if kind == "btrfs" else None

    def __enter__(self):
        self.daemon.start()
        self.api = self.daemon.connect()
        self.api.ask("POST", "/volumed/v1/pools", {"name": "bench", "path": str(self.disk.path / "pool")})
        for name in self.names:
            self.api.ask("POST", "/volumes/create", {"Name": name, "DriverOpts": {"pool": "bench"}})
        self.find_paths()
        for path in self.paths:
            fill(path, self.files)
        try:
            if self.lxd is not None:
                self.lxd.start()
                for name in self.names:
                    self.lxd.make(name, self.files)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"  without lxd: {error}", flush=True)
            self.lxd.end()
            self.lxd = None
        os.sync()
        return self

    def __exit__(self, *_):
        if self.lxd is not None:
            self.lxd.end()
        self.daemon.end()
        self.disk.end()

    def find_paths(self):
        """A rollback gives a volume another directory."""
        self.paths = [self.api.ask("GET", f"/volumes/{name}")["Mountpoint"] for name in self.names]

    def raw(self):
        """What the filesystem itself can, for each volume."""
        self.made += 1
        for i, path in enumerate(self.paths):
            if self.kind == "btrfs":
                raw_btrfs_snapshot(path, self.disk.path, f"raw{self.made}-{i}")
            else:
                copy_tree(path, self.disk.path / f"raw{self.made}-{i}", "always")

    def snapshot(self, i):
        self.api.ask("POST", "/volumed/v1/sets", {"name": f"set{i}", "volumes": self.names})

    def clone(self, i):
        for name in self.names:
            self.api.ask("POST", "/volumed/v1/volumes", {"name": f"{name}-{i}", "from_volume": name})

    def rollback(self, i):
        self.api.ask("POST", f"/volumed/v1/sets/set{i}/rollback", {})

    def theirs(self, verb, i):
        for name in self.names:
            if verb == "snapshot":
                self.lxd.snapshot(name, f"s{i}")
            elif verb == "clone":
                self.lxd.clone(name, f"{name}-{i}")
            else:
                self.lxd.rollback(name, f"s{self.rounds - 1}")  # its own rule: the newest

    def measure(self, verb):
        """Medians, the sides in turn: ours, raw, lxd's or None."""
        ours, raws, theirs = [], [], []
        for i in range(self.rounds):
            ours.append(timed(lambda: getattr(self, verb)(i)))
            self.find_paths()
            raws.append(timed(self.raw))
            if self.lxd is not None:
                theirs.append(timed(lambda: self.theirs(verb, i)))
        return statistics.median(ours), statistics.median(raws), statistics.median(theirs) if theirs else None

    def pause(self):
        """How long a writer of all volumes stands still while their set is cut."""
        import_busybox(self.daemon)
        binds = [word for name in self.names for word in ("-v", f"{name}:/{name}")]
        writing = "; ".join(f"echo x >> /{name}/log" for name in self.names)
        self.daemon.docker("run", "-d", "--name", "writer", "--network", "none", *binds, "busybox", "sh", "-c",
                           f"while :; do {writing}; sleep 0.01; done")
        pauses, raws = [], []
        try:
            for i in range(self.rounds):
                made = self.api.ask("POST", "/volumed/v1/sets", {"name": f"live{i}", "volumes": self.names})
                pauses.append(made["pause_ns"] / 1e9)
                raws.append(timed(self.raw))
                time.sleep(0.05)
        finally:
            self.api.ask("DELETE", "/containers/writer?force=1")
        return statistics.median(pauses), statistics.median(raws), None


def line(kind, files, count, verb, ours, raw, theirs):
    name = "raw ioctl" if kind == "btrfs" else "cp --reflink"
    beside = f"lxd {theirs * 1e3:9.2f}   {ours / theirs:6.3f}" if theirs else "lxd         -        -"
    print(f"  {kind:5} {files:8} {count:7}  {verb:8} {ours * 1e3:10.2f}   {name:12} {raw * 1e3:10.2f}   {ours / raw:6.3f}   {beside}",
          flush=True)


def matrix():
    """Snapshot, clone, rollback (sets of all volumes) and a writer's pause: ours, raw and lxd's, in ms, with ratios."""
    print(f"  {'':5} {'files':>8} {'volumes':>7}  {'':8} {'ours':>10}   {'raw':12} {'':10}   {'ratio':>6}   {'':13}   {'ratio':>6}")
    for kind in os.environ.get("BENCH_MATRIX_KINDS", "btrfs,xfs").split(","):
        for files in numbers("BENCH_MATRIX_FILES", "1,1000,20000"):
            for count in numbers("BENCH_MATRIX_VOLUMES", "1,8"):
                with Cell(kind, files, count) as cell:
                    for verb in ("snapshot", "clone", "rollback"):
                        line(kind, files, count, verb, *cell.measure(verb))
                    line(kind, files, count, "pause", *cell.pause())


MATRIX_BENCHES = {"matrix": matrix}
