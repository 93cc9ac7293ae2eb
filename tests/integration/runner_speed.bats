#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154
# What a run costs, as far as it can be counted and does not depend on the machine.

load runner.bash

setup_file() {
    runner_file strace
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
    program /bin/true
}

teardown() {
    runner_end
}

# The runner's own system calls in all its processes: what comes after the program's execution, in
# the process that has become it, is the program's.
count_calls() {
    strace -ff -qq -o "$WORLD/trace" "$RUNNER" --root "$ROOT" run --bundle "$BUNDLE" "$ID" 3>&-
    awk 'FNR == 1 { is_program = 0 }
         /^(---|\+\+\+)/ { next }
         !is_program { count++ }
         /^execve\("\/bin\/true"/ { is_program = 1 }
         END { print count }' "$WORLD"/trace.*
}

@test "a run takes at most 290 system calls where there is one hierarchy of groups" {
    export -f count_calls
    export WORLD ROOT BUNDLE ID RUNNER
    # shellcheck disable=SC2016
    run -0 unshare -m bash -c 'umount -l -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && count_calls'
    echo "calls: $output"
    [ "$output" -gt 200 ]
    [ "$output" -le 290 ]
}

@test "a run takes at most 350 system calls on ten hierarchies, and as many less as there are fewer" {
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || skip "has one hierarchy only"
    local hierarchies
    hierarchies=$(grep -c . /proc/self/cgroup)
    run -0 count_calls
    echo "calls: $output, hierarchies: $hierarchies"
    [ "$output" -le $((280 + 7 * hierarchies)) ]
}

@test "no other process is moved into a v1 group, which would wait for the whole system" {
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || skip "there is no v1 hierarchy"
    count_calls >/dev/null
    run -0 grep -hE 'openat\(.*(cgroup\.procs|tasks)"' "$WORLD"/trace.*
    [[ $output == *'/tasks"'* ]]
    [[ $output != *'cgroup.procs"'* ]]
}
