# SPDX-License-Identifier: Apache-2.0
"""Listens on sockets and becomes a program that finds them as systemd would pass them.
Usage: activate.py NAME=PATH… -- PROGRAM ARGUMENT…"""
import os
import socket
import sys

FIRST_FD = 3

split = sys.argv.index("--")
given = [word.split("=", 1) for word in sys.argv[1:split]]
program = sys.argv[split + 1:]
listeners = []
for _, path in given:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listeners.append(os.dup2(listener.fileno(), 100 + len(listeners)))
for index, fd in enumerate(listeners):
    os.dup2(fd, FIRST_FD + index)  # inheritable, unlike the one that socket() made
    os.close(fd)
os.execve(program[0], program, {**os.environ, "LISTEN_PID": str(os.getpid()),
                                "LISTEN_FDS": str(len(given)),
                                "LISTEN_FDNAMES": ":".join(name for name, _ in given)})
