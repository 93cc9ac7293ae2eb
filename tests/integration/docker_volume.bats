#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docker volume …, and volumes as containers see them.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

@test "volume create prints the name and ls shows it" {
    run -0 docker volume create --label a=b v1
    [ "$output" = v1 ]
    run -0 docker volume ls --format '{{.Driver}} {{.Name}}'
    [[ $output == *"local v1"* ]]
    [ "$(docker volume inspect -f '{{.Labels}} {{.Scope}} {{.Driver}}' v1)" = "map[a:b] local local" ]
}

@test "volume create without a name makes an anonymous volume" {
    run -0 docker volume create
    [[ $output =~ ^[0-9a-f]{64}$ ]]
    run -0 docker volume inspect -f '{{json .Labels}}' "$output"
    [ "$output" = '{"com.docker.volume.anonymous":""}' ]
}

@test "volume create again with the same options is the same volume, with others a conflict" {
    docker volume create -o mode=0750 same
    [ "$(docker volume create -o mode=0750 same)" = same ]
    run -1 docker volume create -o mode=0700 same
    [[ $output == "Error response from daemon: "* ]]
}

@test "volume create refuses bad names in dockerd's words" {
    run -1 docker volume create a/b
    [ "$output" = 'Error response from daemon: create a/b: "a/b" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path' ]
    run -1 docker volume create x
    [ "$output" = 'Error response from daemon: create x: volume name is too short, names should be at least two alphanumeric characters' ]
}

@test "volume create with the driver volumed is as with local, with another it fails" {
    docker volume create -d volumed ours
    [ "$(docker volume inspect -f '{{.Driver}}' ours)" = local ]
    run -1 docker volume create -d nosuchplug x2
    [[ $output == *'error looking up volume plugin nosuchplug: plugin "nosuchplug" not found'* ]]
}

@test "volume create takes owner and mode as driver options" {
    docker volume create -o uid=1000 -o gid=1000 -o mode=0700 owned
    run -0 stat -c '%u %g %a' "$(docker volume inspect -f '{{.Mountpoint}}' owned)"
    [ "$output" = "1000 1000 700" ]
}

@test "volume create refuses options that nobody knows" {
    run -1 docker volume create -o bogus=1 odd
    [ "$output" = 'Error response from daemon: create odd: invalid option: "bogus"' ]
    run -1 docker volume create -o type=tmpfs odd
    [ "$output" = 'Error response from daemon: create odd: missing required option: "device"' ]
}

@test "volume create mounts what the local driver mounts" {
    docker volume create -o type=tmpfs -o device=tmpfs -o o=size=1m small
    run -0 docker run --rm -v small:/s busybox df -k /s
    [[ ${lines[1]} == *1024* ]]
}

@test "volume create from another volume clones it" {
    docker volume create first
    docker run --rm -v first:/v busybox sh -c 'echo one > /v/file'
    docker volume create -o from=first second
    docker run --rm -v first:/v busybox sh -c 'echo two > /v/file'
    [ "$(docker run --rm -v second:/v busybox cat /v/file)" = one ]
    run -1 docker volume create -o from=nosuch third
    [[ $output == *"no such volume"* ]]
}

@test "volume inspect of a missing volume" {
    run -1 docker volume inspect nosuch
    [[ $output == *"get nosuch: no such volume" || $output == *"No such volume: nosuch" ]]
    run -1 docker volume inspect a/b
    [[ $output == *"get a/b: no such volume" || $output == *"No such volume: a/b" ]]
}

@test "volume inspect shows pool and snapshots" {
    docker volume create shown
    curl -sf --unix-socket "$VOLUMED_SOCKET" -H 'Content-Type: application/json' \
        -d '{"name":"s1"}' http://d/volumed/v1/volumes/shown/snapshots
    run -0 docker volume inspect -f '{{json .Status.Snapshots}}' shown
    [ "$output" = '["s1"]' ]
    run -1 docker volume rm shown
    [[ $output == *"snapshot"* ]]
}

@test "volume ls filters" {
    docker volume create --label tier=db filtered
    run -0 docker volume ls -q -f name=filt -f label=tier=db -f driver=local
    [ "$output" = filtered ]
    run -0 docker volume ls -q -f dangling=true -f name=filtered
    [ "$output" = filtered ]
    run -0 docker volume ls -q -f dangling=false -f name=filtered
    [ -z "$output" ]
    run -1 docker volume ls -f bogus=1
    [ "$output" = "Error response from daemon: invalid filter 'bogus'" ]
}

@test "volume rm, rm -f, and rm of a missing volume" {
    docker volume create gone
    run -0 docker volume rm gone
    [ "$output" = gone ]
    run -1 docker volume rm gone
    [[ $output == *"get gone: no such volume" || $output == *"No such volume: gone" ]]
    run -0 docker volume rm -f gone
    [ "$output" = gone ]
}

@test "volume rm is refused while a container refers to it, also a stopped one" {
    docker volume create held
    id=$(docker create -v held:/v busybox)
    run -1 docker volume rm held
    [ "$output" = "Error response from daemon: remove held: volume is in use - [$id]" ]
    docker rm "$id"
    docker volume rm held
}

@test "volume prune takes anonymous volumes only, with -a named ones too" {
    docker volume create kept
    ! world_cli_is_old || skip "docker before 23 asks for all volumes to be pruned"
    anonymous=$(docker volume create)
    run -0 docker volume prune -f
    [[ $output == *"$anonymous"* && $output == *"Total reclaimed space:"* ]]
    docker volume inspect kept >/dev/null
    run -0 docker volume prune -a -f --filter label!=keep
    [[ $output == *kept* ]]
    run -1 docker volume inspect kept
}

@test "data outlives the container that wrote it" {
    docker run --rm -v data:/v busybox sh -c 'echo kept > /v/file'
    [ "$(docker run --rm -v data:/v busybox cat /v/file)" = kept ]
}

@test "an empty new volume is seeded from the image, unless nocopy" {
    [ "$(docker run --rm -v seeded:/data busybox cat /data/seed)" = seed ]
    [ "$(docker run --rm -v seeded:/v busybox stat -c %u /v/seed)" = 1000 ]
    run -1 docker run --rm --mount type=volume,src=bare,dst=/data,volume-nocopy busybox \
        cat /data/seed
}

@test "a read-only volume cannot be written" {
    run -1 docker run --rm -v frozen:/v:ro busybox touch /v/file
    [[ $output == *"Read-only file system"* ]]
    run -1 docker run --rm --mount type=volume,src=frozen,dst=/v,readonly busybox touch /v/file
}

@test "volume-subpath shows a directory of a volume" {
    ! world_cli_is_old || skip "docker before 26 has no volume-subpath"
    docker run --rm -v deep:/v busybox sh -c 'mkdir -p /v/a/b && echo low > /v/a/b/file'
    run -0 docker run --rm --mount type=volume,src=deep,dst=/s,volume-subpath=a/b busybox \
        cat /s/file
    [ "$output" = low ]
    run docker run --rm --mount type=volume,src=deep,dst=/s,volume-subpath=../x busybox true
    [ "$status" -ne 0 ]
}

@test "anonymous volumes go with --rm and rm -v, and stay with rm" {
    before=$(docker volume ls -q | sort)
    docker run --rm -v /scratch busybox true
    [ "$(docker volume ls -q | sort)" = "$before" ]
    id=$(docker create -v /scratch busybox)
    volume=$(docker inspect -f '{{(index .Mounts 0).Name}}' "$id")
    docker rm "$id"
    docker volume inspect "$volume" >/dev/null
    id=$(docker create -v /scratch -v data:/d busybox)
    volume=$(docker inspect -f '{{range .Mounts}}{{if eq .Destination "/scratch"}}{{.Name}}{{end}}{{end}}' "$id")
    docker rm -v "$id"
    run -1 docker volume inspect "$volume"
    docker volume inspect data >/dev/null
}

@test "volumes-from shares the volumes of another container" {
    docker run --name giver -v given:/g busybox sh -c 'echo x > /g/file'
    [ "$(docker run --rm --volumes-from giver busybox cat /g/file)" = x ]
    run -1 docker run --rm --volumes-from giver:ro busybox touch /g/other
    docker rm giver
}

@test "tmpfs and bind mounts" {
    run -0 docker run --rm --tmpfs /t:size=1m --mount type=tmpfs,dst=/u,tmpfs-size=2m busybox \
        sh -c 'df -k /t /u | tail -n 2'
    [[ $output == *1024*2048* ]]
    mkdir "$WORLD_DIR/host"
    echo host >"$WORLD_DIR/host/file"
    [ "$(docker run --rm -v "$WORLD_DIR/host:/h:ro" busybox cat /h/file)" = host ]
    run -125 docker run --rm --mount type=bind,src=/nosuch/dir,dst=/h busybox true
    [[ $output == *'invalid mount config for type "bind": bind source path does not exist: /nosuch/dir'* ]]
}

@test "the same destination twice is refused" {
    run -1 docker create -v one1:/x -v two2:/x/ busybox
    [[ $output == *"Duplicate mount point: /x"* ]]
}
