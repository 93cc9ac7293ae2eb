# SPDX-License-Identifier: Apache-2.0
"""What crash sweeps stand on: a volumed that is killed and started again, and the shape of a verb."""
import json
import pathlib
import subprocess
import time

from peers import BUILD, Volumed


class World:
    """A volumed that is killed and started again on one state directory."""

    def __init__(self, scratch):
        self.daemon = Volumed(scratch)
        self.daemon.start()

    def api(self, method, path, body=None):
        return self.daemon.connect().ask(method, path, body)

    def quiet(self, method, path, body=None):
        """For clean-ups and for the verb itself, which may die under us."""
        try:
            return self.api(method, path, body)
        except Exception:
            return None

    def data(self, name):
        return pathlib.Path(self.api("GET", f"/volumes/{name}")["Mountpoint"])

    def exists(self, path):
        try:
            self.api("GET", path)
            return True
        except RuntimeError as error:
            if " 404 " in str(error):
                return False
            raise

    def restart(self):
        self.daemon.process.wait(30)
        self.daemon.start()

    def check(self):
        """What reconcile finds after the start's own repair must be nothing."""
        answer = subprocess.run([BUILD / "volctl", "--socket", self.daemon.socket, "system", "check", "--json"],
                                capture_output=True, text=True, check=False)
        assert answer.returncode == 0 and json.loads(answer.stdout)["clean"], f"system check: {answer.stdout} {answer.stderr}"


class Verb:
    """before() makes what the verb needs, act() is it, look() judges, after() cleans for the next round."""

    def __init__(self, world):
        self.world = world
        self.round = 0

    def name(self, stem):
        return f"{stem}{self.round}"

    def before(self):
        pass

    def after(self):
        for stem in ("c",):
            self.world.quiet("DELETE", f"/containers/{self.name(stem)}?force=1&v=1")
        for stem in ("copy", "v", "w"):
            name = self.name(stem)
            self.world.quiet("DELETE", f"/volumed/v1/volumes/{name}?with_snapshots=true&force=true&now=true")

    def make_volume(self, text="one"):
        self.world.api("POST", "/volumes/create", {"Name": self.name("v")})
        (self.world.data(self.name("v")) / "x").write_text(text)

    def content(self, stem="v"):
        return (self.world.data(self.name(stem)) / "x").read_text()


class ContainerVerb(Verb):
    spec = {"Image": "busybox", "Cmd": ["/bin/sleep", "600"], "HostConfig": {"NetworkMode": "none"}}

    def make(self):
        spec = dict(self.spec, HostConfig=dict(self.spec["HostConfig"], Binds=[f"{self.name('v')}:/data"]),
                    Volumes={"/anonymous": {}})
        return "POST", f"/containers/create?name={self.name('c')}", spec

    def state(self):
        return self.world.api("GET", f"/containers/{self.name('c')}/json")["State"]

    def settled(self):
        """A restart may still be finishing what it found; at most a few seconds."""
        for _ in range(50):
            state = self.state()
            if state["Status"] in ("running", "exited", "created"):
                return state
            time.sleep(0.1)
        raise AssertionError(f"container stays {state['Status']}")
