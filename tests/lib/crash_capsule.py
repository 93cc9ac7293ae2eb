# SPDX-License-Identifier: Apache-2.0
"""The verb of crash sweeps that makes a container, its volume and a snapshot of a capsule."""
import subprocess

from crash_world import ContainerVerb
from peers import BUILD


class CapsuleImport(ContainerVerb):
    def volctl(self, *words):
        return subprocess.run([BUILD / "volctl", "--socket", self.world.daemon.socket, *words], capture_output=True,
                              text=True, check=False)

    def make_capsule(self):
        self.file = self.world.daemon.dir / "x.capsule"
        self.make_volume("old")
        self.world.api("POST", f"/volumed/v1/volumes/{self.name('v')}/snapshots", {"name": "s1"})
        (self.world.data(self.name("v")) / "x").write_text("new")
        self.world.api(*self.make())
        made = self.volctl("container", "export", self.name("c"), "--to", str(self.file), "--snapshots", "all")
        assert made.returncode == 0, made.stderr
        attached = self.world.api("GET", f"/containers/{self.name('c')}/json")["Mounts"]
        self.names = (self.name("c"), self.name("v"), [m["Name"] for m in attached if m["Destination"] == "/anonymous"][0])
        super().after()

    def before(self):
        if not hasattr(self, "file"):
            self.make_capsule()

    def act(self):
        container, volume, _ = self.names
        self.volctl("capsule", "import", str(self.file), "--rename", f"{container}={self.name('c')}",
                    "--rename", f"{volume}={self.name('v')}")

    def look(self):
        volumes = [v["Name"] for v in self.world.api("GET", "/volumes")["Volumes"] or []]
        assert not [name for name in volumes if name.startswith("import-")], volumes
        if not self.world.exists(f"/containers/{self.name('c')}/json"):
            assert not volumes, f"{volumes} without their container"
            return
        assert len(volumes) == 2, volumes
        assert self.content() == "new"
        self.world.api("POST", "/volumes/create", {"Name": self.name("copy"), "DriverOpts": {"from": f"{self.name('v')}@s1"}})
        assert self.content("copy") == "old"
