#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""console.py RUNNER ROOT BUNDLE ID: creates a container with a console socket, starts it, and copies
what its terminal says until it ends."""
import array
import os
import socket
import subprocess
import sys
import tempfile

runner, root, bundle, name = sys.argv[1:]
with tempfile.TemporaryDirectory() as place:
    path = os.path.join(place, "console.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    create = subprocess.Popen(
        [runner, "--root", root, "create", "--bundle", bundle, "--console-socket", path, name])
    listener.settimeout(10)
    if create.wait() != 0:
        sys.exit(1)
    connection, _ = listener.accept()
    fds = array.array("i")
    _, control, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
    fds.frombytes(control[0][2][:4])
    subprocess.run([runner, "--root", root, "start", name], check=True)
    while True:
        try:
            data = os.read(fds[0], 4096)
        except OSError:
            break
        if not data:
            break
        sys.stdout.buffer.write(data.replace(b"\r", b""))
    subprocess.run([runner, "--root", root, "delete", "--force", name], check=True)
