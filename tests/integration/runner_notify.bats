#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# What a runtime tells others by sockets: readiness (sd_notify), a pidfd, a seccomp listener's
# descriptor.

load runner.bash

setup_file() {
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
}

teardown() {
    [ -z "$LISTENER" ] || kill "$LISTENER" 2>/dev/null || true
    runner_end
}

# listen KIND FILE: says in FILE what comes at $WORLD/socket; of a descriptor, what it is.
listen() {
    python3 - "$WORLD/socket" "$1" >"$2" 3>&- <<'PYTHON' &
import array, os, socket, sys
path, kind = sys.argv[1:]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM)
server.bind(path)
if kind == "datagram":
    while True:
        print(server.recv(4096).decode().strip().replace("\n", " "), flush=True)
server.listen()
while True:
    client, _ = server.accept()
    data, controls, _, _ = client.recvmsg(65536, 64)
    fds = array.array("i", controls[0][2])
    print(data.decode(), os.readlink(f"/proc/self/fd/{fds[0]}"), flush=True)
    with open(f"/proc/self/fdinfo/{fds[0]}") as info:
        print(" ".join(line.strip() for line in info if line.startswith("Pid:")), flush=True)
PYTHON
    LISTENER=$!
    eventually 60 test -S "$WORLD/socket"
}

said() {
    grep -q "$1" "$WORLD/said"
}

# There is no systemd-notify in the image; busybox cannot send to a datagram socket.
notifier() {
    cat >"$WORLD/notifier.c" <<'SOURCE'
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(address.sun_path, getenv("NOTIFY_SOCKET"));
    for (int i = 1; i < argc; i++)
        if (sendto(fd, argv[i], strlen(argv[i]), 0, (void *)&address, sizeof(address)) < 0)
            return 1;
    pause();
}
SOURCE
    gcc -static -o "$BUNDLE/rootfs/bin/notifier" "$WORLD/notifier.c"
}

@test "what a container notifies reaches the host's socket, but for its own process ids" {
    notifier
    listen datagram "$WORLD/said"
    program /bin/notifier $'STATUS=one\nMAINPID=1' READY=1
    NOTIFY_SOCKET=$WORLD/socket runner create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    NOTIFY_SOCKET=$WORLD/socket runner start "$ID"
    eventually 40 said READY=1
    grep -qx 'STATUS=one' "$WORLD/said"
    grep -qx "READY=1 MAINPID=$(runner state "$ID" | jq .pid)" "$WORLD/said"
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "start waits for readiness, and not for a container that ends without" {
    notifier
    listen datagram "$WORLD/said"
    program /bin/sh -c 'sleep 1; exec /bin/notifier READY=1'
    NOTIFY_SOCKET=$WORLD/socket runner run -d --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    said READY=1
    runner delete --force "$ID"
    program /bin/true
    NOTIFY_SOCKET=$WORLD/socket timeout 10 "$RUNNER" --root "$ROOT" run -d --bundle "$BUNDLE" "$ID" \
        </dev/null >/dev/null 2>&1 3>&-
}

@test "run in front hands on all that comes, and stays the main process" {
    notifier
    listen datagram "$WORLD/said"
    program /bin/notifier READY=1 STATUS=later
    NOTIFY_SOCKET=$WORLD/socket runner run --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
    eventually 60 said STATUS=later
    run -1 grep MAINPID "$WORLD/said"
    runner kill "$ID" KILL
    kill "$LISTENER"
    wait
}

@test "without a socket on the host the container has none" {
    script 'echo "<$NOTIFY_SOCKET>"; ls /run 2>/dev/null || true'
    run -0 env -u NOTIFY_SOCKET "$RUNNER" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
    [ "$output" = "<>" ]
}

@test "a container cannot write where its notify socket lies" {
    script 'touch /run/notify/file 2>&1; ls /run/notify'
    run -0 env NOTIFY_SOCKET="$WORLD/nobody" "$RUNNER" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
    [[ $output == *"Read-only file system"* ]]
    [ "${lines[1]}" = notify ]
}

@test "--pidfd-socket gets the first process of a container, and that of an exec" {
    listen stream "$WORLD/said"
    program sleep 100
    runner create --bundle "$BUNDLE" --pidfd-socket "$WORLD/socket" "$ID" </dev/null >/dev/null 2>&1
    runner start "$ID"
    eventually 40 said "Pid:.$(runner state "$ID" | jq .pid)\$"
    grep -q '^pidfd .*pidfd' "$WORLD/said"
    runner exec -d --pidfd-socket "$WORLD/socket" --pid-file "$WORLD/exec.pid" "$ID" sleep 50
    eventually 40 said "Pid:.$(cat "$WORLD/exec.pid")\$"
    run -1 runner create --bundle "$BUNDLE" --pidfd-socket "$WORLD/nosuch" "$ID-2"
    [[ $output == *"cannot connect to socket"* ]]
    [ ! -d "$ROOT/$ID-2" ]
}

@test "a seccomp listener gets the notify descriptor and the state" {
    listen stream "$WORLD/said"
    script 'mkdir /tmp/d; sleep 1'
    edit '.process.noNewPrivileges = true | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
        listenerPath: $socket, listenerMetadata: "meta",
        syscalls: [{names: ["chroot"], action: "SCMP_ACT_NOTIFY"}]}' --arg socket "$WORLD/socket"
    run -0 run_container
    grep -q 'seccomp notify' "$WORLD/said"
    head -1 "$WORLD/said" | sed 's/} anon_inode.*/}/' >"$WORLD/message"
    jq -e --arg id "$ID" '.fds == ["seccompFd"] and .metadata == "meta" and .state.id == $id
        and .pid > 1 and .state.status == "creating" and .ociVersion == "1.3.0"' "$WORLD/message"
}
