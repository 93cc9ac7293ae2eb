#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016 # stderr is set by run; what is in quotes is for the container
# Replicas of one container, each on its own clones of a golden state.

load world
load disks

SERVER='trap "exit 0" TERM; echo $(hostname) >>/data/log; sleep 1000 & wait'

setup_file() {
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    disk btrfs 512M mkfs.btrfs -q
    disk xfs 512M mkfs.xfs -q -m reflink=1
    world_load_busybox
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
}

# template NAME POOL [OPTION…]: a container on two volumes, the first with these options, and a set.
template() {
    clear_up
    volctl volume create "$1.data" --pool "$2" "${@:3}" >/dev/null
    volctl volume create "$1.conf" --pool "$2" >/dev/null
    docker run -d --name "$1" -v "$1.data:/data" -v "$1.conf:/conf" -v /fresh --label role=web \
        --stop-timeout 2 busybox sh -c "$SERVER" >/dev/null
    docker exec "$1" sh -c 'mkdir /data/keep /data/gold; echo gold >/data/gold/file; echo 1 >/conf/version;
        dd if=/dev/urandom of=/data/big bs=1M count=8 2>/dev/null'
    volctl snapshot create --set "$1-gold" "$1.data" "$1.conf" >/dev/null
}

# clear NAME: all of it away.
clear_all() {
    volctl container scale "$1" 0 >/dev/null || true
    docker rm -f -v "$1" >/dev/null
    volctl set rm "$1-gold" >/dev/null
    volctl volume rm "$1.data" "$1.conf" --with-snapshots >/dev/null
    volctl trash purge --all >/dev/null
    is_clean
}

# What a failed test has left.
clear_up() {
    volctl container scale web 0 --quiet >/dev/null 2>&1 || true
    docker ps -aq | xargs -r docker rm -f -v >/dev/null
    volctl set ls --quiet | xargs -r volctl set rm >/dev/null
    volctl volume ls --quiet | xargs -r volctl volume rm --with-snapshots >/dev/null
    volctl trash purge --all >/dev/null
}

names() {
    docker ps -a --format '{{.Names}}' | sort -V | tr '\n' ' '
}

@test "each replica has its own clones, name, host name and quota; the set is held" {
    needs_disk btrfs
    template web btrfs --opt size=64M
    run -0 volctl container scale web 3 --from-snapshot web-gold --dry-run
    [ "$output" = "web-1: would be added
web-2: would be added
web-3: would be added" ]
    [ "$(names)" = "web " ]
    run -0 volctl container scale web 3 --from-snapshot web-gold
    [ "$(names)" = "web web-1 web-2 web-3 " ]
    for i in 1 2 3; do
        world_eventually 50 docker exec "web-$i" grep -q "^web-$i$" /data/log
        [ "$(docker exec "web-$i" cat /data/gold/file /conf/version | tr '\n' ' ')" = "gold 1 " ]
        [ "$(docker inspect -f '{{.Config.Labels.role}} {{.Config.Hostname}}' "web-$i")" = "web web-$i" ]
        [ "$(volctl volume inspect "web-$i.web.data" --json | jq -r .options.size)" = 64M ]
        docker exec "web-$i" touch /fresh/mine
    done
    docker exec web-2 sh -c 'echo two >/data/gold/file'
    [ "$(docker exec web-1 cat /data/gold/file)" = gold ]
    [ "$(docker exec web cat /data/gold/file)" = gold ]
    run -4 volctl set rm web-gold
    [[ $output$stderr == *"held (replicas.web)"* ]]
    run -1 docker exec web-1 dd if=/dev/zero of=/data/fill bs=1M count=80
    run -0 volctl container replicas web --json
    [ "$(jq -c '[.replicas[] | [.number, .name, .state, .status, .from_snapshot]]' <<<"$output")" = \
        '[[1,"web-1","ready","running","web-gold"],[2,"web-2","ready","running","web-gold"],[3,"web-3","ready","running","web-gold"]]' ]
    run -0 volctl container scale web 3
    [ -z "$output" ]
    clear_all web
    run -3 volctl container replicas web
}

@test "fewer replicas: the highest go, their data to the trash; restored, it comes back" {
    needs_disk btrfs
    template web btrfs --opt size=64M
    volctl container scale web 3 --from-snapshot web-gold --quiet
    docker exec web-3 sh -c 'echo three >/data/own'
    run -0 volctl container scale web 1 --dry-run
    [ "$output" = "web-3: would be removed
web-2: would be removed" ]
    volctl container scale web 1 --quiet
    [ "$(names)" = "web web-1 " ]
    run -0 volctl trash ls --json
    [ "$(jq -r '[.[].name | select(startswith("web-"))] | sort | join(" ")' <<<"$output")" = \
        "web-2.web.conf web-2.web.data web-3.web.conf web-3.web.data" ]
    volctl trash restore web-3.web.data >/dev/null
    volctl container scale web 3 --quiet
    [ "$(docker exec web-3 cat /data/own)" = three ]
    run -1 docker exec web-2 cat /data/own
    clear_all web
}

@test "a refresh gives new clones, keeps what is to be kept, and the old data to the trash" {
    needs_disk btrfs
    template web btrfs --opt size=64M
    volctl container scale web 2 --from-snapshot web-gold --size 48M --quiet
    [ "$(volctl volume inspect web-1.web.data --json | jq -r .options.size)" = 48M ]
    docker exec web-1 sh -c 'echo mine >/data/keep/file; echo gone >/data/other; ln -s /etc /data/gold/link'
    docker stop web-2 >/dev/null
    docker exec web sh -c 'echo newer >/data/gold/file; echo 2 >/conf/version'
    volctl snapshot create --set web-gold2 web.data web.conf >/dev/null
    run -2 volctl container scale web 2 --keep /data/keep
    run -2 volctl container scale web 2 --refresh --from-snapshot web-gold2 --keep /nowhere/x
    [[ $output$stderr == *"'/nowhere/x' is not inside a volume"* ]]
    docker exec web-1 ln -s /etc /data/out
    run -1 volctl container scale web 2 --refresh --keep /data/out/passwd
    [[ $output == *"replica web-1: cannot open the directory of 'out/passwd'"* ]]
    [ "$(docker exec web-1 cat /data/other)" = gone ]
    [ "$(volctl volume ls --quiet | grep -c '^web-')" = 4 ]
    volctl container scale web 2 --refresh --from-snapshot web-gold2 --keep /data/keep/file --keep /data/none --quiet
    [ "$(docker exec web-1 cat /data/gold/file /conf/version /data/keep/file | tr '\n' ' ')" = "newer 2 mine " ]
    run -1 docker exec web-1 cat /data/other
    [ "$(docker inspect -f '{{.State.Status}}' web-2)" = exited ]
    [ "$(volctl volume inspect web-1.web.data --json | jq -r .options.size)" = 48M ]
    run -0 volctl trash restore web-1.web.data --as saved
    [ "$(cat "$(path_of saved)/other")" = gone ]
    volctl volume rm saved >/dev/null
    volctl set rm web-gold >/dev/null
    run -4 volctl set rm web-gold2
    run -0 volctl container replicas web --json
    [ "$(jq -c '[.replicas[].from_snapshot]' <<<"$output")" = '["web-gold2","web-gold2"]' ]
    run -0 volctl container ls
    [[ $output == *"1 of web (web-gold2)"* ]]
    volctl container scale web 0 --quiet
    volctl set rm web-gold2 >/dev/null
    volctl snapshot create --set web-gold web.data web.conf >/dev/null
    clear_all web
}

@test "a replica that cannot be made is absent, and those before it stay" {
    needs_disk btrfs
    template web btrfs --opt size=64M
    docker run -d --name web-3 busybox sleep 1000 >/dev/null
    run -1 volctl container scale web 4 --from-snapshot web-gold
    [[ $output == *"failed: replica web-3: "*"no replica"* ]]
    [ "$(names)" = "web web-1 web-2 web-3 " ]
    run -0 volctl volume ls --quiet
    [[ $output != *web-3* ]] && [[ $output == *web-2.web.data* ]]
    docker rm -f web-3 >/dev/null
    volctl container scale web 4 --quiet
    [ "$(names)" = "web web-1 web-2 web-3 web-4 " ]
    docker run -d --name other -v shared:/x -v web.data:/data busybox sleep 1000 >/dev/null
    run -4 volctl container scale other 2 --from-snapshot web-gold
    [[ $stderr$output == *"volume 'shared' of container other is not in the golden state"* ]]
    docker rm -f other >/dev/null
    docker volume rm shared >/dev/null
    clear_all web
}

@test "a replica that does not get well on new data has its old data back" {
    needs_disk btrfs
    clear_up
    volctl volume create web.data --pool btrfs >/dev/null
    docker run -d --name web -v web.data:/data --health-cmd 'test ! -e /data/bad' --health-interval 100ms \
        --health-retries 1 busybox sh -c "$SERVER" >/dev/null
    volctl snapshot create web.data@good >/dev/null
    volctl container scale web 2 --from-snapshot web.data@good --quiet
    [ "$(docker inspect -f '{{.State.Health.Status}}' web-2)" = healthy ]
    docker exec web-1 sh -c 'echo own >/data/own'
    docker exec web touch /data/bad
    volctl snapshot create web.data@bad >/dev/null
    run -1 volctl container scale web 2 --refresh --from-snapshot web.data@bad
    [[ $output == *"replica web-1: it is unhealthy"* ]]
    [ "$(docker exec web-1 cat /data/own)" = own ]
    run -0 volctl container replicas web --json
    [ "$(jq -c '[.replicas[] | [.state, .from_snapshot]]' <<<"$output")" = '[["ready","web.data@good"],["ready","web.data@good"]]' ]
    [ "$(docker inspect -f '{{index .Config.Labels "volumed.replica.source"}}' web-1)" = web.data@good ]
    [ "$(volctl volume ls --quiet | wc -l)" = 3 ]
    clear_up
    is_clean
}

@test "twenty replicas on XFS, quickly, and on little room" {
    needs_disk xfs
    template web xfs
    docker stop web >/dev/null
    before=$(stat -f -c %f "$WORLD_DIR/xfs")
    start=$(date +%s%N)
    volctl container scale web 20 --from-snapshot web-gold --quiet
    echo "# 20 replicas in $(($(date +%s%N) / 1000000 - start / 1000000)) ms, blocks $((before - $(stat -f -c %f "$WORLD_DIR/xfs")))" >&3
    [ "$(docker ps -q | wc -l)" = 20 ]
    [ $((before - $(stat -f -c %f "$WORLD_DIR/xfs"))) -lt 8192 ]
    clear_all web
}

@test "killed in the middle of a scaling, it is gone on with" {
    needs_disk btrfs
    template web btrfs --opt size=64M
    for delay in ${SCALE_KILLS:-0.2}; do
        volctl container scale web 4 --from-snapshot web-gold --detach >/dev/null
        sleep "$delay"
        world_daemon_stop KILL
        world_daemon_start
        world_eventually 100 sh -c 'volctl container replicas web --json |
            jq -e "[.replicas[] | select(.state == \"ready\" and .status == \"running\")] | length == 4"'
        [ "$(names)" = "web web-1 web-2 web-3 web-4 " ]
        volctl container scale web 4 --refresh --keep /data/log --detach >/dev/null
        sleep "$delay"
        world_daemon_stop KILL
        world_daemon_start
        world_eventually 200 sh -c 'volctl container replicas web --json |
            jq -e "[.replicas[] | select(.state == \"ready\" and .status == \"running\" and .refreshed_ms != null)] | length == 4"'
        world_eventually 100 volctl container scale web 4 --quiet
        [ "$(volctl volume ls --quiet | grep -c '^web-.\.web\.')" = 8 ]
        volctl container scale web 0 --detach >/dev/null
        sleep "$delay"
        world_daemon_stop KILL
        world_daemon_start
        world_eventually 100 sh -c '! volctl container replicas web >/dev/null 2>&1'
        [ "$(names)" = "web " ]
        ! volctl volume ls --quiet | grep '^web-'
    done
    clear_all web
}
