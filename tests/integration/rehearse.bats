#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# Upgrades tried on clones while the original serves.

load world

SERVER='trap "exit 0" TERM; echo $WHO >>/data/log; while :; do sleep 0.05; done'

setup_file() {
    world_begin
    world_load_busybox
    [ -z "$WORLD_SKIP" ] || return 0
    docker run -d --name web -v data:/data -v /anonymous -e WHO=old busybox sh -c "$SERVER" >/dev/null
    docker create --name maker busybox true >/dev/null
    mkdir -p "$WORLD_DIR/extra"
    echo more >"$WORLD_DIR/extra/fresh"
    docker cp "$WORLD_DIR/extra/fresh" maker:/data/fresh
    docker commit maker second >/dev/null
    docker rm maker >/dev/null
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
    world_eventually 50 docker exec web test -e /data/log
    id=$(docker inspect -f '{{.Id}} {{.State.Pid}}' web)
}

# The original has run on, and of the rehearsal nothing is left.
nothing_happened() {
    [ "$(docker inspect -f '{{.Id}} {{.State.Pid}}' web)" = "$id" ]
    [ "$(docker exec web sort -u /data/log)" = old ]
    run -0 docker ps -a --format '{{.Names}}'
    [ "$output" = web ]
    [ "$(docker volume ls -q | wc -l)" = 2 ]
    [ "$(volctl snapshot ls --json | jq length)" = 0 ]
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

@test "a rehearsal that passes tells what was written, said and not seeded" {
    run -0 volctl container rehearse web --image second --probation 500ms --json -e WHO=new -- \
        sh -c 'echo hello; echo 12345 >/data/made; rm /data/seed; echo x >>/data/log; exec sleep 100'
    [ "$(jq -r .state <<<"$output")" = committed ]
    [ "$(jq -c '.report | [.files_added, .files_changed, .files_removed]' <<<"$output")" = '[1,1,1]' ]
    [ "$(jq -r .report.log_tail <<<"$output")" = hello ]
    [ "$(jq -c .report.seed_drift <<<"$output")" = '["/data/fresh","/data/seed"]' ] ||
        [ "$(jq -c '.report.seed_drift | sort' <<<"$output")" = '["/data/fresh","/data/seed"]' ]
    nothing_happened
}

@test "one that exits has failed" {
    run -1 volctl container rehearse web --probation 5s -- sh -c 'echo broken >/data/log; exit 4'
    [[ $output == *"failed after"*"exited with status 4"* ]]
    nothing_happened
}

@test "one that does not pass its probe has failed" {
    run -1 volctl container rehearse web --probation 1s --probe 'test -e /nowhere'
    [[ $output == *probe* ]]
    nothing_happened
}

@test "it sees no network but its own loopback, and the host's directories only to read" {
    mkdir -p "$WORLD_DIR/host"
    docker run -d --name hosted --network host -v "$WORLD_DIR/host:/host" -v data2:/data busybox sleep 1000 >/dev/null
    run -0 volctl container rehearse hosted --probation 500ms --json -- \
        sh -c 'ls /sys/class/net; touch /host/x; exec sleep 100'
    [ "$(jq -r '.report.log_tail' <<<"$output" | grep -v touch)" = lo ]
    [ ! -e "$WORLD_DIR/host/x" ]
    docker rm -f hosted >/dev/null
    docker volume rm data2 >/dev/null
    volctl trash purge --all >/dev/null
}

@test "several at once, and the original does not notice" {
    for i in 1 2 3; do
        volctl container rehearse web --probation 1s --quiet >"$WORLD_DIR/out$i" &
    done
    wait
    for i in 1 2 3; do grep -q passed "$WORLD_DIR/out$i"; done
    nothing_happened
}

@test "a kept one stays, and goes by hand" {
    run -0 volctl container rehearse web --probation 300ms --keep
    name=$(sed -n 's/^kept as container //p' <<<"$output")
    docker inspect "$name" >/dev/null
    docker rm -f "$name" >/dev/null
    docker volume ls -q | grep "^$name\\." | xargs volctl volume rm --now
    volctl set rm --now "$name"
    nothing_happened
}

@test "a kill of volumed throws it away" {
    volctl container rehearse web --probation 20s >/dev/null 2>&1 &
    client=$!
    world_eventually 50 sh -c 'docker ps --format "{{.Names}}" | grep -q rehearsal'
    world_daemon_stop KILL
    wait "$client" || true
    world_daemon_start
    world_eventually 100 sh -c '! docker ps -a --format "{{.Names}}" | grep -q rehearsal'
    world_eventually 50 sh -c '[ "$(docker volume ls -q | wc -l)" = 2 ]'
    nothing_happened
}

@test "the original stands still only so long" {
    run ! volctl container rehearse web --probation 300ms --freeze-timeout 1ms
    [[ $output == *"--freeze-timeout"* ]]
    nothing_happened
    run -0 volctl container rehearse web --probation 300ms --freeze-timeout 30s
    nothing_happened
}

@test "a wrong image is said at once" {
    run ! volctl container rehearse web --image none-such
    [[ $output == *"none-such"* ]]
    nothing_happened
}

@test "what passed can be promoted" {
    run -0 volctl container rehearse web --image second --probation 300ms --promote -e WHO=new
    world_eventually 50 docker exec web grep -q new /data/log
    [ "$(docker inspect -f '{{.Image}}' web)" = "$(docker image inspect -f '{{.Id}}' second)" ]
}
