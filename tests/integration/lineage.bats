#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Where data came from, also when its ancestors are gone.

load world
load disks

setup_file() {
    world_begin
    disks
    world_load_busybox
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# relations WORD…: one line an edge, newest first
relations() {
    volctl --json lineage show "$@" | jq -r '.edges[] | "\(.child.name) \(.relation) \(.parent.name)"'
}

story() {
    needs_disk "$1"
    local image
    image=$(docker image inspect -f '{{.Id}}' busybox)
    docker volume create -o "pool=$1" "a$1" >/dev/null
    docker run --rm --name "writer-$1" --network none -v "a$1:/data" busybox sh -c 'echo x >/data/new'
    docker run --rm --name "reader-$1" --network none -v "a$1:/data:ro" busybox true
    volctl snapshot create "a$1@s1"
    volctl volume clone "a$1@s1" "b$1"
    volctl snapshot create "b$1@mine"
    volctl volume rollback "b$1@mine"
    relations "a$1" | sort >"$BATS_TEST_TMPDIR/a"
    diff - "$BATS_TEST_TMPDIR/a" <<EOF
a$1 seeded $image
a$1 written writer-$1
EOF

    # The ancestors go, by name and by snapshot; what descends from them still knows.
    volctl snapshot rm --now "a$1@s1"
    volctl volume rm --now "a$1"
    relations "b$1" | sort >"$BATS_TEST_TMPDIR/b"
    diff - "$BATS_TEST_TMPDIR/b" <<EOF
a$1 seeded $image
a$1 written writer-$1
a$1@s1 cut a$1
b$1 cloned a$1@s1
b$1 rolled-back b$1@mine
b$1@mine cut b$1
EOF
    run -0 volctl lineage show "b$1"
    [ "${lines[0]}" = "volume b$1" ]
    [[ ${lines[1]} = "└─ rolled back to snapshot b$1@mine, "* ]]
    [[ ${lines[2]} = "   └─ cut from volume b$1, "* ]]
    [[ ${lines[3]} = "      └─ cloned from snapshot a$1@s1, "* ]]
    [[ ${lines[4]} = "         └─ cut from volume a$1, "* ]]
    [[ ${lines[5]} = "            ├─ written by container writer-$1 ("*") of busybox, generation 1, "* ]]
    [[ ${lines[6]} = "            └─ seeded from image sha256:"*" at /data, "* ]]

    # The database is read anew, and nothing of it is lost.
    world_daemon_stop
    world_daemon_start
    relations "b$1" | sort | diff "$BATS_TEST_TMPDIR/b" -
    volctl lineage show --dot "b$1" | grep -qE '" -> ".*" \[label = "cloned"\];'
    volctl lineage show --all | grep -q "^volume b$1$"
    is_clean
}

@test "a clone of a clone knows its image and its writers, on btrfs" {
    story btrfs
}

@test "a clone of a clone knows its image and its writers, on XFS" {
    story xfs
}

@test "a clone of a clone knows its image and its writers, on ext4" {
    story ext4
}

@test "an empty volume has no lineage, and costs no row" {
    docker volume create plain
    [ "$(volctl --json lineage show plain | jq '.edges | length')" = 0 ]
    [ "$(volctl lineage show plain)" = "volume plain" ]
    run -2 volctl lineage show
    run -3 volctl lineage show nosuch
}
