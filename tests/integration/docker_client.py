# SPDX-License-Identifier: Apache-2.0
"""What people do with the Python library, against the engine that DOCKER_HOST names."""
import io
import tarfile
import threading

import docker

client = docker.from_env()


def check(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def tar_of(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def run_to_the_end():
    check(client.containers.run("busybox", "echo hi", remove=True), b"hi\n")
    try:
        client.containers.run("busybox", "sh -c 'exit 3'", remove=True)
        raise AssertionError("no error for exit status 3")
    except docker.errors.ContainerError as error:
        check(error.exit_status, 3)


def executes(container):
    check(container.exec_run("echo out").output, b"out\n")
    result = container.exec_run(["sh", "-c", "echo a; echo b >&2; exit 4"], demux=True)
    check((result.exit_code, result.output), (4, (b"a\n", b"b\n")))
    stream = container.exec_run("sh -c 'echo 1; sleep 0.2; echo 2'", stream=True).output
    check(b"".join(stream), b"1\n2\n")
    socket = container.exec_run("cat", stdin=True, socket=True).output
    socket._sock.sendall(b"fed\n")
    socket._sock.shutdown(1)
    check(socket.read(100), b"\x01\0\0\0\0\0\0\4fed\n")


def copies(container):
    container.put_archive("/v", tar_of("file", b"abc"))
    check(container.exec_run("cat /v/file").output, b"abc")
    chunks, stat = container.get_archive("/v/file")
    check((stat["name"], stat["size"]), ("file", 3))
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        check(archive.extractfile("file").read(), b"abc")


def reads(container):
    check(container.logs(), b"ready\n")
    # The library's HTTP reader buffers: bytes that arrive together with the head are lost in it, with
    # any engine.  One try in a few has them apart.
    tries = (container.attach(logs=True, stream=False) for _ in range(20))
    check(next((output for output in tries if output), b""), b"ready\n")
    assert "PID" in container.top()["Titles"]
    check(container.stats(stream=False)["id"], container.id)


def prunes():
    client.volumes.create("spare", labels={"spare": "1"})
    client.volumes.create()
    report = client.volumes.prune(filters={"label": ["spare"], "all": True})
    check(report["VolumesDeleted"], ["spare"])
    check(len(client.volumes.prune()["VolumesDeleted"]), 1)
    ended = client.containers.create("busybox", "true", labels={"ended": "1"})
    ended.start()
    check(ended.wait()["StatusCode"], 0)
    check(client.containers.prune(filters={"label": "ended"})["ContainersDeleted"], [ended.id])


def hears_events():
    events = client.events(decode=True, filters={"type": "volume", "event": "create"})
    threading.Timer(0.3, client.volumes.create, ("heard",)).start()
    check(next(events)["Actor"]["ID"], "heard")
    events.close()


def main():
    run_to_the_end()
    container = client.containers.run("busybox", ["sh", "-c", "echo ready; sleep 100"], detach=True,
                                      volumes={"given": {"bind": "/v", "mode": "rw"}},
                                      labels={"who": "py"}, mem_limit="64m")
    check([c.id for c in client.containers.list(filters={"label": "who=py"})], [container.id])
    executes(container)
    copies(container)
    reads(container)
    hears_events()
    prunes()
    container.pause()
    container.unpause()
    container.stop(timeout=0)
    check(container.wait()["StatusCode"], 137)
    container.remove(v=True)
    check(sorted(v.name for v in client.volumes.list()), ["given", "heard"])
    print("all well")


main()
