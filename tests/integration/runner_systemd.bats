#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2016
# Control groups made by systemd.  A real one is started in the machine of `make check-vm`, as the
# first process of a PID namespace that has the whole cgroup tree.

load runner.bash

setup_file() {
    LACK=$(runner_lack)
    export LACK SYSTEMD=
    [ -z "$LACK" ] || return 0
    IMAGE=$(mktemp -d /run/runner-image.XXXXXX) # the systemd has a /tmp of its own
    export IMAGE
    runner_image "$IMAGE"
    cp "$RUNNER" /run/runner-under-test
    [ -z "${VM:-}" ] || [ ! -x /lib/systemd/systemd ] || start_systemd
}

start_systemd() {
    echo $$ >/sys/fs/cgroup/cgroup.procs
    unshare -p -f --kill-child -m -C sh -c 'mount -t proc proc /proc; umount -l /sys/fs/cgroup
        mount -t cgroup2 cgroup /sys/fs/cgroup
        mount -t tmpfs tmp /tmp # it cleans up there
        exec env -i container=test PATH="$PATH" /lib/systemd/systemd --unit=slices.target' \
        >/dev/null 2>&1 3>&- &
    SYSTEMD=$!
    eventually 400 test -S /run/systemd/private
    sleep 2 # it listens before it answers
    SYSTEMD=$(pgrep -P "$SYSTEMD")
}

teardown_file() {
    [ -z "$IMAGE" ] || rm -rf "$IMAGE" /run/runner-under-test
    [ -z "$SYSTEMD" ] || kill -KILL "$SYSTEMD" || true
}

setup() {
    WORLD=
    [ -z "$LACK" ] || skip "$LACK"
    RUNNER=/run/runner-under-test TMPDIR=/run
    runner_begin
    edit '.linux.resources += {memory: {limit: 50003968}, pids: {limit: 33},
        cpu: {quota: 50000, period: 100000, shares: 512}}'
}

teardown() {
    if [ -n "$SYSTEMD" ]; then
        inside "$RUNNER" --root "$ROOT" delete --force "$ID" 2>/dev/null || true
    fi
    runner_end
}

# inside COMMAND…: where systemd is the first process.
inside() {
    nsenter -t "$SYSTEMD" -p -m -C "$@" 3>&-
}

need_systemd() {
    [ -n "$SYSTEMD" ] || skip "needs a systemd of its own: make check-vm"
}

start_scope() {
    program sleep 100
    inside "$RUNNER" --root "$ROOT" --systemd-cgroup run -d --bundle "$BUNDLE" "$ID" \
        </dev/null >"$WORLD/log" 2>&1
}

group() {
    echo "/sys/fs/cgroup/system.slice/runner-$ID.scope"
}

show() {
    inside systemctl show "runner-$ID.scope" -p "$1" --value
}

@test "without a systemd the manager says so, and nothing is left" {
    [ -z "$SYSTEMD" ] && [ ! -e /run/systemd/private ] || skip "there is a systemd"
    run -1 runner --systemd-cgroup run --bundle "$BUNDLE" "$ID"
    [[ $output == *"needs a running systemd: there is no '/run/systemd/private'; use the cgroupfs manager"* ]]
    [ -z "$(left_behind)" ]
    run -1 runner --cgroup-manager systemd run --bundle "$BUNDLE" "$ID"
    [[ $output == *"needs a running systemd"* ]]
}

@test "a container is a scope with its limits, which a reload does not undo" {
    need_systemd
    start_scope
    [ "$(show ActiveState)" = active ]
    [ "$(show MemoryMax)" = 50003968 ]
    [ "$(show TasksMax)" = 33 ]
    [ "$(show CPUWeight)" = 59 ]
    [ "$(show Delegate)" = yes ]
    inside systemctl daemon-reload
    [ "$(cat "$(group)/memory.max")" = 50003968 ]
    [ "$(cat "$(group)/pids.max")" = 33 ]
    [ "$(cat "$(group)/cpu.max")" = "50000 100000" ]
    [ "$(cat "$(group)/cpu.weight")" = 59 ]
    [ "$(wc -l <"$(group)/cgroup.procs")" = 1 ]
}

@test "update tells systemd too; exec joins the scope; delete ends it" {
    need_systemd
    start_scope
    inside "$RUNNER" --root "$ROOT" update --memory 60002304 --pids-limit 44 "$ID"
    [ "$(show MemoryMax) $(show TasksMax)" = "60002304 44" ]
    [ "$(cat "$(group)/memory.max" "$(group)/pids.max" | xargs)" = "60002304 44" ]
    inside "$RUNNER" --root "$ROOT" exec -d "$ID" sleep 99
    [ "$(wc -l <"$(group)/cgroup.procs")" = 2 ]
    inside "$RUNNER" --root "$ROOT" delete --force "$ID"
    [ ! -d "$(group)" ]
    is_forgotten() { [ "$(show LoadState)" = not-found ]; }
    eventually 60 is_forgotten
}

@test "slice, prefix and name are the specification's; others are refused" {
    need_systemd
    edit '.linux.cgroupsPath = "one-two.slice:pre:" + $id' --arg id "$ID"
    start_scope
    [ -d "/sys/fs/cgroup/one.slice/one-two.slice/pre-$ID.scope" ]
    inside "$RUNNER" --root "$ROOT" delete --force "$ID"
    edit '.linux.cgroupsPath = "/plain/path"'
    run -1 inside "$RUNNER" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID"
    [[ $output == *'expected cgroupsPath to be of format "slice:prefix:name"'* ]]
}

@test "a name that has just ended can be taken at once" {
    need_systemd
    program true
    for _ in 1 2 3; do
        inside "$RUNNER" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID"
    done
    [ ! -d "$(group)" ]
}

@test "a creation that fails leaves no scope" {
    need_systemd
    program /nosuch
    run -1 inside "$RUNNER" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID"
    [ ! -d "$(group)" ]
}
