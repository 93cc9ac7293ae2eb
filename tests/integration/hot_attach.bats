#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154 # stderr and status are set by run
# Volumes that come to running containers and leave them.

load world

setup_file() {
    world_begin
    world_load_busybox
    [ -z "$WORLD_SKIP" ] || return 0
    disk btrfs 256M mkfs.btrfs -q
    disk ext4 128M mkfs.ext4 -q
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

teardown() {
    [ -n "$WORLD_SKIP" ] || docker ps -aq | xargs -r docker rm -f -v >/dev/null
}

# disk KIND SIZE MKFS…: a new filesystem on a loop device, and a pool of that name on it.
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

# sleeper NAME OPTIONS…
sleeper() {
    local name=$1
    shift
    docker run -d --name "$name" --network none "$@" busybox sleep 600 >/dev/null
}

is_clean() {
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

story() {
    [ ! -e "$WORLD_DIR/$1.lacks" ] || skip "$(cat "$WORLD_DIR/$1.lacks")"
    local volume=on-$1
    volctl volume create --pool "$1" "$volume"
    sleeper hot
    # seen at once, written, shown, kept over a restart
    run -0 volctl container mount hot "$volume:/late/data"
    [ "$output" = "$volume is at /late/data of hot" ]
    docker exec hot sh -c 'echo x >/late/data/f'
    [ "$(cat "$(docker volume inspect -f '{{.Mountpoint}}' "$volume")/f")" = x ]
    [ "$(docker inspect -f '{{(index .Mounts 0).Name}} {{(index .Mounts 0).Destination}}' hot)" = "$volume /late/data" ]
    [[ $(docker exec hot grep ' /late/data ' /proc/self/mountinfo) == *nosuid,nodev* ]]
    run -4 volctl volume rm "$volume"
    docker restart -t 0 hot >/dev/null
    [ "$(docker exec hot cat /late/data/f)" = x ]
    # taken away, and gone after a restart too
    volctl container unmount hot /late/data
    [ -z "$(docker exec hot ls /late/data)" ]
    [ "$(docker inspect -f '{{len .Mounts}}' hot)" = 0 ]
    docker restart -t 0 hot >/dev/null
    [ -z "$(docker exec hot ls /late/data)" ]
    # read-only, a snapshot, a scratch, a part
    volctl snapshot create "$volume@then"
    volctl container mount hot "$volume:/ro:ro"
    run -1 docker exec hot touch /ro/f
    volctl container mount hot "$volume@then:/then"
    run -1 docker exec hot touch /then/f
    volctl container mount hot "$volume@then:/scratch:scratch"
    docker exec hot sh -c 'echo y >/scratch/f; cat /then/f' | grep -qx x
    docker exec hot mkdir /scratch/part
    docker restart -t 0 hot >/dev/null
    [ "$(docker exec hot cat /scratch/f /ro/f)" = "y
x" ]
    volctl container mount --subpath f hot "$volume:/one"
    [ "$(docker exec hot cat /one)" = x ]
    run -4 volctl snapshot rm "$volume@then"
    for place in /ro /then /scratch /one; do volctl container unmount hot "$place"; done
    volctl volume rm --with-snapshots "$volume"
    is_clean
}

@test "a running container gets and loses a volume on btrfs" { story btrfs; }
@test "a running container gets and loses a volume on ext4" { story ext4; }

@test "what a process uses stays, with its name, unless forced" {
    volctl volume create busy1
    sleeper user
    volctl container mount user busy1:/b
    docker exec -d -w /b user sleep 300
    world_eventually 30 docker exec user sh -c 'ls -l /proc/[0-9]*/cwd | grep -q "> /b$"'
    in_use user /b
    [[ $stderr == *"in use: process "*"(sleep) works in"* ]]
    [ "$(docker inspect -f '{{len .Mounts}}' user)" = 1 ]
    docker exec user touch /b/still
    docker exec user sh -c 'kill $(pidof sleep | tr " " "\n" | grep -vx 1)'
    docker exec -d user sh -c 'exec 5>/b/file; exec sleep 300'
    world_eventually 30 docker exec user test -e /b/file
    in_use user /b
    [[ $stderr == *"has '"*"/b/file' open"* ]]
    volctl container unmount --force user /b
    [ -z "$(docker exec user ls /b)" ]
    docker rm -f user
    volctl volume rm busy1
    is_clean
}

in_use() {
    run --separate-stderr volctl container unmount "$1" "$2"
    [ "$status" = 5 ]
}

@test "what cannot be attached is refused, and nothing is left behind" {
    volctl volume create some
    sleeper full -v some:/taken --tmpfs /tmp2
    local try
    run -3 --separate-stderr volctl container mount full nosuch:/x
    [[ $stderr == *"no such volume"* ]]
    run -4 volctl container mount full some:/taken/
    run -4 volctl container mount full some:/tmp2
    run -3 volctl container mount full some@nosuch:/x
    run -3 volctl container mount nosuch some:/x
    run -3 volctl container mount --subpath nowhere full some:/x
    for try in /:/x some:/ some some:/x:bad; do
        run -2 volctl container mount full "$try"
    done
    for try in /proc/sys /proc /sys/kernel; do
        run --separate-stderr volctl container mount full "some:$try"
        [ "$status" -ne 0 ]
            [[ $stderr == *"nothing can be mounted on '$try'"* || $stderr == *"has a mount"* ]]
    done
    run -3 volctl container unmount full /x
    [ "$(docker inspect -f '{{len .Mounts}}' full)" = 1 ]
    # below another: the upper one cannot go first
    volctl container mount full some:/taken/below
    run -4 --separate-stderr volctl container unmount full /taken
    [[ $stderr == *"attached below it"* ]]
    volctl container unmount full /taken/below
    volctl container unmount full /taken
    docker rm -f full
    volctl volume rm some
    is_clean
}

@test "a container's links lead nowhere but into itself" {
    volctl volume create linked
    sleeper evil
    docker exec evil sh -c 'ln -s / /up; ln -s ../../../../../.. /far; mkdir /real; ln -s /real /alias; ln -s /proc /p'
    local before
    before=$(cat /proc/self/mountinfo)
    volctl container mount evil linked:/alias
    docker exec evil touch /real/here
    volctl container mount evil linked:/far/etc/inside
    docker exec evil test -e /etc/inside/here
    run -6 --separate-stderr volctl container mount evil linked:/p/sys
    [[ $stderr == *"nothing can be mounted"* ]]
    # renamed, and another mounted over it: only what is ours goes
    volctl container unmount evil /alias
    docker exec evil test ! -e /real/here
    [ "$(cat /proc/self/mountinfo)" = "$before" ]
    [ ! -e /etc/inside ]
    docker rm -f evil
    volctl volume rm linked
    is_clean
}

@test "a stopped container gets and loses a volume for its next start" {
    volctl volume create later
    docker create --name idle --network none busybox sleep 600
    volctl container mount idle later:/l
    docker start idle
    docker exec idle touch /l/f
    docker stop -t 0 idle
    volctl container unmount idle /l
    docker start idle
    docker exec idle test ! -e /l/f
    docker rm -f idle
    volctl volume rm later
}

@test "attachments outlive kill -9 of volumed" {
    volctl volume create lasting
    sleeper steady
    volctl container mount steady lasting:/l
    world_daemon_stop KILL
    world_daemon_start
    docker exec steady touch /l/f
    volctl container unmount steady /l
    docker exec steady test ! -e /l/f
    is_clean
}

@test "a recreated container has what was attached, and not what was detached" {
    volctl volume create keep1
    volctl volume create drop1
    echo "then" >"$(docker volume inspect -f '{{.Mountpoint}}' keep1)/f"
    volctl snapshot create keep1@then
    echo now >"$(docker volume inspect -f '{{.Mountpoint}}' keep1)/f"
    sleeper server -v drop1:/drop -v keep1@then:/then
    volctl container mount server keep1:/now
    volctl container unmount server /drop
    volctl container recreate --probation 0 server
    [ "$(docker exec server cat /now/f /then/f)" = "now
then" ]
    run -1 docker exec server touch /then/f
    [ "$(docker inspect -f '{{len .Mounts}}' server)" = 2 ]
}
