#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The shipped volumed killed from outside at its Nth system call of each verb; `make check` samples the
# points, `make check-crash` tries all of them.

bats_require_minimum_version 1.5.0

setup() {
    ROOT=$(cd "$(dirname "$BATS_TEST_FILENAME")/../.." && pwd)
    [ "$(id -u)" -eq 0 ] || skip "needs root"
    command -v strace > /dev/null || skip "needs strace"
    STEP=${CRASH_STEP:-5}
}

# sweep VERB [TIMES]: TIMES thins the sample further, where a round takes seconds.
sweep() {
    local step=$STEP
    [ "$STEP" = 1 ] || step=$((STEP * ${2:-1}))
    run -0 "$ROOT/tests/lib/crash-sweep" "$1" "$step"
    echo "# $output" >&3
}

@test "volume create is whole or absent wherever volumed is killed" { sweep volume-create; }
@test "volume remove is whole or absent wherever volumed is killed" { sweep volume-remove; }
@test "a removed volume is there or can be had back wherever volumed is killed" { sweep volume-trash 3; }
@test "trash restore is whole or absent wherever volumed is killed" { sweep trash-restore; }
@test "trash purge is whole or absent wherever volumed is killed" { sweep trash-purge 2; }
@test "a policy's run is made good by the next wherever volumed is killed" { sweep policy-run 8; }
@test "snapshot create is whole or absent wherever volumed is killed" { sweep snapshot-create; }
@test "snapshot remove is whole or absent wherever volumed is killed" { sweep snapshot-remove; }
@test "clone is whole or absent wherever volumed is killed" { sweep clone; }
@test "rollback leaves the old or the new contents wherever volumed is killed" { sweep rollback; }
@test "a set has all its members or none wherever volumed is killed" { sweep set-snapshot; }
@test "a set's rollback changes all volumes or none wherever volumed is killed" { sweep set-rollback; }
@test "container create is whole or absent wherever volumed is killed" { sweep container-create; }
@test "container start runs or can be started wherever volumed is killed" { sweep container-start; }
@test "container remove is whole or absent wherever volumed is killed" { sweep container-remove; }
@test "hot attach is whole or absent wherever volumed is killed" { sweep container-hot-attach; }
@test "hot detach is whole or absent wherever volumed is killed" { sweep container-hot-detach; }
@test "promote is whole or absent wherever volumed is killed" { sweep container-promote; }
@test "pool create is whole or absent wherever volumed is killed" { STEP=$((STEP * 4)) sweep pool-create; }
@test "pool growth is whole or absent wherever volumed is killed" { STEP=$((STEP * 4)) sweep pool-grow; }
@test "pool adopt is whole or absent wherever volumed is killed" { STEP=$((STEP * 4)) sweep pool-adopt; }
@test "file restore changes all files or none wherever volumed is killed" { sweep file-restore 4; }
@test "recreate is committed or rolled back wherever volumed is killed" { sweep container-recreate 60; }
@test "recreate to a bad image is rolled back wherever volumed is killed" { sweep container-recreate-bad 120; }
@test "a capsule's import is whole or absent wherever volumed is killed" { sweep capsule-import 120; }
@test "container rollback is committed or rolled back wherever volumed is killed" { sweep container-rollback 60; }
