#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""In the machine: an application, storage verbs and recreations on a disk whose writes are logged.

Each step is marked in the log when it has been acknowledged, with what could be seen then and how many
lines of the application's ledger were acknowledged before; all this goes to OUT, outside.

Usage: record.py DISK LOG OUT LEDGER ROUNDS [nosync]"""
import io
import json
import os
import pathlib
import random
import sys
import tarfile
import time

from application import ACKS, STATE, Service, acknowledged, dump, run, sectors_of

DEVICE = "recorded"


class Recorder:
    def __init__(self, out, ledger, options):
        self.out, self.ledger, self.options = out, ledger, options
        self.steps = []
        self.service = Service()
        self.generation = 1

    def start_application(self):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(self.ledger, "bin/ledger")
        self.post_bytes("/images/create?fromSrc=-&repo=app", archive.getvalue())
        host = {"Binds": ["data:/data", f"{ACKS}:/ack"], "NetworkMode": "none", "RestartPolicy": {"Name": "always"}}
        self.service.ask("POST", "/containers/create?name=web",
                         {"Image": "app", "Cmd": ["/bin/ledger"], "Env": self.env(1), "HostConfig": host,
                          "Volumes": {"/anonymous": {}}})
        self.service.ask("POST", "/containers/web/start")
        while not acknowledged():
            time.sleep(0.05)

    def post_bytes(self, path, data):
        connection = self.service.daemon.connect()
        connection.socket.sendall(f"POST {path} HTTP/1.1\r\nHost: l\r\nContent-Type: application/x-tar\r\n"
                                  f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
        status, headers = connection.read_head()
        answer = connection.read_body(status, headers)
        assert status == 200 and b"error" not in answer, answer

    def env(self, who, *more):
        return [f"WHO={who}", *self.options, *more]

    def mark(self, name):
        """Everything that was acknowledged until now is in the log before the mark."""
        lines = acknowledged()
        state = self.service.observe()
        self.steps.append({"name": name, "lines": len(lines), "state": state})
        run("dmsetup", "message", DEVICE, 0, "mark", len(self.steps) - 1)

    def step(self, name, method, path, body=None):
        self.service.ask(method, path, body)
        self.mark(name)

    def write(self, volume, text):
        """As an application does that wants the old or the new text after a crash."""
        data = self.service.data(volume)
        with open(data / "new", "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.rename(data / "new", data / "x")
        directory = os.open(data, os.O_RDONLY)
        os.fsync(directory)
        os.close(directory)
        self.mark(f"write {volume}")

    def recreate(self, is_good):
        who = str(self.generation + 1) if is_good else f"bad{self.generation + 1}"
        env = self.env(who) if is_good else self.env(who, "FAILS=1")
        begun = self.service.ask("POST", "/volumed/v1/recreations",
                                 {"members": {"web": {"change": {"Env": env}}}, "probation_ms": 600, "keep": 2})
        self.service.await_recreations()
        ended = self.service.ask("GET", f"/volumed/v1/recreations/{begun['id']}")
        assert ended["state"] == ("committed" if is_good else "rolled_back"), ended
        self.generation += is_good
        self.mark(f"recreate to {who}")

    def round(self, number):
        v, s = f"v{number}", "/volumed/v1"
        self.step("volume create", "POST", "/volumes/create", {"Name": v, "DriverOpts": {"mode": "0700"}})
        self.write(v, "one")
        self.step("snapshot create", "POST", f"{s}/volumes/{v}/snapshots", {"name": "s1"})
        self.write(v, "two")
        self.recreate(True)
        self.step("rollback", "POST", f"{s}/volumes/{v}/rollback", {"snapshot": "s1"})
        self.step("clone", "POST", "/volumes/create", {"Name": f"c{number}", "DriverOpts": {"from": f"{v}@s1"}})
        self.step("set create", "POST", f"{s}/sets", {"name": f"set{number}", "volumes": [v, f"c{number}", "data"]})
        self.write(v, "three")
        self.write(f"c{number}", "three")
        self.step("snapshot remove", "DELETE", f"{s}/volumes/{v}/snapshots/s1")
        self.step("volume trash", "DELETE", f"{s}/volumes/{v}?with_snapshots=true")
        self.recreate(number % 2 == 0)
        self.step("trash restore", "POST", f"{s}/trash/{v}/restore")
        self.step("rename", "PATCH", f"{s}/volumes/{v}", {"name": f"renamed{number}"})
        self.step("trash again", "DELETE", f"{s}/volumes/renamed{number}?with_snapshots=true")
        self.step("trash purge", "DELETE", f"{s}/trash/renamed{number}")
        self.step("set remove", "DELETE", f"{s}/sets/set{number}?now=true")


def main():
    disk, log, out, ledger, rounds = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), sys.argv[4], int(sys.argv[5])
    options = ["NOSYNC=1"] if "nosync" in sys.argv[6:] else []
    STATE.mkdir(parents=True)
    ACKS.mkdir()
    run("dmsetup", "create", DEVICE, "--table", f"0 {sectors_of(disk)} log-writes {disk} {log}")
    run("mount", f"/dev/mapper/{DEVICE}", STATE)
    recorder = Recorder(out, ledger, options)
    recorder.start_application()
    recorder.mark("begin")
    for number in range(rounds):
        recorder.round(number)
    dump(out / "steps.json", {"steps": recorder.steps, "lines": acknowledged()})
    recorder.service.kill()
    run("umount", STATE)
    run("dmsetup", "remove", DEVICE)


main()
