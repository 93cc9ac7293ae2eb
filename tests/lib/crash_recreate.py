# SPDX-License-Identifier: Apache-2.0
"""Sweeps of recreations: whenever volumed dies, they end as committed or as rolled back.

The container keeps a ledger in its volume, and says each line in a directory of the host once it is
written: what was acknowledged there must be found again, in order, unless it was written in a probation
that was rolled back, whose lines must all be gone."""
import pathlib
import sqlite3
import time

from crash_world import ContainerVerb

SERVER = """trap 'exit 0' TERM
n=0; read up rest </proc/uptime
while :; do
    n=$((n + 1)); echo "$WHO $up $n" >>/data/ledger; echo "$WHO $up $n" >>/ack/lines
    %s
    sleep 0.02
done"""
STAYS, EXITS = "", 'if [ $n = 3 ]; then exit 3; fi'


class ContainerRecreate(ContainerVerb):
    """One container with a volume and an anonymous one, replaced by one that stays."""

    then = STAYS

    def spec_of(self, who, then):
        return {"Cmd": ["/bin/sh", "-c", SERVER % then], "Env": [f"WHO={who}", "PATH=/bin"]}

    def before(self):
        self.acks = self.world.daemon.dir / self.name("ack")
        self.acks.mkdir()
        host = dict(self.spec["HostConfig"], Binds=[f"{self.name('v')}:/data", f"{self.acks}:/ack"])
        spec = dict(self.spec, HostConfig=host, Volumes={"/anonymous": {}}, **self.spec_of("old", STAYS))
        self.world.api("POST", f"/containers/create?name={self.name('c')}", spec)
        self.world.api("POST", f"/containers/{self.name('c')}/start")
        self.wait_for("old")

    def lines(self):
        path = self.acks / "lines"
        return path.read_text().splitlines() if path.exists() else []

    def wait_for(self, who):
        for _ in range(100):
            if any(line.startswith(who) for line in self.lines()):
                return
            time.sleep(0.05)
        raise AssertionError(f"{who} acknowledges nothing")

    def member(self):
        return {"change": self.spec_of("new", self.then)}

    def begin(self, ask):
        ask("POST", "/volumed/v1/recreations", {"members": {self.name("c"): self.member()}, "probation_ms": 150})

    def act(self):
        self.begin(self.world.quiet)
        self.await_end()

    def await_end(self):
        """Of all recreations, or of volumed.  Asks the database, since requests would be system calls."""
        for _ in range(1000):
            if self.world.daemon.process.poll() is not None or self.is_over():
                return
            time.sleep(0.02)
        raise AssertionError("a recreation does not end")

    def is_over(self):
        database = sqlite3.connect(f"file:{self.world.daemon.state}/volumed.db?mode=ro", uri=True, timeout=20)
        try:
            return database.execute("SELECT count(*) FROM recreation WHERE finished_ms = 0").fetchone()[0] == 0
        finally:
            database.close()

    def look(self):
        self.await_end()
        name = self.name("c")
        state = self.settled()
        assert state["Status"] == "running", state
        who = self.who()
        self.check_rest(name)
        self.world.api("POST", f"/containers/{name}/stop?t=5")
        self.check_ledger(who)

    def who(self):
        env = self.world.api("GET", f"/containers/{self.name('c')}/json")["Config"]["Env"]
        return next(word for word in env if word.startswith("WHO="))[4:]

    def check_rest(self, name):
        """Whatever there is belongs to the container or to a generation of it."""
        containers = self.world.api("GET", "/containers/json?all=1")
        assert [c["Names"] for c in containers] == [[f"/{name}"]], containers
        volumes = self.world.api("GET", "/volumes")["Volumes"]
        assert len(volumes) == 2, volumes
        for _ in range(50):  # it is committed before it is tidied up behind
            generations = self.world.api("GET", f"/volumed/v1/containers/{name}/generations")["generations"]
            sets = {made["name"] for made in self.world.api("GET", "/volumed/v1/sets")["sets"]}
            recreations = self.world.api("GET", f"/volumed/v1/recreations?container={name}")["recreations"]
            known = {g["set"] for g in generations} | {r["failed_set"] for r in recreations}
            if sets <= known:
                break
            time.sleep(0.05)
        assert sets <= known, f"{sets} of {generations}"
        self.world.check()

    def check_ledger(self, who):
        ledger = (self.world.data(self.name("v")) / "ledger").read_text().splitlines()
        wanted = [line for line in self.lines() if self.belongs(line, who)]
        assert [line for line in ledger if line in set(wanted)] == wanted, "what was acknowledged is not there"
        rest = [line for line in ledger if line not in set(wanted)]
        # Each run may have been stopped between the line and its acknowledgement.
        assert all(self.belongs(line, who) for line in rest), f"what was rolled back is still there: {rest}"
        assert len(rest) <= 3, f"never acknowledged: {rest}"

    def belongs(self, line, who):
        return line.startswith("old") or who == "new"

    def after(self):
        super().after()
        left = (self.world.api("GET", "/containers/json?all=1"), self.world.api("GET", "/volumed/v1/snapshots")["snapshots"])
        assert not any(left), f"removing it left {left}"


class ContainerRecreateBad(ContainerRecreate):
    """… by one that writes and exits: it never stays."""

    then = EXITS

    def look(self):
        super().look()
        assert self.who() == "old", "the bad one stays"


class ContainerRollback(ContainerRecreate):
    """Back to the generation before: its software, and the data of its end."""

    def before(self):
        super().before()
        self.is_back = False
        self.begin(self.world.api)
        self.await_end()
        self.is_back = True
        self.wait_for("new")

    def member(self):
        return {"generation": -1} if self.is_back else super().member()

    def act(self):
        self.asked = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        super().act()

    def belongs(self, line, who):
        """What the earlier generation wrote when it was put back goes when that is undone."""
        writer, started, _ = line.split()
        return writer == who or (writer == "old" and float(started) < self.asked)
