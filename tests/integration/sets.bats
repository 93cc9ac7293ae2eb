#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Sets: several volumes cut at one instant, under writers of ours, of other engines and of the host.

load world

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    disk btrfs 256M mkfs.btrfs -q
    disk ext4 400M mkfs.ext4 -q
    world_load_busybox
}

teardown_file() {
    [ -z "${WORLD_DIR:-}" ] || engine_stop
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

teardown() {
    [ -n "$WORLD_SKIP" ] || engine_stop
}

# disk KIND SIZE MKFS…: a pool of that name on a new filesystem on a loop device.
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

needs_disk() {
    [ ! -e "$WORLD_DIR/$1.lacks" ] || skip "$(cat "$WORLD_DIR/$1.lacks")"
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

volumes() {
    local pool=$1 name
    shift
    for name; do volctl volume create "$name" --pool "$pool" >/dev/null; done
}

is_clean() {
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

# What the writer below had written to a volume as of a set: the longer file is the later one.
count_at() {
    volctl file cat "$1@$2" n | wc -c
}

# A counter in two places, the first always ahead by at most one.
COUNTER='while :; do printf x >> /one/n; printf x >> /two/n; done'

# A process as another engine's container: in a mount namespace and a control group of its own.
engine_start() { # VOLUME…
    local group
    group=$(engine_group)
    [ -z "$group" ] || mkdir "$group"
    mkdir -p "$WORLD_DIR/one" "$WORLD_DIR/two"
    rm -f "$(path_of "$1")/n" "$(path_of "$2")/n"
    # shellcheck disable=SC2016 # expands inside
    setsid sh -c '[ -z "$1" ] || echo $$ > "$1/cgroup.procs"
        exec unshare -m --propagation private sh -c "mount --bind $2 $4/one && mount --bind $3 $4/two
            while :; do printf x >> $4/one/n; printf x >> $4/two/n; done"' \
        _ "$group" "$(path_of "$1")" "$(path_of "$2")" "$WORLD_DIR" </dev/null >/dev/null 2>&1 3>&- &
    echo $! >"$WORLD_DIR/engine.pid"
    world_eventually 50 test -s "$(path_of "$2")/n"
}

engine_group() {
    [ -z "${ENGINE_IN_ROOT:-}" ] || return 0
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo "/sys/fs/cgroup/volumed-test.$$"
    else
        echo "/sys/fs/cgroup/freezer/volumed-test.$$"
    fi
}

engine_stop() {
    local group
    group=$(engine_group)
    if [ -s "$WORLD_DIR/engine.pid" ]; then
        kill -KILL "$(cat "$WORLD_DIR/engine.pid")" 2>/dev/null || true
        rm -f "$WORLD_DIR/engine.pid"
    fi
    if [ -n "$group" ] && [ -d "$group" ]; then
        world_eventually 50 rmdir "$group" || true
    fi
}

engine_is_frozen() {
    if [ -e "$(engine_group)/freezer.state" ]; then
        [ "$(cat "$(engine_group)/freezer.state")" != THAWED ]
    else
        grep -q 'frozen 1' "$(engine_group)/cgroup.events"
    fi
}

# soon COMMAND…: as world_eventually, without a pause between tries.
soon() {
    local until=$((SECONDS + 10))
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
    done
}

holder_is_there() {
    holder=$(pgrep -o -f "runner hold $(engine_group)")
}

engine_runs() {
    ! engine_is_frozen
}

@test "a set of a container's volumes keeps the order of its writes" {
    needs_disk btrfs
    volumes btrfs one two
    docker run -d --name writer --network none -v one:/one -v two:/two busybox sh -c "$COUNTER"
    world_eventually 100 test -s "$(path_of two)/n"
    local nth first second # not i: bats' own run uses that
    for nth in 1 2 3 4 5 6; do
        run -0 --separate-stderr volctl snapshot create --set "run$nth" --container writer --json
        [ "$(jq -r .fence <<<"$output")" = frozen ]
        [ "$(jq '.warnings | length' <<<"$output")" = 0 ]
        [ "$(jq .pause_ns <<<"$output")" -gt 0 ]
        first=$(count_at one "run$nth")
        second=$(count_at two "run$nth")
        [ "$second" -gt 0 ]
        [ $((first - second)) -ge 0 ]
        [ $((first - second)) -le 1 ]
    done
    [ "$(count_at one run6)" -gt "$(count_at one run1)" ]
    run -0 volctl set inspect run1 --json
    [ "$(jq -r '.containers[].name' <<<"$output")" = writer ]
    run -5 volctl set rollback run1
    [[ $output == *"is mounted by container 'writer'"* ]]
    docker rm -f writer
    run -0 volctl set rollback run1 --dry-run
    run -0 --separate-stderr volctl set rollback run1
    local safety=$output
    [ "$(wc -c <"$(path_of one)/n")" = "$(count_at one run1)" ]
    [ "$(wc -c <"$(path_of two)/n")" = "$(count_at two run1)" ]
    run -0 --separate-stderr volctl set clone "$safety" --suffix=.late
    [ "$output" = $'one.late\ntwo.late' ]
    [ "$(wc -c <"$(path_of one.late)/n")" = "$(count_at one "$safety")" ]
    run -0 volctl set rm run2
    run ! volctl set inspect run2
    run ! volctl snapshot rm one@run3
    [[ $output == *"member of set 'run3'"* ]]
    is_clean
}

@test "another engine's container is found and frozen" {
    needs_disk btrfs
    volumes btrfs third fourth
    engine_start third fourth
    local nth first second
    for nth in 1 2 3 4; do
        run -0 --separate-stderr volctl snapshot create --set "engine$nth" third fourth --json
        [ "$(jq -r .fence <<<"$output")" = frozen ] || { echo "$output"; false; }
        [ "$(jq .pause_ns <<<"$output")" -gt 0 ]
        engine_runs
        first=$(count_at third "engine$nth")
        second=$(count_at fourth "engine$nth")
        [ "$second" -gt 0 ]
        [ $((first - second)) -ge 0 ]
        [ $((first - second)) -le 1 ]
    done
    run -0 volctl snapshot create third@alone --json
    [ "$(jq -r .fence <<<"$output")" = frozen ]
}

@test "a writer whom nobody can freeze makes the fence partial, and people are told" {
    needs_disk btrfs
    volumes btrfs fifth
    mkdir "$WORLD_DIR/bound"
    mount --bind "$(path_of fifth)" "$WORLD_DIR/bound"
    run -0 --separate-stderr volctl snapshot create fifth@part
    [ "$output" = fifth@part ]
    [[ $stderr == *"fence was partial"* ]]
    [[ $stderr == *"volume 'fifth' is mounted at '$WORLD_DIR/bound', seen by process "* ]]
    run -0 --separate-stderr volctl snapshot create --set parts fifth --json
    [ "$(jq -r .fence <<<"$output")" = partial ]
    [ "$(jq '.warnings | length' <<<"$output")" = 1 ]
    umount "$WORLD_DIR/bound"
}

@test "the death of volumed thaws another engine's container" {
    needs_disk ext4
    volumes ext4 big small
    head -c 100M /dev/urandom >"$(path_of big)/data"
    head -c 8M /dev/urandom | split -a 4 -b 1K - "$(path_of big)/"
    engine_start big small
    volctl snapshot create --set never big small --freeze-timeout 60s >/dev/null 2>&1 3>&- &
    local client=$!
    world_eventually 100 engine_is_frozen
    world_daemon_stop KILL
    world_eventually 20 engine_runs
    wait "$client" || true
    world_daemon_start
    run ! volctl set inspect never
    is_clean
}

@test "the death of the process that holds it still thaws another engine's container" {
    needs_disk ext4
    engine_start big small
    volctl snapshot create --set never big small --freeze-timeout 60s >"$WORLD_DIR/said" 2>&1 3>&- &
    local client=$! holder=
    soon holder_is_there
    soon engine_is_frozen || { cat "$WORLD_DIR/said"; false; }
    kill -KILL "$holder"
    local status=0
    wait "$client" || status=$?
    [ "$status" -ne 0 ]
    grep -q "control group" "$WORLD_DIR/said" || { cat "$WORLD_DIR/said"; false; }
    world_eventually 20 engine_runs
    run ! volctl set inspect never
}

@test "the death of both thaws another engine's container when volumed starts again" {
    needs_disk ext4
    engine_start big small
    volctl snapshot create --set never big small --freeze-timeout 60s >/dev/null 2>&1 3>&- &
    local client=$! holder=
    soon holder_is_there
    soon engine_is_frozen
    kill -KILL "$(cat "$WORLD_DIR/pid")" "$holder"
    wait "$client" || true
    engine_is_frozen
    [ "$(cat "$WORLD_DIR/state/holds/"*)" = "$(engine_group)" ]
    world_daemon_start
    world_eventually 20 engine_runs
    [ -z "$(ls "$WORLD_DIR/state/holds")" ]
    run ! volctl set inspect never
    is_clean
}

@test "a set past its deadline leaves nothing and says who was slow" {
    needs_disk ext4
    docker run -d --name slow --network none -v big:/one -v small:/two busybox sh -c "$COUNTER"
    run ! volctl snapshot create --set late --container slow --freeze-timeout 1ms
    [[ $output == *"volume 'big'"* || $output == *"volume 'small'"* || $output == *"container 'slow'"* ]] || { echo "$output"; false; }
    [ "$(docker inspect -f '{{.State.Status}}' slow)" = running ]
    run ! volctl set inspect late
    docker rm -f slow
    is_clean
}

@test "hooks run around the cut, and the one after in any case" {
    needs_disk btrfs
    volumes btrfs hooked
    docker run -d --name app --network none -v hooked:/data \
        --label org.volumed.hook.before='echo flushed > /data/state' \
        --label org.volumed.hook.after='echo open > /data/state' busybox sleep 600
    run -0 volctl snapshot create hooked@one
    [ "$(volctl file cat hooked@one state)" = flushed ]
    [ "$(cat "$(path_of hooked)/state")" = open ]
    run ! volctl snapshot create --set two hooked --hook-before app='echo no space for it; exit 3' \
        --hook-after app='echo done > /data/state'
    [[ $output == *"hook before in container 'app' failed with 3: no space for it"* ]]
    [ "$(cat "$(path_of hooked)/state")" = "done" ]
    run ! volctl set inspect two
    run ! volctl snapshot create hooked --hook-before app='sleep 60' --hook-timeout 1
    [[ $output == *"hook before in container 'app'"* ]]
    run -0 --separate-stderr volctl snapshot create hooked@three --hook-after app='exit 1'
    [[ $stderr == *"hook after in container 'app' failed with 1"* ]]
    run -0 volctl snapshot create hooked@four --no-hooks
}

@test "hooks after run at the next start when volumed dies between them" {
    needs_disk btrfs
    volctl snapshot create hooked@never --hook-before app='touch /data/begun; sleep 30' \
        --hook-after app='touch /data/ended' >/dev/null 2>&1 3>&- &
    local client=$!
    world_eventually 50 test -e "$(path_of hooked)/begun"
    local path
    path=$(path_of hooked)
    world_daemon_stop KILL
    wait "$client" || true
    [ ! -e "$path/ended" ]
    world_daemon_start
    world_eventually 50 test -e "$path/ended"
    run ! volctl snapshot inspect hooked@never
    docker rm -f app
    is_clean
}
