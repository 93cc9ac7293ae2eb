#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# No space: of pools, of the state directory, of the host.  Each verb says clearly what was not done,
# leaves nothing behind, and works again when there is space.

load world
load full

setup_file() {
    full_world 48M
    [ -e "${WORLD_DIR:-}/state/volumed.db" ] || return 0
    full_pool btrfs 220M mkfs.btrfs -q -m single
    full_pool ext4 64M mkfs.ext4 -q -m 0
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    [ ! -e "$WORLD_DIR/lacks" ] || skip "$(cat "$WORLD_DIR/lacks")"
    PATH=$WORLD_BUILD:$PATH
}

@test "a disk that is full beneath the database: nothing changes, and then everything does" {
    needs btrfs
    volctl volume create steady --pool btrfs
    echo one >"$(path_of steady)/f"
    volctl snapshot create steady@s1
    echo two >"$(path_of steady)/f"
    fill_up state
    # The log of the database has some room of its own: until that is used up, verbs go on.
    local i refused=
    for i in $(seq 300); do
        run volctl volume create "many-$i" --pool btrfs
        [ "$status" -eq 0 ] || { refused=$output; break; }
    done
    [[ $refused == *"full"* || $refused == *[Nn]"o space"* ]]
    run -8 volctl volume rollback steady@s1
    [[ $output == *"full"* || $output == *[Nn]"o space"* ]]
    [ "$(cat "$(path_of steady)/f")" = two ]
    run -8 volctl volume resize steady 100M
    run -8 volctl volume label steady a=b
    run -8 volctl volume rm steady --with-snapshots
    run -0 volctl volume inspect steady # it still answers
    # A daemon that is killed now begins again all the same.
    world_daemon_stop KILL
    free_up state
    world_daemon_start
    is_clean
    volctl volume rollback steady@s1
    [ "$(cat "$(path_of steady)/f")" = one ]
    volctl volume label steady a=b
    volctl volume resize steady 100M
    volctl volume ls -q --filter name=many | xargs -r volctl volume rm --now -q
    is_clean
}

@test "an image that does not fit into the state directory is not there" {
    world_make_busybox "$WORLD_DIR/busybox.tar"
    fill_up state
    run ! docker load -q -i "$WORLD_DIR/busybox.tar"
    says_no_space
    free_up state
    [ -z "$(docker images -q)" ]
    docker load -q -i "$WORLD_DIR/busybox.tar"
    run -0 docker run --rm busybox echo works
    is_clean
}

@test "a commit that does not fit leaves the container and no image" {
    docker create --name big busybox sh -c 'head -c 3000000 /dev/urandom >/f'
    docker start -a big
    fill_up state
    run ! docker commit big bigger
    says_no_space
    free_up state
    [ -z "$(docker images -q bigger)" ]
    docker commit big bigger
    docker rm big
    docker rmi bigger
    is_clean
}

@test "copying an image's content into a volume that has no room leaves no volume" {
    needs ext4
    fill_up ext4
    run ! docker run --rm --mount type=volume,src=seeded,dst=/bin,volume-opt=pool=ext4 busybox true
    says_no_space
    run ! docker volume inspect seeded
    free_up ext4
    docker run --rm --mount type=volume,src=seeded,dst=/bin,volume-opt=pool=ext4 busybox true
    docker volume rm seeded
    volctl trash purge --all
    is_clean
}

@test "past its marks a pool warns, purges its trash, and refuses snapshots" {
    needs btrfs
    local since
    volctl volume create kept --pool btrfs
    volctl volume create doomed --pool btrfs
    dd if=/dev/urandom of="$(path_of doomed)/f" bs=1M count=60 conv=fsync 2>/dev/null
    volctl volume rm doomed
    run -0 volctl trash ls -q
    [ -n "$output" ]
    since=$(date +%s)
    volctl pool set btrfs warn=10 purge=20 refuse=90
    world_eventually 200 trash_is_empty
    world_eventually 50 has_event "$since" space-purged
    # Nothing more is there to give; snapshots are refused with the figures.
    dd if=/dev/urandom of="$(path_of kept)/f" bs=1M count=60 conv=fsync 2>/dev/null
    volctl pool set btrfs warn=5 purge=10 refuse=20
    run -8 volctl snapshot create kept@s1
    [[ $output == *"pool 'btrfs' is "*" % full ("*" are free)"*"from 20 % on"* ]]
    run -8 volctl volume clone kept other
    [[ $output == *"no clone 'other'"* ]]
    world_eventually 50 has_event "$since" space-refuse
    # Volumes can still be made, and raising the mark is enough.
    volctl volume create another --pool btrfs
    run -2 volctl pool set btrfs warn=50 purge=40
    volctl pool set btrfs warn=80 purge=90 refuse=95
    volctl snapshot create kept@s1
    world_eventually 50 has_event "$since" space-calm
}

trash_is_empty() {
    [ -z "$(volctl trash ls -q)" ]
}

has_event() {
    volctl event ls --since "$1" 2>/dev/null | grep -q "$2"
}
