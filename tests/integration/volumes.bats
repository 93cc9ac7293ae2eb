#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Pools on real filesystems of each kind, and what becomes of volumes when disks and daemons go away.

load world
load disks

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    disks
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

put() {
    echo "$2" >"$(path_of "$1")/f"
}

get() {
    cat "$(path_of "$1")/f"
}

# story KIND DRIVER COST
story() {
    needs_disk "$1"
    local volume=on-$1
    [ "$(volctl --json pool inspect "$1" | jq -r .driver)" = "$2" ]
    volctl volume create --pool "$1" "$volume"
    put "$volume" one
    setfattr -n user.note -v kept "$(path_of "$volume")/f"
    ln "$(path_of "$volume")/f" "$(path_of "$volume")/g"
    [ "$(volctl --json snapshot create "$volume@s1" | jq -r .cost)" = "$3" ]
    put "$volume" two
    volctl volume clone "$volume@s1" "$volume-past"
    volctl volume rollback "$volume@s1"
    [ "$(get "$volume")" = one ]
    [ "$(get "$volume-past")" = one ]
    [ "$(getfattr --only-values -n user.note "$(path_of "$volume-past")/g")" = kept ]
    [ "$(stat -c %h "$(path_of "$volume-past")/g")" = 2 ]
    put "$volume-past" three
    [ "$(get "$volume")" = one ]
    volctl volume rm --now --with-snapshots "$volume"
    [ "$(get "$volume-past")" = three ]
    volctl volume rm --now "$volume-past"
    [ -z "$(ls "$WORLD_DIR/$1/pool/snapshots")" ]
    is_clean
}

@test "btrfs: snapshots, clones and rollbacks are O(1)" {
    story btrfs btrfs 'O(1)'
}

@test "XFS: they share blocks" {
    story xfs reflink 'O(files)'
}

@test "ext4: they are copies, and say so" {
    story ext4 directory 'O(bytes)'
}

@test "a clone goes to its source's pool unless told otherwise" {
    needs_disk btrfs
    needs_disk xfs
    volctl volume create --pool btrfs there
    put there x
    [ "$(volctl --json volume create --from there near | jq -r '.pool + .cost')" = 'btrfsO(1)' ]
    [ "$(volctl --json volume create --from there --pool xfs far | jq -r '.pool + .cost')" = 'xfsO(bytes)' ]
    [ "$(get far)" = x ]
    volctl volume rm there near far
}

@test "a mount in any namespace keeps a volume from being rolled back or removed" {
    volctl volume create busy
    volctl snapshot create busy@s1
    local path holder
    path=$(path_of busy)
    mkdir -p "$WORLD_DIR/elsewhere"
    unshare -m --propagation private sh -c \
        "mount --bind '$path' '$WORLD_DIR/elsewhere' && exec sleep 60" 3>&- &
    holder=$!
    world_eventually 50 grep -q elsewhere "/proc/$holder/mountinfo"
    run -5 --separate-stderr volctl volume rollback busy@s1
    [[ $stderr == *elsewhere* ]]
    run -5 volctl volume rm --with-snapshots busy
    [ "$(volctl --json snapshot create busy@s2 | jq -r .fence)" = partial ]
    kill "$holder"
    wait "$holder" || true
    volctl volume rollback busy@s1
    volctl volume rm --with-snapshots busy
}

@test "a pool whose disk is gone is refused, and works again when it is back" {
    needs_disk ext4
    volctl volume create --pool ext4 kept
    put kept safe
    world_daemon_stop
    umount "$WORLD_DIR/ext4"
    world_daemon_start
    run -4 --separate-stderr volctl volume create --pool ext4 new
    [[ $stderr == *"pool.json' is missing"* || $stderr == *"No such file"* || $stderr == *refused* ]]
    run -11 volctl system check
    [[ $output == *refused-pool* ]]
    mount -o loop "$WORLD_DIR/ext4.img" "$WORLD_DIR/ext4"
    [ "$(get kept)" = safe ]
    is_clean
    volctl volume rm kept
}

@test "volumes that were acknowledged survive kill -9, and nothing else is left" {
    local round name
    for round in 1 2 3 4 5; do
        : >"$WORLD_DIR/acknowledged"
        for name in $(seq 40); do
            volctl volume create "kill-$round-$name" >>"$WORLD_DIR/acknowledged" 2>/dev/null || break
            volctl snapshot create "kill-$round-$name@s" >/dev/null 2>&1 || break
        done 3>&- &
        sleep "0.$((RANDOM % 5))1"
        world_daemon_stop KILL
        wait || true
        world_daemon_start
        is_clean
        while read -r name; do
            docker volume inspect "$name" >/dev/null
            [ -d "$(path_of "$name")" ]
        done <"$WORLD_DIR/acknowledged"
    done
}

@test "foreign filesystems: mounted while an engine uses them, never copied" {
    mkdir "$WORLD_DIR/host"
    echo theirs >"$WORLD_DIR/host/f"
    docker volume create -o type=none -o o=bind -o "device=$WORLD_DIR/host" foreign
    run -1 docker volume create -o device=/x bad
    [[ $output == *'missing required option: "type"'* ]]
    run --separate-stderr volctl snapshot create foreign@s1
    [ "$status" -ne 0 ]
    [[ $stderr == *"no snapshots"* ]]
    docker volume rm foreign
    [ "$(cat "$WORLD_DIR/host/f")" = theirs ]
}
