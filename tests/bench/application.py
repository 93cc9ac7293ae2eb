# SPDX-License-Identifier: Apache-2.0
"""Benches of what is done with a whole application, software and data: replace it, rehearse, carry it elsewhere."""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "proof"))
from bank import SERVE, Bank, quantiles, rehearsal_phases  # noqa: E402
from measure import SCRATCH, Disk, alternate, quiet, report  # noqa: E402
from peers import BUILD, Dockerd, Volumed, import_busybox  # noqa: E402
from stage import POSTGRES, World, lack  # noqa: E402

SIZES = os.environ.get("BENCH_GB", "1").split(",")  # GiB of a volume
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
KINDS = os.environ.get("BENCH_KINDS", "btrfs,xfs,ext4").split(",")
DRIVERS = [(kind, {"btrfs": "btrfs", "xfs": "reflink", "ext4": "directory"}[kind]) for kind in KINDS]
BEAT = 'trap "exit 0" TERM; while :; do echo x >/data/beat; busybox usleep 5000; done'


class Heart(threading.Thread):
    """Looks when a container last wrote to its volume."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.beats, self.is_ended = pathlib.Path(path) / "beat", [], False
        self.start()

    def run(self):
        last = 0
        while not self.is_ended:
            try:
                now = self.path.stat().st_mtime_ns
            except OSError:
                now = last
            if now != last:
                self.beats.append(now / 1e9)
                last = now
            time.sleep(0.001)

    def longest_pause(self, action):
        """Of the writing, while it is done and until it goes on."""
        began = time.time()
        action()
        over = time.time()
        while not self.beats or self.beats[-1] <= over + 0.05:
            time.sleep(0.005)
        beats = [beat for beat in self.beats if beat >= began - 0.05]
        return max(after - before for before, after in zip(beats, beats[1:]))


class Application:
    """A container "app" with a volume "data" of so many GiB, on one side."""

    def __init__(self, daemon, gigabytes, options=None):
        self.daemon = daemon
        import_busybox(daemon)
        connection = daemon.connect()
        connection.ask("POST", "/volumes/create", {"Name": "data", "DriverOpts": options or {}})
        self.path = connection.ask("GET", "/volumes/data")["Mountpoint"]
        write_files(self.path, gigabytes)
        self.run()
        self.heart = Heart(self.path)

    def run(self):
        self.daemon.docker("run", "-d", "--name", "app", "--network", "none", "-v", "data:/data", "busybox", "sh", "-c", BEAT)

    def end(self):
        self.heart.is_ended = True
        subprocess.run(["docker", "-H", f"unix://{self.daemon.socket}", "rm", "-f", "app"], check=False, capture_output=True)


def write_files(path, gigabytes):
    """As a database has them: some of 64 MiB, and a few thousand small ones."""
    block = os.urandom(1 << 20)
    for i in range(int(float(gigabytes) * 16)):
        with open(pathlib.Path(path) / f"segment{i:04}", "wb") as file:
            for _ in range(64):
                file.write(block)
    small = pathlib.Path(path) / "small"
    small.mkdir()
    for i in range(2000):
        (small / f"f{i:04}").write_bytes(block[:8192])
    os.sync()


def on_each_disk(bench):
    """bench(our application, dockerd's, what it is told as, disk), on each filesystem and for each size: both have
    their volumes on the same."""
    for gigabytes in SIZES:
        for kind, driver in DRIVERS:
            disk = Disk(kind, int((float(gigabytes) * 6 + 4) * (1 << 30)))
            ours, peer, applications = Volumed(SCRATCH), Dockerd(SCRATCH, disk.path / "docker"), []
            try:
                ours.start()
                peer.start()
                ours.connect().ask("POST", "/volumed/v1/pools", {"name": "bench", "path": str(disk.path / "pool")})
                applications.append(Application(ours, gigabytes, {"pool": "bench"}))
                applications.append(Application(peer, gigabytes))
                bench(*applications, f"{gigabytes} GiB, {driver} ({kind})", disk)
            finally:
                for application in applications:
                    application.end()
                ours.end()
                peer.end()
                disk.end()


def volctl(daemon, *words):
    quiet(BUILD / "volctl", "--socket", daemon.socket, *words)


def recreate():
    """A container is replaced and its data kept as it was: ours against docker stop, cp -a, rm, run."""
    on_each_disk(recreate_on)


def recreate_on(ours, peer, what, disk):
    pauses = ([], [])
    copy = disk.path / "copy"

    def replace():
        peer.daemon.docker("stop", "app")
        quiet("cp", "-a", peer.path, copy)
        peer.daemon.docker("rm", "app")
        peer.run()

    for _ in range(ROUNDS):
        os.sync()
        pauses[0].append(ours.heart.longest_pause(
            lambda: volctl(ours.daemon, "container", "recreate", "app", "--probation", "0", "--keep", "1")))
        os.sync()
        pauses[1].append(peer.heart.longest_pause(replace))
        shutil.rmtree(copy)
    report(f"recreate: downtime, {what}", *map(statistics.median, pauses), "stop, cp, run")


def capsule():
    """An application to one file and back: ours against docker save and tar, docker load and tar."""
    on_each_disk(capsule_on)


def capsule_on(ours, peer, what, disk):
    out = pathlib.Path(tempfile.mkdtemp(prefix="capsule.", dir=SCRATCH))
    connection = ours.daemon.connect()
    try:
        def save():
            peer.daemon.docker("save", "-o", str(out / "image.tar"), "busybox")
            quiet("tar", "-C", peer.path, "--xattrs", "--acls", "-cf", out / "data.tar", ".")
            quiet("sync", out / "image.tar", out / "data.tar")  # as ours is when it answers

        def export():
            (out / "app.capsule").unlink(missing_ok=True)
            volctl(ours.daemon, "container", "export", "app", "--to", out / "app.capsule")

        def take(i):
            volctl(ours.daemon, "capsule", "import", out / "app.capsule", "--rename", f"app=app{i}", "--rename", f"data=data{i}", "--pool", "bench")

        def load(i):
            peer.daemon.docker("load", "-i", str(out / "image.tar"))
            peer.daemon.docker("volume", "create", f"data{i}")
            path = peer.daemon.connect().ask("GET", f"/volumes/data{i}")["Mountpoint"]
            quiet("tar", "-C", path, "--xattrs", "--acls", "-xpf", out / "data.tar")
            peer.daemon.docker("create", "--name", f"app{i}", "-v", f"data{i}:/data", "--network", "none", "busybox", "sh", "-c", BEAT)
            quiet("sync", "-f", path)

        def forget(i):
            connection.ask("DELETE", f"/containers/app{i}")
            connection.ask("DELETE", f"/volumed/v1/volumes/data{i}?with_snapshots=true&now=true")
            peer.daemon.docker("rm", f"app{i}")
            peer.daemon.docker("volume", "rm", f"data{i}")

        def in_turn(name, a, b, after=None):
            times = []
            for i in range(ROUNDS):
                times.append(alternate(lambda _, i=i: a(i), lambda _, i=i: b(i), 1))
                if after:
                    after(i)
            sides = [statistics.median(side) for side in zip(*times)]
            report(f"capsule {name}, {what}", *sides, "save and tar")
            print("    " + ", ".join(f"{side}: {size / seconds / 1e6:.0f} MB/s" for side, seconds in zip(("ours", "peer"), sides)), flush=True)

        for application in (ours, peer):  # what it costs a writer is the cut's matter
            application.daemon.docker("stop", "app")
        size = sum(file.stat().st_size for file in pathlib.Path(ours.path).rglob("*") if file.is_file())
        in_turn("export", lambda _: export(), lambda _: save())
        in_turn("import", take, load, forget)
        print(f"    the files: {(out / 'app.capsule').stat().st_size / 1e6:.0f} MB, {sum(f.stat().st_size for f in out.glob('*.tar')) / 1e6:.0f} MB")
    finally:
        shutil.rmtree(out)


def rehearse():
    """Latency of PostgreSQL's transfers, 150 a second, before, while and after another of it is rehearsed."""
    if reason := lack():
        print(f"  skipped: {reason}")
        return
    for gigabytes in SIZES:
        for kind, driver in DRIVERS:
            with tempfile.TemporaryDirectory(prefix="rehearse.", dir=SCRATCH, ignore_cleanup_errors=True) as scratch:
                rehearse_on(World(scratch, kind, int((float(gigabytes) * 4 + 6) * (1 << 30))), f"{gigabytes} GiB, {driver}", gigabytes)


def rehearse_on(world, what, gigabytes):
    bank = Bank(world)
    try:
        world.import_image("pg", changes=[f"CMD exec {POSTGRES}/bin/postgres {SERVE}", "STOPSIGNAL SIGINT"])
        bank.open("pg", clients=2, pace=50, scale=1)
        write_files(world.api("GET", "/volumes/pgdata")["Mountpoint"], gigabytes)
        bank.ledger.reach(200)
        before = time.time()
        bank.ledger.reach(500)
        _, answer = world.volctl("container", "rehearse", "bank", "--image", "pg", "--probation", "5s",
                                 "--freeze-timeout", "60s")
        if answer["state"] != "committed":
            raise RuntimeError(answer["reason"])
        over = time.time()
        bank.ledger.reach(500)
        for name, seconds, times in rehearsal_phases(bank.ledger, answer, before, over):
            p50, p99, longest = (value * 1e3 for value in quantiles(times))
            print(f"  {what}, {name} ({seconds:.1f} s):".ljust(56) + f"p50 {p50:7.1f} ms, p99 {p99:7.1f} ms, longest {longest:7.1f} ms", flush=True)
    except RuntimeError as error:
        print(f"  {what}: {error}", flush=True)
    finally:
        bank.ledger.end()
        world.end()


APPLICATION_BENCHES = {"recreate": recreate, "rehearse": rehearse, "capsule": capsule}
