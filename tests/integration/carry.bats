#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# Anonymous volumes of a removed container, for its successor that another client makes.

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
    [ -z "$WORLD_SKIP" ] || return 0
    docker ps -aq | xargs -r docker rm -f >/dev/null
    docker volume ls -q | xargs -r docker volume rm >/dev/null
    volctl trash purge --all >/dev/null
}

# serve NAME [OPTION…]
serve() {
    docker run -d --name "$1" "${@:2}" busybox sleep 1000
}

volume_at() {
    docker inspect -f "{{range .Mounts}}{{if eq .Destination \"$2\"}}{{.Name}}{{end}}{{end}}" "$1"
}

@test "rm and run with the label: the same volume at the same place" {
    serve web -v /data -v /cache >/dev/null
    docker exec web sh -c 'echo mine >/data/file; rm /data/seed'
    before=$(volume_at web /data)
    docker rm -f web >/dev/null
    run -0 --separate-stderr serve web -v /data --label volumed.carry=anonymous
    [ -z "$stderr" ]
    [ "$(volume_at web /data)" = "$before" ]
    [ -n "$(volume_at web /cache)" ]
    [ "$(docker exec web ls /data)" = file ]
    [ "$(docker volume ls -q | wc -l)" = 2 ]
}

@test "removed with -v by one that has the label, they come back from the trash; also of --rm" {
    serve web -v /data --label volumed.carry=anonymous >/dev/null
    docker exec web sh -c 'echo mine >/data/file'
    before=$(volume_at web /data)
    docker rm -f -v web >/dev/null
    [ -z "$(docker volume ls -q)" ]
    [ "$(volctl trash ls --json | jq -r '.[].name')" = "$before" ]
    serve web --rm --label volumed.carry=anonymous:required >/dev/null
    [ "$(volume_at web /data)" = "$before" ]
    docker stop -t 0 web >/dev/null
    world_eventually 50 sh -c '! docker inspect web >/dev/null 2>&1'
    serve web --label volumed.carry=anonymous >/dev/null
    [ "$(docker exec web cat /data/file)" = mine ]
    [ "$(volctl trash ls --json | jq length)" = 0 ]
}

@test "where there is nothing to carry: a warning, or with 'required' a refusal that leaves nothing" {
    run -0 --separate-stderr serve lone -v /data --label volumed.carry=anonymous
    [[ $stderr == *"No container lone with anonymous volumes was removed lately"* ]]
    run -125 serve new -v /data --label volumed.carry=anonymous:required
    [[ $output == *"none of that name was removed within the window"* ]]
    run -125 serve new -v /data --label volumed.carry=all
    [[ $output == *"invalid label volumed.carry=all"* ]]
    [ "$(docker ps -aq | wc -l)" = 1 ]
    [ "$(docker volume ls -q | wc -l)" = 1 ]
}

@test "only of the last container of the name, and a named volume goes before" {
    serve web -v /data >/dev/null
    docker rm -f web >/dev/null
    serve web -v /data >/dev/null
    last=$(volume_at web /data)
    docker rm -f web >/dev/null
    serve web -v named:/data --label volumed.carry=anonymous >/dev/null
    [ "$(volume_at web /data)" = named ]
    docker rm -f web >/dev/null
    run -0 --separate-stderr serve web --label volumed.carry=anonymous
    [[ $stderr == *"No container web"* ]]
    docker volume inspect "$last" >/dev/null
}

@test "a create that fails after all puts them back; past the window they are not taken" {
    serve web -v /data --label volumed.carry=anonymous >/dev/null
    docker rm -f -v web >/dev/null
    run -125 serve web --label volumed.carry=anonymous -v one:/x -v two:/x
    [[ $output == *uplicate* ]]
    [ "$(volctl trash ls --json | jq length)" = 1 ]
    world_daemon_stop
    world_daemon_start --carry-window 1s
    sleep 1.1
    docker ps -aq | xargs -r docker rm -f >/dev/null
    run -0 --separate-stderr serve web -v /data --label volumed.carry=anonymous
    [[ $stderr == *"No container web"* ]]
    world_daemon_stop
    world_daemon_start
}

@test "docker-compose: kept when it recreates, carried when it was taken down" {
    command -v docker-compose >/dev/null || skip "needs docker-compose"
    dir=$WORLD_DIR/compose
    mkdir -p "$dir"
    cat >"$dir/docker-compose.yml" <<END
version: "3.7"
services:
  web:
    image: busybox
    command: sleep 1000
    network_mode: none
    stop_signal: SIGKILL
    environment: { GENERATION: "\${GENERATION}" }
    labels: { volumed.carry: anonymous }
    volumes: [ "/data" ]
END
    compose() {
        (cd "$dir" && docker-compose -p app "$@")
    }
    GENERATION=1 compose up -d
    name=$(docker ps --format '{{.Names}}')
    docker exec "$name" sh -c 'echo mine >/data/file'
    volume=$(volume_at "$name" /data)
    GENERATION=2 compose up -d
    [ "$(docker exec "$name" sh -c 'echo $GENERATION; cat /data/file')" = "2
mine" ]
    GENERATION=3 compose down -v
    GENERATION=3 compose up -d
    [ "$(volume_at "$name" /data)" = "$volume" ]
    [ "$(docker exec "$name" cat /data/file)" = mine ]
}
