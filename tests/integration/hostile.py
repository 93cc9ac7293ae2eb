# SPDX-License-Identifier: Apache-2.0
"""Writes archives into a directory that no program should take at its word: refused-*.tar with what
the refusal must say in refused-*.says, and inside-*.tar, which may be unpacked but not beyond."""
import io
import os
import sys
import tarfile

DIRECTORY = sys.argv[1]


def entry(name, kind=tarfile.REGTYPE, link="", data=b"x", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def write(name, *entries, says=None):
    with tarfile.open(f"{DIRECTORY}/{name}.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    if says is not None:
        with open(f"{DIRECTORY}/{name}.says", "w", encoding="ascii") as file:
            file.write(says)


def xattr(name, value):
    return {"pax_headers": {f"SCHILY.xattr.{name}": value}}


write("refused-parent", entry("../volumed-was-here"), says="'../volumed-was-here'")
write("refused-parent-inside", entry("a/../../volumed-was-here"), says="has '..' in it")
write("refused-hard-link-up", entry("h", tarfile.LNKTYPE, "../../etc/passwd"), says="entry 'h'")
write("refused-hard-link-abs", entry("h", tarfile.LNKTYPE, "/etc/passwd"), says="entry 'h'")
write("refused-hard-link-by-link", entry("l", tarfile.SYMTYPE, "/etc"),
      entry("h", tarfile.LNKTYPE, "l/passwd"), says="entry 'h'")
write("refused-link-to-tmp", entry("l", tarfile.SYMTYPE, "/tmp"), entry("l/volumed-was-here"),
      says="entry 'l/volumed-was-here'")
write("refused-device-whiteout", entry("w", tarfile.CHRTYPE, devmajor=0, devminor=0),
      says="entry 'w'")
write("refused-redirect", entry("f", **xattr("trusted.overlay.redirect", "/etc")),
      says="trusted.overlay.redirect")
write("refused-opaque", entry("f", **xattr("trusted.overlay.opaque", "y")),
      says="trusted.overlay.opaque")
write("refused-deep", entry("/".join(["d"] * 600)), says="too deep")
write("refused-long-name", entry("n" * 300), says="too long")
write("refused-root-link", entry("./", tarfile.SYMTYPE, "/etc"), says="root can only be")
write("refused-whiteout-parent", entry(".wh..."), says="a whiteout of nothing")
write("refused-file-as-directory", entry("a"), entry("a/b"), says="entry 'a/b'")
write("refused-cut", entry("big", data=b"z" * 100000), says="entry 'big'")
os.truncate(f"{DIRECTORY}/refused-cut.tar", 50000)

write("inside-absolute", entry("/volumed-was-here"), entry("//tmp/volumed-was-here"))
write("inside-link-abs", entry("l", tarfile.SYMTYPE, "/"), entry("l/volumed-was-here"))
write("inside-link-up", entry("l", tarfile.SYMTYPE, "../../../.."), entry("l/volumed-was-here"))
write("inside-link-loop", entry("l", tarfile.SYMTYPE, "l"))
write("inside-names", entry("a\nb\x1b[31m"), entry("\\"), entry("-rf"), entry(" "))
write("inside-twice", entry("f", data=b"1"), entry("f", data=b"2"), entry("d", tarfile.DIRTYPE),
      entry("d/x"), entry("d"))
write("inside-device", entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3))
