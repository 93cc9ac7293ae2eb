#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Archives in and out through the docker CLI, beyond what docker_image.bats has: other tools' forms,
# hostile ones, and cp, export and commit in their corners.

load world

setup_file() {
    world_begin
    world_load_busybox
    [ -n "$WORLD_SKIP" ] || cp "$WORLD_ROOT/tests/integration/hostile.py" "$WORLD_DIR/hostile.py"
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
    [ -z "$WORLD_SKIP" ] || return 0
    docker ps -aq | xargs -r docker rm -fv >/dev/null 2>&1 || true
}

# What the state directory holds of layers and half-made things.
leftovers() {
    find "$WORLD_DIR/state/layers" "$WORLD_DIR/state/tmp" -mindepth 1 -maxdepth 1 | sort
}

need() {
    command -v "$1" >/dev/null || skip "needs $1"
}

@test "an image goes through skopeo and back with equal digests" {
    need skopeo
    id=$(docker image inspect -f '{{.Id}}' busybox)
    docker save busybox -o s.tar
    skopeo --insecure-policy copy -q oci-archive:s.tar:latest oci:layout:one
    skopeo --insecure-policy copy -q oci:layout:one oci-archive:back.tar:back:1
    run -0 docker load -i back.tar
    [ "$output" = "Loaded image: back:1" ]
    [ "$(docker image inspect -f '{{.Id}}' back:1)" = "$id" ]
    skopeo --insecure-policy copy -q docker-archive:s.tar:busybox:latest docker-archive:d.tar:doc:1
    docker load -q -i d.tar
    [ "$(docker image inspect -f '{{index .RootFS.Layers 0}}' doc:1)" = \
        "$(docker image inspect -f '{{index .RootFS.Layers 0}}' busybox)" ]
    docker rmi back:1 doc:1
}

@test "several images in one archive share their layers" {
    before=$(leftovers | wc -l)
    c=$(docker create busybox true)
    docker commit "$c" two:1
    docker rm "$c"
    docker save busybox two:1 -o both.tar
    [ "$(tar -tf both.tar | grep -c blobs/)" = 6 ] # two manifests, two configs, two layers
    docker rmi two:1
    run -0 docker load -i both.tar
    [ "${lines[0]}" = "Loaded image: busybox:latest" ]
    [ "${lines[1]}" = "Loaded image: two:1" ]
    docker rmi two:1
    [ "$(leftovers | wc -l)" = "$before" ]
}

@test "hostile archives are refused, name their entry, and leave nothing" {
    before=$(leftovers)
    python3 "$WORLD_DIR/hostile.py" .
    for archive in refused-*.tar; do
        run -1 docker import "$archive" evil:1
        [[ $output == *"$(cat "${archive%.tar}.says")"* ]] || { echo "$archive: $output"; false; }
        [ "$(leftovers)" = "$before" ]
    done
    run -0 docker images -q evil
    [ -z "$output" ]
}

@test "what is odd but harmless stays inside the layer" {
    python3 "$WORLD_DIR/hostile.py" .
    for archive in inside-*.tar; do
        docker import "$archive" odd:1
        docker rmi odd:1
    done
    [ ! -e /volumed-was-here ] && [ ! -e /tmp/volumed-was-here ]
}

@test "a stream that swells without measure is refused" {
    head -c 6G /dev/zero | zstd -q >bomb.zst
    run -1 docker import bomb.zst bomb:1
    [[ $output == *"swells"* || $output == *"cannot read the archive"* ]]
}

@test "cp keeps Docker's rules of names" {
    docker create --name box busybox true
    mkdir -p src/sub && echo 1 >src/one && echo 2 >src/sub/two && ln -s one src/link
    docker cp src box:/new                      # new does not exist: src becomes it
    docker cp src box:/new                      # it does: src goes below
    docker cp src/. box:/etc                    # contents only
    [ "$(docker cp box:/new/one - | tar -xO)" = 1 ]
    [ "$(docker cp box:/new/src/sub/two - | tar -xO)" = 2 ]
    [ "$(docker cp box:/etc/one - | tar -xO)" = 1 ]
    docker cp box:/new/. out
    [ -f out/one ] && [ -L out/link ] && [ -f out/sub/two ]
    docker cp -L box:/new/link followed
    [ -f followed ] && [ ! -L followed ]
    run -1 docker cp src/one box:/no/such/place
    [[ $output == *"Could not find the file /no/such in container box"* ||
        $output == *"No such container:path: box:/no/such"* ]]
    run -1 docker cp box:/nothing .
    [[ $output == *"Could not find the file /nothing in container box"* ||
        $output == *"No such container:path: box:/nothing"* ]]
    run -1 docker cp src box:/etc/passwd
    [[ $output == *"cannot copy directory"* ]]
}

@test "cp into a stopped container meets its volumes, also read-only ones" {
    mkdir bind
    docker create --name box -v cpvol:/data -v cpvol:/ro:ro -v "$PWD/bind:/bind" busybox true
    echo text >f
    docker cp f box:/data/f
    docker cp f box:/bind/f
    [ "$(cat bind/f)" = text ]
    [ "$(docker cp box:/ro/f - | tar -xO)" = text ]
    run -1 docker cp f box:/ro/g
    [ "$output" = "Error response from daemon: mounted volume is marked read-only" ]
    docker create --name fixed --read-only -v cpvol:/data busybox true
    run -1 docker cp f fixed:/tmp/
    [ "$output" = "Error response from daemon: container rootfs is marked read-only" ]
    docker cp f fixed:/data/h
    [ "$(docker cp box:/data/h - | tar -xO)" = text ]
    docker rm -f box fixed
    docker volume rm cpvol
}

@test "cp with -a takes the container's user" {
    docker create --name box --user plain busybox true
    echo x >f && chown 5:5 f
    docker cp f box:/tmp/kept
    docker cp -a f box:/tmp/owned
    [ "$(docker cp box:/tmp/kept - | tar -tv | awk '{print $2}')" = 5/5 ]
    [ "$(docker cp box:/tmp/owned - | tar -tv | awk '{print $2}')" = 1000/1000 ]
}

@test "cp reaches a running container, its volume and its changes" {
    docker run -d --name live -v livevol:/v busybox sh -c 'echo made > /made; sleep 60'
    world_eventually 50 docker cp live:/made .
    [ "$(cat made)" = made ]
    echo in >in
    docker cp in live:/tmp/in
    docker cp in live:/v/in
    [ "$(docker exec live cat /tmp/in /v/in | tr '\n' ' ')" = "in in " ]
    docker pause live
    docker cp live:/v/in paused
    [ "$(cat paused)" = in ]
    docker unpause live
    docker rm -f live
    docker volume rm livevol
}

@test "a link in a container leads no copy out of it" {
    docker run -d --name live busybox sh -c 'ln -s /etc /trap; ln -s /proc/1/root/etc /magic; sleep 60'
    world_eventually 50 docker exec live test -L /magic
    echo evil >volumed-evil
    docker cp volumed-evil live:/trap/
    docker exec live test -f /etc/volumed-evil
    run docker cp volumed-evil live:/magic/
    [ ! -e /etc/volumed-evil ]
}

@test "export and import give the tree back" {
    docker create --name box -v exvol:/data busybox true
    echo more >more && docker cp more box:/more
    docker export box >e.tar
    tar -tf e.tar | grep -qx more
    tar -tf e.tar | grep -qx data/
    ! tar -tf e.tar | grep -q '^data/.'
    docker import e.tar back:1
    docker create --name again back:1 sh
    [ "$(docker cp again:/more - | tar -xO)" = more ]
    docker rm -f box again
    docker rmi back:1
    docker volume rm exvol
}

@test "commit keeps whiteouts, config and history" {
    docker run --name box busybox sh -c 'rm /etc/group; rm -r /data; mkdir /data; echo n > /data/new'
    docker commit -a me -m why -c 'ENV ADDED=yes' -c 'CMD ["cat", "/data/new"]' box made:1
    [ "$(docker run --rm made:1)" = n ]
    run -1 docker run --rm made:1 test -e /etc/group
    run -1 docker run --rm made:1 test -e /data/seed
    [ "$(docker history --format '{{.Comment}}' made:1 | head -1)" = why ]
    [ "$(docker image inspect -f '{{.Author}} {{index .Config.Env 1}}' made:1)" = "me ADDED=yes" ]
    docker rm box
    docker rmi made:1
}

@test "a killed load leaves nothing after the next start" {
    before=$(leftovers)
    mkdir big && head -c 60M /dev/urandom >big/f && tar -cf big.tar big
    docker import big.tar big:1 &
    sleep 0.15
    world_daemon_stop KILL
    wait %1 || true
    world_daemon_start
    if [ -z "$(docker images -q big)" ]; then
        [ "$(leftovers)" = "$before" ]
    else
        docker rmi big:1
    fi
}
