# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL that is replaced under its clients, and what they were promised.

The law that all rests on: software and data go together.  What a container's volumes hold is what the container
before it had when it stopped, and what this one acknowledged since.  Nothing more, but for transfers whose answer
got lost with the connection: those may be in or not."""
import bisect
import collections
import contextlib
import subprocess
import threading
import time

from stage import POSTGRES, SCHEMA, SUMS, USER

SETTINGS = ["shared_buffers=16MB", "max_wal_size=64MB", "min_wal_size=32MB", "listen_addresses=", "unix_socket_directories=/sock",
            "wal_level=minimal", "max_wal_senders=0", "log_timezone=UTC", "shared_preload_libraries="]
SERVE = " ".join(["-D", "/data/main", *(word for setting in SETTINGS for word in ("-c", setting))])
VOLUMES = ["pgdata", "pgwal"]


class Place:
    """Where a container's server can be reached from the host: its own /sock, which is a tmpfs."""

    def __init__(self, world, name):
        self.world, self.name = world, name

    def find(self):
        """(id, directory of the socket), or None while it does not run."""
        try:
            state = self.world.api("GET", f"/containers/{self.name}/json")
        except RuntimeError:
            return None
        pid = state["State"]["Pid"]
        return (state["Id"], f"/proc/{pid}/root/sock") if state["State"]["Running"] and pid else None


class Client(threading.Thread):
    """Asks for one transfer after the other and connects anew whenever it must.  With a pace, at that many a second,
    whatever the answers take: then their time counts from when they were due."""

    def __init__(self, ledger, pace=None):
        super().__init__(daemon=True)
        self.ledger, self.pace = ledger, pace
        self.is_paused, self.is_ended = threading.Event(), False
        self.is_at_rest = threading.Event()
        self.start()

    def run(self):
        while not self.is_ended:
            found = self.ledger.place.find()
            if self.is_paused.is_set() or found is None:
                if self.is_paused.is_set():
                    self.is_at_rest.set()
                time.sleep(0.01)
                continue
            self.is_at_rest.clear()
            self.serve(*found)
            time.sleep(0.01)

    def serve(self, container, socket):
        process = subprocess.Popen([POSTGRES / "bin/psql", "-h", socket, "-U", "postgres", "-XqAt", "-v", "ON_ERROR_STOP=1", "postgres"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        number = None
        try:
            session = self.ask(process, "SELECT extract(epoch FROM pg_postmaster_start_time());")
            due = time.time()
            while not (self.is_ended or self.is_paused.is_set()):
                number = self.ledger.next_number()
                if self.pace:
                    due += 1 / self.pace
                    time.sleep(max(0, due - time.time()))
                began = due if self.pace else time.time()
                if int(self.ask(process, f"SELECT transfer({number});")) != number:
                    raise ValueError
                self.ledger.acknowledge(number, container, session, began, time.time())
                number = None
        except (OSError, ValueError):
            if number is not None:
                self.ledger.lost.add(number)
        finally:
            process.kill()
            process.wait()

    @staticmethod
    def ask(process, text):
        process.stdin.write(text + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise OSError("the server hung up")
        return line.strip()


class Load(threading.Thread):
    """pgbench, again whenever it ends; as fast as it can, or so many transactions a second."""

    def __init__(self, place, pace=None):
        super().__init__(daemon=True)
        self.place, self.pace, self.process = place, pace, None
        self.is_paused, self.is_ended = threading.Event(), False
        self.is_at_rest = threading.Event()
        self.start()

    def run(self):
        while not self.is_ended:
            found = self.place.find()
            if self.is_paused.is_set() or found is None:
                if self.is_paused.is_set():
                    self.is_at_rest.set()
                time.sleep(0.02)
                continue
            self.is_at_rest.clear()
            pace = ["-R", str(self.pace)] if self.pace else []
            self.process = subprocess.Popen([POSTGRES / "bin/pgbench", "-h", found[1], "-U", "postgres", "-n", "-c", "2", *pace, "-T", "3600", "postgres"],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while self.process.poll() is None:
                if self.is_paused.is_set() or self.is_ended:
                    self.process.kill()
                time.sleep(0.02)


class Ledger:
    """What was acknowledged, by which container, and when."""

    def __init__(self, place):
        self.place = place
        self.lock = threading.Lock()
        self.number = 0
        self.base = {}  # container: what its volumes held before it started
        self.acknowledged = collections.defaultdict(lambda: collections.defaultdict(set))  # container: session: numbers
        self.lost = set()
        self.times = []  # (answered, began, container, session), in no strict order
        self.workers = []

    def begin(self, clients, pace=None):
        """With a pace the clients, and pgbench, keep it."""
        self.workers = [Client(self, pace) for _ in range(clients)] + [Load(self.place, pace)]

    def end(self):
        for worker in self.workers:
            worker.is_ended = True
        for worker in self.workers:
            worker.join(20)

    def next_number(self):
        with self.lock:
            self.number += 1
            return self.number

    def acknowledge(self, number, container, session, began, answered):
        with self.lock:
            self.acknowledged[container][session].add(number)
            self.times.append((answered, began, container, session))

    def count(self, container=None):
        with self.lock:
            return sum(map(len, self.acknowledged[container].values())) if container else len(self.times)

    def sessions(self, container):
        """Runs of its server that have answered."""
        with self.lock:
            return set(self.acknowledged[container])

    def reach(self, more, container=None, seconds=60):
        """Waits for so many more answers, of this container or of any."""
        goal, limit = self.count(container) + more, time.monotonic() + seconds
        while self.count(container) < goal:
            if time.monotonic() > limit:
                raise AssertionError(f"the clients do not get on: {self.count(container)} of {goal}")
            time.sleep(0.02)

    @contextlib.contextmanager
    def paused(self):
        for worker in self.workers:
            worker.is_at_rest.clear()
            worker.is_paused.set()
        for worker in self.workers:
            if not worker.is_at_rest.wait(20):
                raise AssertionError("a client does not come to rest")
        yield
        for worker in self.workers:
            worker.is_paused.clear()

    def holds(self, container, sessions=None):
        """By the law above; with sessions, at the end of these."""
        with self.lock:
            told = self.acknowledged[container]
            return self.base[container].union(*(told[session] for session in (told if sessions is None else sessions)))

    def follow(self, new, old, sessions):
        """The new container began with what the old one had at the end of these sessions."""
        self.base[new] = self.holds(old, sessions)

    def outages(self, since):
        """Seconds without an answer, each time that another server took over after this moment."""
        with self.lock:
            times = sorted(self.times)
        first = max(0, bisect.bisect_left(times, (since,)) - 1)
        return [after[0] - before[0] for before, after in zip(times[first:], times[first + 1:]) if before[2:] != after[2:]]

    def latencies(self, since, until):
        with self.lock:
            return sorted(answered - began for answered, began, *_ in self.times if since <= began < until)


def quantiles(times):
    """p50, p99 and the longest of sorted times."""
    return times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)], times[-1]


def rehearsal_phases(ledger, answer, before, over):
    """(what, seconds, latencies of the original) around and during a rehearsal that the recreation's JSON tells of."""
    report = answer["report"]
    began, running, judged = answer["started_ms"] / 1e3, report["running_ms"] / 1e3, report["judged_ms"] / 1e3
    for what, since, until in (("before", before, began), ("cut and clone", began, running), ("rehearsal", running, judged),
                               ("comparison and removal", judged, over), ("after", over, time.time())):
        if times := ledger.latencies(since, until):
            yield what, until - since, times


class Bank:
    """PostgreSQL in the container "bank", its data on one volume and its log on another."""

    def __init__(self, world, name="bank"):
        self.world, self.name = world, name
        self.place = Place(world, name)
        self.ledger = Ledger(self.place)

    def open(self, image, initdb=f"{POSTGRES}/bin/initdb", clients=3, pace=None, scale=2, stop_timeout=3):
        for volume in VOLUMES:
            self.world.volume(volume)
        self.world.docker("run", "--rm", *self.options("init", VOLUMES), image, initdb, "-D", "/data/main", "-X", "/wal/main",
                          "--wal-segsize=1", "-A", "trust", "-U", "postgres", "--no-locale", "-E", "UTF8")
        self.world.docker("run", "-d", "--stop-timeout", stop_timeout, *self.options(self.name, VOLUMES), image)
        self.wait(self.name)
        self.sql(self.name, SCHEMA)
        self.client(self.name, "pgbench", "-i", "-q", "-s", str(scale), "postgres")
        self.ledger.base[self.current()] = set()
        self.ledger.begin(clients, pace)

    @staticmethod
    def options(name, volumes):
        return ["--name", name, "--network", "none", "-u", USER, "--tmpfs", "/sock:mode=1777", "-v", f"{volumes[0]}:/data", "-v", f"{volumes[1]}:/wal"]

    def current(self):
        return self.world.api("GET", f"/containers/{self.name}/json")["Id"]

    def wait(self, name, seconds=30):
        """Until its server answers."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            found = Place(self.world, name).find()
            if found and subprocess.run([POSTGRES / "bin/pg_isready", "-q", "-h", found[1]], check=False).returncode == 0:
                return
            if not found and self.world.api("GET", f"/containers/{name}/json")["State"]["Status"] == "exited":
                break
            time.sleep(0.05)
        raise AssertionError("the server does not start: " + self.log(name))

    def log(self, name):
        done = subprocess.run(["docker", "-H", f"unix://{self.world.daemon.socket}", "logs", name], capture_output=True, text=True, check=False)
        wrong = [line for line in done.stderr.splitlines() if "PANIC" in line or "FATAL" in line]
        return (wrong or done.stderr.splitlines() or ["no word"])[-1][-200:]

    def client(self, name, program, *args):
        socket = Place(self.world, name).find()[1]
        return subprocess.run([POSTGRES / "bin" / program, "-h", socket, "-U", "postgres", *args], check=True, capture_output=True, text=True).stdout

    def sql(self, name, text):
        return self.client(name, "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", text, "postgres").split()

    def check(self, name, wanted, checks_indexes=True):
        """The table has what was acknowledged, and nothing that cannot be; sums and indexes are right."""
        found = set(map(int, self.sql(name, "SELECT id FROM transfer")))
        missing, strange = wanted - found, found - wanted - self.ledger.lost
        assert not missing, f"{len(missing)} of {len(wanted)} acknowledged transfers are missing ({min(missing)} to {max(missing)})"
        assert not strange, f"{len(strange)} transfers are of another time ({min(strange)} to {max(strange)})"
        sums = [self.sql(name, statement)[0] for statement in SUMS.strip().split(";") if statement.strip()]
        assert sums == ["t"] * len(sums), f"sums differ: {sums}"
        if checks_indexes:
            self.client(name, "pg_amcheck", "--install-missing", "--heapallindexed", "-d", "postgres")
        return len(wanted)

    def check_current(self):
        with self.ledger.paused():
            return self.check(self.name, self.ledger.holds(self.current()))

    def check_set(self, set_name, container, image):
        """Clones of a set, with a server on them, hold what this container's volumes held."""
        clones = self.world.clones(set_name, VOLUMES)
        try:
            self.world.docker("run", "-d", *self.options("look", clones), image)
            self.wait("look")
            return self.check("look", self.ledger.holds(container))
        finally:
            self.world.api("DELETE", "/containers/look?force=1")
            self.world.drop(*clones)
