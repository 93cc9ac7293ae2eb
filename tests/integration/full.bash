# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # output is set by run
# Small filesystems that run full, the state directory's too.  Load after world.

# full_world: a world whose state directory is on a small disk of its own.
full_world() {
    WORLD_SKIP=$(world_lack)
    export WORLD_SKIP
    [ -z "$WORLD_SKIP" ] || return 0
    WORLD_DIR=$(mktemp -d "${TMPDIR:-/tmp}/volumed-test.XXXXXX")
    mkdir -p "$WORLD_DIR/docker-config" "$WORLD_DIR/state"
    export WORLD_DIR WORLD_BUILD
    export DOCKER_HOST=unix://$WORLD_DIR/volumed.sock DOCKER_CONFIG=$WORLD_DIR/docker-config
    export VOLUMED_SOCKET=$WORLD_DIR/volumed.sock
    loop state "$1" mkfs.ext4 -q -b 4096 -m 0 || { echo "no ext4 on a loop device" >"$WORLD_DIR/lacks"; return; }
    world_daemon_start
}

# full_pool KIND SIZE MKFS…: a pool of that name, without watermarks.
full_pool() {
    loop "$@" && "$WORLD_BUILD/volctl" pool create "$1" "$WORLD_DIR/$1/pool" &&
        "$WORLD_BUILD/volctl" pool set "$1" warn=100 purge=100 refuse=100
}

# loop NAME SIZE MKFS…  btrfs takes emptied chunks back when it commits, half a minute later unless told
# otherwise, and asynchronous discards put that off further.
loop() {
    local dir=$WORLD_DIR/$1 option=loop
    [ "$1" != btrfs ] || option=loop,nodiscard,commit=1
    mkdir -p "$dir"
    truncate -s "$2" "$dir.img"
    "${@:3}" "$dir.img" >/dev/null 2>&1 && mount -o "$option" "$dir.img" "$dir"
}

needs() {
    mountpoint -q "$WORLD_DIR/$1" || skip "no $1 on a loop device here"
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

# Fills a filesystem to the last block that it gives.
fill_up() {
    local dir=$WORLD_DIR/$1 begin
    begin=$(stat -c %s "$dir/fullest" 2>/dev/null || echo 0)
    fallocate -o "$begin" -l $(($(stat -f -c '%a * %S' "$dir"))) "$dir/fullest" 2>/dev/null || true
    dd if=/dev/zero bs=1M conv=fsync,notrunc oflag=append of="$dir/full" 2>/dev/null || true
    dd if=/dev/zero bs=4k conv=fsync,notrunc oflag=append of="$dir/fuller" 2>/dev/null || true
}

free_up() {
    rm -f "$WORLD_DIR/$1"/full*
    sync -f "$WORLD_DIR/$1"
}

# Of the last run.
says_no_space() {
    [[ $output == *[Nn]"o space left"* || $output == *"is full"* || $output == *"quota exceeded"* ]] || {
        echo "said instead: $output" >&2
        false
    }
}

is_clean() {
    run volctl system check
    [ "$output" = "nothing is amiss" ] || {
        echo "$output" >&2
        false
    }
}
