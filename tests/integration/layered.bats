#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# Pools of the layered driver: snapshots between two uses, on filesystems that cannot share blocks.

load world
load disks

setup_file() {
    world_begin
    world_load_busybox
    layered ext4 192M mkfs.ext4 -q
    layered xfs 512M mkfs.xfs -q -m reflink=0
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# layered KIND SIZE MKFS…: as disk, with a pool of that driver.
layered() {
    [ -z "$WORLD_SKIP" ] || return 0
    disk "$@"
    [ ! -e "$WORLD_DIR/$1.lacks" ] || return 0
    "$WORLD_BUILD/volctl" pool rm "$1"
    "$WORLD_BUILD/volctl" pool create "$1" "$WORLD_DIR/$1/layered" --driver layered
}

# in_volume VOLUME COMMAND: in a container that is gone afterwards.
in_volume() {
    docker run --rm -v "$1:/data" busybox sh -c "$2"
}

life() {
    local kind=$1
    needs_disk "$kind"
    docker volume create -o "pool=$kind" "a$kind" >/dev/null
    in_volume "a$kind" 'cd /data; echo one >f; mkdir d; echo x >d/x; ln f hard; chmod 640 f; chown 5:6 d; rm seed'
    run -0 volctl --json snapshot create "a$kind@s1"
    [ "$(jq -r '.cost' <<<"$output")" = "O(1)" ]

    # Whiteouts, an opaque directory, and one that is renamed although it is in a layer below.
    in_volume "a$kind" 'cd /data; echo two >f; rm -r d; mkdir d; echo y >d/y; mkdir e; echo z >e/z'
    volctl snapshot create "a$kind@s2"
    in_volume "a$kind" 'cd /data; mv e moved; rm hard'
    [ "$(in_volume "a$kind" 'cd /data; cat f; ls d; cat moved/z; ls')" = $'two\ny\nz\nd\nf\nmoved' ]

    # What each snapshot holds, and the difference.
    [ "$(volctl file cat "a$kind@s1" f)" = one ]
    [ "$(volctl file cat "a$kind@s1" d/x)" = x ]
    [ "$(volctl file cat "a$kind@s2" e/z)" = z ]
    run -3 volctl file cat "a$kind@s2" d/x
    run -0 volctl diff "a$kind@s1" "a$kind@s2"
    [[ $output = *removed*d/x* ]]
    [[ $output = *added*e/z* ]]
    run -0 docker run --rm --mount "type=volume,src=a$kind,dst=/d,volume-opt=snapshot=s1" busybox \
        sh -c 'cat /d/f; stat -c "%a %h" /d/f; stat -c %u:%g /d/d; touch /d/new || echo refused'
    [[ $output = *$'one\n640 2\n5:6'*refused* ]]

    # A clone shares the layers and is its own; the old volume stays as it is.
    volctl volume clone "a$kind@s1" "b$kind"
    in_volume "b$kind" 'echo mine >/data/f'
    [ "$(in_volume "a$kind" 'cat /data/f')" = two ]
    [ "$(volctl file cat "a$kind@s1" f)" = one ]
    volctl volume clone "a$kind" "c$kind"
    [ "$(in_volume "c$kind" 'cat /data/f /data/moved/z')" = $'two\nz' ]

    volctl volume rollback "a$kind@s1"
    [ "$(in_volume "a$kind" 'cd /data; cat f d/x; ls')" = $'one\nx\nd\nf\nhard' ]

    # A snapshot goes, and what others need of it stays.
    volctl snapshot rm "a$kind@s1" --now
    [ "$(in_volume "b$kind" 'cat /data/f /data/d/x')" = $'mine\nx' ]
    is_clean
    volctl volume rm --now --with-snapshots "a$kind" "b$kind" "c$kind"
    is_clean
}

@test "ext4: snapshot, look, clone, roll back, remove" {
    life ext4
}

@test "xfs: snapshot, look, clone, roll back, remove" {
    life xfs
}

@test "a volume in use is not cut, and who has it is told" {
    local host
    needs_disk ext4
    docker volume create -o pool=ext4 used >/dev/null
    docker run -d --name holder -v used:/data:ro busybox sleep 1000 >/dev/null
    run -5 volctl snapshot create used@s1
    [[ $output = *"only while it is not in use"*"container 'holder'"* ]]
    run -5 volctl volume clone used other
    [[ $output = *"container 'holder'"* ]]
    docker pause holder >/dev/null
    run -5 volctl snapshot create used@s1
    docker unpause holder >/dev/null
    docker rm -f holder >/dev/null

    # Somebody on the host: a mount of it, and a file that is open in it.
    host=$BATS_TEST_TMPDIR/host
    mkdir "$host"
    mount --bind "$(path_of used)" "$host"
    run -5 volctl snapshot create used@s1
    [[ $output = *"mounted at '$host'"* ]]
    umount "$host"
    run -5 sh -c 'exec 9>"$1/open" && exec volctl snapshot create used@s1' - "$(path_of used)"
    [[ $output = *"open"* ]]
    run -0 volctl snapshot ls used
    [ "${#lines[@]}" -eq 1 ]
    volctl snapshot create used@s1
    volctl volume rm --now --with-snapshots used
    is_clean
}

@test "daemon and machine go, and it is all there again" {
    local path
    needs_disk xfs
    docker volume create -o pool=xfs kept >/dev/null
    in_volume kept 'echo one >/data/f'
    volctl snapshot create kept@s1
    docker run -d --name keeper -v kept:/data busybox sh -c \
        'while :; do date +%s%N >/data/beat; sleep 0.05; done' >/dev/null
    path=$(path_of kept)
    world_daemon_stop KILL
    world_daemon_start
    [ "$(path_of kept)" = "$path" ]
    run -5 volctl snapshot create kept@s2
    docker rm -f keeper >/dev/null
    volctl snapshot create kept@s2

    # After a boot no view is mounted; whoever asks first has it again.
    world_daemon_stop KILL
    awk -v dir="$WORLD_DIR/xfs/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo |
        xargs -r -n1 umount
    world_daemon_start
    [ "$(in_volume kept 'cat /data/f')" = one ]
    [ -s "$(path_of kept)/beat" ]
    is_clean
    volctl volume rm --now --with-snapshots kept
}

@test "the trash, other names, seeds, scratches and files taken back" {
    needs_disk ext4
    docker volume create -o pool=ext4 misc >/dev/null
    [ "$(in_volume misc 'cat /data/seed; stat -c %u /data/seed')" = $'seed\n1000' ]
    in_volume misc 'echo one >/data/f'
    volctl snapshot create misc@s1
    in_volume misc 'echo two >/data/f'
    volctl file restore misc@s1 f
    [ "$(in_volume misc 'cat /data/f')" = one ]
    volctl volume rename misc other
    run -0 docker run --rm --mount type=volume,src=other,dst=/d,volume-opt=scratch=true busybox \
        sh -c 'cat /d/f; echo new >/d/f; cat /d/f'
    [ "$output" = $'one\nnew' ]
    [ "$(in_volume other 'cat /data/f')" = one ]
    volctl volume rm --with-snapshots other
    volctl trash restore other
    [ "$(in_volume other 'cat /data/f')" = one ]
    [ "$(volctl file cat other@s1 f)" = one ]
    run docker volume create -o pool=ext4 -o size=10M limited
    [ "$status" -ne 0 ]
    [[ $output = *"cannot limit volumes"* ]]
    is_clean
    volctl volume rm --now --with-snapshots other
    is_clean
}

@test "a container is replaced and taken back, and sets are cut and rolled back at rest" {
    needs_disk ext4
    docker volume create -o pool=ext4 app >/dev/null
    docker volume create -o pool=ext4 wal >/dev/null
    docker run -d --name web -v app:/data -v wal:/wal busybox sh -c \
        'trap "exit 0" TERM; echo old >>/data/log; while :; do sleep 0.05; done' >/dev/null
    world_eventually 50 docker exec web grep -q old /data/log
    run -1 volctl container recreate web --probation 5s -- sh -c 'echo bad >>/data/log; exit 1'
    [ "$(docker inspect -f '{{.State.Running}}' web)" = true ]
    run docker exec web grep bad /data/log
    [ "$status" -ne 0 ]
    volctl container recreate web --probation 200ms -e WHO=new >/dev/null
    docker exec web grep -q old /data/log
    docker rm -f web >/dev/null

    volctl snapshot create --set before app wal
    in_volume app 'echo changed >/data/log'
    in_volume wal 'echo changed >/data/log'
    volctl set rollback before
    [ "$(in_volume app 'head -1 /data/log')" = old ]
    run in_volume wal 'ls /data/log'
    [ "$status" -ne 0 ]
    is_clean
}

@test "a pool whose database is lost is adopted with its layers" {
    local state=$WORLD_DIR/state
    needs_disk xfs
    docker volume create -o pool=xfs lost >/dev/null
    in_volume lost 'echo one >/data/f'
    volctl snapshot create lost@s1
    in_volume lost 'echo two >/data/f'
    world_daemon_stop
    mv "$state" "$state.lost"
    world_daemon_start
    volctl pool adopt "$WORLD_DIR/xfs/layered"
    [ "$(volctl file cat lost f)" = two ]
    [ "$(volctl file cat lost@s1 f)" = one ]
    volctl volume rollback lost@s1
    [ "$(volctl file cat lost f)" = one ]
    is_clean
}
