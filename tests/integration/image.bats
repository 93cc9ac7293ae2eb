#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2030,SC2031 # set by run, each time
# Volumes that are images: limited on filesystems that count nothing, with what all volumes can do.

load world
load disks

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    local kind
    for kind in "ext4 200M mkfs.ext4 -q -m 0" "xfs 330M mkfs.xfs -q -m reflink=1"; do
        # shellcheck disable=SC2086 # words
        set -- $kind
        mkdir "$WORLD_DIR/$1"
        truncate -s "$2" "$WORLD_DIR/$1.img"
        if "${@:3}" "$WORLD_DIR/$1.img" >/dev/null 2>&1 && mount -o loop "$WORLD_DIR/$1.img" "$WORLD_DIR/$1"; then
            "$WORLD_BUILD/volctl" pool create "$1" "$WORLD_DIR/$1/pool" --driver image
        else
            echo "no $1 on a loop device here" >"$WORLD_DIR/$1.lacks"
        fi
    done
    mkdir "$WORLD_DIR/tmpfs"
    mount -t tmpfs -o size=160m none "$WORLD_DIR/tmpfs"
    "$WORLD_BUILD/volctl" pool create tmpfs "$WORLD_DIR/tmpfs/pool" --driver image
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
    docker run --rm --network none -v "$1:/v" busybox sh -c \
        "dd if=/dev/urandom of=/v/fill$RANDOM bs=1M count=$2 conv=fsync"
}

# grows NAME SIZE: whoever has no CAP_SYS_RESOURCE cannot let a mounted ext4 grow.
grows() {
    if (((0x$(sed -n 's/^CapEff:\t//p' /proc/self/status) >> 24) & 1)); then
        volctl volume resize "$1" "$2"
    else
        run -5 volctl volume resize "$1" "$2"
        docker stop -t 0 "$1" >/dev/null
        volctl volume resize "$1" "$2"
        docker start "$1" >/dev/null
    fi
}

image_of() {
    echo "$(dirname "$(path_of "$1")")/image"
}

# story KIND
story() {
    local name=$1-v pool=$1 free view
    needs_disk "$1"
    run ! docker volume create -o pool="$pool" nosize
    [[ $output == *"needs one (option 'size')"* ]]
    run ! docker volume create -o pool="$pool" -o size=16m -o inodes=20 noinodes
    [[ $output == *"quota size requested but no quota support"*"project quota"* ]]
    run -8 volctl volume create large --pool "$pool" --size 1G
    free=$(stat -f -c '%a * %S' "$WORLD_DIR/$pool")
    docker volume create -o pool="$pool" -o size=16m "$name"
    # What it may take is taken from the pool already, and statfs shows it.
    [ $(((free) - ($(stat -f -c '%a * %S' "$WORLD_DIR/$pool")))) -ge 16777216 ]
    [ $(($(stat -c '%b * %B' "$(image_of "$name")"))) -ge 16777216 ]
    docker run --rm --network none -v "$name:/v" busybox df -m /v | awk 'NR == 2 { exit !($2 > 10 && $2 <= 16) }'
    docker run --rm --network none -v "$name:/v" busybox sh -c 'ls -A /v; echo one >/v/f'
    run -1 fill "$name" 20
    [[ $output == *"No space left"* ]]
    rm "$(path_of "$name")"/fill*
    run -0 volctl --json volume usage "$name"
    jq -e '.counted and .limit.size_bytes == 16777216' <<<"$output"
    # Up, under a container that writes; not down.
    docker run -d --name "$name" --network none -v "$name:/v" busybox sleep 600 >/dev/null
    grows "$name" 32M
    docker exec "$name" dd if=/dev/zero of=/v/big bs=1M count=22 conv=fsync
    run -5 volctl volume resize "$name" 30M
    [[ $output == *"only while it is not in use"* ]]
    run -8 volctl volume resize "$name" 2G
    [ "$(stat -c %s "$(image_of "$name")")" = 33554432 ]
    docker exec "$name" rm /v/big
    # Cut under it where blocks are shared, else at rest.
    if [ "$pool" = xfs ]; then
        docker exec "$name" sh -c 'echo before >/v/order'
        run -0 volctl --json snapshot create "$name@s1"
        [ "$(jq -r .fence <<<"$output")" = frozen ]
        ! filefrag -v "$(image_of "$name")" | grep -q shared
    else
        run -5 volctl snapshot create "$name@s1"
        [[ $output == *"only while it is not in use"*"container '$name'"* ]]
        docker exec "$name" sh -c 'echo before >/v/order'
        docker stop -t 0 "$name" >/dev/null
        volctl snapshot create "$name@s1"
        docker start "$name" >/dev/null
    fi
    docker exec "$name" sh -c 'echo after >/v/order; echo two >/v/f'
    [ "$(volctl file cat "$name@s1" order)" = before ]
    docker run --rm --network none -v "$name@s1:/x" busybox sh -c 'cat /x/f; ! touch /x/no 2>/dev/null' | grep -qx one
    run -0 volctl diff "$name@s1" "$name"
    [[ $output == *order* ]]
    volctl file restore "$name@s1" f
    [ "$(docker exec "$name" cat /v/f)" = one ]
    run -5 volctl volume rollback "$name@s1"
    [[ $output == *"mounted by container"* ]]
    docker rm -f "$name" >/dev/null
    volctl volume clone "$name@s1" "$name-twin" --size 40M
    [ "$(cat "$(path_of "$name-twin")/order")" = before ]
    fill "$name-twin" 30
    volctl volume rollback "$name@s1"
    [ "$(volctl file cat "$name" order)" = before ]
    is_clean
    volctl volume rm "$name-twin"
    volctl trash restore "$name-twin"
    [ "$(volctl file cat "$name-twin" order)" = before ]
    # As after a boot: what is asked for is mounted again.
    view=$(path_of "$name")
    world_daemon_stop KILL
    umount "$view"
    world_daemon_start
    is_clean
    [ "$(cat "$(path_of "$name")/order")" = before ]
    [ "$(docker run --rm --network none -v "$name:/v" busybox cat /v/order)" = before ]
    volctl volume rm --now "$name-twin"
    volctl volume rm --now --with-snapshots "$name"
    is_clean
    [ -z "$(find "$WORLD_DIR/$pool/pool" -name 'image*')" ]
    world_eventually 50 has_no_loop "$WORLD_DIR/$pool/pool"
}

has_no_loop() {
    ! losetup -l -n -O BACK-FILE | grep -qF "$1"
}

@test "ext4: volumes that are images" { story ext4; }
@test "XFS: volumes that are images" { story xfs; }
@test "tmpfs: a limit by an image, smaller and larger at rest" {
    volctl volume create tm --pool tmpfs --size 16M
    echo one >"$(path_of tm)/f"
    run -1 dd if=/dev/zero of="$(path_of tm)/big" bs=1M count=20
    rm "$(path_of tm)/big"
    volctl volume resize tm 40M
    dd if=/dev/zero of="$(path_of tm)/big" bs=1M count=30 2>/dev/null
    run -4 volctl volume resize tm 24M
    [[ $output == *"takes"*"more than 24"* ]]
    rm "$(path_of tm)/big"
    volctl volume resize tm 24M
    [ "$(stat -c %s "$(image_of tm)")" = 25165824 ] && [ "$(cat "$(path_of tm)/f")" = one ]
    [ $(($(stat -c '%b * %B' "$(image_of tm)"))) -ge 25165824 ]
    volctl volume rm --now tm
    is_clean
}

@test "seeded from an image, and from another pool" {
    needs_disk ext4
    docker run --rm --network none --mount type=volume,src=seeded,dst=/data,volume-opt=pool=ext4,volume-opt=size=16m \
        busybox cat /data/seed
    volctl volume create plain
    echo plain >"$(path_of plain)/f"
    volctl volume create copied --pool ext4 --size 16M --from plain
    [ "$(cat "$(path_of copied)/f")" = plain ]
    head -c 20M /dev/urandom >"$(path_of plain)/large"
    run -8 volctl volume create toolarge --pool ext4 --size 16M --from plain
    volctl volume create back --from seeded --pool default --size none
    [ "$(cat "$(path_of back)/seed")" = seed ]
    is_clean
    volctl volume rm --now seeded copied back plain
}

@test "a full pool loses nothing that an image has accepted" {
    needs_disk xfs
    volctl volume create kept --pool xfs --size 48M
    head -c 30M /dev/urandom >"$(path_of kept)/f"
    volctl snapshot create kept@s1
    fallocate -l $(($(stat -f -c '%a * %S' "$WORLD_DIR/xfs"))) "$WORLD_DIR/xfs/full" || true
    dd if=/dev/zero bs=1M of="$WORLD_DIR/xfs/fuller" conv=fsync 2>/dev/null || true
    # All of it is written anew, over what the snapshot has too.
    head -c 30M /dev/urandom | dd of="$(path_of kept)/f" conv=notrunc,fsync bs=1M 2>/dev/null
    sha256sum "$(path_of kept)/f" >"$WORLD_DIR/sum"
    run -8 volctl snapshot create kept@s2
    run -8 volctl volume clone kept@s1 no
    echo 1 >/proc/sys/vm/drop_caches
    sha256sum --status -c "$WORLD_DIR/sum"
    rm "$WORLD_DIR/xfs"/full*
    is_clean
    volctl snapshot create kept@s2
    volctl volume rm --now --with-snapshots kept
    is_clean
}

@test "lost with its database, a pool is adopted with its images" {
    needs_disk ext4
    volctl volume create adopted --pool ext4 --size 16M
    echo here >"$(path_of adopted)/f"
    sync
    sleep 3 # the mirror
    world_daemon_stop
    umount "$(path_of_tree ext4)"/*/view 2>/dev/null || true
    rm "$WORLD_DIR/state"/volumed.db*
    world_daemon_start
    volctl pool adopt "$WORLD_DIR/ext4/pool" --name ext4
    [ "$(volctl file cat adopted f)" = here ]
    is_clean
}

path_of_tree() {
    echo "$WORLD_DIR/$1/pool/volumes"
}
