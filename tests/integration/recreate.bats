#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# Containers replaced by others: image and data go forward together, or both come back.

load world

# A server that answers TERM, and writes who it is to its volume when it starts.
SERVER='trap "exit 0" TERM; echo $WHO >>/data/log; touch /data/up-$WHO; while :; do sleep 0.05; done'

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
    name=web$BATS_TEST_NUMBER
    volume=data$BATS_TEST_NUMBER
    docker run -d --name "$name" -v "$volume:/data" -v /anonymous -e WHO=old -l kept=yes busybox \
        sh -c "$SERVER" >/dev/null
    world_eventually 50 has_line old
}

teardown() {
    docker rm -fv "$name" >/dev/null 2>&1 || true
}

has_line() {
    docker exec "$name" grep -q "$1" /data/log
}

log() {
    docker exec "$name" cat /data/log
}

image_of() {
    docker inspect -f '{{.Config.Image}}' "$name"
}

# make_image NAME CMD: busybox with another command.
make_image() {
    docker rm -f maker >/dev/null 2>&1 || true
    docker create --name maker busybox true >/dev/null
    docker commit -c "CMD $2" maker "$1" >/dev/null
    docker rm maker >/dev/null
}

is_whole() {
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
    [ -z "$(docker ps -a --format '{{.Names}}' | grep -F .next-)" ]
}

@test "a new container takes name, volumes, labels and anonymous volumes over" {
    anonymous=$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/anonymous"}}{{.Name}}{{end}}{{end}}' "$name")
    docker exec "$name" touch /anonymous/mine
    old=$(docker inspect -f '{{.Id}}' "$name")
    run -0 volctl container recreate "$name" --probation 200ms -e WHO=new
    [[ $output == *"$name: committed"* ]]
    [ "$(docker inspect -f '{{.Id}}' "$name")" != "$old" ]
    world_eventually 50 has_line new
    [ "$(log)" = old$'\n'new ]
    docker exec "$name" test -e /anonymous/mine
    [ "$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/anonymous"}}{{.Name}}{{end}}{{end}}' "$name")" = "$anonymous" ]
    [ "$(docker inspect -f '{{.Config.Labels.kept}}' "$name")" = yes ]
    run -0 docker ps -a --format '{{.Names}}'
    [ "$output" = "$name" ]
    run -0 volctl container history "$name" --json
    [ "$(jq -c '[.[] | [.number, .outcome]]' <<<"$output")" = '[[2,"current"],[1,"replaced"]]' ]
    [ "$(jq -cS '.[0].changes' <<<"$output")" = '[{"from":"old","option":"Env.WHO","to":"new"}]' ]
    [ "$(jq -c '[.[1].changes, (.[1].lasted_ms > 0)]' <<<"$output")" = '[null,true]' ]
    is_whole
}

@test "what was written in the probation is told, whether it stays or goes" {
    run -0 volctl container recreate "$name" --probation 1s --json -- \
        sh -c 'dd if=/dev/zero of=/data/big bs=1k count=64 2>/dev/null; echo x >>/data/log; trap "exit 0" TERM; sleep 1000 & wait'
    [ "$(jq -c '.report | [.files_added, .files_changed, .bytes_written >= 65536, .downtime_ms > 0]' <<<"$output")" = \
        '[1,1,true,true]' ]
    run -1 volctl container recreate "$name" --probation 1s -- \
        sh -c 'dd if=/dev/zero of=/data/more bs=1k count=8 2>/dev/null; exit 3'
    [[ $output == *"written in probation: 8"*" in 1 new and 0 changed files" ]]
    run -0 volctl container history "$name"
    [[ $output == *"CHANGED"*"Cmd"* ]]
    is_whole
}

@test "the new image's own settings come from the new image" {
    docker rm -f maker >/dev/null 2>&1 || true
    docker create --name maker busybox true >/dev/null
    docker commit -c "ENV FROM_IMAGE=2" -c "LABEL made=there" maker second >/dev/null
    docker rm maker >/dev/null
    volctl container recreate "$name" --image second --probation 0
    [ "$(docker exec "$name" sh -c 'echo $FROM_IMAGE $WHO')" = "2 old" ]
    [ "$(docker inspect -f '{{.Config.Labels.made}} {{.Config.Labels.kept}}' "$name")" = "there yes" ]
}

@test "one that exits is rolled back: old container, old data, and what it wrote is kept" {
    run -1 volctl container recreate "$name" --probation 5s -- \
        sh -c 'echo broken >/data/log; rm -f /data/up-old; exit 3'
    [[ $output == *"rolled back: the new container $name exited with status 3"* ]]
    world_eventually 50 has_line old
    [ "$(log)" = old$'\n'old ]
    docker exec "$name" test -e /data/up-old
    set=$(volctl container history "$name" --json | jq -r '.[] | select(.outcome == "failed") | .set')
    volctl volume clone "$volume@$set" "failed$BATS_TEST_NUMBER"
    [ "$(cat "$(docker volume inspect -f '{{.Mountpoint}}' "failed$BATS_TEST_NUMBER")/log")" = broken ]
    is_whole
}

@test "the logs of one that failed can still be read" {
    run -1 volctl container recreate "$name" --probation 5s -- sh -c 'echo last words; exit 1'
    failed=$(volctl container history "$name" --json | jq -r '.[] | select(.outcome == "failed") | .container')
    run -0 docker logs "$failed"
    [ "$output" = "last words" ]
    run -1 docker start "$failed"
    [[ $output == *"volctl container rollback"* ]]
}

@test "one that never gets healthy is rolled back, one that does is committed early" {
    docker rm -f maker >/dev/null 2>&1 || true
    docker create --name maker --health-cmd false --health-interval 100ms --health-retries 1000 busybox true >/dev/null
    docker commit maker sick >/dev/null
    docker rm maker >/dev/null
    run -1 volctl container recreate "$name" --image sick --probation 1s -e WHO=sick
    [[ $output == *"not healthy within 1 s"* ]]
    [ "$(image_of)" = busybox ]
    docker create --name maker --health-cmd true --health-interval 100ms busybox true >/dev/null
    docker commit maker well >/dev/null
    docker rm maker >/dev/null
    began=$(date +%s)
    run -0 volctl container recreate "$name" --image well --probation 60s -e WHO=well
    [ $(($(date +%s) - began)) -lt 20 ]
    [ "$(image_of)" = well ]
}

@test "a probe must pass" {
    run -1 volctl container recreate "$name" --probation 1500ms --probe 'test -e /data/never'
    [[ $output == *"probe"* ]]
    run -0 volctl container recreate "$name" --probation 20s --probe 'test -e /data/up-new' -e WHO=new
    has_line new
}

@test "a restart loop is a failure" {
    docker rm -f "$name" >/dev/null
    docker run -d --name "$name" --restart always -v "$volume:/data" -e WHO=loop busybox sh -c "$SERVER" >/dev/null
    run -1 volctl container recreate "$name" --probation 10s -- sh -c 'sleep 0.2; exit 1'
    [[ $output == *"exited"* ]]
    world_eventually 50 docker exec "$name" true
    [ "$(docker inspect -f '{{.State.Running}}' "$name")" = true ]
}

@test "what is wrong is said before anything is touched" {
    id=$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$name")
    run -3 volctl container recreate "$name" --image no-such-image
    [[ $output == *"no-such-image"* ]]
    run ! volctl container recreate "$name" -v 'bad name:/x'
    [ "$(docker inspect -f '{{.Id}} {{.State.StartedAt}}' "$name")" = "$id" ]
    [ "$(volctl container history "$name" --json | jq length)" = 1 ]
    is_whole
}

@test "a volume that a stranger may write is refused, unless the stranger comes along" {
    docker run -d --name "other$BATS_TEST_NUMBER" -v "$volume:/data" -e WHO=other busybox sh -c "$SERVER" >/dev/null
    run ! volctl container recreate "$name" --probation 0
    [[ $output == *"other$BATS_TEST_NUMBER"* ]]
    run -0 volctl container recreate "$name" "other$BATS_TEST_NUMBER" --probation 300ms
    [ "$(docker inspect -f '{{.State.Running}}' "other$BATS_TEST_NUMBER")" = true ]
    run -1 volctl container recreate "$name" "other$BATS_TEST_NUMBER=busybox" --probation 3s \
        --probe 'grep -q never /data/log'
    [ "$(docker inspect -f '{{.State.Running}}' "other$BATS_TEST_NUMBER")" = true ]
    docker rm -f "other$BATS_TEST_NUMBER" >/dev/null
    docker run -d --name "other$BATS_TEST_NUMBER" -v "$volume:/data:ro" busybox sleep 100 >/dev/null
    run -0 volctl container recreate "$name" --probation 0
    docker rm -f "other$BATS_TEST_NUMBER" >/dev/null
}

@test "--rm has nothing to go back to" {
    docker run -d --rm --name "short$BATS_TEST_NUMBER" busybox sleep 100 >/dev/null
    run ! volctl container recreate "short$BATS_TEST_NUMBER"
    [[ $output == *"--rm"* ]]
    docker rm -f "short$BATS_TEST_NUMBER" >/dev/null
}

@test "a renamed volume is still the volume" {
    volctl volume rename "$volume" "moved$BATS_TEST_NUMBER" || skip "renamed only while nothing runs"
    run -0 volctl container recreate "$name" --probation 0 -e WHO=new
    world_eventually 50 has_line new
    [ "$(log)" = old$'\n'new ]
    run ! docker volume inspect "$volume"
}

@test "an earlier generation comes back with its data, and goes again" {
    volctl container recreate "$name" --probation 0 -e WHO=new
    world_eventually 50 has_line new
    run -0 volctl container rollback "$name" --probation 200ms
    world_eventually 50 docker exec "$name" sh -c 'test "$(tail -1 /data/log)" = old'
    [ "$(log)" = old$'\n'old ]
    run -0 volctl container rollback "$name" --to 2 --probation 200ms
    world_eventually 50 docker exec "$name" sh -c 'test "$(grep -c new /data/log)" = 2'
    [ "$(log)" = old$'\n'new$'\n'new ]
    run -3 volctl container rollback "$name" --to 9
    is_whole
}

@test "only so many generations are kept, and all go with the container" {
    for i in 1 2 3; do volctl container recreate "$name" --probation 0 --keep 1; done
    [ "$(volctl container history "$name" --json | jq length)" = 2 ]
    [ "$(volctl snapshot ls "$volume" --json | jq length)" = 1 ]
    docker rm -f "$name"
    [ "$(volctl snapshot ls "$volume" --json | jq length)" = 0 ]
    run -0 docker ps -aq
    [ -z "$output" ]
}

@test "a manual probation waits for a person" {
    volctl container recreate "$name" --probation manual -e WHO=new
    run ! volctl container recreate "$name"
    [[ $output == *"in recreation"* ]]
    run -0 volctl container undo "$name"
    [ "$(docker exec "$name" sh -c 'echo $WHO')" = old ]
    volctl container recreate "$name" --probation manual -e WHO=new
    run -0 volctl container commit "$name"
    [ "$(docker exec "$name" sh -c 'echo $WHO')" = new ]
}

@test "new data can be kept as a volume when it is rolled back" {
    run -1 volctl container recreate "$name" --probation 5s --keep-new-data-as "kept$BATS_TEST_NUMBER" -- \
        sh -c 'echo precious >>/data/log; exit 1'
    found=$(grep -l precious "$(docker volume inspect -f '{{.Mountpoint}}' "kept$BATS_TEST_NUMBER-$volume")/log")
    [ -n "$found" ]
}

@test "a dry run changes nothing" {
    id=$(docker inspect -f '{{.Id}}' "$name")
    run -0 volctl container recreate "$name" --dry-run
    [[ $output == *"2 volumes would be cut"* ]]
    [ "$(docker inspect -f '{{.Id}}' "$name")" = "$id" ]
}

@test "a probation goes on over a kill of volumed" {
    volctl container recreate "$name" --probation 2s --detach -e WHO=new
    world_eventually 50 has_line new
    world_daemon_stop KILL
    world_daemon_start
    world_eventually 100 sh -c "volctl container history $name --json | jq -e '.[0].number == 2'"
    world_eventually 60 sh -c "curl -s --unix-socket $WORLD_DIR/volumed.sock 'http://d/volumed/v1/recreations?container=$name' |
        jq -e '.recreations[0].state == \"committed\"'"
    is_whole
}

@test "what volumed was killed in the middle of is undone" {
    docker rm -f "$name" >/dev/null
    docker run -d --name "$name" --stop-timeout 3 -v "$volume:/data" -e WHO=old busybox \
        sh -c 'trap "" TERM; echo $WHO >>/data/log; while :; do sleep 0.05; done' >/dev/null
    volctl container recreate "$name" --probation 0 --detach -e WHO=new
    world_daemon_stop KILL
    world_daemon_start
    world_eventually 100 sh -c "curl -s --unix-socket $WORLD_DIR/volumed.sock 'http://d/volumed/v1/recreations?container=$name' |
        jq -e '.recreations[0].state == \"rolled_back\"'"
    [ "$(docker exec "$name" sh -c 'echo $WHO')" = old ]
    is_whole
}

@test "anonymous volumes stay with rm, and go with rm -v, whatever generations share them" {
    anonymous=$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/anonymous"}}{{.Name}}{{end}}{{end}}' "$name")
    volctl container recreate "$name" --probation 0
    docker rm -f "$name"
    docker volume inspect "$anonymous"
    docker run -d --name "$name" -v "$anonymous:/named" -v /other busybox sh -c "$SERVER"
    other=$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/other"}}{{.Name}}{{end}}{{end}}' "$name")
    volctl container recreate "$name" --probation 0
    docker rm -fv "$name"
    docker volume inspect "$anonymous"
    run ! docker volume inspect "$other"
    is_whole
}
