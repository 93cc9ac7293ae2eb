#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# checkpoint and restore, with Debian's criu.  It needs a kernel that it understands (3.17: before
# 6.13); `make check-vm` has one.  What is said where criu cannot be used is tested everywhere.

load runner.bash

setup_file() {
    CRIU_LACK=
    if ! command -v criu >/dev/null; then
        CRIU_LACK="needs criu"
    elif ! criu check >/dev/null 2>&1; then
        CRIU_LACK="criu cannot work with this kernel: $(criu check 2>&1 | grep -o '): .*' | head -1 | cut -c4-)"
    fi
    export CRIU_LACK
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
    IMAGES=$WORLD/images
}

teardown() {
    runner_end
}

needs_criu() {
    [ -z "$CRIU_LACK" ] || skip "$CRIU_LACK"
}

# A program that counts: what it has in memory is seen to go on.
counter='i=0; while :; do i=$((i + 1)); echo $i; sleep 0.1; done'

counts_beyond() {
    [ "$(tail -1 "$1")" -gt "$2" ] 2>/dev/null
}

# start_counter: its output goes through a pipe into a file.
start_counter() {
    runner create --bundle "$BUNDLE" "$ID" </dev/null > >(cat >"$WORLD/before" 3>&-) 2>/dev/null
    runner start "$ID"
    eventually 600 counts_beyond "$WORLD/before" 3
}

restore() {
    runner restore --detach --bundle "$BUNDLE" --image-path "$IMAGES" --pid-file "$WORLD/pid" "$@" "$ID" \
        </dev/null > >(cat >"$WORLD/after" 3>&-) 2>"$WORLD/stderr" || {
        cat "$WORLD/stderr"
        grep -E 'Error|Warn' "$IMAGES/restore.log"
        return 1
    }
}

@test "without criu, or where it cannot work, the error says so and nothing changes" {
    script "$counter"
    start_counter
    mkdir "$WORLD/none"
    run -1 env PATH="$WORLD/none" "$(command -v unshare)" -m "$(command -v sh)" -c '
        for dir in /usr/local/sbin /usr/sbin /sbin; do '"$(command -v mount)"' -t tmpfs none $dir; done 2>/dev/null
        exec "$@"' sh "$RUNNER" --root "$ROOT" checkpoint --image-path "$IMAGES" "$ID"
    [[ $output == *"checkpoint and restore need criu, which is not installed"* ]]
    status_is running
    if [ -n "$CRIU_LACK" ] && command -v criu; then
        run -1 runner checkpoint --image-path "$IMAGES" "$ID"
        [[ $output == *"criu cannot checkpoint: "*"its log is '$IMAGES/dump.log'"* ]]
        status_is running
        run -1 runner restore --bundle "$BUNDLE" --image-path "$IMAGES" "$ID-new"
        [[ $output == *"criu cannot restore: "* ]]
        [ ! -e "$ROOT/$ID-new" ]
    fi
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "what checkpoint and restore are asked wrongly" {
    run -1 runner checkpoint none
    [[ $output == *"container 'none' does not exist"* ]]
    run -0 runner checkpoint --help # how engines ask whether there is one
    run -1 runner restore --lsm-mount-context
    [[ $output == *"requires an argument"* ]]
    script "$counter"
    runner create --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    run -1 runner checkpoint "$ID"
    [[ $output == *"container not running"* ]]
    runner start "$ID"
    run -1 runner checkpoint --image-path "$IMAGES" --parent-path /tmp "$ID"
    [[ $output == *"--parent-path must be relative"* ]]
    run -1 runner checkpoint --image-path "$IMAGES" --manage-cgroups-mode some "$ID"
    [[ $output == *"unknown --manage-cgroups-mode 'some'"* ]]
    run -1 runner checkpoint --image-path "$IMAGES" --page-server host "$ID"
    [[ $output == *"expected ADDRESS:PORT"* ]]
}

@test "a container is stored and goes on where it was, with its mounts, groups and confinement" {
    needs_criu
    mkdir "$WORLD/one" "$WORLD/two" "$WORLD/three"
    echo kept >"$WORLD/two/file"
    ln -s three "$BUNDLE/rootfs/link"
    script 'echo held >/dev/shm/file; exec 5>/one/open; i=0; while :; do
        i=$((i + 1)); echo $i >&5; echo $i; sleep 0.1; done'
    edit '.root.readonly = true | .mounts += [
        {destination: "/one", type: "bind", source: ($w + "/one"), options: ["bind"]},
        {destination: "/two", type: "bind", source: ($w + "/two"), options: ["bind", "ro"]},
        {destination: "/link", type: "bind", source: ($w + "/three"), options: ["rbind", "ro", "nosuid"]}]
        | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
            syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}
        | .linux.resources.pids.limit = 77' --arg w "$WORLD"
    mkdir -p "$BUNDLE/rootfs/three"
    start_counter
    runner checkpoint --image-path "$IMAGES" --work-path "$WORLD/logs" "$ID"
    last=$(tail -1 "$WORLD/before")
    [ -s "$WORLD/logs/dump.log" ]
    [ -z "$(left_behind)" ]

    restore
    status_is running
    pid=$(cat "$WORLD/pid")
    [ "$(runner state "$ID" | jq .pid)" = "$pid" ]
    eventually 600 counts_beyond "$WORLD/after" $((last + 3))
    [ "$(head -1 "$WORLD/after")" -ge "$last" ]
    [ "$(tail -1 "$WORLD/one/open")" -gt "$last" ]
    [ "$(runner exec "$ID" cat /dev/shm/file /two/file)" = $'held\nkept' ]
    # Nothing that was read-only can be written now, the covers of masked paths neither.
    run -0 cat "/proc/$pid/mountinfo"
    for point in / /two /three /proc/sys /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do
        grep -E "^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ $point ro" <<<"$output"
    done
    grep -qE " /three ro,nosuid" <<<"$output"
    [ -z "$(grep ' /null ' <<<"$output" | grep -v ' ro,')" ]
    # The groups are the container's, and so is what limits it.
    grep -q "/$ID" "/proc/$pid/cgroup"
    # shellcheck disable=SC2046 # one file
    cat $(find /sys/fs/cgroup -maxdepth 2 -path "*$ID/pids.max") | grep -qx 77
    run runner exec "$ID" mkdir /tmp/x
    [[ $output == *"not permitted"* ]]
    [ "$(sed -n 's/^Seccomp:\t//p' "/proc/$pid/status")" = 2 ]
    [ "$(sed -n 's/^CapBnd:\t//p' "/proc/$pid/status")" = 0000000020000420 ]
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "a container that is left running is stored as often as one likes, and restored under another name" {
    needs_criu
    script "$counter"
    start_counter
    runner checkpoint --pre-dump --image-path "$WORLD/first" "$ID"
    status_is running
    runner checkpoint --leave-running --image-path "$IMAGES" --parent-path ../first "$ID"
    status_is running
    last=$(tail -1 "$WORLD/before")
    eventually 600 counts_beyond "$WORLD/before" $((last + 1))
    first=$ID
    ID=$ID-again
    hook=$WORLD/hook
    edit '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "cat >\($f)"]}]' --arg f "$hook"
    restore
    eventually 600 counts_beyond "$WORLD/after" 4
    [ "$(jq -r .id "$hook")" = "$ID" ]
    [ "$(jq .pid "$hook")" = "$(cat "$WORLD/pid")" ]
    grep -q "/$ID" "/proc/$(cat "$WORLD/pid")/cgroup"
    ID=$first status_is running
    runner delete --force "$ID"
    runner delete --force "$first"
}

@test "a terminal comes back with a master for who asks, and a network that was joined is joined again" {
    needs_criu
    ip netns add "$ID"
    script "$counter"
    edit '.process.terminal = true | .linux.namespaces |= map(if .type == "network"
        then .path = "/run/netns/\($id)" else . end)' --arg id "$ID"
    cat >"$WORLD/master.py" <<'PY'
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
while True:
    peer = server.accept()[0]
    ancillary = peer.recvmsg(100, 100)[1]
    fds = array.array("i", ancillary[0][2])
    with open(sys.argv[2], "wb", 0) as out:
        while True:
            try:
                data = os.read(fds[0], 4096)
            except OSError:
                break
            if not data:
                break
            out.write(data.replace(b"\r", b""))
    os.close(fds[0])
    sys.argv.pop(1)
PY
    python3 "$WORLD/master.py" "$WORLD/socket" "$WORLD/before" "$WORLD/after" 3>&- &
    master=$!
    eventually 200 test -S "$WORLD/socket"
    runner create --bundle "$BUNDLE" --console-socket "$WORLD/socket" "$ID"
    runner start "$ID"
    eventually 600 counts_beyond "$WORLD/before" 3
    runner checkpoint --image-path "$IMAGES" "$ID"
    last=$(tail -1 "$WORLD/before")
    restore --console-socket "$WORLD/socket"
    eventually 600 counts_beyond "$WORLD/after" $((last + 3))
    [ "$(readlink "/proc/$(cat "$WORLD/pid")/fd/0")" = /dev/pts/0 ]
    [ "$(stat -Lc %i "/proc/$(cat "$WORLD/pid")/ns/net")" = "$(stat -Lc %i "/run/netns/$ID")" ]
    runner delete --force "$ID"
    kill "$master"
    ip netns delete "$ID"
}
