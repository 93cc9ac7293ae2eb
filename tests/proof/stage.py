# SPDX-License-Identifier: Apache-2.0
"""What the proofs play on: a private volumed on a filesystem of its own, an image made of the host's packages, and
the bank that PostgreSQL keeps."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from peers import BUILD, Volumed  # noqa: E402

POSTGRES = pathlib.Path("/usr/lib/postgresql/15")
USER = 5432
MAKE = {"btrfs": ["mkfs.btrfs", "-q"], "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"], "ext4": ["mkfs.ext4", "-q", "-F"]}
SCHEMA = """
CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL DEFAULT 0);
INSERT INTO account SELECT generate_series(1, 1000);
CREATE TABLE transfer (id bigserial PRIMARY KEY, giver int NOT NULL, taker int NOT NULL, amount bigint NOT NULL);
CREATE FUNCTION transfer(made bigint DEFAULT nextval('transfer_id_seq')) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE a int := 1 + random() * 999; b int := 1 + random() * 999; n bigint := 1 + random() * 100;
BEGIN
    INSERT INTO transfer (id, giver, taker, amount) VALUES (made, a, b, n);
    UPDATE account SET balance = balance - n WHERE id = a;
    UPDATE account SET balance = balance + n WHERE id = b;
    RETURN made;
END $$;
"""
# Each must be "t".
SUMS = """
SELECT sum(balance) = 0 FROM account;
SELECT count(*) = 0 FROM account a WHERE balance <>
    (SELECT coalesce(sum(amount), 0) FROM transfer WHERE taker = a.id) - (SELECT coalesce(sum(amount), 0) FROM transfer WHERE giver = a.id);
SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history);
SELECT (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history);
SELECT (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history);
"""


def lack(*programs):
    """What is missing here, or nothing."""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("docker", "sqlite3", "busybox", "ldd", *programs):
        if shutil.which(program) is None:
            return f"needs {program}"
    for program in ("postgres", "initdb", "psql", "pgbench", "pg_amcheck"):
        if not (POSTGRES / "bin" / program).exists():
            return f"needs {POSTGRES}/bin/{program} (Debian's postgresql-15)"
    return None


def copy_libraries(root, programs):
    """What ldd finds of them on the host."""
    listing = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout
    for library in {word for line in listing.splitlines() for word in line.split() if word.startswith("/") and ":" not in word}:
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            shutil.copy(library, target)


def image_root(root):
    """The host's own packages, no more than the programs need."""
    for name in ("bin", "data", "wal", "sock", "tmp", "etc", "dev", "proc", "sys", "usr/lib/postgresql", "usr/share"):
        (root / name).mkdir(parents=True)
    sqlite = pathlib.Path(shutil.which("sqlite3"))
    copy_libraries(root, [sqlite, *(POSTGRES / "bin").glob("[a-z]*"), *(POSTGRES / "lib").glob("*.so")])
    shutil.copytree(POSTGRES, root / "usr/lib/postgresql/15", ignore=shutil.ignore_patterns("bitcode", "pgxs"))
    shutil.copytree("/usr/share/postgresql/15", root / "usr/share/postgresql/15")
    shutil.copytree("/usr/share/zoneinfo", root / "usr/share/zoneinfo", symlinks=True)
    shutil.copy(sqlite, root / "bin/sqlite3")
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    shutil.copy("/usr/libexec/coreutils/libstdbuf.so", root / "bin/libstdbuf.so")
    for applet in ("sh", "sleep", "cat", "test", "dd", "rm", "mv", "mkdir", "ls", "head"):
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text(f"root:x:0:0::/:/bin/sh\npostgres:x:{USER}:{USER}::/tmp:/bin/sh\n")
    (root / "tmp").chmod(0o1777)


class World:
    """A volumed on a disk of its own."""

    def __init__(self, scratch, kind="btrfs", size=6 << 30):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what is ended by a time limit still cleans up
        self.dir = pathlib.Path(scratch)
        disk = self.dir / "disk"
        (self.dir / "b").mkdir()
        with open(disk, "wb") as file:
            file.truncate(size)
        subprocess.run([*MAKE[kind], disk], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        subprocess.run(["mount", "-o", "loop", disk, self.dir / "b"], check=True)
        self.daemon = Volumed(scratch, self.dir / "b" / "state")
        self.daemon.start()

    def end(self):
        subprocess.run(f"docker -H unix://{self.daemon.socket} ps -aq | xargs -r docker -H unix://{self.daemon.socket} rm -f -v",
                       shell=True, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.daemon.end()
        for _ in range(50):
            if subprocess.run(["umount", self.dir / "b"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)

    def api(self, method, path, body=None):
        return self.daemon.connect().ask(method, path, body)

    def docker(self, *args, **options):
        return subprocess.run(["docker", "-H", f"unix://{self.daemon.socket}", *map(str, args)], check=True,
                              capture_output=True, text=True, **options).stdout

    def volctl(self, *args):
        """(exit status, what it says with --json)"""
        done = subprocess.run([BUILD / "volctl", "--socket", self.daemon.socket, *map(str, args), "--json"],
                              check=False, capture_output=True, text=True)
        answer = json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else {"message": done.stdout}
        if "message" in answer or "error" in answer:
            raise RuntimeError(f"volctl {' '.join(map(str, args))}: {done.returncode}: {answer} {done.stderr}")
        return done.returncode, answer

    def import_image(self, name="pg", more=None, changes=()):
        """image_root() and what more(root) adds to it."""
        root = self.dir / "root"
        image_root(root)
        if more:
            more(root)
        pack = subprocess.Popen(["tar", "-C", root, "--numeric-owner", "--owner=0", "--group=0", "-c", "."], stdout=subprocess.PIPE)
        self.docker("import", *(word for change in changes for word in ("--change", change)), "-", name, stdin=pack.stdout)
        pack.wait()
        shutil.rmtree(root)

    def variant(self, name, base, script, *options):
        """An image that runs another shell script; options are of `docker create`, such as a health check."""
        self.docker("create", "--name", "maker", *options, base, "true")
        self.docker("commit", "-c", f"CMD {json.dumps(['sh', '-c', script])}", "maker", name)
        self.docker("rm", "maker")

    def volume(self, name, source=None):
        options = {"from": source} if source else {"uid": str(USER), "gid": str(USER)}
        self.api("POST", "/volumes/create", {"Name": name, "DriverOpts": options})
        return pathlib.Path(self.api("GET", f"/volumes/{name}")["Mountpoint"])

    def drop(self, *volumes):
        for name in volumes:
            self.api("DELETE", f"/volumed/v1/volumes/{name}?with_snapshots=true&now=true&force=true")

    def cut(self, name, volumes):
        """One set; returns its pause in ns."""
        answer = self.api("POST", "/volumed/v1/sets", {"name": name, "volumes": volumes})
        assert answer["fence"] == "frozen", answer
        return answer["pause_ns"]

    def cut_apart(self, name, volumes):
        """The control: the same volumes, one after the other."""
        for volume in volumes:
            answer = self.api("POST", f"/volumed/v1/volumes/{volume}/snapshots", {"name": name})
            assert answer["fence"] == "frozen", answer

    def clones(self, name, volumes):
        for volume in volumes:
            self.volume(f"{volume}.{name}", f"{volume}@{name}")
        return [f"{volume}.{name}" for volume in volumes]
