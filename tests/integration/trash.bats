#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# What is removed can be had back: by Docker's client, by the plugin's door, by our own, on each kind of
# filesystem; until it expires, is purged, or was never to be kept.

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

# removed NAME: how many things of that name the trash holds.
removed() {
    volctl --json trash ls | jq --arg name "$1" '[.[] | select(.name == $name)] | length'
}

# story KIND: a volume with a snapshot and a label goes and comes back, also across a restart.
story() {
    needs_disk "$1"
    local volume=on-$1 id
    volctl volume create --pool "$1" --label app=x "$volume"
    echo one >"$(path_of "$volume")/f"
    volctl snapshot create "$volume@s1"
    echo two >"$(path_of "$volume")/f"
    id=$(volctl --json volume inspect "$volume" | jq -r .id)
    volctl volume rm --with-snapshots "$volume"
    is_clean
    world_daemon_stop
    world_daemon_start
    is_clean
    volctl volume create --pool "$1" "$volume"
    [ -z "$(ls "$(path_of "$volume")")" ]
    run -4 --separate-stderr volctl trash restore "$volume"
    [[ $stderr == *"exists already"* ]]
    volctl trash restore "$volume" --as "$volume-back"
    [ "$(cat "$(path_of "$volume-back")/f")" = two ]
    [ "$(volctl --json volume inspect "$volume-back" | jq -r .id)" = "$id" ]
    [ "$(volctl --json volume inspect "$volume-back" | jq -r .labels.app)" = x ]
    volctl volume rollback "$volume-back@s1"
    [ "$(cat "$(path_of "$volume-back")/f")" = one ]
    volctl snapshot rm "$volume-back@s1"
    [ "$(removed "$volume-back@s1")" = 1 ]
    volctl trash restore "$volume-back@s1"
    volctl snapshot inspect "$volume-back@s1"
    volctl volume rm "$volume"
    volctl volume rm --with-snapshots "$volume-back"
    volctl trash purge --all
    [ -z "$(ls "$WORLD_DIR/$1/pool/trash")$(ls "$WORLD_DIR/$1/pool/snapshots")" ]
    is_clean
}

@test "btrfs: a removed volume comes back with all that was its own" { story btrfs; }
@test "XFS: a removed volume comes back with all that was its own" { story xfs; }
@test "ext4: a removed volume comes back with all that was its own" { story ext4; }

@test "docker volume rm and prune forgive, and do not claim space that is still taken" {
    docker volume create mine
    head -c 100000 /dev/zero >"$(path_of mine)/f"
    docker volume rm mine
    run -1 docker volume inspect mine
    [ "$(removed mine)" = 1 ]
    volctl trash restore mine
    [ "$(stat -c %s "$(path_of mine)/f")" = 100000 ]
    run -0 docker volume prune -f --filter all=true --filter label!=none
    [[ $output == *mine* ]]
    [[ $output == *"Total reclaimed space: 0B"* ]]
    [ "$(volctl --json system df | jq '.Trash.Count >= 1 and .Trash.Size >= 100000')" = true ]
    run -0 volctl system df
    [[ $output == *trash* ]]
    run -0 volctl trash purge --older 1h --dry-run
    [[ $output == "would reclaim 0 B" ]]
    run -0 volctl trash purge mine --dry-run
    [ "$(removed mine)" = 1 ]
    volctl trash purge mine
    [ "$(removed mine)" = 0 ]
}

@test "protected volumes refuse rm, prune and rollback" {
    volctl volume create guarded
    volctl snapshot create guarded@s1
    volctl volume protect guarded
    run -4 --separate-stderr volctl volume rm --with-snapshots guarded
    [[ $stderr == *protected* ]]
    run -4 --separate-stderr volctl volume rm --now --with-snapshots guarded
    run -4 --separate-stderr volctl volume rollback guarded@s1
    [[ $stderr == *protected* ]]
    volctl snapshot rm guarded@s1
    run -1 docker volume rm guarded
    docker volume prune -f --filter all=true
    volctl volume inspect guarded
    volctl volume unprotect guarded
    volctl volume rm guarded
}

@test "anonymous volumes go at once with their container, and to the trash when removed by themselves" {
    local before name
    before=$(volctl --json trash ls | jq length)
    docker run --rm -v /data busybox true
    [ "$(volctl --json trash ls | jq length)" = "$before" ]
    name=$(docker volume create)
    docker volume prune -f
    [ "$(removed "$name")" = 1 ]
    volctl trash restore "$name"
    docker volume inspect "$name"
    docker volume rm "$name"
}

@test "--now is for good" {
    volctl volume create gone
    local path
    path=$(path_of gone)
    volctl snapshot create gone@s1
    volctl snapshot rm --now gone@s1
    volctl volume rm --now gone
    [ ! -e "$path" ]
    [ "$(removed gone)" = 0 ]
    run -3 --separate-stderr volctl trash restore gone
}

@test "a limit comes back with its volume" {
    needs_disk btrfs
    volctl volume create --pool btrfs -o size=8M limited
    head -c 1000000 /dev/zero >"$(path_of limited)/f"
    volctl volume rm limited
    volctl trash restore limited
    run -1 dd if=/dev/zero of="$(path_of limited)/g" bs=1M count=16
    [ "$(stat -c %s "$(path_of limited)/f")" = 1000000 ]
    volctl volume rm --now limited
}

@test "the plugin's Remove forgives too" {
    world_daemon_stop
    world_daemon_start --plugin-socket "$WORLD_DIR/plugin.sock"
    plugin() { curl -sf --unix-socket "$WORLD_DIR/plugin.sock" -H "Content-Type: application/json" -d "$2" "http://d/VolumeDriver.$1"; }
    plugin Create '{"Name": "theirs"}'
    echo x >"$(path_of theirs)/f"
    plugin Remove '{"Name": "theirs"}'
    [ "$(removed theirs)" = 1 ]
    volctl trash restore theirs
    [ "$(cat "$(path_of theirs)/f")" = x ]
    volctl volume rm --now theirs
}

@test "what has expired is purged by itself, and an event says so" {
    world_daemon_stop
    world_daemon_start --trash-ttl 1s
    volctl volume create short
    volctl volume rm short
    [ "$(removed short)" = 1 ]
    world_eventually 60 eval '[ "$(removed short)" = 0 ]'
    volctl --json event ls | jq -e '.[] | select(.action == "purge" and .object_id == "short")
                                    | .attributes.reason == "expired"'
    is_clean
}

@test "without a time to live there is no trash" {
    world_daemon_stop
    world_daemon_start --trash-ttl 0
    volctl volume create plain
    volctl volume rm plain
    [ "$(removed plain)" = 0 ]
    docker volume create other
    head -c 100000 /dev/zero >"$(path_of other)/f"
    run -0 docker volume prune -f --filter all=true
    [[ $output != *"reclaimed space: 0B"* ]]
}
