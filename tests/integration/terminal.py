# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a pseudo terminal of 24 rows and 80 columns.

Each line of standard input is typed when the terminal has shown a prompt ("# " or "$ ") or after
a while; what the terminal showed is printed, and the command's status is ours.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

LIMIT_S = 20
PROMPT_WAIT_S = 1.0


def main():
    lines = sys.stdin.buffer.read().splitlines(keepends=True) if not sys.stdin.isatty() else []
    pid, master = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    shown = b""
    fresh = b""
    typed_at = time.monotonic()
    end = typed_at + LIMIT_S
    while time.monotonic() < end:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
            fresh += data
        is_prompted = fresh.rstrip(b"\x1b[6n").endswith((b"# ", b"$ "))
        if lines and (is_prompted or time.monotonic() - typed_at > PROMPT_WAIT_S):
            os.write(master, lines.pop(0))
            fresh = b""
            typed_at = time.monotonic()
    else:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    sys.stdout.buffer.write(shown)
    sys.stdout.flush()
    sys.exit(os.waitstatus_to_exitcode(status) & 255)


main()
