#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2030,SC2031 # set by run, each time
# Full pools and quotas under the verbs that copy, a database that cannot grow, and a host that is full
# beneath a pool's image: a clear error, nothing lost, nothing left, and it works again when there is space,
# with the daemon that was there all along.  What space.bats shows already is not here.

load world
load full

setup_file() {
    full_world 96M
    [ -e "${WORLD_DIR:-}/state/volumed.db" ] || return 0
    full_pool btrfs 260M mkfs.btrfs -q -m single
    full_pool xfs 300M mkfs.xfs -q -m reflink=1
    full_pool ext4 48M mkfs.ext4 -q -m 0
    world_load_busybox
    docker volume create in-source
    head -c 24M /dev/urandom >"$(path_of in-source)/f"
    docker create --name source --network none -v in-source:/y busybox true >/dev/null
    "$WORLD_BUILD/volctl" container export source --to "$WORLD_DIR/capsule" >/dev/null
    docker rm source >/dev/null
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    [ ! -e "$WORLD_DIR/lacks" ] || skip "$(cat "$WORLD_DIR/lacks")"
    PATH=$WORLD_BUILD:$PATH
}

teardown() {
    local disk
    for disk in state btrfs xfs ext4 host; do rm -f "${WORLD_DIR:-/nowhere}/$disk"/full*; done
}

# sum_of VOLUME: of all that is in it.
sum_of() {
    (cd "$(path_of "$1")" && find . -type f -not -path ./lost+found -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

# Whoever shares blocks may well succeed; whoever fails says why.  refused VERB…
refused() {
    run "$@"
    [ "$status" -ne 0 ]
    says_no_space
}

# elsewhere KIND: what comes from elsewhere shares nothing.  btrfs finds room after all now and then.
elsewhere() {
    local kind=$1
    refused volctl volume create "in-$kind" --pool "$kind" --from "in-source"
    refused volctl capsule import "$WORLD_DIR/capsule" --pool "$kind" --rename "source=t-$kind" \
        --rename "in-source=t-$kind"
    run ! docker inspect "t-$kind"
    docker create --name "h-$kind" --network none -v "b-$kind:/y" busybox true >/dev/null
    refused docker cp "$WORLD_DIR/fresh" "h-$kind:/y/fresh"
    docker rm "h-$kind" >/dev/null
    rm -f "$(path_of "b-$kind")"/*fresh*
}

# story KIND: files restored, scratches promoted, sets, files copied in, capsules.
story() {
    local kind=$1 before
    needs "$kind"
    volctl volume create "a-$kind" --pool "$kind"
    volctl volume create "b-$kind" --pool "$kind"
    mkdir "$(path_of "a-$kind")/dir"
    head -c 6M /dev/urandom >"$(path_of "a-$kind")/dir/big"
    head -c 2M /dev/urandom >"$(path_of "b-$kind")/f"
    volctl snapshot create --set "then-$kind" "a-$kind" "b-$kind"
    docker create --name "s-$kind" --network none -v "a-$kind@then-$kind:/x:scratch" busybox \
        sh -c 'head -c 1000000 /dev/urandom >/x/mine' >/dev/null
    docker start -a "s-$kind"
    rm "$(path_of "a-$kind")/dir/big"
    head -c 6M /dev/urandom >"$(path_of "a-$kind")/other"
    sync -f "$WORLD_DIR/$kind"
    before=$(sum_of "a-$kind")$(sum_of "b-$kind")
    head -c 8M /dev/urandom >"$WORLD_DIR/fresh"
    fill_up "$kind"
    if [ "$kind" = ext4 ]; then
        refused volctl file restore "a-$kind@then-$kind" dir/big
        refused volctl container promote "s-$kind" /x "promoted-$kind"
        refused volctl set rollback "then-$kind"
        refused volctl set clone "then-$kind" --prefix c-
        refused volctl snapshot create --set "now-$kind" "a-$kind" "b-$kind"
    else
        for verb in "file restore a-$kind@then-$kind dir/big" "container promote s-$kind /x promoted-$kind" \
            "set clone then-$kind --prefix c-"; do
            # shellcheck disable=SC2086 # words
            run volctl $verb
            [ "$status" -eq 0 ] || { [ "$status" -eq 8 ] && says_no_space; }
        done
        volctl volume rm --now -f "promoted-$kind" "c-a-$kind" "c-b-$kind" 2>/dev/null || true
        rm -f "$(path_of "a-$kind")/dir/big"
        sync -f "$WORLD_DIR/$kind"
        fill_up "$kind"
    fi
    [ "$kind" = btrfs ] || elsewhere "$kind"
    [ "$(sum_of "a-$kind")$(sum_of "b-$kind")" = "$before" ]
    run ! docker volume inspect "in-$kind" "promoted-$kind" "c-a-$kind" "t-$kind"
    is_clean
    free_up "$kind"
    world_eventually 150 volctl file restore "a-$kind@then-$kind" dir/big
    volctl container promote "s-$kind" /x "promoted-$kind"
    [ "$(stat -c %s "$(path_of "promoted-$kind")/mine")" = 1000000 ]
    volctl volume rm --now "promoted-$kind"
    volctl set clone "then-$kind" --prefix c-
    volctl volume rm --now "c-a-$kind" "c-b-$kind"
    docker rm "s-$kind" >/dev/null
    volctl set rollback "then-$kind"
    is_clean
    volctl volume rm --now --with-snapshots "a-$kind" "b-$kind"
}

@test "a full btrfs pool under everything that copies" { story btrfs; }
@test "a full XFS pool under everything that copies" { story xfs; }
@test "a full ext4 pool under everything that copies" { story ext4; }

@test "a database without room refuses every verb, and the same daemon goes on afterwards" {
    needs btrfs
    local pid i last=0
    pid=$(cat "$WORLD_DIR/pid")
    volctl volume create steady --pool btrfs
    echo one >"$(path_of steady)/f"
    volctl snapshot create steady@s1
    volctl volume create second --pool btrfs
    volctl volume create removed --pool btrfs
    volctl volume rm removed
    docker create --name still --network none -v steady:/y busybox true >/dev/null
    echo two >"$(path_of steady)/f"
    fill_up state
    truncate -s -400K "$WORLD_DIR/state/fullest"
    for i in $(seq 400); do
        run volctl volume create "ack-$i" --pool btrfs
        [ "$status" -eq 0 ] || break
        last=$i
    done
    says_no_space
    [ "$last" -gt 0 ]
    for i in $(seq 100); do volctl volume label second "n=$i" 2>/dev/null || break; done # smaller ones, too
    fill_up state
    for verb in "volume rollback steady@s1" "volume create no --pool btrfs" "volume clone steady no" \
        "snapshot create steady@no" "snapshot create --set no steady second" "snapshot hold steady@s1" \
        "volume rename steady no" "volume resize steady 100M" "trash restore removed" "trash purge --all" \
        "volume set-access steady exclusive" "policy create no --schedule hourly --volume steady" \
        "file restore steady@s1 f" "container rename still no" "container rm still" "container start still" \
        "volume rm --now second" "volume prune --all" "pool create no $WORLD_DIR/btrfs/no"; do
        # shellcheck disable=SC2086 # words
        run volctl $verb
        [ "$status" -ne 0 ] || { echo "done: $verb" >&2; false; }
        says_no_space
    done
    [ "$(cat "$(path_of steady)/f")" = two ]
    [ "$(docker inspect -f '{{.State.Status}}' still)" = created ]
    is_clean
    # What was acknowledged is there, also for a reader of the files on disk.
    [ "$(sqlite3 "$WORLD_DIR/state/volumed.db" "SELECT count(*) FROM volume WHERE name LIKE 'ack-%'")" -eq "$last" ]
    free_up state
    [ "$(cat "$WORLD_DIR/pid")" = "$pid" ] && kill -0 "$pid"
    volctl volume rollback steady@s1
    [ "$(cat "$(path_of steady)/f")" = one ]
    volctl trash restore removed
    docker start -a still
    docker rm still >/dev/null
    volctl volume ls -q --filter name=ack | xargs -r volctl volume rm --now -q
    [ "$(sqlite3 "$WORLD_DIR/state/volumed.db" 'PRAGMA integrity_check')" = ok ]
    run ! docker volume inspect no
    volctl volume rm --now --with-snapshots steady second removed
    is_clean
}

@test "a quota in the way of clone, rollback, seeding, restoring and copying" {
    needs btrfs
    docker volume create -o pool=btrfs -o size=8m tight
    head -c 6M /dev/urandom >"$(path_of tight)/f"
    volctl snapshot create tight@big
    rm "$(path_of tight)/f"
    echo small >"$(path_of tight)/g"
    volctl volume resize tight 2M
    refused_by_limit volctl volume rollback tight@big
    [ "$(cat "$(path_of tight)/g")" = small ]
    refused_by_limit volctl volume clone tight@big no --size 2M
    refused_by_limit volctl volume create no --pool btrfs --from in-source --size 2M
    docker create --name quota --network none -v tight:/y busybox true >/dev/null
    head -c 4M /dev/urandom >"$WORLD_DIR/four"
    refused_by_limit docker cp "$WORLD_DIR/four" quota:/y/four
    [ ! -e "$(path_of tight)/four" ]
    refused_by_limit docker cp "$WORLD_DIR/four" quota:/y/g
    [ "$(ls -A "$(path_of tight)")" = g ] && [ "$(cat "$(path_of tight)/g")" = small ]
    docker rm quota >/dev/null
    refused_by_limit docker run --name quota --mount type=volume,src=no,dst=/bin,volume-opt=pool=btrfs,volume-opt=size=512k \
        busybox true
    run ! docker inspect quota
    run ! docker volume inspect no
    is_clean
    # The limit is what is in the way, and nothing else.
    volctl volume resize tight 20M
    volctl volume rollback tight@big
    [ "$(stat -c %s "$(path_of tight)/f")" = 6291456 ]
    volctl volume rm --now --with-snapshots tight
    is_clean
}

# Exceeded quotas have two words, of the kernel and of volumed.
refused_by_limit() {
    run "$@"
    [ "$status" -ne 0 ]
    [[ $output == *"is limited to"* ]] || says_no_space
}

@test "images and commits that find no room, or a quota, leave nothing behind" {
    docker create --name big --network none busybox sh -c 'head -c 3000000 /dev/urandom >/f' >/dev/null
    docker start -a big
    docker export big >"$WORLD_DIR/root.tar"
    fill_up state
    refused docker commit big bigger
    refused docker import "$WORLD_DIR/root.tar" imported
    refused docker run --rm busybox true
    refused docker create busybox true
    [ -z "$(find "$WORLD_DIR/state/tmp" -mindepth 1)" ]
    free_up state
    [ "$(docker images -q | wc -l)" -eq 1 ]
    is_clean
    docker commit big bigger >/dev/null
    docker import "$WORLD_DIR/root.tar" imported >/dev/null
    docker rm big >/dev/null
    docker rmi bigger imported >/dev/null
    is_clean
}

@test "a state directory that meets a quota says so" {
    needs btrfs
    command -v btrfs >/dev/null || skip "needs btrfs-progs"
    local i
    btrfs quota enable "$WORLD_DIR/btrfs"
    btrfs subvolume create "$WORLD_DIR/btrfs/state" >/dev/null
    btrfs qgroup limit 12M "$WORLD_DIR/btrfs/state"
    world_daemon_stop
    "$WORLD_BUILD/volumed" --state "$WORLD_DIR/btrfs/state" --socket "$WORLD_DIR/volumed.sock" >>"$WORLD_DIR/log" 2>&1 3>&- &
    echo $! >"$WORLD_DIR/pid"
    world_eventually 100 world_ping
    docker volume create before
    head -c 20M /dev/zero >"$WORLD_DIR/btrfs/state/full" 2>/dev/null || true
    # The database alone: a label makes nothing on disk.
    for i in $(seq 300); do
        run volctl volume label before "n=$i"
        [ "$status" -eq 0 ] || break
    done
    says_no_space
    [[ $output == *"the database cannot grow"* ]]
    refused docker load -i "$WORLD_DIR/busybox.tar"
    rm "$WORLD_DIR/btrfs/state/full"
    sync -f "$WORLD_DIR/btrfs"
    world_eventually 50 docker volume create after
    docker load -q -i "$WORLD_DIR/busybox.tar"
    is_clean
    world_daemon_stop
    world_daemon_start
}

@test "a host that is full below a pool loses no write: the pool has its room already" {
    needs btrfs
    loop host 760M mkfs.ext4 -q -m 0
    volctl pool create inside "$WORLD_DIR/host/inside.img" --driver xfs --size 320M --max 640M
    volctl pool set inside warn=100 purge=100 refuse=100
    volctl volume create held --pool inside
    fill_up host
    # Far more than the host has free, and all of it there after the page cache is gone.
    head -c 48M /dev/urandom >"$(path_of held)/f"
    sync -f "$(path_of held)"
    sha256sum "$(path_of held)/f" >"$WORLD_DIR/sum"
    fallocate -l 170M "$(path_of held)/more"
    run ! dd if=/dev/zero of="$(path_of held)/more" bs=1M seek=170 count=300 conv=fsync
    [[ $output == *"No space left"* ]]
    run -8 volctl pool resize inside 600M
    rm "$(path_of held)/more"
    echo 1 >/proc/sys/vm/drop_caches
    sha256sum --status -c "$WORLD_DIR/sum"
    is_clean
    free_up host
    volctl pool resize inside 600M
    fallocate -l 400M "$(path_of held)/more"
    sync -f "$(path_of held)"
    sha256sum --status -c "$WORLD_DIR/sum"
    volctl volume rm --now held
    volctl pool rm inside
    is_clean
}
