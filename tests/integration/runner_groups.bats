#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# Control groups on the v2 hierarchy alone, with its controllers: what only `make check-vm` sees on a
# host of the old layout.  The same for v1 is in runner.bats.

load runner.bash

setup_file() {
    LACK=$(runner_lack)
    [ -n "$LACK" ] || [ -e /sys/fs/cgroup/cgroup.controllers ] || LACK="cgroup v2 is not alone here (make check-vm)"
    export LACK
    [ -z "$LACK" ] || return 0
    IMAGE=$(mktemp -d "${TMPDIR:-/tmp}/runner-image.XXXXXX")
    export IMAGE
    runner_image "$IMAGE"
}

teardown_file() {
    [ -z "${IMAGE:-}" ] || rm -rf "$IMAGE"
}

setup() {
    WORLD=
    [ -z "$LACK" ] || skip "$LACK"
    runner_begin
    program sleep 1000
}

teardown() {
    runner_end
    [ -z "${LOOP:-}" ] || losetup -d "$LOOP"
}

group() {
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(runner state "$ID" | jq .pid)/cgroup")"
}

# value FILE: of the group of $ID.
value() {
    cat "$(group)/$1"
}

needs() {
    grep -qw "$1" /sys/fs/cgroup/cgroup.subtree_control || skip "needs the controller '$1'"
}

@test "limits become the files of v2, weights by the curve that runc and crun agreed on" {
    needs memory
    edit '.linux.resources += {memory: {limit: 33554432, swap: 50331648, reservation: 16777216},
        pids: {limit: 20}, cpu: {shares: 512, quota: 20000, period: 100000}}'
    start_container
    [ "$(value memory.max)" = 33554432 ]
    [ ! -e "$(group)/memory.swap.max" ] || [ "$(value memory.swap.max)" = 16777216 ]
    [ "$(value memory.low)" = 16777216 ]
    [ "$(value pids.max)" = 20 ]
    [ "$(value cpu.weight)" = 59 ]
    [ "$(value cpu.max)" = "20000 100000" ]
    for pair in 2:1 1024:100 262144:10000; do
        runner update --cpu-share "${pair%:*}" "$ID"
        [ "$(value cpu.weight)" = "${pair#*:}" ]
    done
}

@test "update changes what it names and nothing else, and -1 is no limit" {
    needs memory
    edit '.linux.resources += {memory: {limit: 33554432}, pids: {limit: 20}, cpu: {quota: 20000, period: 100000}}'
    start_container
    echo '{"memory": {"limit": 67108864}, "pids": {"limit": -1}}' | runner update --resources - "$ID"
    [ "$(value memory.max)" = 67108864 ]
    [ "$(value pids.max)" = max ]
    [ "$(value cpu.max)" = "20000 100000" ]
    runner update --cpu-quota -1 --memory -1 "$ID"
    [ "$(value cpu.max)" = "max 100000" ]
    [ "$(value memory.max)" = max ]
    runner update --cpu-period 50000 --cpu-quota 10000 --pids-limit 7 "$ID"
    [ "$(value cpu.max)" = "10000 50000" ]
    [ "$(value pids.max)" = 7 ]
    echo '{"unified": {"memory.high": "16777216"}}' | runner update --resources - "$ID"
    [ "$(value memory.high)" = 16777216 ]
}

@test "unified names files, and an unknown one is an error that names it" {
    needs pids
    edit '.linux.resources.unified = {"pids.max": "33", "cgroup.max.depth": "3"}'
    start_container
    [ "$(value pids.max)" = 33 ]
    [ "$(value cgroup.max.depth)" = 3 ]
    runner delete --force "$ID"
    edit '.linux.resources.unified = {"no.such": "1"}'
    run -1 run_container
    [[ $output == *"no.such"* ]]
    edit '.linux.resources.unified = {"../x": "1"}'
    run -1 run_container
    [ -z "$(left_behind)" ]
}

@test "limits of I/O are those of a disk" {
    needs io
    truncate -s 16M "$WORLD/disk"
    LOOP=$(losetup --show -f "$WORLD/disk") || skip "needs loop devices"
    local major minor
    major=$((16#$(stat -c %t "$LOOP")))
    minor=$((16#$(stat -c %T "$LOOP")))
    edit '.linux.resources.blockIO = {weight: 500,
        throttleReadBpsDevice: [{major: $a, minor: $b, rate: 1048576}],
        throttleWriteIOPSDevice: [{major: $a, minor: $b, rate: 100}]}' --argjson a "$major" --argjson b "$minor"
    run runner create --bundle "$BUNDLE" "$ID"
    if [ "$status" -ne 0 ]; then # a kernel without weights
        [[ $output == *weight* ]]
        edit 'del(.linux.resources.blockIO.weight)'
        runner create --bundle "$BUNDLE" "$ID" >/dev/null
    fi
    runner start "$ID"
    [[ $(value io.max) == *"$major:$minor rbps=1048576 wbps=max riops=max wiops=100"* ]]
}

@test "a memory limit ends what needs more, pids.max stops a fork bomb" {
    needs memory
    program tail /dev/zero
    edit '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    run -137 run_container
    script 'for i in $(seq 50); do sleep 1 & done; echo no'
    edit '.linux.resources = {pids: {limit: 10}}'
    run run_container
    [[ $output == *"can't fork"* ]]
}

@test "the container is frozen as a whole, and killed while it is" {
    script 'sleep 1000 & while :; do echo . >>/tmp/count; done'
    start_container
    eventually 100 test -s "$BUNDLE/rootfs/tmp/count"
    runner pause "$ID"
    grep -q 'frozen 1' "$(group)/cgroup.events"
    status_is paused
    run -1 runner exec "$ID" true
    runner resume "$ID"
    grep -q 'frozen 0' "$(group)/cgroup.events"
    runner pause "$ID"
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "kill --all reaches processes that have left their parents, and groups below" {
    edit '(.mounts[] | select(.type == "cgroup") | .options) |= map(select(. != "ro"))
        | .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
    script 'mkdir /sys/fs/cgroup/below && (setsid sleep 1000 & echo $! >/sys/fs/cgroup/below/cgroup.procs); sleep 1000'
    start_container
    eventually 100 grep -q . "$(group)/below/cgroup.procs"
    dir=$(group)
    runner kill --all "$ID" KILL
    eventually 100 status_is stopped
    runner delete "$ID"
    [ ! -e "$dir" ]
}

@test "a cgroup namespace has the group as its root; without one the mount is read-only" {
    script 'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs; sleep 1000'
    edit '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
    start_container
    eventually 100 grep -q procs "$WORLD/stdout"
    grep -qx '0::/' "$WORLD/stdout"
    runner exec "$ID" sh -c 'cat /proc/self/cgroup' | grep -qx '0::/'
    runner delete --force "$ID"
    edit '.linux.namespaces |= map(select(.type != "cgroup"))'
    script 'mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused'
    run -0 run_container
    [ "$output" = refused ]
}

@test "devices are filtered by a program, which update replaces" {
    script 'mknod /tmp/m c 1 1; mknod /tmp/z c 1 5; sleep 1000'
    edit '.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYS_RAWIO"])'
    start_container
    eventually 100 test -e "$BUNDLE/rootfs/tmp/z"
    run runner exec "$ID" head -c 1 /tmp/m
    [[ $output == *"Operation not permitted"* ]]
    runner exec "$ID" head -c 1 /tmp/z >/dev/null
    echo '{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 1, "access": "rwm"}]}' |
        runner update --resources - "$ID"
    run runner exec "$ID" head -c 1 /tmp/m
    [[ $output != *"Operation not permitted"* ]]
    echo '{"devices": [{"allow": false, "access": "rwm"}]}' | runner update --resources - "$ID"
    run runner exec "$ID" head -c 1 /tmp/m
    [[ $output == *"Operation not permitted"* ]]
}

@test "events and stats have the figures of v2" {
    needs memory
    edit '.linux.resources += {memory: {limit: 33554432}, pids: {limit: 20}}'
    start_container
    runner events --stats "$ID" | jq -e '.data.cpu.usage.total > 0 and .data.memory.usage.usage > 0
        and .data.memory.usage.limit == 33554432 and .data.pids.current == 1 and .data.pids.limit == 20'
}

@test "a path of groups is made with its controllers, used by two, and removed with the second" {
    needs pids
    edit '.linux.cgroupsPath = "/volumed-test/\($id)" | .linux.resources.pids = {limit: 9}' --arg id "$ID"
    start_container
    [ "$(group)" = "/sys/fs/cgroup/volumed-test/$ID" ]
    [ "$(value pids.max)" = 9 ]
    grep -qw pids /sys/fs/cgroup/volumed-test/cgroup.subtree_control
    runner delete --force "$ID"
    [ ! -e "/sys/fs/cgroup/volumed-test/$ID" ]
    rmdir /sys/fs/cgroup/volumed-test
}
