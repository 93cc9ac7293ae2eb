#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What is told, and left, of a container whose supervisor was killed: nobody knows its end any more,
# so it is killed, within two seconds, and told to be.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

teardown() {
    docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
}

# supervisor_of NAME: its PID, the parent of the container's first process.
supervisor_of() {
    ps -o ppid= -p "$(docker inspect -f '{{.State.Pid}}' "$1")" | tr -d ' '
}

# Whoever inherits it may be slow to reap it.
is_dead() {
    ! grep '^State:' "/proc/$1/status" 2>/dev/null | grep -qv 'Z (zombie)'
}

state_is() {
    [ "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' "$1")" = "$2" ]
}

@test "a container whose supervisor is killed is dead within two seconds, and says 137" {
    docker run -d --name lone -v kept:/data busybox sleep 600
    pid=$(docker inspect -f '{{.State.Pid}}' lone)
    supervisor=$(supervisor_of lone)
    [ "$(cat "/proc/$supervisor/comm")" = supervise ]
    docker wait lone >"$BATS_TEST_TMPDIR/wait" 3>&- &
    kill -KILL "$supervisor"
    world_eventually 40 state_is lone "exited 137"
    wait $!
    [ "$(cat "$BATS_TEST_TMPDIR/wait")" = 137 ]
    is_dead "$pid"
    [ -z "$(find /sys/fs/cgroup -maxdepth 4 -name "$(docker inspect -f '{{.Id}}' lone)" 2>/dev/null)" ]
    docker start lone
    world_eventually 40 state_is lone "running 0"
    docker rm -f lone
    docker volume rm kept
}

@test "a restart policy holds for it too" {
    docker run -d --name again --restart always busybox sleep 600
    pid=$(docker inspect -f '{{.State.Pid}}' again)
    kill -KILL "$(supervisor_of again)"
    restarted() {
        [ "$(docker inspect -f '{{.RestartCount}} {{.State.Status}}' again)" = "1 running" ]
    }
    world_eventually 60 restarted
    is_dead "$pid"
    docker rm -f again
}

@test "one that was killed while volumed was down is found so" {
    docker run -d --name down busybox sleep 600
    pid=$(docker inspect -f '{{.State.Pid}}' down)
    supervisor=$(supervisor_of down)
    world_daemon_stop
    kill -KILL "$supervisor"
    world_daemon_start
    world_eventually 40 state_is down "exited 255"
    is_dead "$pid"
}

@test "an exec whose supervisor is killed has no code that anybody could know, and its container runs on" {
    docker run -d --name host busybox sleep 600
    docker exec -d host sleep 77
    sleeper() { pgrep -f '^sleep 77$'; }
    world_eventually 40 sleeper
    kill -KILL "$(ps -o ppid= -p "$(sleeper)" | tr -d ' ')"
    state_is host "running 0"
    run -0 docker exec host echo alive
    [ "$output" = alive ]
    docker rm -f host
    world_eventually 40 bash -c '! pgrep -f "^sleep 77$"'
}
