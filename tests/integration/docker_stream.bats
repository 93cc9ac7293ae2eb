#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What flows for a long time: logs, events, stats, wait.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

teardown() {
    docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
}

@test "logs shows both streams, tail, since and timestamps" {
    docker run --name teller busybox sh -c 'echo one; sleep 0.1; echo two >&2; sleep 0.1; echo three'
    run -0 --separate-stderr docker logs teller
    # shellcheck disable=SC2154 # run sets it
    [ "$output/$stderr" = $'one\nthree/two' ]
    run -0 docker logs --tail 1 teller
    [ "$output" = three ]
    run -0 docker logs -t --tail 1 teller
    [[ $output =~ ^20[0-9]{2}-[0-9-]+T[0-9:.]+Z\ three$ ]]
    run -0 docker logs --since 2100-01-01T00:00:00Z teller
    [ -z "$output" ]
    run -0 docker logs --until 2000-01-01T00:00:00Z teller
    [ -z "$output" ]
    run -1 docker logs nosuch
    [[ $output == *"No such container: nosuch" ]]
}

@test "logs -f follows to the end of the container" {
    docker run -d --name slow busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.3; done'
    run -0 timeout 10 docker logs -f slow
    [ "$output" = $'1\n2\n3' ]
}

@test "logs of a terminal are raw" {
    docker run -d -t --name raw busybox echo tty
    docker wait raw
    run -0 docker logs raw
    [ "$output" = $'tty\r' ]
}

@test "events tells the life of a volume and a container" {
    since=$(date +%s)
    docker volume create told
    docker run --rm --name lived -v told:/v busybox true
    docker volume rm told
    run -0 docker events --since "$since" --until "$(($(date +%s) + 1))" \
        --format '{{.Type}} {{.Action}}'
    for event in "volume create" "container create" "container start" "container die" \
        "container destroy" "volume destroy"; do
        [[ $'\n'$output$'\n' == *$'\n'"$event"$'\n'* ]]
    done
}

@test "events filters by type, event, container, volume and label" {
    since=$(date +%s)
    docker volume create one1
    docker create --name labelled --label w=x busybox
    docker create --name other busybox
    docker volume rm one1
    until=$(($(date +%s) + 1))
    run -0 docker events --since "$since" --until "$until" -f type=volume -f event=create \
        --format '{{.Type}} {{.Action}} {{.Actor.ID}}'
    [ "$output" = "volume create one1" ]
    run -0 docker events --since "$since" --until "$until" -f container=labelled \
        --format '{{.Actor.Attributes.name}} {{.From}}'
    [ "$output" = "labelled busybox" ]
    run -0 docker events --since "$since" --until "$until" -f label=w=x \
        --format '{{.Actor.Attributes.name}}'
    [ "$output" = labelled ]
}

@test "events arrive as they happen" {
    timeout 10 docker events -f event=create --format '{{.Actor.ID}}' >"$BATS_TEST_TMPDIR/live" 3>&- &
    follower=$!
    sleep 0.5
    docker volume create alive
    world_eventually 30 grep -qx alive "$BATS_TEST_TMPDIR/live"
    kill "$follower"
    docker volume rm alive
}

@test "stats goes on until the client leaves" {
    docker run -d --name measured busybox sleep 60
    curl -s -N -m 3.5 --unix-socket "$VOLUMED_SOCKET" \
        "http://d/containers/measured/stats" >"$BATS_TEST_TMPDIR/stats" || true
    [ "$(jq -r .name "$BATS_TEST_TMPDIR/stats" | grep -c '^/measured$')" -ge 3 ]
    jq -es '.[1].precpu_stats.cpu_usage.total_usage == .[0].cpu_stats.cpu_usage.total_usage' \
        "$BATS_TEST_TMPDIR/stats"
}

@test "wait answers its headers at once, the body at the end" {
    docker create --name waited busybox sh -c 'exit 5'
    curl -s -N -X POST --unix-socket "$VOLUMED_SOCKET" -D "$BATS_TEST_TMPDIR/head" \
        -o "$BATS_TEST_TMPDIR/body" "http://d/v1.43/containers/waited/wait?condition=next-exit" &
    curl=$!
    world_eventually 30 grep -q '200 OK' "$BATS_TEST_TMPDIR/head"
    [ ! -s "$BATS_TEST_TMPDIR/body" ]
    docker start waited
    wait "$curl"
    [ "$(jq .StatusCode "$BATS_TEST_TMPDIR/body")" = 5 ]
    run -0 curl -s -X POST --unix-socket "$VOLUMED_SOCKET" \
        "http://d/v1.43/containers/waited/wait?condition=bogus"
    [[ $output == *"invalid condition"* ]]
}

@test "idle followers hold up nobody" {
    docker run -d --name quiet busybox sleep 60
    for _ in $(seq 200); do
        curl -s -N --unix-socket "$VOLUMED_SOCKET" -o /dev/null \
            "http://d/containers/quiet/logs?stdout=1&follow=1" 3>&- &
        echo $! >>"$BATS_TEST_TMPDIR/pids"
    done
    sleep 0.5
    took=$(curl -s -o /dev/null -w '%{time_total}' --unix-socket "$VOLUMED_SOCKET" http://d/volumes)
    xargs kill <"$BATS_TEST_TMPDIR/pids"
    awk -v t="$took" 'BEGIN { exit !(t < 0.2) }'
}
