#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Volumes are cut by the clock, and what no rule keeps goes; nothing that must stay ever does.

load world

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    world_load_busybox
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

count() {
    volctl --json snapshot ls "$1" | jq length
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

# sql STATEMENT: on the state of a stopped daemon, to move time.
sql() {
    python3 -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db: db.execute(sys.argv[2])' "$WORLD_DIR/state/volumed.db" "$1"
}

@test "docker volume create brings a policy along" {
    docker volume create -o snapshots=1s -o keep=last=2 by-docker
    echo one >"$(path_of by-docker)/f"
    run -0 volctl policy ls
    [[ $output == *volume.by-docker*"volume by-docker"*1s*last=2* ]]
    world_eventually 80 eval '[ "$(count by-docker)" -ge 2 ]'
    world_eventually 80 eval 'volctl --json event ls | jq -e ".[] | select(.action == \"expire\")"'
    [ "$(count by-docker)" -le 3 ]
    volctl --json snapshot ls by-docker | jq -e 'all(.reason == "policy")'
    docker volume rm by-docker
    run -0 volctl policy ls
    [[ $output == *"in the trash"* ]]
    volctl trash restore by-docker
    [ "$(count by-docker)" -ge 2 ]
    volctl volume rm --now --with-snapshots by-docker
    run -0 volctl policy ls -q
    [ -z "$output" ]
    run -1 docker volume create -o snapshots=sometimes wrong
    [[ $output == *sometimes* ]]
    run -1 docker volume create -o keep=7d wrong
}

@test "the plan says what would go and why, and the run does that" {
    volctl volume create data
    volctl policy create nightly --schedule '30 2 * * *' --jitter 10m --keep last=2 --volume data
    for _ in 1 2; do
        volctl policy run nightly
        sleep 1
    done
    volctl policy rm nightly
    volctl policy create nightly --schedule '30 2 * * *' --keep last=1,tag=release --volume data
    run -0 volctl policy plan nightly
    [[ ${lines[1]} == *"remove"*"no rule keeps it" ]]
    [[ ${lines[2]} == *"keep"*"the newest, last 1 of 1" ]]
    local goes
    goes=$(volctl policy plan -q nightly)
    [ "$goes" = "$(volctl --json policy plan nightly | jq -r '.targets[].snapshots[] | select(.keep | not).name')" ]
    [ "$(count data)" = 2 ]
    run -0 volctl policy run nightly
    [ "$output" = "nightly: 1 made, 2 expired" ]
    run -3 --separate-stderr volctl snapshot inspect "$goes"
    volctl policy rm nightly
    [ "$(count data)" = 1 ]
}

@test "what is held stays, whoever wants it gone" {
    volctl volume create kept
    volctl policy create short --schedule 1h --keep last=1 --volume kept
    volctl policy run short
    local held
    held=$(volctl snapshot ls -q kept)
    volctl snapshot hold "$held" --tag audit
    [ "$(volctl snapshot holds "$held")" = audit ]
    sleep 1
    volctl policy run short
    run -4 --separate-stderr volctl snapshot rm "$held"
    [[ $stderr == *audit* ]]
    run -4 --separate-stderr volctl volume rm --with-snapshots kept
    run -1 docker volume rm kept
    [ "$(volctl --json policy plan short | jq -r '.targets[0].snapshots[0].reasons[0]')" = held ]
    volctl snapshot release "$held"
    sleep 1
    volctl policy run short
    run -3 volctl snapshot inspect "$held"
}

@test "a container's volumes are cut as a set, and sets go as wholes" {
    docker run -d --name app -v app-data:/data -v app-log:/log busybox sh -c 'while :; do date >/data/f; cp /data/f /log/f; sleep 0.05; done'
    volctl policy create app --schedule 1h --keep last=1 --container app
    volctl policy run app
    [ "$(volctl --json set ls | jq '.[0].members | length')" = 2 ]
    [ "$(count app-data)" = 1 ]
    [ "$(count app-log)" = 1 ]
    sleep 1
    run -0 volctl policy run app
    [ "$output" = "app: 1 made, 1 expired" ]
    [ "$(volctl --json set ls | jq length)" = 1 ]
    [ "$(count app-log)" = 1 ]
    docker rm -f app
    sleep 1
    run -3 --separate-stderr volctl policy run app
    [[ $stderr == *app* ]]
    volctl policy rm app
}

@test "a label is for whoever has it" {
    volctl volume create --label tier=gold gold1
    volctl volume create --label tier=gold gold2
    volctl volume create --label tier=tin tin
    volctl policy create gold --schedule daily --label tier=gold
    run -0 volctl policy run gold
    [ "$output" = "gold: 2 made, 0 expired" ]
    [ "$(count tin)" = 0 ]
    run -0 volctl policy inspect gold
    [[ $output == *"24h,7d,4w"* ]]
}

@test "runs that were missed while volumed was away are made up by one" {
    volctl volume create away
    volctl policy create away --schedule hourly --keep 24h --volume away
    world_daemon_stop KILL
    sql "UPDATE policy SET due_ms = due_ms - 36000000, next_ms = next_ms - 36000000 WHERE name = 'away'"
    world_daemon_start
    world_eventually 50 eval '[ "$(count away)" = 1 ]'
    sleep 1
    [ "$(count away)" = 1 ]
    [ "$(volctl --json policy inspect away | jq --argjson now "$(date +%s000)" '.next_ms > $now')" = true ]
}

@test "mistakes are told, and leave nothing" {
    volctl volume create sane
    run -2 --separate-stderr volctl policy create bad --schedule '99 * * * *' --volume sane
    [[ $stderr == *minute* ]]
    run -2 --separate-stderr volctl policy create bad --schedule 1h --keep never --volume sane
    run -2 --separate-stderr volctl policy create bad --schedule 1h --volume sane --label a
    run -3 --separate-stderr volctl policy create bad --schedule 1h --volume nowhere
    run -3 --separate-stderr volctl policy create bad --schedule 1h --container nobody
    run -3 --separate-stderr volctl policy inspect bad
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}
