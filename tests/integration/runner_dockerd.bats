#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016
# Debian's dockerd and containerd with runner as one of their runtimes, beside runc: the same
# scenario with each, the same outcome.

load runtimes.bash

setup_file() {
    runtimes_begin
    [ -z "$LACK" ] || return 0
    command -v dockerd >/dev/null || LACK="needs dockerd (docker.io)"
    [ -n "$LACK" ] || dockerd_begin
}

teardown_file() {
    dockerd_end
    runtimes_end
}

setup() {
    runtimes_setup
}

teardown() {
    [ -z "${WORLD:-}" ] || runtimes_forget
}

forget_all() {
    dock ps -aq --filter "label=side=$SIDE" | xargs -r timeout 60 docker -H "unix://$ROOM/d.sock" rm -f -v >/dev/null 2>&1 || true
}

# dockerd in the room, without a network: that is not a runtime's business.
dockerd_begin() {
    export PEER=runc
    mkdir -p "$ROOM/etc" /etc/docker
    # shellcheck disable=SC2016 # expands in the inner shell
    nsenter -t "$(cat "$ROOM/pid")" -m -- unshare -n sh -c \
        'ip link set lo up; mount --bind "$1" /etc/docker; shift; exec "$@"' sh "$ROOM/etc" \
        dockerd --data-root "$ROOM/data" --exec-root "$ROOM/exec" -H "unix://$ROOM/d.sock" -p "$ROOM/d.pid" \
        --bridge none --iptables=false --ip-forward=false --storage-driver overlay2 --cgroup-parent "/$GROUP" \
        --add-runtime "ours=$RUNNER" >"$ROOM/d.log" 2>&1 3>&- &
    echo $! >"$ROOM/d.started"
    eventually 300 dock version >/dev/null 2>&1 || LACK="dockerd does not run here: $(tail -n 1 "$ROOM/d.log")"
    [ -n "$LACK" ] || dock import "$ROOM/image.tar" busybox >/dev/null
}

dockerd_end() {
    local pid
    pid=$(cat "${ROOM:-}/d.started" 2>/dev/null) || return 0
    kill -TERM "$pid" 2>/dev/null || true
    eventually 200 is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

dock() {
    timeout 60 docker -H "unix://$ROOM/d.sock" "$@" 3>&-
}

# quick …: run, and remove; start …: run in the background.  Names have the side in them.
quick() {
    dock run --rm --label "side=$SIDE" --network none --runtime "$(runtime_name)" "$@"
}

start() {
    dock run -d --label "side=$SIDE" --network none --runtime "$(runtime_name)" --name "$SIDE-$1" "${@:2}" >/dev/null
}

runtime_name() {
    case $SIDE in peer) echo "$PEER" ;; *) echo ours ;; esac
}

state() {
    dock inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}} {{.State.Paused}}' "$SIDE-$1"
}

says_log() {
    dock logs "$SIDE-$1" 2>&1 | grep -q "$2"
}

# message COMMAND…: the exit status, and what the error says without the runtime's own words for it.
message() {
    local status=0 text
    text=$("$@" 2>&1 >/dev/null) || status=$?
    echo "$text" >&2
    echo "status $status: $(grep -oE 'failed to create shim( task)?|OCI runtime [a-z]* failed|executable file not found in \$PATH|no such file or directory|permission denied|is paused|is not running|exec format error' \
        <<<"$text" | sort -u | tr '\n' ',')"
}

@test "dockerd: exit statuses and messages" {
    scenario() {
        code quick busybox sh -c 'echo out; echo err >&2; exit 7'
        message quick busybox nosuch
        message quick busybox /no/such
        message quick busybox /bin/text
        code quick -w /made/here busybox pwd
        message quick -u nobodyatall busybox true
        message quick --sysctl kernel.nosuch=1 busybox true
        message quick --device /dev/nosuch busybox true
        dock ps -aq --filter "label=side=$SIDE"
    }
    same_outcome scenario
    says out "status 7" /made/here
    [[ $outcome == *"status 127: "*"executable file not found in "* ]]
}

@test "dockerd: what a process finds is the same" {
    scenario() { quick --hostname box busybox fingerprint; }
    same_outcome scenario
}

@test "dockerd: what a privileged process finds is the same" {
    has_all_capabilities || skip "the host lacks a capability, so runc runs nothing privileged"
    scenario() {
        quick --hostname box --privileged busybox fingerprint
        start one busybox sleep 1000
        dock exec --privileged "$SIDE-one" grep CapEff /proc/self/status
    }
    same_outcome scenario
}

@test "dockerd: what a process of a user finds is the same" {
    scenario() {
        quick --hostname box --user 1000:1000 --group-add 44 --ulimit nofile=100:200 --env A=b --workdir /srv \
            --oom-score-adj 77 busybox fingerprint
    }
    same_outcome scenario
    says 77 A=b /srv
}

@test "dockerd: standard input, output and error; logs; wait" {
    scenario() {
        echo hello | dock run -i --rm --network none --runtime "$(runtime_name)" busybox cat
        head -c 300000 /dev/zero | dock run -i --rm --network none --runtime "$(runtime_name)" busybox wc -c
        start one busybox sh -c 'echo first; echo second >&2; exit 4'
        dock wait "$SIDE-one"
        dock logs "$SIDE-one" 2>&1 | sort
        state one
        code dock start -a "$SIDE-one"
    }
    same_outcome scenario
    says hello 300000 4 first second "exited 4 false false" "status 4"
}

@test "dockerd: exec, its statuses, user, directory, environment and input" {
    scenario() {
        start one busybox sleep 1000
        code dock exec "$SIDE-one" sh -c 'echo out; exit 9'
        message dock exec "$SIDE-one" nosuch
        message dock exec "$SIDE-one" /bin/text
        message dock exec -w /nosuch "$SIDE-one" true
        code dock exec -u 1000:44 -w /tmp -e A=b "$SIDE-one" sh -c 'id -u; id -g; pwd; echo $A; echo $HOME'
        echo piped | dock exec -i "$SIDE-one" cat
        dock exec -d "$SIDE-one" sh -c 'echo later >/srv/later'
        eventually 50 dock exec "$SIDE-one" test -s /srv/later
        code dock exec "$SIDE-one" sh -c 'kill -9 $$'
        dock top "$SIDE-one" -o pid,comm | sed 's/^[0-9]* *//'
        dock top "$SIDE-one" | wc -l
    }
    same_outcome scenario
    says out "status 9" 1000 44 /tmp b piped "status 137" sleep
}

@test "dockerd: stop, kill, restart, rm" {
    scenario() {
        start one busybox sh -c 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
        eventually 50 says_log one ready
        dock stop -t 10 "$SIDE-one" >/dev/null
        state one
        start two busybox sh -c 'trap "" TERM; trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done'
        eventually 50 says_log two ready
        dock kill -s USR1 "$SIDE-two" >/dev/null
        eventually 50 says_log two usr1 && echo heard
        dock stop -t 1 "$SIDE-two" >/dev/null
        state two
        message dock kill "$SIDE-two"
        message dock exec "$SIDE-two" true
        dock restart -t 0 "$SIDE-two" >/dev/null
        state two
        message dock rm "$SIDE-two"
        code dock rm -f "$SIDE-two" >/dev/null
    }
    same_outcome scenario
    says "exited 3 false false" heard "exited 137 false false" "running 0 false false"
}

@test "dockerd: pause and unpause" {
    scenario() {
        start one busybox sleep 1000
        code dock pause "$SIDE-one" >/dev/null
        state one
        message dock pause "$SIDE-one"
        message dock exec "$SIDE-one" true
        code dock unpause "$SIDE-one" >/dev/null
        state one
        dock pause "$SIDE-one" >/dev/null
        code dock rm -f "$SIDE-one" >/dev/null
    }
    same_outcome scenario
    says "paused 0 false true" "running 0 false false"
}

@test "dockerd: health checks run by themselves" {
    scenario() {
        start one --health-cmd 'test -e /tmp/well' --health-interval 1s --health-retries 1 busybox sleep 1000
        eventually 100 health one unhealthy && echo unhealthy
        dock exec "$SIDE-one" touch /tmp/well
        eventually 100 health one healthy && echo healthy
    }
    same_outcome scenario
    says unhealthy healthy
}

health() {
    [ "$(dock inspect -f '{{.State.Health.Status}}' "$SIDE-$1")" = "$2" ]
}

@test "dockerd: volumes, binds and temporary filesystems" {
    scenario() {
        echo content >"$PLACE/file"
        quick -v "$SIDE-v:/srv" busybox cat /srv/seed
        quick -v "$SIDE-v:/data" busybox sh -c 'cat /data/seed; echo more >/data/more'
        code quick -v "$SIDE-v:/data:ro" busybox touch /data/x
        quick -v "$PLACE:/data" -v "$PLACE/file:/one" busybox cat /data/file /one
        quick --tmpfs /srv:rw,size=1m,mode=1770 busybox sh -c 'ls /srv; df -k /srv | tail -1 | cut -c1-30'
        message quick -v "$PLACE/file:/etc" busybox true
        code quick --read-only --tmpfs /tmp busybox sh -c 'touch /x || touch /tmp/x'
        dock volume rm "$SIDE-v" >/dev/null
    }
    same_outcome scenario
    says seed seed "status 1" content content "status 0"
}

@test "dockerd: capabilities, privileges and seccomp as asked for" {
    scenario() {
        caps() { quick "$@" busybox grep -E 'Cap|NoNew|Seccomp:' /proc/self/status; }
        caps --cap-drop ALL
        caps --cap-add NET_ADMIN --cap-drop CHOWN
        caps --cap-add SYS_TIME --user 1000
        caps --security-opt no-new-privileges
        caps --security-opt seccomp=unconfined
        code quick busybox mount -t tmpfs none /srv
        code quick --cap-add SYS_ADMIN busybox mount -t tmpfs none /srv
        echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}' >"$PLACE/profile.json"
        code quick --security-opt "seccomp=$PLACE/profile.json" busybox mkdir /x
    }
    same_outcome scenario
}

@test "dockerd: limits, and their update" {
    scenario() {
        start one --memory 32m --memory-swap 48m --cpus 0.5 --cpu-shares 512 --pids-limit 50 --cpuset-cpus 0 busybox sleep 1000
        limits "$(dock inspect -f '{{.State.Pid}}' "$SIDE-one")"
        code dock update --memory 64m --memory-swap 96m --cpus 0.25 --cpu-shares 256 --pids-limit 60 "$SIDE-one" >/dev/null
        limits "$(dock inspect -f '{{.State.Pid}}' "$SIDE-one")"
        dock stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$SIDE-one" | sed 's/ [0-9.]*[A-Za-z]* / /'
        start two --memory 16m --memory-swap 16m busybox tail /dev/zero
        dock wait "$SIDE-two"
        state two
    }
    same_outcome scenario
    says 137
}

@test "dockerd: terminals, an init, namespaces of others" {
    scenario() {
        quick -t busybox sh -c 'tty; test -t 0 && test -t 1 && echo all; stat -c "%t %F" /dev/console'
        start one -t --ipc shareable busybox sh -c 'stty size; sleep 1000'
        dock exec -t "$SIDE-one" sh -c 'tty; exit 6' || echo "status $?"
        dock logs "$SIDE-one"
        quick --pid "container:$SIDE-one" busybox sh -c 'ps | grep -c "[s]leep 1000"'
        quick --ipc "container:$SIDE-one" busybox true && echo ipc
        dock run --rm --label "side=$SIDE" --runtime "$(runtime_name)" --network "container:$SIDE-one" busybox ls /sys/class/net
        [ "$(quick --pid host busybox readlink /proc/self/ns/pid)" = "$(readlink /proc/self/ns/pid)" ] && echo host
    }
    same_outcome scenario
    says "status 6" ipc lo host
}
