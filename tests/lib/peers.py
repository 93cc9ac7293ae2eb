# SPDX-License-Identifier: Apache-2.0
"""The daemons under comparison, each private: own state, own socket, gone at the end."""
import atexit
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("VOLUMED_BUILD", "build/release")


class Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket, kept alive."""

    def __init__(self, path):
        super().__init__("localhost", timeout=120)
        self.unix = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(120)
        self.sock.connect(self.unix)

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body is not None else {}
        self.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:200]!r}")
        return json.loads(data) if data else None


def children_of(pid):
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child] + children_of(child)
    return found


def rss_kib(pid):
    """Resident memory that is not shared file pages of others: RssAnon + RssFile, in KiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


class Daemon:
    """One daemon process and its directory."""

    name = "?"

    def __init__(self, parent):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"bench-{self.name}.", dir=parent))
        self.socket = self.dir / "d.sock"
        self.process = None
        atexit.register(self.end)

    def command(self):
        raise NotImplementedError

    def start(self):
        """Returns the seconds until it answered."""
        began = time.perf_counter()
        log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while True:
            try:
                self.connect().ask("GET", "/version")
                return time.perf_counter() - began
            except (OSError, http.client.HTTPException):
                if self.process.poll() is not None or time.perf_counter() - began > 60:
                    raise RuntimeError((self.dir / "log").read_text()[-2000:])
                time.sleep(0.002)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def connect(self):
        return Connection(self.socket)

    def docker(self, *args, **options):
        return subprocess.run(["docker", "-H", f"unix://{self.socket}", *args], check=True,
                              stdout=subprocess.DEVNULL, **options)

    def rss(self):
        """The daemon's own, with the helpers that it keeps for itself."""
        return rss_kib(self.pid())

    def pid(self):
        return self.process.pid

    def end(self):
        if self.process and self.process.poll() is None:
            children = children_of(self.process.pid)
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
            for child in children:
                try:
                    os.kill(child, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.process = None
        mounts = [line.split()[4] for line in open("/proc/self/mountinfo")]
        for mount in reversed([m for m in mounts if m.startswith(str(self.dir))]):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Volumed(Daemon):
    name = "volumed"

    def __init__(self, parent, state=None):
        super().__init__(parent)
        self.state = state or self.dir / "state"

    def command(self):
        return [BUILD / "volumed", "--state", self.state, "--socket", self.socket,
                *os.environ.get("VOLUMED_FLAGS", "").split()]


class Dockerd(Daemon):
    """Debian's dockerd, in mount and network namespaces of its own."""

    name = "dockerd"

    def command(self):
        args = ["dockerd", "--data-root", self.dir / "data", "--exec-root", self.dir / "exec",
                "-H", f"unix://{self.socket}", "-p", self.dir / "pid", "--bridge", "none",
                "--iptables=false", "--ip-forward=false", "--storage-driver", "overlay2"]
        return ["unshare", "-m", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *map(str, args)]

    def rss(self):
        """dockerd does its containers through its own containerd: both count."""
        return rss_kib(self.pid()) + sum(rss_kib(child) for child in children_of(self.pid()))


def busybox_root(directory):
    """A root filesystem of one static program."""
    root = pathlib.Path(directory) / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for name in ("sh", "true", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    return root


def import_busybox(daemon):
    with tempfile.TemporaryDirectory() as scratch:
        root = busybox_root(scratch)
        tar = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
        daemon.docker("import", "-", "busybox", stdin=tar.stdout)
        tar.wait()
