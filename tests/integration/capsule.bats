#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# A container in a file and back, between pools of every kind.

load world
load disks

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    world_load_busybox
    disks
    docker run -d --name app -v "data:/data" -v /anonymous -v two:/two:ro -l kept=yes busybox sleep 1000 >/dev/null
    docker exec app sh -c 'cd /data; echo one >one; ln one hard; ln -s one soft; mkfifo pipe; mkdir -m 1750 deep
        chown 12:34 deep; chmod 4755 one; dd if=/dev/zero of=sparse bs=1 seek=3000000 count=1 2>/dev/null; mknod null c 1 3
        touch "odd
name"; echo x >/anonymous/mine'
    path=$(path_of data)
    setfattr -n user.colour -v blue "$path/one" 2>/dev/null || true
    setfacl -m u:77:rw "$path/deep" 2>/dev/null || true
    setcap cap_net_raw+ep "$path/hard" 2>/dev/null || true
    "$WORLD_BUILD/volctl" snapshot create data@early -l why=test >/dev/null
    docker exec app sh -c 'echo two >/data/two; rm /data/soft'
    "$WORLD_BUILD/volctl" container export app --to "$WORLD_DIR/app.capsule" --snapshots all >/dev/null
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# Everything that can be said of a tree, times of directories excepted.
describe() {
    (cd "$1" && find . -print0 | sort -z | xargs -0 stat -c '%n %f %u %g %t %T' &&
        find . -type f -print0 | sort -z | xargs -0 sh -c 'for f; do stat -c "%n %h %s %Y" "$f"; cksum <"$f"; done' sh &&
        find . -print0 | sort -z | xargs -0 getfattr -dhm- 2>/dev/null | grep -v '^security.selinux\|^trusted.SGI_ACL')
}

# into POOL: imports and compares, entry by entry.
into() {
    needs_disk "$1"
    run -0 volctl capsule import "$WORLD_DIR/app.capsule" --pool "$1" --rename "app=app-$1" \
        --rename "data=data-$1" --rename "two=two-$1"
    diff <(describe "$(path_of data)") <(describe "$(path_of "data-$1")")
    [ "$(stat -c %b "$(path_of "data-$1")/sparse")" -lt 1000 ]
    docker start "app-$1" >/dev/null
    docker exec "app-$1" sh -c 'test -e /anonymous/mine && test "$(cat /data/hard)" = one && ! touch /two/x 2>/dev/null'
    [ "$(docker inspect -f '{{.Config.Labels.kept}} {{.Config.Image}}' "app-$1")" = "yes busybox" ]
    [ "$(volctl snapshot inspect "data-$1@early" --json | jq -r .labels.why)" = test ]
    volctl file ls "data-$1@early" --json | jq -e 'map(.name) | index("soft") and (index("two") | not)'
    docker rm -fv "app-$1" >/dev/null
    volctl volume rm --now --with-snapshots "data-$1" "two-$1" >/dev/null
    is_clean
}

@test "from the default pool into one on btrfs" { into btrfs; }
@test "… on XFS" { into xfs; }
@test "… on ext4" { into ext4; }

@test "it can be verified, and says what is in it" {
    run -0 volctl capsule verify "$WORLD_DIR/app.capsule"
    [[ $output == *"container app of image busybox"*"volume data, 1 snapshots"* ]]
}

@test "names that are taken are said, and nothing is made" {
    before=$(docker ps -aq; docker volume ls -q)
    run ! volctl capsule import "$WORLD_DIR/app.capsule"
    [[ $output == *"there is a container 'app' already"* ]]
    run ! volctl capsule import "$WORLD_DIR/app.capsule" --rename app=other
    [[ $output == *"there is a volume"* ]]
    [ "$before" = "$(docker ps -aq; docker volume ls -q)" ]
}

@test "it goes through a pipe from one volumed to another, and nowhere else than to a file or a pipe" {
    volctl container export app --to - --snapshots last |
        volctl capsule import - --rename app=piped --rename data=piped --rename two=piped2 >"$WORLD_DIR/id"
    [ "$(docker inspect -f '{{.Id}}' piped)" = "$(cat "$WORLD_DIR/id")" ]
    [ "$(volctl snapshot ls piped --json | jq length)" -eq 1 ]
    docker rm -fv piped >/dev/null
    volctl volume rm --now --with-snapshots piped piped2 >/dev/null
    run ! script -qec "volctl container export app --to -" /dev/null
    [[ $output == *"name a file with --to"* ]]
    is_clean
}

@test "what an import would make is told beforehand, and damage found" {
    before=$(docker ps -aq; docker volume ls -q)
    run -0 volctl capsule import "$WORLD_DIR/app.capsule" --dry-run --rename app=dry --rename data=dry --rename two=dry2
    [[ $output == *"would make container dry of image busybox"*"would make volume dry of data, with 1 snapshots"* ]]
    run ! volctl capsule import "$WORLD_DIR/app.capsule" --dry-run
    [[ $output == *"there is a container 'app' already"* ]]
    head -c 100000 "$WORLD_DIR/app.capsule" >"$WORLD_DIR/cut"
    run ! volctl capsule import "$WORLD_DIR/cut" --dry-run --rename app=dry --rename data=dry --rename two=dry2
    [[ $output == *"ends at byte 100000"* ]]
    (cat "$WORLD_DIR/app.capsule"; echo more) >"$WORLD_DIR/long"
    run ! volctl capsule verify "$WORLD_DIR/long"
    [[ $output == *"it has ended, and goes on at byte"* ]]
    [ "$before" = "$(docker ps -aq; docker volume ls -q)" ]
}

@test "an image that came with a capsule goes when the import fails, and takes no name from another" {
    docker rm -f app >/dev/null
    volctl volume ls --json | jq -r '.[].name' | grep -E '^[0-9a-f]{64}$' | xargs -r docker volume rm >/dev/null
    id=$(docker image inspect -f '{{.Id}}' busybox)
    docker rmi -f busybox >/dev/null
    size=$(stat -c %s "$WORLD_DIR/app.capsule")
    run ! sh -c "head -c $((size - 10)) '$WORLD_DIR/app.capsule' | volctl capsule import - --rename data=late --rename two=late2"
    [[ $output == *"ends at byte"* ]]
    [ -z "$(docker image ls -q)" ]
    tar -C "$WORLD_DIR" -cf - pid | docker import - busybox:latest >/dev/null
    volctl capsule import "$WORLD_DIR/app.capsule" --rename data=late --rename two=late2 >/dev/null
    [ "$(docker inspect -f '{{.Image}}' app)" = "$id" ]
    [ "$(docker image inspect -f '{{.Id}}' busybox)" != "$id" ]
    docker rmi busybox >/dev/null
    docker tag "$id" busybox
    is_clean
}

@test "a kill in the middle of an import leaves nothing" {
    before=$(docker volume ls -q)
    (head -c 1500000 "$WORLD_DIR/app.capsule"; sleep 5) |
        volctl capsule import - --rename app=app2 --rename data=data2 --rename two=two2 >/dev/null 2>&1 &
    client=$!
    world_eventually 50 sh -c 'docker volume ls -q | grep -q ^import-'
    world_daemon_stop KILL
    wait "$client" || true
    world_daemon_start
    [ "$before" = "$(docker volume ls -q)" ]
    is_clean
}

@test "a capsule of what is not there leaves no file" {
    run ! volctl container export nobody --to "$WORLD_DIR/none"
    [ ! -e "$WORLD_DIR/none" ]
}

@test "what is said of volumes goes along: policies, holds, rules, protection, pasts, lineage" {
    needs_disk xfs
    volctl volume create --pool xfs -o snapshots=daily -o keep=5d rules >/dev/null
    path=$(path_of rules)
    echo 1 >"$path/file"
    volctl snapshot create rules@held -l app=1 >/dev/null
    volctl snapshot hold rules@held --tag legal >/dev/null
    volctl policy create nightly --volume rules --schedule weekly --keep 3w >/dev/null
    docker create --name ruled -v rules:/data busybox true >/dev/null
    volctl policy create sets --container ruled --schedule hourly --keep 2h >/dev/null
    volctl policy run nightly >/dev/null
    volctl volume set-access rules single-writer >/dev/null
    volctl volume protect rules >/dev/null
    was=$(volctl snapshot inspect rules@held --json | jq -r .created_ms)
    volctl container export ruled --to "$WORLD_DIR/ruled.capsule" --snapshots all >/dev/null
    volctl capsule import "$WORLD_DIR/ruled.capsule" --rename ruled=ruled2 --rename rules=rules2 --pool xfs >/dev/null
    volctl volume inspect rules2 --json | jq -e '.protected'
    volctl volume leases rules2 --json | jq -e '.access == "single-writer"'
    [ "$(volctl snapshot inspect rules2@held --json | jq -r .created_ms)" = "$was" ]
    volctl snapshot holds rules2@held --json | jq -e '.holds[0].tag == "legal"'
    volctl policy ls --json | jq -e 'map(select(.target.name == "rules2") | .name + " " + .schedule + " " + .keep) | sort ==
        ["nightly.rules2 weekly 3w", "volume.rules.rules2 daily 5d"]'
    volctl policy ls --json | jq -e 'map(select(.target.name == "ruled2")) | length == 1 and .[0].keep == "2h"'
    volctl snapshot ls rules2 --json | jq -e 'map(.labels["volumed.policy"]) | index("nightly.rules2")'
    volctl lineage show rules2 | grep "imported from capsule rules of ruled"
}
