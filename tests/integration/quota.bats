#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Limits of volumes as docker's users see them: enforced on btrfs, refused where nothing enforces
# them.  Project quota is quota_project.bats'.

load world
load disks

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    disk btrfs 512M mkfs.btrfs -q
    disk xfs 400M mkfs.xfs -q -m reflink=1
    disk ext4 64M mkfs.ext4 -q
    mkdir "$WORLD_DIR/tmpfs"
    mount -t tmpfs -o size=64m none "$WORLD_DIR/tmpfs"
    "$WORLD_BUILD/volctl" pool create tmpfs "$WORLD_DIR/tmpfs/pool"
    world_load_busybox
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# fill VOLUME MIB: from within a container.
fill() {
    docker run --rm -v "$1:/v" busybox sh -c \
        "dd if=/dev/urandom of=/v/fill bs=1M count=$2 conv=fsync"
}

@test "btrfs: a container meets its volume's limit as EDQUOT" {
    needs_disk btrfs
    docker volume create -o pool=btrfs -o size=8m limited
    fill limited 4
    run -1 fill limited 12
    [[ $output == *"Disk quota exceeded"* ]]
    # It can remove, and go on.
    docker run --rm -v limited:/v busybox rm /v/fill
    fill limited 4
    run -0 docker volume inspect limited
    [ "$(jq -c '.[0] | [.Options.size, .Status.Limit.Bytes]' <<<"$output")" = '["8m",8388608]' ]
    # Asked for again it is the same volume; with another limit it is not.
    [ "$(docker volume create -o pool=btrfs -o size=8m limited)" = limited ]
    run ! docker volume create -o pool=btrfs -o size=9m limited
}

@test "btrfs: resizing does not disturb a container that runs" {
    needs_disk btrfs
    docker volume create -o pool=btrfs -o size=6m resized
    docker run -d --name resizing -v resized:/v busybox sh -c \
        'until [ -e /v/go ]; do sleep 0.1; done; dd if=/dev/urandom of=/v/f bs=1M count=10 conv=fsync; sleep 600'
    volctl volume resize resized 16M
    touch "$(docker volume inspect -f '{{.Mountpoint}}' resized)/go"
    world_eventually 100 test "$(docker volume inspect -f '{{.Mountpoint}}' resized)/f"
    world_eventually 100 grows resized 10485760
    run -4 volctl volume resize resized 8M
    [[ $output == *"volume 'resized' takes 10"*"more than 8"* ]]
    run -0 volctl volume inspect resized
    [[ $output == *'"size_bytes":16777216'* ]]
    docker rm -f resizing
}

grows() {
    [ "$(stat -c %s "$(docker volume inspect -f '{{.Mountpoint}}' "$1")/f" 2>/dev/null)" = "$2" ]
}

@test "btrfs: a limit survives rollback, clone, seeding and a daemon that is killed" {
    needs_disk btrfs
    local name
    docker volume create -o pool=btrfs -o size=8m kept
    docker run --rm -v kept:/data busybox cat /data/seed # seeded: a new tree
    fill kept 3
    volctl snapshot create kept@s1
    volctl volume rollback kept@s1
    volctl volume clone kept@s1 twin
    world_daemon_stop KILL
    world_daemon_start
    for name in kept twin; do
        run -1 fill "$name" 12
        [[ $output == *"Disk quota exceeded"* ]]
    done
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

@test "btrfs: usage is counted, and tells what is a volume's own" {
    needs_disk btrfs
    docker volume create -o pool=btrfs -o size=20m counted
    fill counted 4
    volctl snapshot create counted@s1
    run -0 volctl --json volume usage --fresh counted
    jq -e '.counted and .used_bytes > 4000000 and .exclusive_bytes < 1000000 and .files == 1
        and .apparent_bytes == 4194304 and .limit.size_bytes == 20971520' <<<"$output"
    run -0 volctl volume usage counted
    [[ $output == "counted: 4"*" of 20"*"counted" ]]
    # What docker says is the sum of the files' sizes, as ever.
    run -0 docker system df -v --format '{{json .Volumes}}'
    [[ $output == *'"Name":"counted"'* ]]
    [ "$(jq -r '.[] | select(.Name == "counted") | .Size' <<<"$output")" = 4.194MB ]
}

@test "what cannot be enforced is refused, with what would" {
    local pool
    for pool in xfs ext4 tmpfs; do
        [ ! -e "$WORLD_DIR/$pool.lacks" ] || continue
        run ! docker volume create -o pool="$pool" -o size=8m refused
        [[ $output == *"quota size requested but no quota support"*"pool '$pool'"*"--driver btrfs"* ]]
        run ! docker volume inspect refused
        run -7 volctl volume create refused --pool "$pool" --inodes 100
    done
    run ! docker volume create -o pool=btrfs -o inodes=100 refused
    [[ $output == *"btrfs does not count them"* ]]
    run ! docker volume create -o type=tmpfs -o device=tmpfs -o size=8m refused
    [[ $output == *"quota size requested but no quota support"* ]]
    run ! docker volume create -o pool=btrfs -o size=much refused
    [[ $output == *"invalid size: 'much'"* ]]
    [ -z "$(docker volume ls -q --filter name=refused)" ]
}

@test "seeding, cloning and rolling back past a limit leave nothing behind" {
    needs_disk btrfs
    fill_image
    run ! docker run --rm \
        --mount type=volume,src=tiny,dst=/large,volume-opt=pool=btrfs,volume-opt=size=1m large true
    [[ $output == *"no space"* || $output == *"uota exceeded"* || $output == *"limited to 1m"* ]]
    run ! docker volume inspect tiny
    docker volume create -o pool=btrfs -o size=8m source
    fill source 5
    run ! volctl volume clone source smaller --size 2M
    [[ $output == *"volume 'smaller' is limited to 2M, and what goes into it takes 5"* ]]
    run -3 volctl volume inspect smaller
    # A volume that was made smaller since the snapshot.
    volctl snapshot create source@full
    docker run --rm -v source:/v busybox rm /v/fill
    volctl volume resize source 2M
    run -8 volctl volume rollback source@full
    [[ $output == *"volume 'source' is limited to 2M"* ]]
    docker run --rm -v source:/v busybox test ! -e /v/fill
    volctl volume resize source 8M
    volctl volume rollback source@full
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

# An image 'large' with 4 MiB at /large.
fill_image() {
    docker create --name filler busybox true
    mkdir -p "$WORLD_DIR/large"
    head -c 4M /dev/urandom >"$WORLD_DIR/large/f"
    docker cp "$WORLD_DIR/large" filler:/
    docker commit filler large
    docker rm filler
}
