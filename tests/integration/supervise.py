# SPDX-License-Identifier: Apache-2.0
"""Speaks with a supervisor's ctl.sock for supervise.bats.

supervise.py BOX ask REQUEST...        one connection; prints each answer
supervise.py BOX watch [FILE]          prints the lines until the end (FILE appears when it watches)
supervise.py BOX attach STREAMS [...]  prints stdout on stdout, stderr on stderr; options:
    --input TEXT   sent as input       --stdin      our own standard input is sent
    --half-close   and then the end of input
    --ready FILE   appears when attached
    --slow SECONDS wait before reading anything
    --count        print only the number of bytes of output and a checksum
    --vanish       close without reading
supervise.py BOX hold REQUEST FILE     asks, writes the answer to FILE, keeps the connection
supervise.py BOX through                one connection starts, another watches; prints answer and end
"""

import argparse
import hashlib
import os
import socket
import struct
import sys
import time


class Client:
    def __init__(self, box):
        # A path through /proc is short, whatever the box is called.
        directory = os.open(box, os.O_RDONLY | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(f"/proc/self/fd/{directory}/ctl.sock")
        os.close(directory)
        self.file = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        return self.file.readline().decode().rstrip("\n")

    def ask(self, request):
        self.send(request.encode() + b"\n")
        return self.line()


def frames(client, answer):
    """Yields (stream, bytes) until the end."""
    while True:
        if answer == "ok raw":
            data = client.file.read1(65536)
            if not data:
                return
            yield 1, data
            continue
        header = client.file.read(8)
        if not header:
            return
        stream, size = struct.unpack(">BxxxL", header)
        data = client.file.read(size)
        assert len(data) == size, "cut frame"
        yield stream, data


def attach(client, arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("streams")
    parser.add_argument("--input")
    parser.add_argument("--stdin", action="store_true")
    parser.add_argument("--half-close", action="store_true")
    parser.add_argument("--ready")
    parser.add_argument("--slow", type=float, default=0)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--vanish", action="store_true")
    options = parser.parse_args(arguments)
    answer = client.ask("attach " + options.streams)
    if not answer.startswith("ok"):
        sys.exit(answer)
    if options.ready:
        open(options.ready, "w").write(answer + "\n")
    if options.input is not None:
        client.send(options.input.encode().decode("unicode_escape").encode())
    if options.stdin:
        client.send(sys.stdin.buffer.read())
    if options.half_close:
        client.socket.shutdown(socket.SHUT_WR)
    if options.vanish:
        return
    time.sleep(options.slow)
    total, digest = 0, hashlib.sha256()
    for stream, data in frames(client, answer):
        total += len(data)
        digest.update(data)
        if not options.count:
            out = sys.stdout.buffer if stream == 1 else sys.stderr.buffer
            out.write(data)
            out.flush()
    if options.count:
        print(total, digest.hexdigest())


def main():
    box, verb, *arguments = sys.argv[1:]
    client = Client(box)
    if verb == "ask":
        for request in arguments:
            print(client.ask(request), flush=True)
    elif verb == "watch":
        print(client.ask("watch"), flush=True)
        if arguments:
            open(arguments[0], "w").close()
        while line := client.line():
            print(line, flush=True)
    elif verb == "attach":
        attach(client, arguments)
    elif verb == "hold":
        with open(arguments[1] + ".new", "w") as file:
            file.write(client.ask(arguments[0]) + "\n")
        os.rename(arguments[1] + ".new", arguments[1])
        time.sleep(600)
    elif verb == "through":
        watcher = Client(box)
        assert watcher.ask("watch") == "ok"
        print(client.ask("start"))
        print(watcher.line())
    else:
        sys.exit(f"unknown verb {verb}")


main()
