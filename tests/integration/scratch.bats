#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Snapshots and scratches in containers: what they show, what they pin, what becomes of what was written.

load world
load disks

setup_file() {
    world_begin
    world_load_busybox
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

# fill KIND: a volume of that name with contents, and a snapshot 'then' of them.
fill() {
    needs_disk "$1"
    volctl volume create --pool "$1" --mode 0750 --uid 1000 "$1"
    local path
    path=$(docker volume inspect -f '{{.Mountpoint}}' "$1")
    mkdir -p "$path/dir/sub"
    echo old >"$path/f"
    echo old >"$path/dir/gone"
    echo kept >"$path/dir/sub/kept"
    ln "$path/f" "$path/hard"
    chmod 0640 "$path/f"
    volctl snapshot create "$1@then"
    echo new >"$path/f"
}

clear_away() {
    docker ps -aq | xargs -r docker rm -f -v >/dev/null
    volctl volume rm --with-snapshots -f "$@" || true
}

story() {
    fill "$1"
    local name=$1
    # read-only, by both clients, and pinned
    run -0 docker run --rm --network none -v "$name@then:/x" busybox cat /x/f
    [ "$output" = old ]
    run -1 docker run --rm --network none --mount "type=volume,src=$name,dst=/x,volume-opt=snapshot=then" busybox \
        sh -c 'cat /x/f; echo no >/x/f'
    [[ $output == old*[Rr]ead-only* ]]
    volctl container run -d --name "$name-r" --network none --volume "$name@then:/x" busybox sleep 600
    run -4 --separate-stderr volctl snapshot rm "$name@then"
    [[ $stderr == *"'$name@then' is attached to container '$name-r'"* ]]
    [ "$(docker inspect -f '{{(index .Mounts 0).RW}}' "$name-r")" = false ]
    [ "$(volctl --json container attachments "$name-r" | jq -r '.[0].snapshot')" = "then" ]
    [ "$(cat "$(docker inspect -f '{{(index .Mounts 0).Source}}' "$name-r")/f")" = old ]
    # a scratch: written, kept over a restart, invisible to the volume
    volctl container run -d --name "$name-s" --network none --volume "$name@then:/x:scratch" busybox sleep 600
    docker exec "$name-s" sh -ec 'echo mine >/x/f; rm -r /x/dir; mkdir /x/dir; echo fresh >/x/dir/fresh; chown 7:7 /x/dir/fresh'
    [ "$(docker exec "$name-s" stat -c '%a %u' /x)" = '750 1000' ]
    docker restart -t 0 "$name-s"
    [ "$(docker exec "$name-s" cat /x/f)" = mine ]
    [ "$(docker exec "$name-s" ls /x/dir)" = fresh ]
    [ "$(docker exec "$name-r" cat /x/f)" = old ]
    [ "$(docker run --rm --network none -v "$name:/x" busybox cat /x/f)" = new ]
    docker rm -f "$name-r"
    run -4 volctl snapshot rm "$name@then"
    docker stop -t 0 "$name-s"
    docker cp "$name-s:/x/f" "$WORLD_DIR/copied"
    [ "$(cat "$WORLD_DIR/copied")" = mine ]
    docker rm "$name-s"
    volctl snapshot rm "$name@then"
    # a scratch over the volume as it is now: its snapshot comes and goes with it
    volctl container run -d --name "$name-n" --network none --volume "$name:/x:scratch" busybox sleep 600
    [ "$(docker exec "$name-n" cat /x/f)" = new ]
    docker exec "$name-n" rm /x/f
    [ "$(volctl --json snapshot ls "$name" | jq length)" = 1 ]
    [ "$(docker run --rm --network none -v "$name:/x" busybox cat /x/f)" = new ]
    docker rm -f "$name-n"
    [ "$(volctl --json snapshot ls "$name" | jq length)" = 0 ]
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
    clear_away "$name"
}

@test "snapshots and scratches on btrfs" { story btrfs; }
@test "snapshots and scratches on xfs" { story xfs; }
@test "snapshots and scratches on ext4" { story ext4; }

# listing CONTAINER DIR: all that there is to a tree, by lines.
listing() {
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' "$1")
    tree_listing "/proc/$pid/root$2"
}

tree_listing() {
    (cd "$1" && find . -printf '%p %y %m %U:%G %s %l %n\n' | sed 's/\( d [0-7]* [0-9:]*\) .*/\1/' | sort
        find . -type f -print0 | sort -z | xargs -0 -r sha256sum
        find . -newermt 2001-01-01 ! -newermt 2001-12-31 | sort
        getfattr -Rhd -m '^(user|trusted\.mine|security\.capability|system)' . 2>/dev/null | sort)
}

promotion() {
    fill "$1"
    local name=$1 path
    volctl container run -d --name "$name-p" --network none --volume "$name@then:/x:scratch" busybox sleep 600
    docker exec "$name-p" sh -ec '
        cd /x
        echo more >>f; chown 5:6 f; chmod 2755 .; chown 9:9 .
        rm -r dir; mkdir dir; echo fresh >dir/fresh; ln dir/fresh dir/again
        rm hard; ln -s dir/fresh hard
        mkdir -p deep/er; dd if=/dev/zero of=deep/er/hole bs=1 count=1 seek=5M 2>/dev/null
        mkfifo pipe; mknod null c 1 3; touch -t 200106070809 deep/er/hole
        echo -n >"odd name"; chmod 4711 "odd name"'
    path=/proc/$(docker inspect -f '{{.State.Pid}}' "$name-p")/root/x
    if command -v setfattr >/dev/null; then
        setfattr -n user.a -v b "$path/f"
        setfacl -m u:7:rwx -d -m u:8:r "$path/deep" 2>/dev/null || true
    fi
    listing "$name-p" /x >"$WORLD_DIR/seen"
    [ "$(wc -l <"$WORLD_DIR/seen")" -gt 15 ]
    # while it runs
    run -0 volctl container promote "$name-p" /x "$name-live"
    [ "$output" = "$name-live" ]
    tree_listing "$(docker volume inspect -f '{{.Mountpoint}}' "$name-live")" >"$WORLD_DIR/made"
    diff "$WORLD_DIR/seen" "$WORLD_DIR/made"
    [ "$(docker exec "$name-p" stat -c %a /x)" = 2755 ]
    # and when it is stopped; the snapshot is as it was, and a name is taken once
    docker stop -t 0 "$name-p"
    volctl container promote "$name-p" /x "$name-idle"
    tree_listing "$(docker volume inspect -f '{{.Mountpoint}}' "$name-idle")" >"$WORLD_DIR/made"
    diff "$WORLD_DIR/seen" "$WORLD_DIR/made"
    run -4 volctl container promote "$name-p" /x "$name-idle"
    run -3 volctl container promote "$name-p" /y "$name-none"
    [ "$(docker run --rm --network none -v "$name@then:/x" busybox cat /x/f /x/dir/gone)" = "old
old" ]
    docker rm "$name-p"
    [ "$(docker run --rm --network none -v "$name-idle:/x" busybox cat /x/f /x/hard)" = "old
more
fresh" ]
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
    clear_away "$name" "$name-live" "$name-idle"
}

@test "a scratch is promoted exactly on btrfs" { promotion btrfs; }
@test "a scratch is promoted exactly on xfs" { promotion xfs; }
@test "a scratch is promoted exactly on ext4" { promotion ext4; }

@test "what cannot be is refused, and leaves nothing behind" {
    fill ext4
    local mode
    run -125 docker run --rm --network none -v nosuch@then:/x busybox true
    [[ $output == *"no such volume"* ]]
    run -125 docker run --rm --network none -v ext4@nosuch:/x busybox true
    [[ $output == *"no such snapshot: ext4@nosuch"* ]]
    for mode in exclusive standby wait=1s scratch,ro; do
        run -125 docker run --rm --network none -v "ext4@then:/x:$mode" busybox true
    done
    run -125 docker run --rm --network none -v ext4@then:/x:wait=never busybox true
    [ "$(volctl --json snapshot ls ext4 | jq length)" = 1 ]
    [ -z "$(docker ps -aq)" ]
    clear_away ext4
}
