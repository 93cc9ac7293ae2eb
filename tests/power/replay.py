#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In a machine: the disk as it was at random moments of a recording, a volumed that starts on it, and what
it makes of it.

What was acknowledged must be there; the step that was under way is done or not; a recreation is committed
or rolled back, and the ledger is exact by that; nothing is left over.  Prints one line for each cut that
was not so, and a closing one.

Usage: replay.py DISK LOG SPARE OUT CUTS SEED"""
import json
import os
import pathlib
import random
import shutil
import sys
import time

from application import ACKS, PATIENCE, STATE, Service, run, sectors_of
from write_log import WriteLog

DEVICE = "replayed"


def choose(log, count, seed):
    """Half of them any moment, half of them a moment of any step, however short."""
    chance = random.Random(seed)
    first = log.marks[0].index
    chosen = {chance.randrange(first, log.marks[-1].index + 1) for _ in range(count // 2)}
    while len(chosen) < count:
        step = chance.randrange(len(log.marks) - 1)
        chosen.add(chance.randrange(log.marks[step].index, log.marks[step + 1].index + 1))
    return sorted(chosen)


class Replay:
    def __init__(self, disk, log, spare, out):
        self.disk, self.log, self.spare, self.out = disk, log, spare, out
        recording = json.loads((out / "steps.json").read_text())
        self.steps, self.lines = recording["steps"], recording["lines"]
        self.size = sectors_of(disk)
        self.applied = 0

    def prepare(self, cut):
        """The disk below is what is certain; a layer on top takes the rest and what the test does."""
        certain = self.log.durable_until(cut)
        target = os.open(self.disk, os.O_WRONLY)
        self.log.apply(target, self.applied, certain)
        os.fsync(target)
        os.close(target)
        self.applied = certain
        run("dmsetup", "create", DEVICE, "--table", f"0 {self.size} snapshot {self.disk} {self.spare} N 16")
        target = os.open(f"/dev/mapper/{DEVICE}", os.O_WRONLY)
        self.log.apply_part(target, certain, cut + 1, cut)
        os.fsync(target)
        os.close(target)

    def strike(self, cut):
        """One cut; None, or what is wrong, and what volumed says goes to OUT."""
        self.prepare(cut)
        (ACKS / "lines").unlink(missing_ok=True)
        service = None
        try:
            run("mount", f"/dev/mapper/{DEVICE}", STATE)
            service = Service()
            self.look(service, cut)
            return None
        except (AssertionError, RuntimeError, OSError) as error:
            return str(error) or type(error).__name__
        finally:
            self.clear(service, cut)

    def clear(self, service, cut):
        if service is not None:
            shutil.copy(service.daemon.dir / "log", self.out / f"cut-{cut}.log")
            service.kill()
        for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
            if line.split()[4].startswith(str(STATE)):
                run("umount", "-l", line.split()[4])
        for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            try:
                os.rmdir(directory)
            except OSError:
                pass
        run("dmsetup", "remove", "--retry", DEVICE)

    def look(self, service, cut):
        passed = int(next(mark.mark for mark in reversed(self.log.marks) if mark.index <= cut))
        service.await_recreations()
        checked = service.ask("POST", "/volumed/v1/system/check", {})
        assert checked["clean"], f"system check: {checked['findings']}"
        found = service.observe()
        right = [step["state"] for step in self.steps[passed:passed + 2]]
        assert found in right, f"found {difference(found, right)}"
        self.check_container(service)
        self.check_ledger(service, found["who"], self.steps[passed]["lines"])

    def check_container(self, service):
        """One has the name and runs; the others, and what sets there are, belong to its generations."""
        until = time.monotonic() + PATIENCE
        while not service.container()["State"]["Running"] and time.monotonic() < until:
            time.sleep(0.05)  # its restart policy takes a moment
        state = service.container()["State"]
        assert state["Running"], f"web does not run: {state}"
        for _ in range(50):  # it is committed before it is tidied up behind
            generations = service.ask("GET", "/volumed/v1/containers/web/generations")["generations"]
            known = {g["set"] for g in generations} | {r["failed_set"] for r in service.recreations()}
            sets = {s["name"] for s in service.ask("GET", "/volumed/v1/sets")["sets"] if s["reason"] == "safety"}
            if sets <= known:
                break
            time.sleep(0.1)
        assert sets <= known, f"sets {sets - known} belong to nobody"
        containers = service.ask("GET", "/containers/json?all=1")
        assert len(containers) == 1, f"containers {[c['Names'] for c in containers]}"

    def check_ledger(self, service, who, acknowledged):
        ledger = (service.data("data") / "ledger").read_text().splitlines()
        wanted = [line for line in self.lines[:acknowledged] if belongs(line, who)]
        there = set(wanted)
        assert [line for line in ledger if line in there] == wanted, \
            f"of {len(wanted)} acknowledged lines {len(there & set(ledger))} are there"
        strays = [line for line in ledger if not belongs(line, who)]
        assert not strays, f"lines that were rolled back: {strays}"


def belongs(line, who):
    """Whether a line was written by what has the name, or by what it followed."""
    writer = line.split()[0]
    return not writer.startswith("bad") and int(writer) <= int(who)


def difference(found, right):
    return "; ".join(f"{key}: {found[key]}, not {' or '.join(str(state[key]) for state in right)}"
                     for key in found if all(found[key] != state[key] for state in right)) or "a mixture of two states"


def main():
    disk, log_device, spare, out = sys.argv[1:4] + [pathlib.Path(sys.argv[4])]
    count, seed = int(sys.argv[5]), int(sys.argv[6])
    log = WriteLog(log_device)
    STATE.mkdir(parents=True)
    ACKS.mkdir()
    replay = Replay(disk, log, spare, out)
    wanted = os.environ.get("VM_CUT", "all")
    cuts = choose(log, count, seed) if wanted == "all" else [int(wanted)]
    wrong = 0
    for cut in cuts:
        reason = replay.strike(cut)
        passed = next(mark.mark for mark in reversed(log.marks) if mark.index <= cut)
        following = replay.steps[min(int(passed) + 1, len(replay.steps) - 1)]["name"]
        if reason is not None:
            wrong += 1
            print(f"cut {cut} of {len(log.entries)}, in '{following}': {reason}", flush=True)
    print(f"replay: {len(cuts)} cuts, {wrong} wrong")


main()
