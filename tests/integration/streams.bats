#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Many who wait and one who asks; requests sent again under the same Idempotency-Key.

load world

FOLLOWERS=200
ANSWER_MS=50

setup_file() {
    world_begin
    world_load_busybox
    if [ -z "$WORLD_SKIP" ]; then
        docker run -d --name idle busybox sh -c 'echo ready; exec sleep 1000'
    fi
}

teardown_file() {
    world_end
}

# ask METHOD PATH [BODY [CURL OPTION…]]: prints the body and the status.
ask() {
    local method=$1 path=$2 body=${3:-}
    shift $(($# < 3 ? $# : 3))
    curl -s --unix-socket "$VOLUMED_SOCKET" -X "$method" -H 'Content-Type: application/json' \
        ${body:+-d "$body"} -w '\n%{http_code}' "$@" "http://d$path"
}

# Milliseconds until the whole answer was there, the best of five: other tests share the machine.
answer_ms() {
    for _ in 1 2 3 4 5; do
        curl -sf --unix-socket "$VOLUMED_SOCKET" -o /dev/null -w '%{time_total}\n' "$@" || return 1
    done | sort -n | awk 'NR == 1 { printf "%d\n", $1 * 1000 }'
}

# follow PATH: as many followers of it as FOLLOWERS, in one program; sets FOLLOWING.  Each adds a
# line to the file "followed" when its stream begins.
follow() {
    curl -sN --no-progress-meter -Z --parallel-immediate --parallel-max "$FOLLOWERS" --unix-socket "$VOLUMED_SOCKET" \
        "http://d$1&n=[1-$FOLLOWERS]" >"$WORLD_DIR/followed" 3>&- &
    FOLLOWING=$!
    world_eventually 100 all_connected
}

all_connected() {
    [ "$(connections)" -ge "$FOLLOWERS" ]
}

# Sockets that volumed holds: the few of its own, and one for each client.
connections() {
    find "/proc/$(cat "$WORLD_DIR/pid")/fd" -lname 'socket:*' | wc -l
}

all_ready() {
    [ "$(grep -ac ready "$WORLD_DIR/followed")" -eq "$FOLLOWERS" ]
}

@test "200 idle followers of a log hold up nobody" {
    follow "/containers/idle/logs?follow=1&stdout=1"
    world_eventually 100 all_ready
    [ "$(answer_ms http://d/_ping)" -lt "$ANSWER_MS" ]
    [ "$(answer_ms http://d/containers/json)" -lt "$ANSWER_MS" ]
    [ "$(answer_ms -X POST -H 'Content-Type: application/json' -d '{}' http://d/volumes/create)" -lt "$ANSWER_MS" ]
    [ "$(ls "/proc/$(cat "$WORLD_DIR/pid")/task" | wc -l)" -lt 40 ]
    docker kill idle
    wait "$FOLLOWING" # each stream ends with the container
    docker start idle
}

@test "200 idle followers of events hold up nobody, and all hear" {
    follow "/events?filters=%7B%22volume%22:%5B%22heard%22%5D%7D"
    sleep 0.5 # connected is not yet listening
    [ "$(answer_ms http://d/_ping)" -lt "$ANSWER_MS" ]
    docker volume create heard
    [ "$(answer_ms http://d/volumes)" -lt "$ANSWER_MS" ]
    world_eventually 100 all_heard
    kill "$FOLLOWING"
    world_eventually 100 none_connected
}

all_heard() {
    [ "$(grep -ac '"create"' "$WORLD_DIR/followed")" -eq "$FOLLOWERS" ]
}

none_connected() {
    [ "$(connections)" -lt "$((FOLLOWERS / 2))" ]
}

@test "a repeat under the same key is the same volume; without one it is another" {
    run -0 ask POST /volumed/v1/volumes '{}' -H 'Idempotency-Key: v-1'
    [ "${lines[1]}" = 201 ]
    first=$(jq -r .id <<<"${lines[0]}")
    run -0 ask POST /volumed/v1/volumes '{}' -H 'Idempotency-Key: v-1'
    [ "$(jq -r .id <<<"${lines[0]}")" = "$first" ]
    run -0 ask POST /volumed/v1/volumes '{}'
    [ "$(jq -r .id <<<"${lines[0]}")" != "$first" ]
}

@test "the Docker door honours the key as well" {
    run -0 ask POST /volumes/create '{}' -H 'Idempotency-Key: d-1'
    first=$(jq -r .Name <<<"${lines[0]}")
    run -0 ask POST /volumes/create '{}' -H 'Idempotency-Key: d-1'
    [ "$(jq -r .Name <<<"${lines[0]}")" = "$first" ]
    run -0 ask POST /containers/create '{"Image":"busybox"}' -H 'Idempotency-Key: d-2'
    first=$(jq -r .Id <<<"${lines[0]}")
    [ "${lines[1]}" = 201 ]
    run -0 ask POST /containers/create '{"Image":"busybox"}' -H 'Idempotency-Key: d-2'
    [ "$(jq -r .Id <<<"${lines[0]}")" = "$first" ]
}

@test "a key remembers over kill -9, and what was made is removed once" {
    docker volume create keyed
    run -0 ask POST /volumed/v1/volumes/keyed/snapshots '{}' -H 'Idempotency-Key: s-1'
    [ "${lines[1]}" = 201 ]
    first=$(jq -r .id <<<"${lines[0]}")
    world_daemon_stop KILL
    world_daemon_start
    run -0 ask POST /volumed/v1/volumes/keyed/snapshots '{}' -H 'Idempotency-Key: s-1'
    [ "$(jq -r .id <<<"${lines[0]}")" = "$first" ]
    [ "$(ask GET /volumed/v1/volumes/keyed/snapshots | head -1 | jq '.snapshots | length')" = 1 ]
}

@test "a key that was another request's is a conflict" {
    ask POST /volumed/v1/volumes '{"name":"other"}' -H 'Idempotency-Key: c-1'
    run -0 ask POST /volumed/v1/volumes/other/snapshots '{}' -H 'Idempotency-Key: c-1'
    [ "${lines[1]}" = 409 ]
    [[ ${lines[0]} == *"idempotency key 'c-1' was used for volume.create"* ]]
}

@test "a request that failed may be sent again under its key" {
    run -0 ask POST /volumed/v1/volumes/later/snapshots '{}' -H 'Idempotency-Key: f-1'
    [ "${lines[1]}" = 404 ]
    docker volume create later
    run -0 ask POST /volumed/v1/volumes/later/snapshots '{}' -H 'Idempotency-Key: f-1'
    [ "${lines[1]}" = 201 ]
}

@test "the same key from many at once makes one volume" {
    for i in 1 2 3 4 5 6 7 8; do
        ask POST /volumed/v1/volumes '{"labels":{"race":"1"}}' -H 'Idempotency-Key: r-1' \
            >"$WORLD_DIR/answer.$i" 3>&- &
    done
    wait
    [ "$(docker volume ls -q -f label=race=1 | wc -l)" = 1 ]
    grep -q '"id"' "$WORLD_DIR"/answer.*
    run -0 ask POST /volumed/v1/volumes '{"labels":{"race":"1"}}' -H 'Idempotency-Key: r-1'
    [ "$(jq -r .labels.race <<<"${lines[0]}")" = 1 ]
}
