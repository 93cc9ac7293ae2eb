#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Who may write to a volume: access modes, waiting, standing by, promotion, fences, other engines.

load world

setup_file() {
    world_begin
    world_load_busybox
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

# sleeper NAME OPTIONS…
sleeper() {
    local name=$1
    shift
    docker run -d --name "$name" --network none "$@" busybox sleep 600 >/dev/null
}

lease() {
    volctl --json volume leases "$1" | jq -r "$2"
}

can_write() {
    docker exec "$1" touch /d/"$1" 2>/dev/null
}

cannot_write() {
    if can_write "$1"; then return 1; fi
}

@test "a single writer is alone, readers are welcome" {
    docker volume create -o access=single-writer one
    sleeper first -v one:/d
    [ "$(lease one '.access + " " + .leases[0].container + " " + .leases[0].state')" = "single-writer first writer" ]
    run -125 docker run --name second --network none -v one:/d busybox true
    [[ $output == *"volume 'one' is written by container 'first'"* ]]
    docker rm second
    sleeper reader -v one:/d:ro
    run -1 docker exec reader touch /d/no
    can_write first
    local epoch
    epoch=$(lease one .epoch)
    docker restart -t 0 first
    can_write first
    [ "$(lease one .epoch)" -gt "$epoch" ]
    docker rm -f first
    [ "$(lease one '.leases | length')" = 0 ]
    sleeper second -v one:/d
    can_write second
}

@test "exclusive and read-only volumes, and changes of access" {
    volctl volume create --access exclusive alone
    sleeper only -v alone:/d:ro
    run -125 docker run --network none -v alone:/d:ro busybox true
    [[ $output == *"is exclusive, and in use by container 'only'"* ]]
    volctl volume set-access alone read-only
    run -125 docker run --network none -v alone:/d busybox true
    [[ $output == *"is read-only"* ]]
    docker run --rm --network none -v alone:/d:ro busybox true
    volctl volume set-access alone shared
    sleeper aa -v alone:/d
    sleeper bb -v alone:/d
    run -4 --separate-stderr volctl volume set-access alone single-writer
    [[ $stderr == *"container 'aa'"*"written by container 'bb'"* ]]
    [ "$(lease alone .access)" = shared ]
    docker rm -f bb
    volctl volume set-access alone single-writer
    [ "$(lease alone '.leases[0].container')" = aa ]
    run -2 volctl volume set-access alone nonsense
    run -2 volctl volume create --access nonsense bad
    run -1 docker volume inspect bad
}

@test "a start waits for the writer, and is told when it waited in vain" {
    volctl volume create --access single-writer queue
    sleeper now -v queue:/d
    docker create --name next --network none -v queue:/d:wait=20s busybox sleep 600
    docker create --name hasty --network none -v queue:/d:wait=300ms busybox sleep 600
    run -1 docker start hasty
    [[ $output == *"written by container 'now'"* ]]
    docker start next >"$WORLD_DIR/next" 2>&1 3>&- &
    local starter=$!
    sleep 0.5
    [ "$(docker inspect -f '{{.State.Status}}' next)" = created ]
    docker stop -t 0 now
    wait "$starter"
    can_write next
    # volctl says it for all that is attached for writing
    volctl container create --name polite --network none --wait-writer 5s -v queue:/d -v queue:/r:ro busybox true
    [ "$(volctl --json container attachments polite | jq -c '[.[].wait_ms]')" = '[5000,0]' ]
    # the death of a writer frees it as well as its removal
    docker create --name after --network none -v queue:/d:wait=20s busybox sleep 600
    docker start after >/dev/null 3>&- &
    starter=$!
    sleep 0.3
    docker kill next
    wait "$starter"
    can_write after
}

@test "who stands by is promoted when the writer dies, unless somebody waits" {
    volctl volume create --access single-writer main
    sleeper boss -v main:/d
    sleeper heir -v main:/d:standby
    [ "$(docker inspect -f '{{(index .Mounts 0).RW}}' heir)" = false ]
    cannot_write heir
    [ "$(lease main '[.leases[] | .container + ":" + .state] | sort | join(" ")')" = "boss:writer heir:standby" ]
    docker kill boss
    world_eventually 50 can_write heir
    [ "$(docker inspect -f '{{(index .Mounts 0).RW}}' heir)" = true ]
    [ "$(lease main '.leases[0].state')" = writer ]
    [ "$(volctl --json event ls --limit 20 | jq -r '[.[] | select(.action == "promote")] | length')" = 1 ]
    # the former one stands by now
    docker rm -f boss
    sleeper boss2 -v main:/d:standby
    cannot_write boss2
    # one that waits comes first
    docker create --name eager --network none -v main:/d:wait=20s busybox sleep 600
    docker start eager >/dev/null 3>&- &
    local starter=$!
    sleep 0.5
    docker kill heir
    wait "$starter"
    can_write eager
    cannot_write boss2
    # and with succession 'none' nobody
    volctl volume set-access main single-writer --succession none
    docker kill eager
    sleep 0.5
    cannot_write boss2
    [ "$(lease main '.leases[0].state')" = standby ]
}

@test "promotion is made up for when volumed was away" {
    volctl volume create --access single-writer dark
    sleeper ww -v dark:/d
    sleeper ss -v dark:/d:standby
    local pid
    pid=$(docker inspect -f '{{.State.Pid}}' ww)
    world_daemon_stop KILL
    kill -KILL "$pid"
    world_daemon_start
    world_eventually 80 can_write ss
}

@test "a fenced container is read-only or stopped" {
    volctl volume create fence
    sleeper idle -v fence:/d
    sleeper busy -v fence:/d
    docker exec -d busy sh -c 'exec 5>/d/open; exec sleep 300'
    world_eventually 30 docker exec busy test -e /d/open
    # one that has nothing open is made read-only and goes on
    run -0 volctl volume fence fence --container idle
    [[ $output == "idle: read-only (epoch 1)" ]]
    cannot_write idle
    [ "$(docker inspect -f '{{.State.Running}} {{(index .Mounts 0).RW}}' idle)" = "true false" ]
    # one that has says who, and stays as it was, or is stopped
    run -5 --separate-stderr volctl volume fence fence --container busy --how read-only
    [[ $stderr == *"/d/open' open for writing"* ]]
    can_write busy
    [ "$(lease fence '[.leases[] | .container + ":" + .state] | join(" ")')" = "idle:fenced" ]
    run -0 volctl volume fence fence
    [[ $output == "busy: stop (epoch "* ]]
    [ "$(docker inspect -f '{{.State.Status}}' busy)" = exited ]
    [ "$(docker inspect -f '{{.State.Running}}' idle)" = true ]
    # fenced containers come back only where the succession says so
    sleep 0.3
    cannot_write idle
    volctl volume set-access fence single-writer --succession fenced
    docker start busy
    docker kill busy
    world_eventually 50 can_write idle
    run -0 volctl volume fence fence --how stop
    [ "$(docker inspect -f '{{.State.Status}}' idle)" = exited ]
    run -4 volctl volume fence fence --container idle
    run -2 volctl volume fence fence --how nonsense
}

@test "a fence holds over kill -9 of volumed, and through the container's own start" {
    volctl volume create held
    sleeper one -v held:/d
    volctl volume fence held --how read-only
    world_daemon_stop KILL
    world_daemon_start
    cannot_write one
    [ "$(docker inspect -f '{{(index .Mounts 0).RW}}' one)" = false ]
    docker restart -t 0 one
    can_write one
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

@test "exclusive attachments and other engines" {
    plugin() { curl -s --unix-socket "$WORLD_DIR/plugin.sock" -H 'Content-Type: application/json' -d "$2" "http://d/VolumeDriver.$1"; }
    world_daemon_stop
    world_daemon_start --plugin-socket "$WORLD_DIR/plugin.sock"
    volctl volume create --access single-writer theirs
    plugin Mount '{"Name": "theirs", "ID": "e1"}' | jq -e '.Err // "" | . == ""'
    run -125 docker run --name no --network none -v theirs:/d busybox true
    [[ $output == *"used by another engine"* ]]
    docker rm no
    plugin Mount '{"Name": "theirs", "ID": "e2"}' | jq -e '.Err | test("another engine")'
    plugin Mount '{"Name": "theirs", "ID": "e1"}' | jq -e '.Err // "" | . == ""'
    plugin Unmount '{"Name": "theirs", "ID": "e1"}' | jq -e '.Err // "" | . == ""'
    plugin Unmount '{"Name": "theirs", "ID": "e1"}' | jq -e '.Err // "" | . == ""'
    sleeper ours -v theirs:/d
    plugin Mount '{"Name": "theirs", "ID": "e1"}' | jq -e '.Err | test("written by container .ours.")'
    volctl volume create plain
    sleeper xx -v plain:/d:exclusive
    plugin Mount '{"Name": "plain", "ID": "e1"}' | jq -e '.Err | test("written by container .xx.")'
}
