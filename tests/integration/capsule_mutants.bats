#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Capsules that are damaged or lie (tests/lib/mutate-capsule).  MUTANTS=1000 tries so many.

load world
load disks

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    world_load_busybox
    disks
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# All but spare trees, which are empty.
on_disk() {
    find "$WORLD_DIR/btrfs" "$WORLD_DIR/state/tmp" "$WORLD_DIR/state/images" ! \( -type d -empty \) ! -path '*/meta*' ! -path '*/pool/volumes' \
        2>/dev/null | sort
}

@test "whatever is done to a capsule, it is refused or harmless, and nothing is left" {
    local path i
    needs_disk xfs
    needs_disk btrfs
    volctl volume create --pool xfs -o snapshots=daily one >/dev/null
    volctl volume create --pool xfs two >/dev/null
    path=$(path_of one)
    "$WORLD_ROOT/tests/lib/tree.py" make "$path"
    truncate -s 100K "$path/big"
    for i in 1 2 3; do
        volctl snapshot create one@s$i >/dev/null
        "$WORLD_ROOT/tests/lib/tree.py" change "$path" $i
    done
    volctl snapshot hold one@s1 >/dev/null
    docker create --name app -v one:/one -v two:/two:ro busybox true >/dev/null
    volctl container export app --to "$WORLD_DIR/app.capsule" --snapshots all >/dev/null
    on_disk >"$WORLD_DIR/before"
    pid=$(cat "$WORLD_DIR/pid")
    "$WORLD_ROOT/tests/lib/mutate-capsule" "$WORLD_DIR/app.capsule" "${MUTANTS:-30}" "${SEED:-1}" --pool btrfs >&3
    [ "$(cat "$WORLD_DIR/pid")" = "$pid" ]
    kill -0 "$pid"
    is_clean
    diff "$WORLD_DIR/before" <(on_disk)
}
