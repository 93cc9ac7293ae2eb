#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docker images, load, import, save, tag, rmi, history, and what is refused.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

@test "load tells what it loaded; images shows it" {
    run -0 docker load -i "$WORLD_DIR/busybox.tar"
    [ "$output" = "Loaded image: busybox:latest" ]
    run -0 docker images --format '{{.Repository}}:{{.Tag}}' busybox
    [ "$output" = busybox:latest ]
}

@test "load of rubbish fails" {
    head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/rubbish"
    run -1 docker load -i "$BATS_TEST_TMPDIR/rubbish"
    run -1 docker load -i /dev/null
}

@test "load takes gzip and zstd" {
    gzip -c "$WORLD_DIR/busybox.tar" >"$BATS_TEST_TMPDIR/b.tar.gz"
    run -0 docker load -i "$BATS_TEST_TMPDIR/b.tar.gz"
    [ "$output" = "Loaded image: busybox:latest" ]
}

@test "import makes an image of a root filesystem" {
    world_make_root "$BATS_TEST_TMPDIR/root"
    tar -C "$BATS_TEST_TMPDIR/root" -cf "$BATS_TEST_TMPDIR/root.tar" .
    run -0 docker import -m imported -c 'CMD ["echo", "from import"]' -c 'ENV PATH=/bin' \
        "$BATS_TEST_TMPDIR/root.tar" imp:v1
    [[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
    [ "$(docker run --rm imp:v1)" = "from import" ]
    run -0 docker import - piped <"$BATS_TEST_TMPDIR/root.tar"
    [ "$(docker images -q piped | wc -l)" = 1 ]
    docker rmi imp:v1 piped
}

@test "save and load again is the same image" {
    id=$(docker image inspect -f '{{.Id}}' busybox)
    docker save -o "$BATS_TEST_TMPDIR/saved.tar" busybox
    tar -tf "$BATS_TEST_TMPDIR/saved.tar" | grep -q '^manifest.json$'
    tar -tf "$BATS_TEST_TMPDIR/saved.tar" | grep -q '^index.json$'
    docker rmi busybox
    run -0 docker load -i "$BATS_TEST_TMPDIR/saved.tar"
    [ "$output" = "Loaded image: busybox:latest" ]
    [ "$(docker image inspect -f '{{.Id}}' busybox)" = "$id" ]
    run -1 docker save -o "$BATS_TEST_TMPDIR/none.tar" nosuch
    [[ $output == *"No such image: nosuch"* ]]
}

@test "tag, tags with registries, and rmi one by one" {
    docker tag busybox reg.example:5000/a/b:c
    run -0 docker images --format '{{.Repository}}:{{.Tag}}' reg.example:5000/a/b
    [ "$output" = reg.example:5000/a/b:c ]
    run -0 docker rmi reg.example:5000/a/b:c
    [ "$output" = "Untagged: reg.example:5000/a/b:c" ]
    run -1 docker tag nosuch x/y
    [[ $output == *"No such image: nosuch"* ]]
    run -1 docker rmi nosuch
    [[ $output == *"No such image: nosuch"* ]]
}

@test "rmi is refused while a container uses the image" {
    docker tag busybox used:v1
    id=$(docker create used:v1)
    docker rmi used:v1
    run -1 docker rmi busybox
    [[ $output == *"conflict: unable to remove repository reference"* ]]
    docker rm "$id"
}

@test "image inspect, history" {
    run -0 docker image inspect -f '{{.Os}}/{{.Architecture}} {{.Config.Cmd}} {{len .RootFS.Layers}}' busybox
    [ "$output" = "linux/amd64 [sh] 1" ]
    [ "$(docker image inspect -f '{{.Config.Labels.made}}' busybox)" = here ]
    run -0 docker history --format '{{.CreatedBy}}' busybox
    [ "$output" = world.bash ]
    run -1 docker image inspect nosuch
    [[ $output == *"No such image: nosuch"* ]]
}

@test "images filters, -q, -a" {
    docker tag busybox filtered/one:t
    [ "$(docker images -q --filter reference='filtered/*' | wc -l)" = 1 ]
    [ "$(docker images -q --filter label=made=here | sort -u | wc -l)" = 1 ]
    [ -z "$(docker images -q --filter dangling=true)" ]
    docker images -a >/dev/null
    run -1 docker images -f bogus=1
    [ "$output" = "Error response from daemon: invalid filter 'bogus'" ]
    docker rmi filtered/one:t
}

@test "image prune takes dangling images, with -a unused ones" {
    docker run --name src busybox true
    docker commit src
    docker rm src
    [ "$(docker images -q --filter dangling=true | wc -l)" = 1 ]
    run -0 docker image prune -f
    [[ $output == *"Total reclaimed space:"* ]]
    [ -z "$(docker images -q --filter dangling=true)" ]
    docker image inspect busybox >/dev/null
}

@test "bad references are refused in dockerd's words" {
    run -1 docker image inspect 'UPPER CASE'
    run -1 docker tag busybox 'Bad:Tag:'
    [[ $output == *"invalid reference format"* ]]
}

@test "pull, push, login and build say clearly that they are not there" {
    run -1 docker pull busybox:other
    [[ $output == *"volumed does not speak to registries"* ]]
    run -1 docker push busybox
    [[ $output == *"volumed does not speak to registries"* ]]
    run -1 docker login -u a -p b 127.0.0.1:1
    [[ $output == *"volumed does not speak to registries"* ]]
    echo FROM busybox >"$BATS_TEST_TMPDIR/Dockerfile"
    run -1 env DOCKER_BUILDKIT=0 docker build "$BATS_TEST_TMPDIR"
    [[ $output == *"volumed does not build images"* ]]
}
