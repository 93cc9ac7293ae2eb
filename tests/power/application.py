# SPDX-License-Identifier: Apache-2.0
"""volumed with an application, in the machine that loses power: what both the recording and the replays
start, ask and look at."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from peers import Volumed  # noqa: E402

STATE = pathlib.Path("/tmp/power/state")
ACKS = pathlib.Path("/tmp/power/ack")
PATIENCE = 30
os.environ["VOLUMED_FLAGS"] = os.environ.get("VM_FLAGS", "")
os.environ["DM_DISABLE_UDEV"] = "1"  # there is none: dmsetup makes the nodes itself


class Service:
    """A volumed on STATE, and the requests of the test."""

    def __init__(self):
        self.daemon = Volumed("/tmp/power", STATE / "volumed")
        self.daemon.start()
        self.connection = self.daemon.connect()

    def ask(self, method, path, body=None):
        return self.connection.ask(method, path, body)

    def kill(self):
        """With all that it started: as a loss of power does."""
        self.daemon.process.kill()
        self.daemon.process.wait()
        self.daemon.process = None
        for _ in range(50):
            left = [pid for pid in os.listdir("/proc") if pid.isdigit() and is_ours(pid)]
            for pid in left:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                return
            time.sleep(0.02)
        raise RuntimeError("processes do not end")

    def data(self, volume):
        return pathlib.Path(self.ask("GET", f"/volumes/{volume}")["Mountpoint"])

    def recreations(self):
        return self.ask("GET", "/volumed/v1/recreations")["recreations"]

    def await_recreations(self):
        until = time.monotonic() + PATIENCE
        while any(r["state"] not in ("committed", "rolled_back") for r in self.recreations()):
            if time.monotonic() > until:
                raise AssertionError("a recreation does not end")
            time.sleep(0.05)

    def observe(self):
        """All that a client can see, but for what recreations keep by themselves."""
        sets = {s["name"] for s in self.ask("GET", "/volumed/v1/sets")["sets"] if s["reason"] == "safety"}
        snapshots = [s for s in self.ask("GET", "/volumed/v1/snapshots")["snapshots"] if s.get("set") not in sets]
        volumes = [v["Name"] for v in self.ask("GET", "/volumes")["Volumes"]]
        return {
            "volumes": {name: self.content(name) for name in volumes},
            "snapshots": sorted(f"{s['volume']}@{s['name']}={self.content_of(s)}" for s in snapshots
                                if s["reason"] == "user"),
            "safety": sorted(s["volume"] for s in snapshots if s["reason"] == "safety"),
            "sets": sorted(s["name"] for s in self.ask("GET", "/volumed/v1/sets")["sets"] if s["reason"] == "user"),
            "trash": sorted(e["name"] for e in self.ask("GET", "/volumed/v1/trash")["trash"]),
            "who": self.who(),
        }

    def content(self, volume):
        path = self.data(volume) / "x"
        return path.read_text() if path.exists() else None

    def content_of(self, snapshot):
        try:
            path = f"/volumed/v1/volumes/{snapshot['volume']}/files/content?path=/x&snapshot={snapshot['name']}"
            return self.connection.fetch("GET", path).decode()
        except RuntimeError:
            return None

    def container(self):
        return self.ask("GET", "/containers/web/json")

    def who(self):
        try:
            env = self.container()["Config"]["Env"]
        except RuntimeError:
            return None
        return next(word for word in env if word.startswith("WHO="))[4:]


def is_ours(pid):
    try:
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        root = os.readlink(f"/proc/{pid}/root")
    except OSError:
        return False
    return str(STATE).encode() in words or words.startswith(b"/bin/ledger") or root.startswith(str(STATE))


def run(*words):
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(done.args)}: {done.stderr}")
    return done.stdout


def sectors_of(device):
    return int(run("blockdev", "--getsz", device))


def acknowledged():
    path = ACKS / "lines"
    return path.read_text().splitlines() if path.exists() else []


def dump(path, value):
    path.write_text(json.dumps(value))
