#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# `runner supervise`: what it keeps whole when processes, clients, disks and itself fail.

load runner.bash

setup_file() {
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
    BOX=$BUNDLE
    BACKGROUND=
}

# Supervisors are found by the pid files of their boxes.
teardown() {
    local pid target
    [ -n "$WORLD" ] || return 0
    for pid in $BACKGROUND $(find "$WORLD" -name supervise.pid -exec cat {} + 2>/dev/null); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null
    awk -v dir="$WORLD/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo |
        while read -r target; do umount -l "$target" || true; done
    runner_end
}

# --- helpers

supervise() {
    runner supervise --bundle "$BUNDLE" "$@" "$ID"
}

client() {
    python3 "$RUNNER_TOP/tests/integration/supervise.py" "$BOX" "$@" 3>&-
}

ask() {
    client ask "$@"
}

# background NAME ARGUMENT…: a client with its output in files.
background() {
    local name=$1
    shift
    python3 "$RUNNER_TOP/tests/integration/supervise.py" "$BOX" "$@" \
        >"$WORLD/$name" 2>"$WORLD/$name.err" 3>&- &
    BACKGROUND="$BACKGROUND $!"
}

annotate() {
    edit ".annotations[\"org.volumed.$1\"] = \"$2\""
}

supervisor() {
    cat "$BOX/supervise.pid"
}

is_gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [ "$state" = Z ]
}

has_ended() {
    [ -e "$BOX/exit" ]
}

exit_code() {
    eventually 200 has_ended
    cut -d' ' -f1 "$BOX/exit" | head -1
}

box_is_quiet() {
    [ ! -e "$BOX/ctl.sock" ] && [ ! -e "$BOX/supervise.pid" ] && [ -z "$(left_behind)" ]
}

# By v2 where it is mounted, which is what the runner prefers.
is_frozen() {
    local group pid
    pid=$(runner state "$ID" | jq .pid)
    group=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
    group=$(awk '$9 == "cgroup2" || $10 == "cgroup2" { print $5; exit }' /proc/self/mountinfo)$group
    if [ -e "$group/cgroup.events" ]; then
        grep -q 'frozen 1' "$group/cgroup.events"
    else
        [ "$(cat "$(group_of freezer)/freezer.state")" = FROZEN ]
    fi
}

is_thawed() {
    ! is_frozen
}

log_text() {
    jq -j .log "$BOX/container.log"
}

# exec_box ARGUMENTS-OF-PROCESS (jq)…: prepares BOX for an exec.
exec_box() {
    BOX=$WORLD/exec
    mkdir -p "$BOX"
    jq --argjson words "$(python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@")" \
        '.process | .args = $words' "$BUNDLE/config.json" >"$BOX/process.json"
}

supervise_exec() {
    runner supervise --exec --dir "$BOX" --process "$BOX/process.json" "$@" "$ID"
}

# --- life and end

@test "a container is created, started, ends, and leaves its end and its log" {
    script 'echo out; echo err >&2; exit 7'
    supervise
    [[ $(ask status) == "ok created "[1-9]*" 0" ]]
    [ "$(runner state "$ID" | jq -r .status)" = created ]
    run -0 client through
    [[ ${lines[0]} == "ok "[1-9]* ]]
    [[ ${lines[1]} == "exited 7 0 0 "[1-9]* ]]
    box_is_quiet
    [ "$(cat "$BOX/exit")" = "${lines[1]#exited }" ]
    read -r _ _ _ started finished <"$BOX/exit"
    [ "$started" -gt 0 ] && [ "$started" -le "$finished" ]
    [ "$(jq -c '[.log, .stream]' "$BOX/container.log" | sort)" = '["err\n","stderr"]
["out\n","stdout"]' ]
}

@test "the end of a killed program is 128 and the signal" {
    program sleep 100
    supervise
    [ "$(ask start 'kill 9' | tail -1)" = ok ]
    [ "$(exit_code)" = 137 ]
    [[ $(cat "$BOX/exit") == "137 9 0 "* ]]
}

@test "what is killed before its start has never started" {
    supervise
    ask 'kill 9'
    [ "$(exit_code)" = 137 ]
    [[ $(cat "$BOX/exit") == "137 9 0 0 "* ]]
    eventually 100 box_is_quiet
}

@test "a program that cannot be executed is told by start, and by the exit file" {
    program nosuch
    run -1 supervise
    [[ $output == 'error '*'exec: "nosuch": executable file not found in $PATH'* ]]
    [ -z "$(left_behind)" ]
    printf '#!/nosuch\n' >"$BUNDLE/rootfs/bin/broken"
    chmod 755 "$BUNDLE/rootfs/bin/broken"
    program /bin/broken
    supervise
    [[ $(ask start) == 'error '*'no such file or directory'* ]]
    [ "$(exit_code)" = 127 ]
    [[ $(sed -n 2p "$BOX/exit") == *'no such file or directory'* ]]
    [[ $(head -1 "$BOX/exit") == "127 0 0 0 "* ]]
    eventually 100 box_is_quiet
}

@test "a creation that fails says why by code and leaves nothing" {
    edit '.root.path = "nosuch"'
    run -1 supervise
    [[ $output == "error "* ]]
    [ -z "$(left_behind)" ]
    [ ! -e "$BOX/ctl.sock" ] && [ ! -e "$BOX/supervise.pid" ]
    edit '.root.path = "rootfs" | .annotations["org.volumed.log"] = "smoke"'
    run -1 supervise
    [ "$output" = "error invalid unknown log format 'smoke'" ]
    run -1 runner supervise "$ID"
    [[ $output == "error invalid "* ]]
}

@test "a box has one supervisor, an id one container" {
    program sleep 100
    supervise
    run -1 supervise
    [[ $output == "error busy "* ]]
    cp -a "$BUNDLE" "$WORLD/other"
    rm -f "$WORLD/other/ctl.sock" "$WORLD/other/supervise.pid"
    run -1 runner supervise --bundle "$WORLD/other" "$ID"
    [[ $output == "error exists "* ]]
    rm -rf "$WORLD/other"
    [[ $(ask status) == "ok created "* ]]
}

@test "it goes on when whoever asked for it is killed with its group and terminal" {
    program sleep 100
    setsid bash -c '"$@"; sleep 0.2; kill -KILL 0' sh "$RUNNER" --root "$ROOT" supervise \
        --bundle "$BUNDLE" "$ID" 3>&- || true
    [[ $(ask status start | head -1) == "ok created "* ]]
    [ "$(ps -o sid= -p "$(supervisor)" | tr -d ' ')" = "$(supervisor)" ]
    kill -TERM "$(supervisor)"
    kill -HUP "$(supervisor)"
    [[ $(ask status) == "ok running "* ]]
}

@test "the container dies with the box as long as it was not started" {
    supervise
    pid=$(supervisor)
    init=$(ask status | cut -d' ' -f3)
    rm -rf "$BUNDLE"
    eventually 200 is_gone "$pid"
    is_gone "$init"
    [ -z "$(left_behind)" ]
}

@test "after the supervisor was killed the rest can be deleted, and the box used again" {
    script 'echo one; sleep 100'
    supervise
    [[ $(ask start) == ok* ]]
    kill -KILL "$(supervisor)"
    run -1 ask status
    [[ $output == *ConnectionRefused* ]]
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
    supervise
    run -0 ask start 'kill 9'
    [ "$(exit_code)" = 137 ]
}

@test "orphans of a container without a PID namespace are reaped and killed" {
    edit '.linux.namespaces |= map(select(.type != "pid"))'
    script 'for i in 1 2 3 4 5; do (sleep 0.1 & ); done; (sleep 1000 & ); sleep 1; exit 4'
    supervise
    background watch watch
    [[ $(ask start) == ok* ]]
    sleep 0.3
    [ -z "$(ps -o stat= --ppid "$(supervisor)" | sed -n '/Z/p')" ]
    wait
    [[ $(cat "$WORLD/watch") == *"exited 4 0 0 "* ]]
    box_is_quiet
}

@test "a hundred containers leave no process, group, or directory" {
    program true
    for i in $(seq 100); do
        supervise
        pid=$(supervisor)
        [[ $(client through) == *"exited 0 0 0 "* ]] || { echo "round $i" >&2; false; }
        box_is_quiet
    done
    eventually 50 is_gone "$pid"
    [ -z "$(find /sys/fs/cgroup -name "*$ID*")" ]
    [ -z "$(ls "$ROOT")" ]
}

@test "the supervisor is small, also after a flood and many clients" {
    grep -q __asan_init "$RUNNER" && skip "a sanitizer is not small"
    annotate stdin true
    script 'read x; head -c 20000000 /dev/zero | tr "\0" "\n"; sleep 100'
    supervise
    idle=$(awk '/VmRSS/ { print $2 }' "/proc/$(supervisor)/status")
    ask start stats pids
    for i in $(seq 30); do
        background "client$i" attach stdout --count
    done
    client attach stdin --input 'go\n' --vanish
    eventually 200 test "$(stat -c %s "$BOX/container.log")" -gt 0
    sleep 1
    used=$(awk '/VmRSS/ { print $2 }' "/proc/$(supervisor)/status")
    echo "idle $idle kB, used $used kB"
    [ "$idle" -lt 1200 ]
    [ "$used" -lt 1500 ]
}

# --- output

@test "attached before the start one sees everything, on the right stream" {
    script 'echo out; echo err >&2; echo more'
    supervise
    background both attach stdout,stderr --ready "$WORLD/ready1"
    background one attach stderr --ready "$WORLD/ready2"
    eventually 100 test -e "$WORLD/ready1"
    eventually 100 test -e "$WORLD/ready2"
    [ "$(cat "$WORLD/ready1")" = "ok framed" ]
    ask start
    wait
    [ "$(cat "$WORLD/both")" = "out
more" ]
    [ "$(cat "$WORLD/both.err")" = err ]
    [ -z "$(cat "$WORLD/one")" ]
    [ "$(cat "$WORLD/one.err")" = err ]
}

@test "the exit file is there before any client sees the end" {
    program true
    supervise
    background end attach stdout --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    (tail -f --pid="${BACKGROUND# }" /dev/null; ls "$BOX/exit" >"$WORLD/seen") 3>&- &
    ask start
    wait
    [ "$(cat "$WORLD/seen")" = "$BOX/exit" ]
}

@test "fifty clients get the same megabytes" {
    script 'read x; head -c 3000000 /dev/urandom'
    annotate stdin true
    annotate log none
    supervise
    for i in $(seq 50); do
        background "client$i" attach stdout --count --ready "$WORLD/ready$i"
    done
    for i in $(seq 50); do
        eventually 200 test -e "$WORLD/ready$i"
    done
    ask start
    client attach stdin --input '\n' --vanish
    wait
    [ "$(sort -u "$WORLD"/client?? "$WORLD"/client? | wc -l)" -eq 1 ]
    [[ $(cat "$WORLD/client1") == "3000000 "* ]]
    [ ! -e "$BOX/container.log" ]
}

@test "a slow client holds the output up and loses nothing of it" {
    script 'head -c 8000000 /dev/zero; echo done >&2'
    supervise
    background slow attach stdout --count --slow 2 --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    ask start
    sleep 1
    [[ $(ask status) == "ok running "* ]]
    [ "$(stat -c %s "$BOX/container.log")" -lt 30000000 ] # six bytes a NUL
    wait
    [ "$(cat "$WORLD/slow")" = "8000000 $(head -c 8000000 /dev/zero | sha256sum | cut -d' ' -f1)" ]
    [ "$(exit_code)" = 0 ]
}

@test "a slow client does not hold up the end, and gets the rest after it" {
    script 'head -c 1100000 /dev/zero'
    supervise
    background slow attach stdout --count --slow 2 --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    [[ $(client through) == *"exited 0 0 0 "* ]]
    [ ! -s "$WORLD/slow" ]
    wait
    [[ $(cat "$WORLD/slow") == "1100000 "* ]]
}

@test "clients that vanish are dropped and stop nobody" {
    script 'read x; head -c 5000000 /dev/zero; exit 3'
    annotate stdin true
    supervise
    ask start
    for i in 1 2 3; do
        background "stuck$i" attach stdout --slow 100 --ready "$WORLD/ready$i"
        eventually 100 test -e "$WORLD/ready$i"
    done
    client attach stdin --input 'go\n' --vanish
    sleep 0.5
    [[ $(ask status) == "ok running "* ]]
    # shellcheck disable=SC2086 # three words
    kill -KILL $BACKGROUND
    [ "$(exit_code)" = 3 ]
}

@test "a flood with nobody listening does not delay answers" {
    script 'yes'
    annotate log none
    supervise
    ask start
    begin=$(date +%s%N)
    for i in 1 2 3 4 5; do
        [[ $(ask status) == "ok running "* ]]
    done
    [ $(($(date +%s%N) - begin)) -lt 3000000000 ]
    ask 'kill 9'
    [ "$(exit_code)" = 137 ]
}

@test "a program may close its output and go on" {
    script 'echo x; exec >&- 2>&-; sleep 0.5; exit 6'
    supervise
    run -0 client through
    [[ $output == *"exited 6 0 0 "* ]]
    [ "$(log_text)" = x ]
}

# --- input

@test "input reaches the program, what follows the request line too" {
    annotate stdin true
    script 'read a; read b; echo "$a-$b"'
    supervise
    ask start
    printf 'attach stdin,stdout\none\ntwo\n' |
        socat -t 5 - "UNIX-CONNECT:$BOX/ctl.sock" >"$WORLD/out"
    [[ $(tr -d '\0' <"$WORLD/out") == *one-two* ]]
}

@test "the first client's end of input is the program's with stdin-once, and not without" {
    annotate stdin true
    program cat
    supervise
    ask start
    background first attach stdin --input 'one\n' --half-close
    sleep 0.3
    client attach stdin --input 'two\n' --vanish
    sleep 0.3
    [[ $(ask status 'kill 9') == "ok running "* ]]
    [ "$(exit_code)" = 137 ]
    [ "$(log_text)" = "one
two" ]
    eventually 50 box_is_quiet
    annotate stdin-once true
    supervise
    ask start
    [ "$(client attach stdin,stdout --input 'three\n' --half-close)" = three ]
    [ "$(exit_code)" = 0 ]
}

@test "megabytes of input pass a slow program whole" {
    annotate stdin true
    annotate stdin-once true
    script 'sleep 0.5; sha256sum'
    supervise
    ask start
    head -c 3000000 /dev/urandom >"$WORLD/data"
    sum=$(client attach stdin,stdout --stdin --half-close <"$WORLD/data")
    [ "$sum" = "$(sha256sum <"$WORLD/data")" ]
}

@test "without the annotation there is no input, and a client's is thrown away" {
    script 'cat; echo end'
    supervise
    background it attach stdin,stdout --input 'lost' --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    ask start
    wait
    [ "$(cat "$WORLD/it")" = end ]
}

# --- terminals

@test "a terminal is raw, can be resized, and takes input" {
    annotate stdin true
    edit '.process.terminal = true'
    script 'read x; stty size; echo "got $x"; test -t 1'
    supervise
    background raw attach stdin,stdout --input 'word\n' --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    [ "$(cat "$WORLD/ready")" = "ok raw" ]
    [ "$(ask 'resize 33 77')" = ok ]
    ask start
    [ "$(exit_code)" = 0 ]
    wait
    [ "$(tr -d '\r' <"$WORLD/raw" | tail -2)" = "33 77
got word" ]
}

@test "a terminal that nobody has open for a while is not the end" {
    edit '.process.terminal = true'
    script 'echo one; exec </dev/null >/dev/null 2>&1; sleep 0.5; echo two >/dev/console; sleep 0.2'
    supervise
    run -0 client through
    [[ $output == *"exited 0 0 0 "* ]]
    [ "$(log_text | tr -d '\r')" = "one
two" ]
}

# --- the log

@test "long lines are split, odd bytes replaced, the last line needs no end" {
    program /bin/sh -c 'head -c 40000 /dev/zero | tr "\0" a; echo; printf "\\377 \"\\\\\t"; printf "rest"'
    supervise
    client through
    [ "$(jq -r '.log | length' "$BOX/container.log" | tr '\n' ' ')" = "16384 16384 7233 9 " ]
    [ "$(jq -r .log "$BOX/container.log" | tail -1)" = '� "\	rest' ]
}

@test "the log is rotated, and the oldest file goes" {
    script 'i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i + 1)); done'
    supervise --log-max-bytes 4000 --log-max-files 3
    client through
    [ "$(cd "$BOX" && echo container.log*)" = "container.log container.log.1 container.log.2" ]
    for file in "$BOX"/container.log*; do
        [ "$(stat -c %s "$file")" -le 4000 ]
    done
    jq -j .log "$BOX/container.log.2" "$BOX/container.log.1" "$BOX/container.log" >"$WORLD/all"
    [ "$(tail -1 "$WORLD/all")" = "line 299" ]
    first=$(head -1 "$WORLD/all" | cut -d' ' -f2)
    [ "$(wc -l <"$WORLD/all")" -eq $((300 - first)) ]
}

@test "the Kubernetes format has time, stream, and tag" {
    annotate log k8s-file
    script 'echo out; printf part >&2'
    supervise
    client through
    grep -qE '^[0-9T:.-]+Z stdout F out$' "$BOX/container.log"
    grep -qE '^[0-9T:.-]+Z stderr F part$' "$BOX/container.log"
}

@test "logs are sent before what comes live, with nothing twice and nothing left out" {
    annotate stdin true
    script 'i=0; while [ $i -lt 2000 ]; do echo "$i"; i=$((i + 1)); done; printf half; read x; echo -end'
    supervise --log-max-bytes 30000 --log-max-files 10
    ask start
    eventually 100 grep -q '"1999' "$BOX/container.log"
    background late attach stdout,logs --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    client attach stdin --input '\n' --vanish
    [ "$(exit_code)" = 0 ]
    wait
    [ "$(cat "$WORLD/late")" = "$(seq 0 1999; echo half-end)" ]
}

@test "a full disk costs lines of the log, not the container, nor its end" {
    mkdir "$WORLD/small"
    mount -t tmpfs -o size=128k none "$WORLD/small"
    edit '.root.path = $root' --arg root "$BUNDLE/rootfs"
    cp "$BUNDLE/config.json" "$WORLD/small"
    annotate stdin true
    BUNDLE=$WORLD/small
    BOX=$BUNDLE
    annotate stdin true
    script 'i=0; while [ $i -lt 3000 ]; do echo "a line of some length $i"; i=$((i + 1)); done; read x; exit 5'
    supervise
    ask start
    sleep 1
    dd if=/dev/zero of="$BOX/rest" bs=1k 2>/dev/null || true
    [[ $(ask status) == "ok running "* ]]
    [ "$(ask log | cut -d' ' -f2)" -gt 0 ]
    jq -e . "$BOX/container.log" >/dev/null
    client attach stdin --input '\n' --vanish
    [ "$(exit_code)" = 5 ]
    [ "$(head -1 "$BOX/exit" | cut -d" " -f1-3)" = "5 0 0" ]
}

# --- freezing

@test "freeze stands still until thaw, and both tell times" {
    script 'while :; do echo x; sleep 0.01; done'
    supervise
    ask start
    sleep 0.2
    begin=$(date +%s%N)
    run -0 ask 'freeze 2000' status thaw
    [[ ${lines[0]} == "ok "[1-9]* ]]
    [ "${lines[0]#ok }" -lt 500000000 ]
    [[ ${lines[1]} == "ok running "* ]]
    [[ ${lines[2]} == "ok "[1-9]* ]]
    [ "${lines[2]#ok }" -lt $(($(date +%s%N) - begin)) ]
    is_thawed
    [[ $(ask thaw) == "error conflict "* ]]
}

@test "a lease ends at its deadline" {
    program sleep 100
    supervise
    ask start
    background lease hold 'freeze 400' "$WORLD/answer"
    eventually 100 test -e "$WORLD/answer"
    [[ $(cat "$WORLD/answer") == "ok "* ]]
    is_frozen
    sleep 0.7
    is_thawed
    run -0 python3 - "$BOX" <<'END'
import socket, sys, time
client = socket.socket(socket.AF_UNIX)
client.connect(sys.argv[1] + "/ctl.sock")
client.send(b"freeze 100\n")
print(client.recv(100).decode(), end="")
time.sleep(0.4)
client.send(b"thaw\n")
print(client.recv(100).decode(), end="")
END
    [[ ${lines[1]} == "error timeout "* ]]
}

@test "killing a client in the middle of its freeze thaws" {
    program sleep 100
    supervise
    ask start
    background lease hold 'freeze 60000' "$WORLD/answer"
    eventually 100 test -e "$WORLD/answer"
    is_frozen
    kill -KILL "${BACKGROUND# }"
    eventually 40 is_thawed
}

@test "what a killed supervisor left frozen can be deleted" {
    program sleep 100
    supervise
    ask start
    background lease hold 'freeze 60000' "$WORLD/answer"
    eventually 100 test -e "$WORLD/answer"
    kill -KILL "$(supervisor)"
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "two leases: the container stands still until both have ended" {
    program sleep 100
    supervise
    ask start
    background one hold 'freeze 60000' "$WORLD/answer1"
    background two hold 'freeze 60000' "$WORLD/answer2"
    eventually 100 test -e "$WORLD/answer1"
    eventually 100 test -e "$WORLD/answer2"
    read -r one two <<<"$BACKGROUND"
    kill -KILL "$one"
    sleep 0.2
    is_frozen
    kill -KILL "$two"
    eventually 40 is_thawed
}

@test "pause outlives its connection and a lease, and ends by resume" {
    program sleep 100
    supervise
    ask start
    [ "$(ask pause)" = ok ]
    [[ $(ask status) == "ok paused "* ]]
    [ "$(runner state "$ID" | jq -r .status)" = paused ]
    [[ $(ask pause) == "error conflict "* ]]
    ask 'freeze 1000' thaw
    is_frozen
    [ "$(ask resume)" = ok ]
    is_thawed
    [[ $(ask resume) == "error conflict "* ]]
    ask pause
    ask 'kill 9'
    [ "$(exit_code)" = 137 ]
    eventually 100 box_is_quiet
}

# --- the other requests

@test "update, pids and stats work on the container's groups" {
    script 'sleep 100 & wait'
    supervise
    ask start
    sleep 0.2
    [ "$(ask pids | wc -w)" -eq 3 ]
    [ "$(ask 'update {"memory":{"limit":67108864}}')" = ok ]
    ask stats | sed 's/^ok //' | jq -e '.memory.usage.limit == 67108864 and .pids.current == 2'
    [[ $(ask 'update {"memory":') == "error invalid "* ]]
    [[ $(ask update) == "error invalid "* ]]
    [ "$(ask 'kill 9 all')" = ok ]
    [ "$(exit_code)" = 137 ]
}

@test "what the OOM killer does is told and recorded" {
    edit '.linux.resources.memory = { limit: 16777216, swap: 16777216 }'
    script 'sleep 0.5; tail -c 100000000 /dev/zero | wc -c; exit 0'
    supervise
    background watch watch
    ask start
    [ "$(exit_code)" = 0 ]
    wait
    [ "$(sed -n 2p "$WORLD/watch")" = oom ]
    [[ $(sed -n 3p "$WORLD/watch") == "exited 0 0 1 "* ]]
    [[ $(cat "$BOX/exit") == "0 0 1 "* ]]
}

@test "nonsense is answered, and hurts nobody" {
    supervise
    run -0 ask nosuch '' 'kill' 'kill x' 'kill 9 some' 'freeze 0' 'freeze x' 'resize 1' \
        'attach stdin,nosuch' 'resize 10 10'
    [ "$(printf '%s\n' "${lines[@]}" | grep -c '^error ')" -eq 10 ]
    head -c 300000 /dev/zero | tr '\0' a | timeout 5 socat - "UNIX-CONNECT:$BOX/ctl.sock" || true
    head -c 300000 /dev/urandom | timeout 5 socat - "UNIX-CONNECT:$BOX/ctl.sock" >/dev/null || true
    [[ $(ask status) == "ok created "* ]]
}

@test "two hundred idle connections cost others nothing" {
    supervise
    python3 - "$BOX" <<'END'
import socket, sys
def connect():
    client = socket.socket(socket.AF_UNIX)
    client.connect(sys.argv[1] + "/ctl.sock")
    return client
idle = [connect() for _ in range(200)]
for client in idle:
    client.send(b"watch\n")
    assert client.recv(10) == b"ok\n"
last = connect()
last.send(b"status\n")
assert last.recv(100).startswith(b"ok created")
last.send(b"kill 9\n")
for client in idle:
    client.settimeout(10)
    assert client.recv(100).startswith(b"exited 137 9 0 0 ")
END
}

# --- exec

@test "an exec has streams, input and a code of its own" {
    program sleep 100
    supervise
    ask start
    exec_box sh -c 'cat; echo err >&2; exit 9'
    supervise_exec --stdin
    background it attach stdin,stdout,stderr --input 'hello\n' --half-close --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    [[ $(client through) == *"exited 9 0 0 "* ]]
    wait
    [ "$(cat "$WORLD/it")" = hello ]
    [ "$(cat "$WORLD/it.err")" = err ]
    [[ $(cat "$BOX/exit") == "9 0 0 "* ]]
    [ ! -e "$BOX/container.log" ]
    BOX=$BUNDLE
    [[ $(ask status) == "ok running "* ]]
}

@test "an exec on a terminal" {
    program sleep 100
    supervise
    ask start
    exec_box sh -c 'stty size; test -t 0 && echo tty'
    jq '.terminal = true' "$BOX/process.json" >"$BOX/new"
    mv "$BOX/new" "$BOX/process.json"
    supervise_exec
    background it attach stdout --ready "$WORLD/ready"
    eventually 100 test -e "$WORLD/ready"
    ask 'resize 20 30' start
    wait
    [ "$(tr -d '\r' <"$WORLD/it")" = "20 30
tty" ]
}

@test "an exec that cannot be executed, and one in what does not run" {
    program sleep 100
    supervise
    ask start
    exec_box nosuch
    run -1 supervise_exec
    [[ $output == 'error '*'exec: "nosuch": executable file not found in $PATH'* ]]
    [ ! -e "$BOX/ctl.sock" ]
    BOX=$BUNDLE
    ask 'kill 9'
    eventually 100 box_is_quiet
    exec_box true
    run -1 supervise_exec
    [[ $output == "error "* ]]
    [ ! -e "$BOX/ctl.sock" ]
}

@test "an exec's background children neither hold up its end nor die of it" {
    program sleep 100
    supervise
    ask start
    exec_box sh -c 'sleep 50 & exit 2'
    supervise_exec
    begin=$(date +%s)
    [[ $(client through) == *"exited 2 0 0 "* ]]
    [ $(($(date +%s) - begin)) -lt 5 ]
    BOX=$BUNDLE
    [ "$(ask pids | wc -w)" -eq 3 ]
}

@test "an exec ends with its container, and by its own kill" {
    program sleep 100
    supervise
    ask start
    exec_box sleep 100
    supervise_exec
    ask start
    [[ $(ask pids) == "error unsupported "* ]]
    [ "$(ask 'kill 15')" = ok ]
    [ "$(exit_code)" = 143 ]
    eventually 50 test ! -e "$BOX/ctl.sock"
    supervise_exec
    ask start
    BOX=$BUNDLE
    ask 'kill 9'
    eventually 100 box_is_quiet
    BOX=$WORLD/exec
    eventually 100 has_ended
    [[ $(cat "$BOX/exit") == "137 9 "* ]]
}

# --- the reaper

@test "the reaper hands signals on, reaps, and ends as its program ends" {
    run -5 "$RUNNER" reaper -- sh -c 'exit 5'
    run -143 "$RUNNER" reaper sh -c 'kill -TERM $$'
    run -127 "$RUNNER" reaper nosuch
    [ "$output" = 'exec: "nosuch": No such file or directory' ]
    run -126 "$RUNNER" reaper /etc/passwd
    mkdir -p "$BUNDLE/rootfs/sbin"
    cp "$RUNNER" "$BUNDLE/rootfs/sbin/docker-init"
    program /sbin/docker-init -- /bin/sh -c \
        'trap "echo told; exit 3" TERM; (sleep 0.1 &); sleep 0.5; ps -o comm,stat; while :; do sleep 0.1; done'
    supervise
    ask start
    eventually 100 grep -q docker-init "$BOX/container.log"
    [ -z "$(log_text | sed -n '/ Z/p')" ]
    ask 'kill 15'
    [ "$(exit_code)" = 3 ]
    [ "$(log_text | tail -1)" = told ]
}
