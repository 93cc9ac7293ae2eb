#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# What a capsule brings is what it was given, from every kind of pool to every kind: entry by entry,
# with all that a filesystem says of it (tests/lib/tree.py), the volume and each of its snapshots.

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

tree() {
    "$WORLD_ROOT/tests/lib/tree.py" "$@"
}

# path_at VOLUME SNAPSHOT: where its files lie.
path_at() {
    local path
    path=$(path_of "$1")
    echo "${path%/volumes/*}/snapshots/$(volctl snapshot inspect "$1@$2" --json | jq -r .id)"
}

# A volume in a pool that was changed three times and has a snapshot of each time before.
original() {
    local path i
    volctl volume create "from-$1" --pool "$1" >/dev/null
    path=$(path_of "from-$1")
    tree make "$path"
    for i in 1 2 3; do
        tree show "$path" >"$WORLD_DIR/$1.s$i"
        volctl snapshot create "from-$1@s$i" >/dev/null
        tree change "$path" $i
    done
    tree show "$path" >"$WORLD_DIR/$1.now"
    docker create --name "app-$1" -v "from-$1:/data" busybox true >/dev/null
}

# from POOL: all three ways out of it.
from() {
    local to i
    needs_disk "$1"
    original "$1"
    volctl container export "app-$1" --to "$WORLD_DIR/$1.capsule" --snapshots all >/dev/null
    [ "$(volctl snapshot ls "from-$1" --json | jq length)" -eq 3 ]
    for to in btrfs xfs ext4; do
        [ ! -e "$WORLD_DIR/$to.lacks" ] || continue
        volctl capsule import "$WORLD_DIR/$1.capsule" --pool "$to" --rename "app-$1=copy" --rename "from-$1=copy" >/dev/null
        diff "$WORLD_DIR/$1.now" <(tree show "$(path_of copy)")
        for i in 1 2 3; do
            diff "$WORLD_DIR/$1.s$i" <(tree show "$(path_at copy s$i)")
        done
        docker rm copy >/dev/null
        volctl volume rm --now --with-snapshots copy >/dev/null
    done
    is_clean
}

@test "from btrfs to all three" { from btrfs; }
@test "from XFS to all three" { from xfs; }
@test "from ext4 to all three" { from ext4; }

@test "through all of them and back, nothing is lost on the way" {
    local pool last=xfs
    for pool in btrfs xfs ext4; do needs_disk $pool; done
    for pool in btrfs ext4 xfs; do
        volctl container export "app-$last" --to "$WORLD_DIR/way.capsule" --snapshots all >/dev/null
        docker rm "app-$last" >/dev/null
        volctl volume rm --now --with-snapshots "from-$last" >/dev/null
        docker rm -f "app-$pool" >/dev/null 2>&1 || true
        volctl volume rm --now --with-snapshots "from-$pool" >/dev/null 2>&1 || true
        volctl capsule import "$WORLD_DIR/way.capsule" --pool $pool --rename "app-$last=app-$pool" \
            --rename "from-$last=from-$pool" >/dev/null
        last=$pool
    done
    diff "$WORLD_DIR/xfs.now" <(tree show "$(path_of from-xfs)")
    for i in 1 2 3; do
        diff "$WORLD_DIR/xfs.s$i" <(tree show "$(path_at from-xfs s$i)")
    done
}

@test "a snapshot costs what is other in it, in the file and in the pool" {
    local path i
    needs_disk btrfs
    volctl volume create large --pool btrfs >/dev/null
    path=$(path_of large)
    head -c 20M /dev/urandom >"$path/file"
    for i in 1 2 3 4; do
        volctl snapshot create large@s$i >/dev/null
        printf x | dd of="$path/file" bs=1 seek=$((i * 1000000)) conv=notrunc 2>/dev/null
    done
    docker create --name large -v large:/data busybox true >/dev/null
    volctl container export large --to "$WORLD_DIR/large.capsule" --snapshots all >/dev/null
    [ "$(stat -c %s "$WORLD_DIR/large.capsule")" -lt 24000000 ]
    docker rm large >/dev/null
    volctl volume rm --now --with-snapshots large >/dev/null
    volctl capsule import "$WORLD_DIR/large.capsule" --pool btrfs >/dev/null
    sync -f "$WORLD_DIR/btrfs"
    [ "$(btrfs filesystem du -s --raw "$WORLD_DIR/btrfs/pool" | awk 'END { print $3 }')" -gt 15000000 ]
}
