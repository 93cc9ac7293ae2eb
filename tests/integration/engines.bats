#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Other engines with volumed's volumes: Debian's dockerd and podman speak the volume plugin protocol.

load world
load engines

setup_file() {
    world_begin
    engines_begin
    world_load_busybox
    engines_start_all
}

teardown_file() {
    engines_end
    world_end
}

# What is missing, or why it does not run, is each test's reason to be skipped.
engines_start_all() {
    export NO_DOCKERD="" NO_PODMAN=""
    [ -z "$WORLD_SKIP" ] || return 0
    command -v dockerd >/dev/null || NO_DOCKERD="needs dockerd (docker.io)"
    if [ -z "$NO_DOCKERD" ]; then
        if engines_dockerd_start; then
            dock load -q -i "$WORLD_DIR/busybox.tar"
        else
            NO_DOCKERD="dockerd does not run here: $(tail -1 "$WORLD_DIR/dockerd/log")"
        fi
    fi
    command -v podman >/dev/null || NO_PODMAN="needs podman"
    [ -n "$NO_PODMAN" ] || engines_podman_start ||
        NO_PODMAN="podman does not run here: $(tail -1 "$WORLD_DIR/podman/log")"
}

setup() {
    world_setup
    case $BATS_TEST_DESCRIPTION in
    dockerd:*) [ -z "$NO_DOCKERD" ] || skip "$NO_DOCKERD" ;;
    podman:*) [ -z "$NO_PODMAN" ] || skip "$NO_PODMAN" ;;
    esac
}

volctl() {
    "$WORLD_BUILD/volctl" "$@"
}

# dock_status VOLUME MEMBER
dock_status() {
    dock volume inspect -f "{{json .Status.$2}}" "$1"
}

# pod_status VOLUME MEMBER
pod_status() {
    pod volume inspect -f "{{json .Status.$2}}" "$1"
}

# dock_writer NAME VOLUME: a container that counts up in a file for ever.
dock_writer() {
    dock run -d --name "$1" --network none -v "$2:/data" busybox \
        sh -c 'i=0; while :; do i=$((i+1)); echo $i >>/data/count; sleep 0.05; done'
}

# Waits until the writer has written since.
dock_writes() {
    local before
    before=$(dock exec "$1" tail -1 /data/count || echo 0)
    world_eventually 50 dock_is_beyond "$1" "$before"
}

dock_is_beyond() {
    [ "$(dock exec "$1" tail -1 /data/count)" -gt "${2:-0}" ]
}

@test "dockerd: volumes are made with options, and inspect tells their state" {
    dock volume create -d ours -o uid=1000 -o gid=1001 -o mode=0751 made
    run -0 stat -c '%u %g %a' "$(volctl volume inspect made --json | jq -r .path)"
    [ "$output" = "1000 1001 751" ]
    volctl snapshot create made@first
    volctl snapshot create made@second
    [ "$(dock_status made Snapshots)" = 2 ]
    [ "$(dock_status made LatestSnapshot)" = '"second"' ]
    [ "$(dock_status made Mounts)" = 0 ]
    [ "$(dock volume inspect -f '{{.Driver}} {{.Mountpoint}}.' made)" = "ours ." ]
    run -0 dock volume ls -q -f driver=ours
    [ "$output" = made ]
    run -1 dock volume create -d ours -o bogus=1 odd
    [[ $output == *'invalid option: "bogus"'* ]]
    run -1 dock volume rm made
    [[ $output == *"snapshot"* ]]
    volctl volume rm --with-snapshots made
    run -1 dock volume inspect made
}

@test "dockerd: an empty volume is seeded from the image, and data stays from one container to the next" {
    dock volume create -d ours kept
    [ "$(dock run --rm --network none -v kept:/data busybox cat /data/seed)" = seed ]
    dock run --rm --network none -v kept:/data busybox sh -c 'rm /data/seed; echo hello >/data/file'
    [ "$(dock run --rm --network none -v kept:/data busybox ls /data)" = file ]
    [ "$(docker run --rm -v kept:/data busybox cat /data/file)" = hello ]
    dock volume create -d ours bare
    run -0 dock run --rm --network none --mount src=bare,dst=/data,volume-nocopy busybox ls /data
    [ -z "$output" ]
    dock volume rm kept bare
}

@test "dockerd: a volume is made from another one's snapshot" {
    dock volume create -d ours origin
    dock run --rm --network none -v origin:/v busybox sh -c 'echo one >/v/file'
    volctl snapshot create origin@cut
    dock run --rm --network none -v origin:/v busybox sh -c 'echo two >/v/file'
    dock volume create -d ours -o from=origin@cut branch
    [ "$(dock run --rm --network none -v branch:/v busybox cat /v/file)" = one ]
    [ "$(dock_status branch Parent.snapshot)" = '"cut"' ]
    run -1 dock volume create -d ours -o from=origin@nosuch lost
    [[ $output == *"no such snapshot"* ]]
    dock volume rm branch
    volctl volume rm --with-snapshots origin
}

@test "dockerd: mounts are counted, also those of docker cp into a running container" {
    dock volume create -d ours counted
    dock_writer first counted
    [ "$(dock_status counted Mounts)" = 1 ]
    dock_writer second counted
    [ "$(dock_status counted Mounts)" = 2 ]
    echo copied >"$WORLD_DIR/copied"
    dock cp "$WORLD_DIR/copied" first:/data/copied
    dock cp first:/data/copied - >/dev/null
    [ "$(dock_status counted Mounts)" = 2 ]
    [ "$(dock exec second cat /data/copied)" = copied ]
    dock rm -f first
    [ "$(dock_status counted Mounts)" = 1 ]
    dock_writes second
    dock rm -f second
    [ "$(dock_status counted Mounts)" = 0 ]
    dock volume rm counted
}

@test "dockerd: what it has mounted is not removed, nor rolled back, and is snapshotted honestly" {
    dock volume create -d ours used
    dock_writer user used
    dock_writes user
    run -1 dock volume rm used
    [[ $output == *"volume is in use"* ]]
    run volctl volume rm used
    [ "$status" -ne 0 ]
    [[ $output == *"another engine"* ]]
    run -0 volctl snapshot create used@live --json
    [ "$(jq -r .fence <<<"$output")" = frozen ] # its container stood still, and runs again
    [ "$(jq .pause_ns <<<"$output")" -gt 0 ]
    run volctl volume rollback used@live
    [ "$status" -ne 0 ]
    [[ $output == *"volume 'used' is mounted at '/data'"* ]]
    [ "$(volctl volume inspect used --json | jq .mounted)" = true ]
    dock_writes user
    dock rm -f user
    volctl volume rollback used@live
    [ "$(dock run --rm --network none -v used:/data busybox sh -c '[ -s /data/count ] && echo there')" = there ]
    volctl volume rm --with-snapshots used
}

@test "dockerd: kill -9 of volumed costs its containers nothing, and counts survive" {
    dock volume create -d ours survivor
    dock_writer steady survivor
    dock_writes steady
    world_daemon_stop KILL
    dock_writes steady
    dock volume inspect survivor >"$WORLD_DIR/inspect" & # waits for the plugin to come back
    local asking=$!
    sleep 0.5
    engines_volumed_start
    wait $asking
    [ "$(jq '.[0].Status.Mounts' "$WORLD_DIR/inspect")" = 1 ]
    dock_writes steady
    run volctl volume rm survivor
    [ "$status" -ne 0 ]
    run -0 volctl system check
    dock restart -t 0 steady
    dock_writes steady
    [ "$(dock_status survivor Mounts)" = 1 ]
    dock rm -f steady
    [ "$(dock_status survivor Mounts)" = 0 ]
    dock volume rm survivor
}

@test "dockerd: what it let go while volumed was away is released by hand, what it has is not" {
    command -v sqlite3 >/dev/null || skip "needs sqlite3"
    dock volume create -d ours lost
    dock_writer careless lost
    run volctl volume release lost
    [ "$status" -ne 0 ]
    [[ $output == *"volume 'lost' is mounted at '/data'"* ]]
    # What dockerd does after half a minute without an answer: it gives up, and never tells.
    docker_id=$(sqlite3 "$WORLD_DIR/state/volumed.db" 'SELECT caller_id FROM plugin_mount')
    curl -sf --unix-socket "$WORLD_DIR/plugin.sock" http://d/VolumeDriver.Mount \
        -H 'Content-Type: application/json' \
        -d "{\"Name\":\"lost\",\"ID\":\"$docker_id\"}"
    dock rm -f careless
    [ "$(volctl volume inspect lost --json | jq -c '[.mounted, .engine_mounts]')" = '[false,1]' ]
    run -1 dock volume rm lost
    [[ $output == *"another engine has mounted it (1)"* ]]
    run -0 volctl volume release lost
    [ "$output" = "lost: mounts forgotten: 1" ]
    dock volume rm lost
}

@test "podman: volumes are made with options, and inspect tells their state" {
    pod volume create --driver ours -o uid=1000 -o mode=0751 made
    volctl snapshot create made@first
    [ "$(pod_status made Snapshots)" = 1 ]
    [ "$(pod_status made Mounts)" = 0 ]
    volctl snapshot rm made@first
    pod volume rm made
    run volctl volume inspect made
    [ "$status" -ne 0 ]
}

@test "podman: seeds, writes, counts, and is not deprived of what it has mounted" {
    pod volume create --driver ours used
    pod_run -d --name user -v used:/data busybox sh -c 'echo here >/data/file; exec sleep 1000'
    [ "$(pod_run --rm -v used:/data busybox cat /data/seed /data/file)" = $'seed\nhere' ]
    [ "$(pod_status used Mounts)" = 1 ]
    run volctl volume rm used
    [ "$status" -ne 0 ]
    run -0 volctl snapshot create used@live --json
    [ "$(jq -r .fence <<<"$output")" = frozen ] # its container stood still, and runs again
    [ "$(jq .pause_ns <<<"$output")" -gt 0 ]
    run volctl volume rollback used@live
    [[ $output == *"volume 'used' is mounted at '/data'"* ]]
    world_daemon_stop KILL
    engines_volumed_start
    [ "$(pod exec user cat /data/file)" = here ]
    [ "$(pod_status used Mounts)" = 1 ]
    pod rm -f -t 0 user
    [ "$(pod_status used Mounts)" = 0 ]
    volctl snapshot rm used@live
    pod volume rm used
}

@test "podman: runs on our runner" {
    pod volume create --driver ours both
    export ENGINE_RUNTIME=$WORLD_BUILD/runner
    pod_run --rm -v both:/data busybox sh -c 'echo ours >/data/file'
    [ "$(pod_run --rm -v both:/data busybox cat /data/file)" = ours ]
    pod volume rm both
}
