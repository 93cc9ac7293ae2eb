#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trees with all that a Linux filesystem can hold, and their comparison entry by entry.

tree.py make DIR          a tree with every kind of entry and attribute
tree.py change DIR N      changes it, each N in another way: contents, names, links, kinds, attributes
tree.py show DIR          one JSON object a line for each entry: all that can be said of it
tree.py same DIR DIR      exit 1, with the differences, unless both are the same

It shares nothing with volumed's own comparisons, which are what it judges.
"""
import ctypes
import hashlib
import json
import os
import random
import socket
import stat
import struct
import sys

BLOCK = 4096
CHUNK = 16 * BLOCK
LIBC = ctypes.CDLL(None, use_errno=True)


def acl(*entries):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
ACCESS = acl((1, 7, NOBODY), (2, 6, 77), (4, 5, NOBODY), (8, 4, 78), (0x10, 7, NOBODY), (0x20, 0, NOBODY))
DEFAULT = acl((1, 7, NOBODY), (2, 7, 79), (4, 5, NOBODY), (0x10, 7, NOBODY), (0x20, 5, NOBODY))
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def write(path, data, mode=0o644):
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def set_time(path, ns):
    os.utime(path, ns=(ns, ns), follow_symlinks=False)


def make_socket(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.close()


def make(root):
    os.chdir(root)
    rng = random.Random(7)
    for i in range(20):
        os.makedirs(f"many/d{i % 4}", exist_ok=True)
        write(f"many/d{i % 4}/f{i}", rng.randbytes(rng.randrange(0, 20000)), 0o600 + i % 8)
        os.chown(f"many/d{i % 4}/f{i}", 1000 + i, 2000 + i)
        set_time(f"many/d{i % 4}/f{i}", 1_500_000_000_123_456_789 + i)
    write("big", rng.randbytes(3 << 20))
    write("empty", b"")
    write("setuid", b"x", 0o4755)
    os.chown("setuid", 5, 6)
    os.chmod("setuid", 0o6755)
    write("capable", b"y", 0o755)
    os.setxattr("capable", "security.capability", CAPABILITY)
    os.link("capable", "many/d0/capable-too")
    os.link("capable", "many/d3/and-so-on")
    write("attributes", b"z")
    for name, value in (("user.empty", b""), ("user.binary", bytes(range(256))), ("user.a=b%20c\n", b"="),
                        ("user.grün", "ü".encode()), ("user.long", b"l" * 200)):
        os.setxattr("attributes", name, value)
    os.mkdir("acl", 0o750)
    write("acl/before", b"made before the default ACL was there", 0o640)
    os.setxattr("acl", "system.posix_acl_default", DEFAULT)
    os.setxattr("acl", "system.posix_acl_access", ACCESS)
    write("acl/inherits", b"made after", 0o644)
    write("acl/bare", b"made after, and freed", 0o604)
    os.removexattr("acl/bare", "system.posix_acl_access")
    os.chmod("acl/bare", 0o604)
    os.mkfifo("acl/fifo", 0o666)
    os.removexattr("acl/fifo", "system.posix_acl_access")
    os.chmod("acl/fifo", 0o626)
    os.mkdir("acl/below", 0o700)
    with open("sparse", "wb") as file:
        for at in (0, 5 * BLOCK, 300 * BLOCK):
            file.seek(at)
            file.write(rng.randbytes(BLOCK))
        file.truncate(1 << 30)
    with open("hole", "wb") as file:
        file.truncate(123_456_789)
    os.symlink("nowhere/at all", "broken")
    os.symlink("big", "link")
    os.lchown("link", 7, 8)
    set_time("link", 1_400_000_000_000_000_001)
    os.mkfifo("fifo", 0o620)
    os.chown("fifo", 9, 10)
    make_socket("socket")
    os.chmod("socket", 0o751)
    os.link("fifo", "fifo-too")
    os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod("disk", 0o640 | stat.S_IFBLK, os.makedev(7, 99))
    os.mknod("white", 0o600 | stat.S_IFCHR, os.makedev(0, 0))
    write(b"not\xff\xfeutf-8", b"a")
    write("new\nline", b"b")
    write("-rf", b"c")
    write(".wh.whiteout", b"d")
    os.makedirs("a/" + "/".join(["deep"] * 60))
    write("n" * 255, b"e")
    write("old", b"f")
    set_time("old", -1_000_000_000_500_000_000)
    write("future", b"g")
    set_time("future", 4_000_000_000_000_000_007)
    write("owner", b"h")
    os.chown("owner", 3_000_000_000, 2_900_000_000)
    os.chown(".", 11, 12)
    os.chmod(".", 0o1770)
    os.setxattr(".", "user.root", b"too")
    set_time("many", 1_300_000_000_000_000_321)
    set_time(".", 1_200_000_000_999_999_999)


def patch(path, at, data):
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, data, at)
    os.close(fd)


def change_1():
    patch("big", 1_000_001, b"changed in the middle")
    patch("sparse", 200 * BLOCK, b"q" * 100)
    os.unlink("many/d0/capable-too")
    os.rename("new\nline", "renamed")
    os.unlink("empty")
    os.mkdir("empty")
    write("empty/now", b"a directory")
    os.removexattr("attributes", "user.binary")
    os.setxattr("attributes", "user.empty", b"no more")


def change_2():
    # The same size and time, and other bytes.
    before = os.stat("big")
    patch("big", 2_000_000, b"!")
    set_time("big", before.st_mtime_ns)
    os.truncate("sparse", 400 * BLOCK)
    fd = os.open("sparse", os.O_RDWR)
    LIBC.fallocate(fd, 3, ctypes.c_long(5 * BLOCK), ctypes.c_long(BLOCK))
    os.close(fd)
    os.unlink("many/d3/and-so-on")
    write("many/d3/and-so-on", b"y", 0o755)  # as the other, and its own
    os.link("big", "many/big-too")
    os.removexattr("acl", "system.posix_acl_default")
    os.chmod("acl", 0o711)
    os.unlink("null")
    os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    os.unlink("link")
    os.symlink("big", "link")
    set_time("many/d1", 1)


def change_3():
    os.unlink("big")  # the name that came first: the others stay one file
    write("big", b"small")
    os.unlink("empty/now")
    os.rmdir("empty")
    write("empty", b"a file")
    os.link("empty", "empty-too")
    os.unlink("fifo-too")
    os.rename("many/d2", "many/z2")
    os.truncate("hole", 0)
    os.truncate("setuid", 50_000)
    os.chmod(".", 0o755)
    os.removexattr(".", "user.root")


def change(root, number):
    os.chdir(root)
    {1: change_1, 2: change_2, 3: change_3}[int(number)]()


def data_chunks(path, size):
    """Which parts of a sparse file are data, in chunks, since filesystems round."""
    chunks = set()
    fd = os.open(path, os.O_RDONLY)
    at = 0
    while at < size:
        try:
            start = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(fd, start, os.SEEK_HOLE)
        chunks.update(range(start // CHUNK, -(-min(at, size) // CHUNK)))
    os.close(fd)
    return sorted(chunks)


def digest(path, chunks):
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in chunks:
            file.seek(chunk * CHUNK)
            data = file.read(CHUNK)
            for at in range(0, len(data), BLOCK):
                block = data[at : at + BLOCK]
                if block.strip(b"\0"):  # a block of zeros is a hole to some
                    found.update(b"%d:" % (chunk * CHUNK + at) + block)
    return found.hexdigest()


def text(name):
    return os.fsencode(name).decode("latin-1")


def entry(path, links):
    found = os.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    said = {
        "mode": oct(found.st_mode), "uid": found.st_uid, "gid": found.st_gid, "mtime": found.st_mtime_ns,
        "xattrs": {},
    }
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if not name.startswith(("security.selinux", "trusted.")):
            said["xattrs"][text(name)] = os.getxattr(path, name, follow_symlinks=False).hex()
    if kind == stat.S_IFLNK:
        said["target"] = text(os.readlink(path))
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        said["device"] = found.st_rdev
    if kind != stat.S_IFDIR:
        links.setdefault(found.st_ino, []).append(text(path))
        said["names"] = found.st_nlink
    if kind == stat.S_IFREG:
        said["size"] = found.st_size
        said["data"] = digest(path, data_chunks(path, found.st_size))
        said["sparse"] = found.st_blocks * 512 < found.st_size - CHUNK
    return said, found.st_ino


def describe(root):
    top = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    os.fchdir(top)
    links, said, inodes = {}, {}, {}
    for directory, names, files in os.walk("."):
        for name in [""] + names + files:
            if name or directory == ".":
                path = os.path.join(directory, name)
                said[text(path)], inodes[text(path)] = entry(path, links)
    for path, inode in inodes.items():
        said[path]["linked"] = sorted(links.get(inode, []))
    os.close(top)
    return said


def same(left, right):
    here = os.getcwd()
    both = [describe(os.path.join(here, left))]
    os.chdir(here)
    both.append(describe(os.path.join(here, right)))
    differences = 0
    for path in sorted(set(both[0]) | set(both[1])):
        one, other = both[0].get(path), both[1].get(path)
        if one == other:
            continue
        differences += 1
        if one is None or other is None:
            print(f"{path!r}: only in {left if other is None else right}")
            continue
        for key in one.keys() | other.keys():
            if one.get(key) != other.get(key):
                print(f"{path!r}: {key}: {one.get(key)} and {other.get(key)}")
    print(f"{len(both[0])} entries, {differences} differ")
    return 1 if differences else 0


def main():
    verb, *words = sys.argv[1:]
    if verb == "show":
        for path, said in sorted(describe(words[0]).items()):
            print(json.dumps({"path": path, **said}))
        return 0
    return {"make": make, "change": change, "same": same}[verb](*words) or 0


sys.exit(main())
