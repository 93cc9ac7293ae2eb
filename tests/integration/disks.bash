# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Real filesystems in files, each with a pool of its kind's name.  Load after world.

# disk KIND SIZE MKFS…: a new filesystem on a loop device at WORLD_DIR/KIND, and a pool of that name.
# Where the machine cannot, WORLD_DIR/KIND.lacks says why.
disk() {
    local kind=$1 size=$2 dir=$WORLD_DIR/$1
    shift 2
    mkdir "$dir"
    truncate -s "$size" "$dir.img"
    if "$@" "$dir.img" >/dev/null 2>&1 && mount -o loop "$dir.img" "$dir"; then
        "$WORLD_BUILD/volctl" pool create "$kind" "$dir/pool"
    else
        echo "no $kind on a loop device here" >"$dir.lacks"
    fi
}

# disks: one of each kind, of a size that tests do with.
disks() {
    [ -z "$WORLD_SKIP" ] || return 0
    disk btrfs 256M mkfs.btrfs -q
    disk xfs 512M mkfs.xfs -q -m reflink=1
    disk ext4 128M mkfs.ext4 -q
}

needs_disk() {
    [ ! -e "$WORLD_DIR/$1.lacks" ] || skip "$(cat "$WORLD_DIR/$1.lacks")"
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

# Nothing on disk that no row names.
is_clean() {
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}
