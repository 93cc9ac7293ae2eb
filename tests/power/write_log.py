# SPDX-License-Identifier: Apache-2.0
"""What dm-log-writes wrote: every write in the order in which it became durable, with marks.

Plain writes are logged when the flush that made them durable has ended, FUA writes when they have ended
themselves, and what was never flushed is not in the log: the state after entry K is what a disk that loses
its cache has kept at that moment, but for the group that a flush was just writing.  Of that group any part
may have arrived, in pieces of 4 KiB."""
import os
import random
import struct

SECTOR = 512
PIECE = 4096
MAGIC = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8


class Entry:
    def __init__(self, index, sector, size, flags, place, mark):
        self.index, self.sector, self.size, self.flags = index, sector, size, flags
        self.place, self.mark = place, mark  # of the data in the log


class WriteLog:
    def __init__(self, path):
        self.file = open(path, "rb")
        magic, version, count, unit = struct.unpack("<QQQI", self.file.read(28))
        if magic != MAGIC or version != 1:
            raise RuntimeError(f"{path}: no log of writes")
        self.unit = unit
        self.entries = list(self.read_entries(count))
        self.marks = [entry for entry in self.entries if entry.mark is not None]

    def read_entries(self, count):
        place = self.unit
        for index in range(count):
            self.file.seek(place)
            block = self.file.read(self.unit)
            sector, sectors, flags, length = struct.unpack("<QQQQ", block[:32])
            mark = block[32:32 + length].decode() if flags & MARK else None
            size = sectors * self.unit
            yield Entry(index, sector * self.unit, size, flags, place + self.unit, mark)
            place += self.unit + (0 if flags & DISCARD else size)

    def data(self, entry):
        if entry.flags & DISCARD:
            return bytes(entry.size)
        self.file.seek(entry.place)
        return self.file.read(entry.size)

    def durable_until(self, cut):
        """How many entries a cut after the entry `cut` has kept for certain."""
        while cut >= 0 and not self.entries[cut].flags & FLUSH:
            cut -= 1
        return cut + 1

    def apply(self, target, begin, end):
        for entry in self.entries[begin:end]:
            if entry.size:
                os.pwrite(target, self.data(entry), entry.sector)

    def apply_part(self, target, begin, end, seed):
        """Of a group whose flush has not ended: what forced its way, and pieces of the rest."""
        chance = random.Random(seed)
        share = chance.choice((0, 0.5, 0.5, 1))
        for entry in self.entries[begin:end]:
            data = self.data(entry) if entry.size else b""
            for offset in range(0, len(data), PIECE):
                if entry.flags & FUA or chance.random() < share:
                    os.pwrite(target, data[offset:offset + PIECE], entry.sector + offset)
