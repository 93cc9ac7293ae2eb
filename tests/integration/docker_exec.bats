#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # what stands in single quotes is for the shell in the container
# docker exec and attach.

load world

setup_file() {
    world_begin
    world_load_busybox
    [ -n "$WORLD_SKIP" ] || docker run -d --name box busybox sh -c 'while :; do sleep 0.1; done'
}

teardown_file() {
    world_end
}

@test "exec prints the output and has the exit code" {
    run -0 docker exec box echo hello
    [ "$output" = hello ]
    run -6 docker exec box sh -c 'exit 6'
    run -0 --separate-stderr docker exec box sh -c 'echo out; echo err >&2'
    # shellcheck disable=SC2154 # run sets it
    [ "$output/$stderr" = out/err ]
}

@test "exec of what is not there is 127, of what cannot be executed 126" {
    run -127 docker exec box nosuch
    [[ $output == *"executable file not found"* ]]
    run -126 docker exec box /etc/passwd
    [[ $output == *"permission denied"* ]]
}

@test "exec takes env, workdir and user" {
    run -0 docker exec -e A=b -w /tmp -u 1000:1000 box sh -c 'echo $A $PWD $(id -u)'
    [ "$output" = "b /tmp 1000" ]
}

@test "exec -i feeds standard input" {
    run -0 docker exec -i box wc -c <<<12345
    [ "$output" -eq 6 ]
}

@test "exec -it is on a terminal" {
    run -3 world_terminal docker exec -it box sh <<'END'
stty size
exit 3
END
    [[ $output == *"24 80"* ]]
}

@test "exec -d leaves at once" {
    docker exec -d box sh -c 'sleep 0.2; touch /tmp/detached'
    world_eventually 50 docker exec box test -e /tmp/detached
}

@test "exec in a container that is stopped, paused or missing" {
    run -1 docker exec nosuch true
    [[ $output == *"No such container: nosuch" ]]
    id=$(docker create --name idle busybox)
    run -1 docker exec idle true
    [[ $output == *"ontainer $id is not running"* ]]
    docker pause box
    run -1 docker exec box true
    docker unpause box
    [[ $output == *"is paused, unpause the container before exec"* ]]
}

@test "much output arrives whole, from several execs at once" {
    local pids=()
    for i in 1 2 3; do
        docker exec box sh -c 'seq 1 200000' | md5sum >"$BATS_TEST_TMPDIR/sum$i" 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}" # not for all: bats has its time limit in the background
    for i in 1 2 3; do
        [ "$(cat "$BATS_TEST_TMPDIR/sum$i")" = "$(seq 1 200000 | md5sum)" ]
    done
}

@test "attach follows a running container to its end and has its exit code" {
    docker run -d --name talker busybox sh -c 'sleep 0.7; echo said; exit 8'
    run -8 docker attach --no-stdin talker
    [ "$output" = said ]
    run -1 docker attach talker
    [[ $output == *"You cannot attach to a stopped container, start it first"* ]]
}

@test "attach on a terminal types into the running shell; its exit code is the client's" {
    docker run -dit --name shell busybox sh
    run -9 world_terminal docker attach shell <<'END'
stty size
exit 9
END
    [[ $output == *"24 80"* ]]
}

@test "start -ai feeds a container that was made with -i" {
    docker create -i --name eater busybox wc -c
    run -0 docker start -ai eater <<<12345
    [ "$output" -eq 6 ]
}

@test "the detach keys leave the container running" {
    docker run -dit --name left busybox sh
    run world_terminal docker attach --detach-keys ctrl-x left <<<$'\x18'
    [[ $output == *"read escape sequence"* ]]
    [ "$(docker inspect -f '{{.State.Status}}' left)" = running ]
    docker rm -f left
}

@test "run and exec pass on fifty megabytes without a change" {
    head -c 50000000 /dev/urandom >"$BATS_TEST_TMPDIR/big"
    sum=$(md5sum <"$BATS_TEST_TMPDIR/big")
    [ "$(docker run -i --rm busybox md5sum <"$BATS_TEST_TMPDIR/big")" = "$sum" ]
    [ "$(docker exec -i box cat <"$BATS_TEST_TMPDIR/big" | md5sum)" = "$sum" ]
}

@test "many runs at once keep their output and exit codes apart" {
    local pids=()
    for i in $(seq 12); do
        (
            code=0
            docker run --rm busybox sh -c "echo $i; exit $((i % 3))" \
                >"$BATS_TEST_TMPDIR/out$i" 2>&1 || code=$?
            echo "$code" >>"$BATS_TEST_TMPDIR/out$i"
        ) 3>&- &
        pids+=($!)
    done
    wait "${pids[@]}"
    for i in $(seq 12); do
        [ "$(cat "$BATS_TEST_TMPDIR/out$i")" = "$i"$'\n'"$((i % 3))" ]
    done
}

@test "attach without an upgrade is 200 and bytes until the end" {
    docker create --name plain busybox echo raw
    curl -s -N -X POST --unix-socket "$VOLUMED_SOCKET" -o "$BATS_TEST_TMPDIR/bytes" \
        -D "$BATS_TEST_TMPDIR/head" \
        "http://d/v1.43/containers/plain/attach?stdout=1&stderr=1&stream=1" &
    curl=$!
    world_eventually 50 test -s "$BATS_TEST_TMPDIR/head"
    docker start plain
    wait "$curl"
    grep -q '^HTTP/1.1 200' "$BATS_TEST_TMPDIR/head"
    # One frame: stream 1, length 4.
    [ "$(od -An -v -tx1 "$BATS_TEST_TMPDIR/bytes" | tr -d " \n")" = 01000000000000047261770a ]
}
