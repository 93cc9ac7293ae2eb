# SPDX-License-Identifier: Apache-2.0
"""The daemons under comparison, each private: own state, own socket, gone at the end."""
import atexit
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


class Connection:
    """HTTP over a Unix socket, kept alive.  A request is one write, and little is done besides, so that what
    is timed is the daemon: http.client alone takes some 90 us a request."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(str(path))
        self.file = self.socket.makefile("rb", buffering=1 << 18)

    def ask(self, method, path, body=None):
        data = self.fetch(method, path, body)
        return json.loads(data) if data else None

    def fetch(self, method, path, body=None):
        """The answer's body as it is."""
        data = json.dumps(body).encode() if body is not None else b""
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(data)}\r\n\r\n")
        self.socket.sendall(head.encode() + data)
        status, headers = self.read_head()
        answer = self.read_body(status, headers)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {answer[:200]!r}")
        return answer

    def read_head(self):
        line = self.file.readline()
        if not line:
            raise ConnectionResetError("the daemon hung up")
        headers = {}
        while (header := self.file.readline().strip()):
            name, value = header.split(b":", 1)
            headers[name.lower()] = value.strip()
        return int(line.split()[1]), headers

    def read_body(self, status, headers):
        if status in (204, 304):
            return b""
        if headers.get(b"transfer-encoding") != b"chunked":
            return self.file.read(int(headers.get(b"content-length", 0)))
        pieces = []
        while (size := int(self.file.readline(), 16)):
            pieces.append(self.file.read(size))
            self.file.readline()
        self.file.readline()
        return b"".join(pieces)


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
            except OSError:
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

    def __init__(self, parent, data=None):
        super().__init__(parent)
        self.data = data or self.dir / "data"

    def command(self):
        args = ["dockerd", "--data-root", self.data, "--exec-root", self.dir / "exec",
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
