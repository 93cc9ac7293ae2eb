#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154,SC2016
# Debian's podman with runner as its runtime, beside crun: the same scenario with each, the same
# outcome.  Networks are podman's own business, so containers have none.

load runtimes.bash

setup_file() {
    runtimes_begin
    [ -z "$LACK" ] || return 0
    command -v podman >/dev/null || LACK="needs podman"
    [ -n "$LACK" ] || podman_begin
}

teardown_file() {
    runtimes_end
}

setup() {
    runtimes_setup
}

teardown() {
    [ -z "${WORLD:-}" ] || runtimes_forget
}

forget_all() {
    pod rm -a -f -t 0 >/dev/null 2>&1 || true
}

# Writes podman's configuration, imports the image, and finds a peer that runs here.
podman_begin() {
    cat >"$ROOM/containers.conf" <<END
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
END
    export CONTAINERS_CONF=$ROOM/containers.conf
    local side
    for side in peer ours; do
        mkdir "$ROOM/$side"
        printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
            "$ROOM/$side/root" "$ROOM/$side/run" >"$ROOM/$side/storage.conf"
        SIDE=$side RUNTIME=$RUNNER pod import -q "$ROOM/image.tar" busybox >/dev/null
    done
    for PEER in crun runc; do
        export PEER
        ! SIDE=peer RUNTIME=$PEER quick busybox true 2>>"$ROOM/log" || return 0
    done
    LACK="podman runs no runtime here: $(tail -n 1 "$ROOM/log")"
}

# Each side has podman's state for itself.
pod() {
    CONTAINERS_STORAGE_CONF=$ROOM/$SIDE/storage.conf in_room podman --tmpdir "$ROOM/$SIDE/tmp" \
        --cgroup-manager cgroupfs --runtime "$RUNTIME" "$@"
}

# quick …: run, and remove; start …: run in the background, without its id in the outcome.
quick() {
    pod run --rm --network none --cgroup-parent "/$GROUP" "$@"
}

start() {
    pod run -d --network none --cgroup-parent "/$GROUP" "$@" >/dev/null
}

state() {
    pod inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' "$1"
}

@test "podman: exit statuses, and the classes of errors" {
    scenario() {
        code quick busybox sh -c 'echo out; echo err >&2; exit 7'
        why quick busybox nosuch
        why quick busybox /no/such
        why quick busybox /etc
        why quick busybox /bin/text
        why quick -w /etc/passwd busybox true
        code quick -w /made/here busybox pwd
        why quick -u nobodyatall busybox true
        why quick --sysctl kernel.nosuch=1 busybox true
        why quick --device /dev/nosuch busybox true
    }
    same_outcome scenario
    says out "status 7" "status 127: OCI runtime attempted to invoke a command that was not found"
}

@test "podman: what a process finds is the same" {
    scenario() { quick --hostname box busybox fingerprint; }
    same_outcome scenario
    says $'CapInh:\t0000000000000000'
}

@test "podman: what a privileged process finds is the same" {
    scenario() { quick --hostname box --privileged busybox fingerprint; }
    same_outcome scenario
}

@test "podman: what a process of a user finds is the same" {
    scenario() {
        quick --hostname box --user 1000:1000 --group-add 44 --umask 0027 --ulimit nofile=100:200 --ulimit nproc=300:300 \
            --env A=b --workdir /srv --oom-score-adj 77 busybox fingerprint
    }
    same_outcome scenario
    says 77 A=b 0027 /srv
}

@test "podman: standard input, output and error are passed on" {
    scenario() {
        echo hello | pod run -i --rm --network none busybox cat
        quick busybox sh -c 'echo err >&2; echo out' 2>&1 | sort
        head -c 300000 /dev/zero | pod run -i --rm --network none busybox wc -c
    }
    same_outcome scenario
    says hello err out 300000
}

@test "podman: logs, wait and the state of what ended" {
    scenario() {
        start --name one busybox sh -c 'echo first; echo second >&2; exit 4'
        pod wait one
        pod logs one 2>&1 | sort
        state one
        code pod start -a one
        pod logs one 2>/dev/null
        pod rm one >/dev/null
    }
    same_outcome scenario
    says 4 first second "exited 4 false" "status 4"
}

@test "podman: exec, its statuses, user, directory, environment and input" {
    scenario() {
        start --name one busybox sleep 1000
        code pod exec one sh -c 'echo out; exit 9'
        why pod exec one nosuch
        why pod exec one /etc
        why pod exec -w /nosuch one true
        code pod exec -u 1000:44 -w /tmp -e A=b one sh -c 'id -u; id -g; pwd; echo $A; echo $HOME'
        code pod exec -u user one id
        echo piped | pod exec -i one cat
        pod exec one fingerprint
        pod exec --privileged one grep CapEff /proc/self/status
        pod exec -d one sh -c 'echo later >/srv/later' >/dev/null
        eventually 50 pod exec one test -s /srv/later
        pod exec one cat /srv/later
        pod exec one sh -c 'kill -9 $$' || echo $?
        pod top one pid comm
    }
    same_outcome scenario
    says out "status 9" "status 127: OCI runtime attempted to invoke a command that was not found" piped later 137
}

@test "podman: stop waits for the handler, and kills what does not listen" {
    scenario() {
        start --name one busybox sh -c 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done'
        eventually 50 listens one
        code pod stop -t 10 one
        state one
        pod logs one
        start --name two busybox sh -c 'trap "" TERM; echo ready; while :; do sleep 0.1; done'
        eventually 50 listens two
        code pod stop -t 1 two
        state two
        code pod stop two
        start --name three --stop-signal USR1 busybox sh -c 'trap "exit 5" USR1; echo ready; while :; do sleep 0.1; done'
        eventually 50 listens three
        pod stop three
        state three
        code pod restart -t 0 three
        state three
    }
    same_outcome scenario
    says "exited 3 false" ready bye "exited 137 false" "exited 5 false" "running 0 false"
}

listens() {
    pod logs "$1" | grep -q ready
}

@test "podman: kill sends what it is told, and fails on what has ended" {
    scenario() {
        start --name one busybox sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.1; done'
        eventually 50 listens one
        code pod kill -s USR1 one
        eventually 50 hears one
        state one
        code pod kill one
        pod wait one
        state one
        code pod kill one
        why pod exec one true
        code pod rm one
        start --name two busybox sleep 1000
        code pod rm two
        code pod rm -f -t 0 two
        pod ps -aq
    }
    same_outcome scenario
    says "running 0 false" 137 "exited 137 false" "status 125"
}

hears() {
    pod logs "$1" | grep -q usr1
}

@test "podman: pause stops it, and what cannot be done meanwhile fails" {
    scenario() {
        start --name one busybox sleep 1000
        code pod pause one
        state one
        code pod pause one
        why pod exec one true
        code pod unpause one
        state one
        code pod exec one true
        pod pause one
        code pod kill one
        code pod unpause one
        code pod rm -f -t 0 one
    }
    same_outcome scenario
    says "paused 0 false" "running 0 false"
}

@test "podman: a health check runs in the container" {
    scenario() {
        start --name one --health-cmd 'test -e /tmp/well' --health-interval disable --health-retries 1 busybox sleep 1000
        code pod healthcheck run one
        pod inspect -f '{{.State.Healthcheck.Status}}' one
        pod exec one touch /tmp/well
        code pod healthcheck run one
        pod inspect -f '{{.State.Healthcheck.Status}}' one
    }
    same_outcome scenario
    says "status 1" "status 0" healthy
}

@test "podman: the containers of a pod share what it says" {
    scenario() {
        pod pod create --name p --share ipc,net,uts --hostname shared --network none --cgroup-parent "/$GROUP" \
            --infra-image busybox --infra-command 'sleep 1000' >/dev/null
        pod run -d --pod p --name one busybox sleep 1000 >/dev/null
        pod run --rm --pod p busybox hostname
        [ "$(pod exec one readlink /proc/self/ns/net)" = "$(pod run --rm --pod p busybox readlink /proc/self/ns/net)" ] && echo shared
        [ "$(pod exec one readlink /proc/self/ns/pid)" = "$(pod run --rm --pod p busybox readlink /proc/self/ns/pid)" ] || echo own
        pod pod pause p >/dev/null
        state one
        pod pod unpause p >/dev/null
        pod pod stop -t 0 p >/dev/null
        state one
        pod pod start p >/dev/null
        state one
        pod pod rm -f -t 0 p >/dev/null
        pod ps -aq
    }
    same_outcome scenario
    says shared shared own "paused 0 false" "exited 137 false" "running 0 false"
}

@test "podman: namespaces of others and of the host" {
    scenario() {
        start --name one --hostname first busybox sleep 1000
        quick --pid container:one busybox sh -c 'ps | grep -c "[s]leep 1000"'
        quick --uts container:one busybox hostname
        quick --ipc container:one busybox true && echo ipc
        for kind in pid uts ipc cgroup; do
            [ "$(quick "--$kind$([ $kind != cgroup ] || echo ns)" host busybox readlink /proc/self/ns/$kind)" = \
                "$(readlink /proc/self/ns/$kind)" ] && echo "host $kind"
        done
        quick --cgroupns private busybox cat /proc/self/cgroup
        pod run --rm --network container:one busybox ls /sys/class/net
    }
    same_outcome scenario
    says first ipc "host pid" "host uts" "host ipc" "host cgroup"
}

@test "podman: volumes, binds, temporary filesystems and their options" {
    scenario() {
        mkdir -p "$PLACE/dir"
        echo content >"$PLACE/dir/file"
        pod volume create v >/dev/null
        quick -v v:/srv busybox cat /srv/seed
        quick -v v:/data busybox sh -c 'cat /data/seed; echo more >/data/more'
        code quick -v v:/data:ro busybox touch /data/x
        quick -v "$PLACE/dir:/data" -v "$PLACE/dir/file:/one" busybox cat /data/file /one
        code quick -v "$PLACE/dir:/data:ro,nosuid,nodev,noexec" busybox grep -o ' /data [a-z,]*' /proc/self/mountinfo
        code quick -v "$PLACE/dir:/data:O" busybox sh -c 'echo over >/data/file; cat /data/file'
        cat "$PLACE/dir/file"
        quick --tmpfs /srv:rw,size=1m,mode=1770 busybox sh -c 'ls /srv; stat -c %a /srv; df -k /srv | tail -1 | cut -c1-30'
        quick --mount type=tmpfs,dst=/srv,notmpcopyup busybox ls /srv
        code quick -v "$PLACE/dir:/no/such/place" busybox ls /no/such/place
        why quick -v "$PLACE/nosuch:/data" busybox true
        why quick -v "$PLACE/dir/file:/etc" busybox true
        pod volume rm v
    }
    same_outcome scenario
    says seed seed "status 1" content content over "status 0" content v
}

@test "podman: propagation of mounts" {
    scenario() {
        local dir=$PLACE
        in_room mount -t tmpfs none "$dir"
        in_room mount --make-rshared "$dir"
        in_room mkdir "$dir/a"
        start --name one -v "$dir:/data:rslave" busybox sleep 1000
        in_room mount -t tmpfs none "$dir/a"
        in_room touch "$dir/a/seen"
        pod exec one ls /data/a
        start --name two --privileged -v "$dir:/data:rshared" busybox sh -c 'mkdir -p /data/b; mount -t tmpfs none /data/b; touch /data/b/back; sleep 1000'
        eventually 50 in_room test -e "$dir/b/back" && echo back
        pod rm -f -t 0 one two >/dev/null
        in_room umount -R "$dir"
    }
    same_outcome scenario
    says seen back
}

@test "podman: a user namespace, with ids as mapped" {
    scenario() {
        chmod 755 "$ROOM" "$WORLD"
        chmod 777 "$PLACE"
        quick --uidmap 0:100000:5000 --gidmap 0:200000:5000 -v "$PLACE:/data" busybox \
            sh -c 'id; cat /proc/self/uid_map /proc/self/gid_map; touch /data/mine; grep Cap /proc/self/status'
        stat -c '%u:%g' "$PLACE/mine"
        start --name one --uidmap 0:100000:5000 busybox sleep 1000
        pod exec one fingerprint
        pod exec -u 1000 one id -u
        code quick --uidmap 0:100000:5000 --read-only --tmpfs /tmp busybox sh -c 'touch /x || touch /tmp/x'
    }
    same_outcome scenario
    says 100000:200000 1000 "status 0"
}

@test "podman: a read-only root, with and without its temporary filesystems" {
    scenario() {
        code quick --read-only busybox touch /x
        code quick --read-only busybox touch /tmp/x /run/x /var/tmp/x
        code quick --read-only --read-only-tmpfs=false busybox touch /tmp/x
        code quick --read-only -v "$PLACE:/data" busybox touch /data/x
    }
    same_outcome scenario
    says "status 1" "status 0" "status 1" "status 0"
}

@test "podman: capabilities, privileges and seccomp as asked for" {
    scenario() {
        caps() { quick "$@" busybox grep -E 'Cap|NoNew|Seccomp:' /proc/self/status; }
        caps --cap-drop ALL
        caps --cap-drop ALL --cap-add NET_ADMIN,KILL
        caps --cap-add SYS_TIME --user 1000
        caps --security-opt no-new-privileges
        caps --security-opt seccomp=unconfined
        caps --privileged --user 1000
        code quick --cap-drop CHOWN busybox chown 1 /etc/passwd
        code quick busybox mount -t tmpfs none /srv
        code quick --cap-add SYS_ADMIN busybox mount -t tmpfs none /srv
        code quick busybox unshare -U true
        echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}' >"$PLACE/profile.json"
        quick --security-opt "seccomp=$PLACE/profile.json" busybox mkdir /x 2>&1 || echo $?
        why quick --cap-add NOSUCH busybox true
    }
    same_outcome scenario
    says "mkdir: can't create directory '/x': No space left on device" 1
}

@test "podman: limits of memory, processors and processes" {
    scenario() {
        start --name one --memory 32m --memory-swap 48m --memory-reservation 16m --cpus 0.5 --cpu-shares 512 \
            --pids-limit 50 --cpuset-cpus 0 busybox sleep 1000
        limits "$(pod inspect -f '{{.State.Pid}}' one)"
        code pod update --memory 64m --cpus 0.25 --cpu-shares 256 one >/dev/null
        limits "$(pod inspect -f '{{.State.Pid}}' one)"
        pod stats --no-stream --format '{{.PIDS}} {{.Name}}' one
        code quick --memory 16m --memory-swap 16m busybox tail /dev/zero
        start --name two --memory 16m --memory-swap 16m busybox tail /dev/zero
        pod wait two
        state two
        quick --pids-limit 6 busybox sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait' 2>&1 | grep -c fork
        why quick --memory 1k busybox true
    }
    same_outcome scenario
    says "status 137" 137
}

@test "podman: an init of its own reaps and passes signals on" {
    command -v tini-static >/dev/null || skip "needs tini-static (tini)"
    scenario() {
        start --name one --init --init-path "$(command -v tini-static)" busybox sh -c 'sleep 0.2 & exec sleep 1000'
        pod top one pid comm
        sleep 0.5
        pod top one pid comm
        code pod stop -t 5 one
        state one
    }
    same_outcome scenario
    says "exited 143 false"
}

@test "podman: a terminal, also for exec" {
    scenario() {
        quick -t busybox sh -c 'tty; test -t 0 && test -t 1 && test -t 2 && echo all; ls -ln /dev/console | cut -c1-20' | od -c | head -20
        start -t --name one busybox sh -c 'stty size; sleep 1000'
        pod exec -t one sh -c 'tty; exit 6' || echo "status $?"
        pod exec one ls /dev/pts
        pod logs one
        quick -t --user 1000 busybox sh -c 'stat -c "%u %a" $(tty) /dev/console; echo x >/dev/tty'
        quick -t busybox fingerprint
    }
    same_outcome scenario
    says "status 6"
}

@test "podman: devices, shared memory, host names, system controls" {
    scenario() {
        quick --device /dev/fuse:/dev/other:r busybox sh -c 'ls -ln /dev/other | cut -c1-30; cat /dev/other >/dev/null' 2>&1 || echo $?
        quick --shm-size 1m busybox sh -c 'df -k /dev/shm | tail -1'
        quick --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4096 busybox cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax
        quick --hostname box --add-host a:1.2.3.4 busybox sh -c 'hostname; grep 1.2.3.4 /etc/hosts'
        code quick busybox sh -c 'mknod /tmp/m b 8 0 && cat /tmp/m'
        code quick --security-opt unmask=ALL busybox sh -c 'head -c 1 /proc/timer_list | wc -c'
        code quick --security-opt mask=/srv busybox ls /srv
        quick --personality=LINUX32 busybox uname -m
    }
    same_outcome scenario
    says box
}

@test "podman: descriptors of the caller reach it only where asked" {
    scenario() {
        echo passed >"$PLACE/passed"
        quick busybox ls /proc/self/fd | tr '\n' ' ' 5<"$PLACE/passed"
        code quick --preserve-fds 1 busybox sh -c 'cat <&3' 3<"$PLACE/passed"
    }
    same_outcome scenario
}
