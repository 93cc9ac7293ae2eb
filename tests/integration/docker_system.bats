#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The engine as a whole: version negotiation, info, df, prune, and the parts that are not there.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

# get PATH: body and status of a GET.
get() {
    curl -s -w '\n%{http_code}' --unix-socket "$VOLUMED_SOCKET" "http://d$1"
}

@test "version and info" {
    run -0 docker version --format '{{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}'
    [ "$output" = "1.43 1.24 linux" ]
    run -0 docker version
    run -0 docker info
    [[ $output == *"Containers: "* && $output == *"Server Version: "* ]]
    run -0 docker info --format '{{.OSType}} {{.Images}}'
    [ "$output" = "linux 1" ]
}

@test "ping answers HEAD and GET with the version in the head" {
    run -0 curl -sI --unix-socket "$VOLUMED_SOCKET" http://d/_ping
    [[ ${output,,} == *"api-version: 1.43"* && ${output,,} == *"ostype: linux"* ]]
    run -0 get /_ping
    [ "$output" = $'OK\n200' ]
}

@test "versions that are too new or too old are refused in dockerd's words" {
    run -0 get /v1.44/info
    [[ $output == *'"client version 1.44 is too new. Maximum supported API version is 1.43"'*400 ]]
    run -0 get /v1.23/info
    [[ $output == *'client version 1.23 is too old. Minimum supported API version is 1.24'*400 ]]
    run -0 get /v1.24/volumes
    [[ $output == *200 ]]
    DOCKER_API_VERSION=1.30 docker ps
}

@test "what is unknown is 404 in JSON" {
    run -0 get /nosuch
    [[ $output == *'"message":"page not found"'*404 ]]
    run -0 get /v1.43/containers/nosuch/json
    [[ $output == *'"message":"No such container: nosuch"'*404 ]]
}

@test "bodies are checked: type, end, syntax" {
    run -0 curl -s --unix-socket "$VOLUMED_SOCKET" -H 'Content-Type: text/plain' -d x \
        http://d/volumes/create
    [[ $output == *"unsupported Content-Type header (text/plain): must be 'application/json'"* ]]
    run -0 curl -s --unix-socket "$VOLUMED_SOCKET" -X POST -H 'Content-Type: application/json' \
        http://d/volumes/create
    [[ $output == *"invalid JSON: got EOF while reading request body"* ]]
}

@test "names in bodies are taken in any case and nulls as absent" {
    run -0 curl -s --unix-socket "$VOLUMED_SOCKET" -H 'Content-Type: application/json' \
        -d '{"name":"lower","DRIVER":null,"Labels":null,"Unknown":1}' http://d/volumes/create
    [ "$(jq -r .Name <<<"$output")" = lower ]
    docker volume rm lower
}

@test "system df counts images, containers and volumes" {
    docker run --name held -v counted:/v busybox sh -c 'head -c 100000 /dev/zero > /v/file'
    run -0 docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
    [ "${lines[0]}" = "Images 1 1" ]
    [ "${lines[1]}" = "Containers 1 0" ]
    [ "${lines[2]}" = "Local Volumes 1 1" ]
    run -0 docker system df -v
    [[ $output == *counted* ]]
    docker rm held
    docker volume rm counted
}

@test "system prune takes containers, dangling images, and volumes when asked" {
    docker run --name ended busybox true
    anonymous=$(docker volume create)
    run -0 docker system prune -f
    [[ $output == *"Deleted Containers:"* && $output == *"Total reclaimed space:"* ]]
    docker volume inspect "$anonymous" >/dev/null
    run -0 docker system prune -f --volumes
    [[ $output == *"$anonymous"* ]]
    docker image inspect busybox >/dev/null
}

@test "networks: none and host, fixed" {
    run -0 docker network ls --format '{{.Name}} {{.Driver}}'
    [ "$(sort <<<"$output")" = $'host host\nnone null' ]
    docker network inspect none >/dev/null
    run -1 docker network create n1
    [[ $output == *"volumed has no networks of its own yet"* ]]
    run -1 docker network rm none
    [[ $output == *"none is a pre-defined network and cannot be removed"* ]]
    run -0 docker network prune -f
}

@test "swarm and plugins answer as an engine outside of a swarm" {
    run -1 docker secret ls
    [[ $output == *"This node is not a swarm manager."* ]]
    run -1 docker node ls
    [[ $output == *"This node is not a swarm manager."* ]]
    run -0 docker plugin ls -q
    [ -z "$output" ]
    run -0 docker builder prune -f
}
