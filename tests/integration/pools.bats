#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Pools on disks of their own: made, mounted again, grown, full, adopted.  On images on this machine's
# own filesystem and on a small tmpfs that runs full.

load world

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    world_load_busybox
    mkdir "$WORLD_DIR/small"
    mount -t tmpfs -o size=900m small "$WORLD_DIR/small"
}

teardown_file() {
    if [ -e "${WORLD_DIR:-/nowhere}/device" ]; then
        umount "$WORLD_DIR/state/pools/dev" "$WORLD_DIR/held" 2>/dev/null || true
        losetup -d "$(cat "$WORLD_DIR/device")" || true
    fi
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
    command -v mkfs.xfs >/dev/null || skip "needs xfsprogs"
    command -v mkfs.btrfs >/dev/null || skip "needs btrfs-progs"
    [ -e /dev/loop-control ] || skip "needs loop devices"
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

pool() {
    volctl --json pool inspect "$1" | jq -r "$2"
}

is_clean() {
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

# Nothing on disk, in the mount table or in the kernel's list of loop devices.
is_gone() {
    ! mountpoint -q "$WORLD_DIR/state/pools/$1" && [ ! -e "$WORLD_DIR/state/pools/$1" ] &&
        world_eventually 50 has_no_loop "$2"
}

has_no_loop() {
    ! losetup -l -n -O BACK-FILE | grep -qF "$1"
}

# disk_story NAME FILESYSTEM DRIVER SIZE COST
disk_story() {
    volctl pool create "$1" --driver "$2" --size "$4" --max "$4"
    [ "$(pool "$1" .driver)" = "$3" ]
    [ "$(pool "$1" .disk.filesystem)" = "$2" ]
    local image at
    image=$(pool "$1" .disk.path)
    at=$WORLD_DIR/state/pools/$1
    [ "$(findmnt -n -o FSTYPE "$at")" = "$2" ]
    [[ ",$(findmnt -n -o OPTIONS "$at")," == *,nosuid,nodev,* ]]
    [ "$(stat -c %a "$at")" = 711 ]
    [ $(($(stat -c '%b * %B' "$image"))) -ge "$(stat -c %s "$image")" ] # allocated, not promised
    volctl volume create "$1-v" --pool "$1"
    echo kept >"$(path_of "$1-v")/f"
    [ "$(volctl --json snapshot create "$1-v@first" | jq -r .cost)" = "$5" ]
    run -4 --separate-stderr volctl pool rm "$1"
    [[ $stderr == *"not empty"* ]]
    volctl volume rm "$1-v" --with-snapshots
    run -4 --separate-stderr volctl pool rm "$1"
    [[ $stderr == *"its trash holds"* ]]
    volctl trash purge "$1-v" >/dev/null
    volctl pool rm "$1"
    [ ! -e "$image" ]
    is_gone "$1" "$image"
    is_clean
}

@test "a pool on an XFS image" { disk_story onxfs xfs reflink 320M 'O(files)'; }
@test "a pool on a btrfs image" { disk_story onbtrfs btrfs btrfs 256M 'O(1)'; }

@test "an image goes where it is told, and is never laid over what is there" {
    run -0 volctl pool create there "$WORLD_DIR/there.img" --size 320M
    [ "$(pool there .disk.path)" = "$WORLD_DIR/there.img" ]
    echo mine >"$WORLD_DIR/mine.img"
    run -4 --separate-stderr volctl pool create mine "$WORLD_DIR/mine.img" --size 320M
    [[ $stderr == *"there is something at"* ]]
    [ "$(cat "$WORLD_DIR/mine.img")" = mine ]
    run -4 volctl pool create there --driver btrfs --size 256M
    run -2 volctl pool create tiny --driver xfs --size 100M
    run -2 volctl pool create odd --driver ext4
    volctl pool rm there
    [ ! -e "$WORLD_DIR/there.img" ]
}

@test "containers run on while the daemon is away, and an unmounted pool is mounted again" {
    volctl pool create away --driver xfs --size 320M
    volctl volume create log --pool away
    docker run -d --name writer --network none -v log:/log busybox \
        sh -c 'while :; do date >>/log/f; sync; sleep 0.1; done' >/dev/null
    world_daemon_stop KILL
    local before
    before=$(wc -l <"$WORLD_DIR/state/pools/away/volumes"/*/f)
    sleep 0.5
    [ "$(wc -l <"$WORLD_DIR/state/pools/away/volumes"/*/f)" -gt "$before" ]
    world_daemon_start
    docker rm -f writer >/dev/null
    world_daemon_stop
    umount "$WORLD_DIR/state/pools/away" # as after a boot
    world_daemon_start
    [ -s "$(path_of log)/f" ]
    is_clean
    volctl volume rm log --now
    volctl pool rm away
}

@test "a pool grows by itself before it is full, up to its maximum, and says so" {
    volctl pool create grows --driver xfs --size 320M --max 640M
    volctl volume create fill --pool grows
    local dir
    dir=$(path_of fill)
    for i in 1 2 3 4 5; do
        dd if=/dev/zero of="$dir/$i" bs=1M count=90 conv=fsync status=none
        world_eventually 60 has_room grows 128
    done
    [ "$(pool grows .disk.size_bytes)" = $((640 << 20)) ]
    [ "$(stat -c %s "$(pool grows .disk.path)")" = $((640 << 20)) ]
    volctl event ls -n 100 | grep -q 'pool grow grows'
    run dd if=/dev/zero of="$dir/more" bs=1M count=400 conv=fsync status=none # EDQUOT or ENOSPC, as such
    [[ $status -ne 0 && $output == *"No space left on device"* ]]
    volctl volume rm fill --now
    volctl pool rm grows
    is_clean
}

# has_room POOL MIB
has_room() {
    [ "$(pool "$1" .disk.size_bytes)" = $((640 << 20)) ] ||
        [ "$(pool "$1" .space.free_bytes)" -gt $(($2 << 20)) ]
}

@test "resize by hand: up and down on btrfs, up on XFS, never below what is held" {
    volctl pool create bb --driver btrfs --size 300M --max 300M
    volctl pool create xx --driver xfs --size 320M --max 320M
    volctl pool resize bb 400M
    volctl pool resize xx 400M
    [ "$(pool bb .space.size_bytes)" = $((400 << 20)) ]
    [ "$(pool xx .disk.max_bytes)" = $((400 << 20)) ]
    volctl volume create held --pool bb
    dd if=/dev/urandom of="$(path_of held)/f" bs=1M count=100 conv=fsync status=none
    volctl pool resize bb 320M
    [ "$(stat -c %s "$(pool bb .disk.path)")" = $((320 << 20)) ]
    cmp -n 1 "$(path_of held)/f" "$(path_of held)/f"
    run -7 --separate-stderr volctl pool resize xx 350M
    [[ $stderr == *"cannot be made smaller"* ]]
    run -7 --separate-stderr volctl pool resize default 1G
    volctl volume rm held --now
    volctl pool rm bb xx
}

@test "nothing is promised that the host does not have" {
    run -8 --separate-stderr volctl pool create huge "$WORLD_DIR/small/huge.img" --driver xfs --size 320M --max 2G
    [[ $stderr == *"the host can promise"* ]]
    [ -z "$(ls "$WORLD_DIR/small")" ]
    volctl pool create one "$WORLD_DIR/small/one.img" --driver xfs --size 320M --max 600M
    run -8 --separate-stderr volctl pool create two "$WORLD_DIR/small/two.img" --driver btrfs --size 300M
    [[ $stderr == *"may still grow by"* ]]
    run -8 volctl pool resize one 1G
    volctl pool rm one
    [ -z "$(ls "$WORLD_DIR/small")" ]
}

@test "a host that runs full while a pool grows: the pool stays as it was, and grows when there is room" {
    volctl pool create tight "$WORLD_DIR/small/tight.img" --driver xfs --size 320M
    dd if=/dev/zero of="$WORLD_DIR/small/ballast" bs=1M count=515 status=none
    volctl volume create full --pool tight
    dd if=/dev/zero of="$(path_of full)/f" bs=1M count=200 conv=fsync status=none
    sleep 3
    [ "$(pool tight .disk.size_bytes)" = $((320 << 20)) ]
    run -8 volctl pool resize tight 600M
    [ "$(stat -c %s "$WORLD_DIR/small/tight.img")" = $((320 << 20)) ]
    rm "$WORLD_DIR/small/ballast"
    world_eventually 60 has_grown tight $((320 << 20))
    volctl volume rm full --now
    volctl pool rm tight
    is_clean
}

has_grown() {
    [ "$(pool "$1" .disk.size_bytes)" -gt "$2" ]
}

@test "a device is formatted only when it is blank and idle" {
    local image=$WORLD_DIR/device.img device
    truncate -s 400M "$image"
    device=$(losetup -f --show "$image")
    echo "$device" >"$WORLD_DIR/device"
    mkfs.ext4 -q "$device"
    run -4 --separate-stderr volctl pool create dev --driver xfs --device "$device"
    [[ $stderr == *"a 'ext4' filesystem"*"--force"* ]]
    mkdir -p "$WORLD_DIR/held"
    mount "$device" "$WORLD_DIR/held"
    run -5 --separate-stderr volctl pool create dev --driver xfs --device "$device" --force
    [[ $stderr == *"in use"* ]]
    umount "$WORLD_DIR/held"
    run -2 volctl pool create dev --driver xfs --device "$image"
    volctl pool create dev --driver xfs --device "$device" --force
    [ "$(findmnt -n -o SOURCE "$WORLD_DIR/state/pools/dev")" = "$device" ]
    run -7 volctl pool resize dev 1G
    volctl pool rm dev
    run -4 --separate-stderr volctl pool create dev --driver btrfs --device "$device" # what was made stays
    losetup -d "$device"
    rm "$WORLD_DIR/device"
}

# --- adopting ---

# The database is gone, as after a lost disk; pools are not.
lose_database() {
    world_daemon_stop "${1:-TERM}"
    rm "$WORLD_DIR/state/volumed.db"*
    world_daemon_start
}

# adopt_story NAME DRIVER ARGUMENTS-OF-ADOPT…: pool NAME is there; it is lost and adopted.
adopt_story() {
    local pool=$1 driver=$2 id
    shift 2
    volctl volume create "$pool-data" --pool "$pool" --label tier=gold
    echo one >"$(path_of "$pool-data")/f"
    volctl snapshot create "$pool-data@first" --label why=test
    echo two >"$(path_of "$pool-data")/f"
    volctl volume clone "$pool-data@first" "$pool-copy"
    volctl volume protect "$pool-data"
    volctl volume create "$pool-gone" --pool "$pool"
    echo gone >"$(path_of "$pool-gone")/f"
    volctl volume rm "$pool-gone"
    id=$(volctl --json volume inspect "$pool-data" | jq -r .id)
    volctl --json volume inspect "$pool-data" "$pool-copy" |
        jq -cS 'map({id, name, options, labels, protected, parent, created_ms})' >"$WORLD_DIR/before"
    lose_database
    run -3 volctl volume inspect "$pool-data"
    if [ -n "$(ls "$WORLD_DIR/state/disks")" ]; then # nobody removes it, and somebody says so
        run -11 volctl system check
        [[ $output == *unknown-image*"pool adopt --image"* ]]
    fi
    run -0 volctl --json pool adopt "$@" --dry-run
    [ "$(jq -r '.name, .driver, .dry_run' <<<"$output" | paste -sd,)" = "$pool,$driver,true" ]
    run -3 volctl pool inspect "$pool"
    run -0 volctl --json pool adopt "$@"
    [ "$(jq -r '[.found[].state] | unique | join(",")' <<<"$output")" = adopted ]
    volctl --json volume inspect "$pool-data" "$pool-copy" |
        jq -cS 'map({id, name, options, labels, protected, parent, created_ms})' >"$WORLD_DIR/after"
    diff "$WORLD_DIR/before" "$WORLD_DIR/after"
    [ "$(cat "$(path_of "$pool-data")/f")" = two ]
    [ "$(cat "$(path_of "$pool-copy")/f")" = one ]
    [ "$(volctl --json snapshot inspect "$pool-data@first" | jq -r .labels.why)" = test ]
    volctl volume unprotect "$pool-data"
    volctl volume rollback "$pool-data@first" >/dev/null
    [ "$(cat "$(path_of "$pool-data")/f")" = one ]
    [ "$(volctl --json volume inspect "$pool-data" | jq -r .id)" = "$id" ]
    volctl trash restore "$pool-gone"
    [ "$(cat "$(path_of "$pool-gone")/f")" = gone ]
    run -4 --separate-stderr volctl pool adopt "$@"
    [[ $stderr == *"already"* ]]
    is_clean
    volctl volume rm "$pool-data" "$pool-copy" "$pool-gone" --with-snapshots --now
    volctl pool rm "$pool"
}

@test "a lost database: a pool on a btrfs image is adopted whole" {
    volctl pool create abtrfs --driver btrfs --size 256M --max 256M
    adopt_story abtrfs btrfs --image "$(pool abtrfs .disk.path)"
}

@test "a lost database: a pool on an XFS image is adopted whole" {
    volctl pool create axfs "$WORLD_DIR/axfs.img" --driver xfs --size 320M --max 320M
    adopt_story axfs reflink --image "$WORLD_DIR/axfs.img"
}

@test "a lost database: a pool in a directory of the host is adopted whole" {
    volctl pool create adir "$WORLD_DIR/adir" --driver directory
    adopt_story adir directory "$WORLD_DIR/adir"
}

@test "a lost database: a pool in a directory of tmpfs is adopted whole" {
    volctl pool create atmp "$WORLD_DIR/small/atmp" --driver directory
    adopt_story atmp directory "$WORLD_DIR/small/atmp"
}

@test "a lost database: the default pool is adopted at the next start" {
    docker volume create main >/dev/null
    echo main >"$(path_of main)/f"
    lose_database
    [ "$(cat "$(path_of main)/f")" = main ]
    grep -q "database knew no default pool" "$WORLD_DIR/log"
    docker volume rm main >/dev/null
}

@test "what the pool's own copy does not know yet becomes a volume, and taken names are changed" {
    volctl pool create late --driver btrfs --size 256M --max 256M
    local image
    image=$(pool late .disk.path)
    volctl volume create same --pool late
    echo theirs >"$(path_of same)/f"
    sleep 3
    volctl volume create young --pool late # and the daemon dies before it is written down
    echo young >"$(path_of young)/f"
    sed -i '/"name":"young"/d' "$WORLD_DIR/state/pools/late/meta/rows.jsonl"
    lose_database KILL
    docker volume create same >/dev/null
    echo ours >"$(path_of same)/f"
    docker volume create young >/dev/null
    sed -i '/"name":"young"/d' "$WORLD_DIR/state/pools/late/meta/rows.jsonl"
    run -0 volctl --json pool adopt --image "$image"
    [ "$(jq -r '[.found[].state] | sort | join(",")' <<<"$output")" = found,renamed ]
    local found renamed
    found=$(jq -r '.found[] | select(.state == "found").name' <<<"$output")
    renamed=$(jq -r '.found[] | select(.state == "renamed").name' <<<"$output")
    [[ $found == found-* && $renamed == same-* ]]
    [ "$(cat "$(path_of "$found")/f")" = young ]
    [ "$(cat "$(path_of "$renamed")/f")" = theirs ]
    [ "$(cat "$(path_of same)/f")" = ours ]
    is_clean
    volctl volume rm same young "$found" "$renamed" --now
    volctl pool rm late
}

@test "what is no pool, or does not fit, is not adopted" {
    mkdir "$WORLD_DIR/nothing"
    run -4 --separate-stderr volctl pool adopt "$WORLD_DIR/nothing"
    [[ $stderr == *"no pool is there"* ]]
    run -2 volctl pool adopt
    truncate -s 10M "$WORLD_DIR/blank.img"
    run -4 --separate-stderr volctl pool adopt --image "$WORLD_DIR/blank.img"
    [[ $stderr == *"no XFS and no btrfs"* ]]
    volctl pool create moved --driver btrfs --size 256M --max 256M
    cp -a "$WORLD_DIR/state/pools/moved" "$WORLD_DIR/copied"
    run -4 --separate-stderr volctl pool adopt "$WORLD_DIR/copied" --name copied
    [[ $stderr == *"already"* ]]
    volctl pool rm moved
    run -4 --separate-stderr volctl pool adopt "$WORLD_DIR/copied" --name copied
    [[ $stderr == *"was it copied?"* ]]
    run ! mountpoint -q "$WORLD_DIR/state/pools/copied"
    is_clean
}

@test "the reserve of a full pool lets snapshots and removals work" {
    for kind in btrfs xfs; do
        volctl pool create "brim$kind" --driver $kind --size 320M --max 320M
        world_eventually 60 test -s "$WORLD_DIR/state/pools/brim$kind/meta/reserve"
        sqlite3 "$WORLD_DIR/state/volumed.db" "INSERT OR REPLACE INTO pool_mark
            SELECT id, 100, 100, 100, 0 FROM pool WHERE name = 'brim$kind'"
        volctl volume create "brim$kind-v" --pool "brim$kind"
        dd if=/dev/zero of="$(path_of "brim$kind-v")/f" bs=1M status=none 2>/dev/null || true
        for i in $(seq 200); do # and every small corner
            dd if=/dev/zero of="$(path_of "brim$kind-v")/$i" bs=4k count=8 status=none 2>/dev/null || break
        done
        volctl snapshot create "brim$kind-v@full"
        volctl volume rm "brim$kind-v" --with-snapshots --now
        world_eventually 100 test -s "$WORLD_DIR/state/pools/brim$kind/meta/reserve"
        volctl pool rm "brim$kind"
    done
    is_clean
}

@test "a default pool in an image, and a directory where there is no room for one" {
    world_daemon_stop
    mv "$WORLD_DIR/state" "$WORLD_DIR/kept-state"
    world_daemon_start --default-pool xfs
    [ "$(pool default .disk.filesystem)" = xfs ]
    docker run --rm --network none -v seeded:/data busybox true 2>/dev/null || true
    docker volume create there >/dev/null
    [ "$(volctl --json snapshot create there@first | jq -r .cost)" = "O(files)" ]
    lose_database
    [ "$(pool default .disk.filesystem)" = xfs ]
    world_daemon_stop
    umount "$WORLD_DIR/state/pools/default"
    rm -rf "$WORLD_DIR/state"
    mkdir "$WORLD_DIR/little"
    mount -t tmpfs -o size=200m little "$WORLD_DIR/little"
    "$WORLD_BUILD/volumed" --state "$WORLD_DIR/little/state" --socket "$WORLD_DIR/volumed.sock" \
        --default-pool xfs >>"$WORLD_DIR/little-log" 2>&1 3>&- &
    echo $! >"$WORLD_DIR/pid"
    world_eventually 100 world_ping
    [ "$(pool default .driver)" = directory ]
    grep -q "default pool is a directory instead of an image" "$WORLD_DIR/little-log"
    world_daemon_stop
    mv "$WORLD_DIR/kept-state" "$WORLD_DIR/state"
    world_daemon_start
}
