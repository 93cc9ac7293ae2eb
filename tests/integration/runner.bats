#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# The OCI runtime: its commands as engines call them, and what a spec can ask for.  The attacks that
# other runtimes have fallen to are in attacks.bats.

load runner.bash

setup_file() {
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
}

teardown() {
    runner_end
}

# --- commands

@test "version, features and spec are what engines parse" {
    run -0 runner --version
    [[ ${lines[0]} == "runner version "* ]]
    runner features | jq -e '.ociVersionMax and (.linux.namespaces | index("time"))
        and (.linux.capabilities | index("CAP_BPF")) and .linux.cgroup.v2' >/dev/null
    jq -e '.linux.maskedPaths | index("/proc/kcore")' "$BUNDLE/config.json" >/dev/null
}

@test "run gives the program's exit status, output and nothing left behind" {
    script 'echo out; echo err >&2; exit 7'
    run -7 --separate-stderr run_container
    [ "$output" = out ]
    [ "$stderr" = err ]
    [ -z "$(left_behind)" ]
}

@test "run gives 128 and the signal of a killed program" {
    program sleep 100
    (eventually 100 status_is running && runner kill "$ID" KILL) 2>/dev/null &
    run -137 run_container
    wait
}

@test "run passes its standard input on" {
    program cat
    [ "$(echo hello | run_container)" = hello ]
}

@test "create waits, start executes, delete removes" {
    script 'echo started; sleep 100'
    runner create --bundle "$BUNDLE" --pid-file "$WORLD/pid" "$ID" >"$WORLD/stdout"
    status_is created
    [ "$(cat "$WORLD/pid")" = "$(runner state "$ID" | jq .pid)" ]
    [ ! -s "$WORLD/stdout" ]
    runner start "$ID"
    status_is running
    eventually 40 grep -q started "$WORLD/stdout"
    run -1 runner delete "$ID"
    [[ $output == *"not stopped"* ]]
    runner kill "$ID" KILL
    eventually 40 status_is stopped
    runner delete "$ID"
    [ -z "$(left_behind)" ]
}

@test "state tells what the specification asks for" {
    program sleep 100
    edit '.annotations = {"org.example.key": "value"}'
    start_container
    runner state "$ID" | jq -e --arg id "$ID" --arg bundle "$BUNDLE" '.ociVersion and .id == $id
        and .status == "running" and .pid > 1 and .bundle == $bundle
        and .annotations["org.example.key"] == "value" and (.created | test("T.*Z"))'
}

@test "an unknown container does not exist, in the words that engines look for" {
    run -1 runner state nobody
    [[ $output == *"does not exist"* ]]
    run -1 runner --log "$WORLD/log" --log-format json delete nobody
    jq -e '.level == "error" and (.msg | test("does not exist")) and .time' "$WORLD/log"
}

@test "an id is taken once and must be a plain name" {
    program sleep 100
    start_container
    run -1 runner create --bundle "$BUNDLE" "$ID"
    [[ $output == *"exists"* ]]
    run -1 runner create --bundle "$BUNDLE" ../x
    [[ $output == *"invalid container id"* ]]
}

@test "kill signals init, and a stopped container is not running" {
    script 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'
    start_container
    eventually 40 grep -q ready "$WORLD/stdout"
    runner kill "$ID" 15
    eventually 40 status_is stopped
    run -1 runner kill "$ID" TERM
    [[ $output == *"not running"* ]]
    runner kill --all "$ID" KILL
}

@test "delete --force ends a running container; again it does not exist" {
    program sleep 100
    start_container
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
    run runner delete --force "$ID"
    [ "$status" -eq 0 ] || [[ $output == *"does not exist"* ]]
}

@test "delete --force removes what a loss of power left without a readable state" {
    mkdir -p "$ROOT/$ID"
    : >"$ROOT/$ID/state.json"
    run -1 runner delete "$ID"
    runner delete --force "$ID"
    [ ! -e "$ROOT/$ID" ]
}

@test "a created container can be deleted" {
    program sleep 100
    runner create --bundle "$BUNDLE" "$ID"
    runner delete "$ID"
    [ -z "$(left_behind)" ]
}

@test "exec runs in the container and gives its own status" {
    program sleep 100
    start_container
    run -9 runner exec "$ID" sh -c 'hostname; exit 9'
    [ "$output" = runner ]
    run -0 runner exec --env A=b --cwd /tmp --user 1000:1000 "$ID" sh -c 'echo $A; pwd; id -u'
    [ "$output" = $'b\n/tmp\n1000' ]
}

@test "exec --process --detach writes a pid file and leaves the process to its caller" {
    program sleep 100
    start_container
    jq '.process | .args = ["sleep", "50"]' "$BUNDLE/config.json" >"$WORLD/process.json"
    runner exec --process "$WORLD/process.json" --detach --pid-file "$WORLD/exec.pid" "$ID" \
        </dev/null >/dev/null 2>&1
    pid=$(cat "$WORLD/exec.pid")
    [ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 50 " ]
    grep -q "$ID" "/proc/$pid/cgroup"
    runner ps --format json "$ID" | jq -e --argjson pid "$pid" 'index($pid)'
}

@test "exec in a container that is not running is refused" {
    program true
    start_container
    eventually 40 status_is stopped
    run -1 runner exec "$ID" true
    [[ $output == *"not running"* ]]
}

@test "a user is a number, whole and in range (CVE-2026-30892)" {
    program sleep 100
    start_container
    for user in 1x x 4294967296 -1 '' 1:y; do
        run runner exec --user "$user" "$ID" id -u
        [ "$status" -ne 0 ]
        [ "$output" != 0 ]
    done
}

@test "list shows containers in both forms" {
    program sleep 100
    start_container
    runner list --format json | jq -e --arg id "$ID" '.[] | select(.id == $id) | .status == "running"'
    runner list | grep -q "^$ID .*running"
    [ "$(runner list -q)" = "$ID" ]
}

@test "pause stops every process, resume continues them" {
    script 'while :; do echo . >>/tmp/count; done'
    start_container
    eventually 40 test -s "$BUNDLE/rootfs/tmp/count"
    runner pause "$ID"
    status_is paused
    before=$(stat -c %s "$BUNDLE/rootfs/tmp/count")
    sleep 0.2
    [ "$(stat -c %s "$BUNDLE/rootfs/tmp/count")" = "$before" ]
    run -1 runner exec "$ID" true
    [[ $output == *paused* ]]
    runner resume "$ID"
    status_is running
}

@test "a paused container can be killed and deleted" {
    program sleep 100
    start_container
    runner pause "$ID"
    runner delete --force "$ID"
    [ -z "$(left_behind)" ]
}

@test "events --stats is one line of JSON with the figures engines read" {
    program sleep 100
    start_container
    runner events --stats "$ID" | jq -e --arg id "$ID" '.type == "stats" and .id == $id
        and .data.cpu.usage.total > 0 and .data.memory.usage.usage > 0 and .data.pids.current == 1'
}

@test "limits are set, and changed by update" {
    [ -d /sys/fs/cgroup/memory ] || skip "memory is not on a v1 hierarchy"
    program sleep 100
    edit '.linux.resources += {memory: {limit: 33554432}, pids: {limit: 20},
        cpu: {shares: 512, quota: 20000, period: 100000}}'
    start_container
    [ "$(cat "$(group_of memory)/memory.limit_in_bytes")" = 33554432 ]
    [ "$(cat "$(group_of pids)/pids.max")" = 20 ]
    [ "$(cat "$(group_of cpu)/cpu.shares")" = 512 ]
    echo '{"memory": {"limit": 67108864}, "pids": {"limit": -1}}' |
        runner update --resources - "$ID"
    [ "$(cat "$(group_of memory)/memory.limit_in_bytes")" = 67108864 ]
    [ "$(cat "$(group_of pids)/pids.max")" = max ]
    runner update --cpu-share 256 --cpuset-cpus 0 "$ID"
    [ "$(cat "$(group_of cpu)/cpu.shares")" = 256 ]
    [ "$(cat "$(group_of cpuset)/cpuset.cpus")" = 0 ]
}

@test "a memory limit ends what needs more, and pids.max stops a fork bomb" {
    [ -d /sys/fs/cgroup/memory ] || skip "memory is not on a v1 hierarchy"
    script 'tail /dev/zero'
    edit '.linux.resources.memory = {limit: 16777216, swap: 16777216}'
    run -137 run_container
    script 'for i in $(seq 50); do sleep 1 & done; echo no'
    edit '.linux.resources = {pids: {limit: 10}}'
    run run_container
    [[ $output == *"can't fork"* ]]
}

@test "on cgroup v2 alone a container is made, confined, paused, killed and removed" {
    script 'mknod /tmp/m c 1 1 && head -c 1 /tmp/m; head -c 1 /dev/zero | wc -c; sleep 100'
    edit '.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYS_RAWIO"])'
    cat >"$WORLD/v2.sh" <<'SH'
umount -a -t cgroup && umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit 99
set -e
runner() { "$RUNNER" --root "$ROOT" "$@"; }
status() { runner state "$ID" | jq -r .status; }
runner create --bundle "$BUNDLE" "$ID" >"$WORLD/stdout" 2>"$WORLD/stderr" </dev/null
runner start "$ID"
group=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(runner state "$ID" | jq .pid)/cgroup")
[ -n "${group#/sys/fs/cgroup}" ]
runner exec "$ID" true
runner pause "$ID"
[ "$(status)" = paused ] && grep -q 'frozen 1' "$group/cgroup.events"
runner resume "$ID"
[ "$(status)" = running ]
echo '{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 1, "access": "rwm"}]}' |
    runner update --resources - "$ID"
! runner exec "$ID" head -c 1 /tmp/m 2>&1 | grep 'not permitted'
runner kill --all "$ID" KILL
for i in 1 2 3 4 5 6 7 8 9; do [ "$(status)" = stopped ] || sleep 0.1; done
runner delete "$ID"
[ ! -e "$group" ]
SH
    export RUNNER ROOT BUNDLE ID WORLD
    run unshare -m --propagation private bash "$WORLD/v2.sh" 3>&-
    [ "$status" -ne 99 ] || skip "cgroup v2 cannot be mounted alone here"
    [ "$status" -eq 0 ]
    grep -q "Operation not permitted" "$WORLD/stderr"
    grep -qx 1 "$WORLD/stdout"
}

# --- what a spec can ask for

@test "the program is found in PATH, and the message is engines' when it is not" {
    program nosuch
    run -1 run_container
    [[ $output == *'exec: "nosuch": executable file not found in $PATH'* ]]
    program /nosuch
    run -1 run_container
    [[ $output == *'"/nosuch"'*"no such file or directory"* ]]
    program /etc/passwd
    run -1 run_container
    [[ $output == *'exec: "/etc/passwd": permission denied'* ]]
    program /etc
    run -1 run_container
    [[ $output == *"is a directory"* ]]
    [ -z "$(left_behind)" ]
}

@test "an error of the execution itself reaches start" {
    printf 'not a program' >"$BUNDLE/rootfs/bin/junk"
    chmod 755 "$BUNDLE/rootfs/bin/junk"
    program junk
    runner create --bundle "$BUNDLE" "$ID"
    run -1 runner start "$ID"
    [[ $output == *"exec format error"* ]]
}

@test "user, groups, umask, directory, environment and limits are the process's" {
    script 'id -u; id -g; id -G; umask; pwd; echo $A; echo $HOME; ulimit -n'
    edit '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6], umask: 63}
        | .process.cwd = "/made/for/it" | .process.env += ["A=b c"]
        | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}]'
    run -0 run_container
    [ "$output" = $'1000\n1001\n1001 5 6\n0077\n/made/for/it\nb c\n/home/user\n100' ]
}

@test "capabilities are exactly those asked for, and none is inheritable unless asked (CVE-2022-29162)" {
    script 'grep Cap /proc/self/status'
    edit '.process.capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"],
        permitted: ["CAP_KILL"], effective: ["CAP_KILL"]}'
    run -0 run_container
    [[ $output == *CapInh:*0000000000000000* ]]
    [[ $output == *CapPrm:*0000000000000020* ]]
    [[ $output == *CapBnd:*0000000000000021* ]]
    [[ $output == *CapAmb:*0000000000000000* ]]
    edit '.process.user.uid = 1000 | .process.capabilities = {bounding: ["CAP_KILL"],
        permitted: ["CAP_KILL"], effective: ["CAP_KILL"], inheritable: ["CAP_KILL"],
        ambient: ["CAP_KILL"]}'
    run -0 run_container
    [[ $output == *CapEff:*0000000000000020* ]]
    [[ $output == *CapAmb:*0000000000000020* ]]
    edit '.process.capabilities.bounding = ["CAP_NOSUCH"]'
    run -1 run_container
    [[ $output == *"unknown capability 'CAP_NOSUCH'"* ]]
}

@test "a seccomp profile is in force, cached, and the same for exec" {
    script 'mkdir /tmp/x; cat /proc/self/status; sleep 100'
    edit '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [{names: ["mkdir", "mkdirat", "nosuchcall"], action: "SCMP_ACT_ERRNO", errnoRet: 30}]}'
    start_container
    eventually 40 grep -q Seccomp: "$WORLD/stdout"
    grep -q 'Read-only file system' "$WORLD/stderr"
    grep -q 'Seccomp:.*2' "$WORLD/stdout"
    [ "$(find "$ROOT/.seccomp" -type f | wc -l)" -eq 1 ]
    run -1 runner exec "$ID" mkdir /tmp/y
    [[ $output == *"Read-only file system"* ]]
}

@test "calls newer than an EPERM profile are ENOSYS, so that libraries fall back" {
    script 'exec nosuch'
    cat >"$WORLD/new.py" <<'PY'
import json, sys
config = json.load(open(sys.argv[1]))
config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [{"names": sys.argv[2].split(), "action": "SCMP_ACT_ALLOW"}]}
json.dump(config, open(sys.argv[1], "w"))
PY
    command -v gcc >/dev/null || skip "needs gcc"
    cat >"$WORLD/new.c" <<'C'
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(void)
{
    int newer = syscall(600) < 0 ? errno : 0;
    int older = syscall(SYS_getpriority, 0, 0) < 0 ? errno : 0;
    printf("%d %d\n", newer, older);
}
C
    gcc -static -o "$BUNDLE/rootfs/bin/new" "$WORLD/new.c" || skip "needs a static C library"
    program new
    python3 "$WORLD/new.py" "$BUNDLE/config.json" 'execve brk arch_prctl set_tid_address
        set_robust_list rseq prlimit64 readlinkat readlink getrandom mprotect newfstatat fstat write
        exit_group mmap munmap close'
    run -0 run_container
    [ "$output" = "38 1" ]
}

@test "namespaces are new, or joined by path" {
    program sleep 100
    start_container
    pid=$(cat "$WORLD/pid")
    for kind in pid net ipc uts mnt; do
        [ "$(readlink "/proc/$pid/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ]
    done
    script 'readlink /proc/self/ns/net; readlink /proc/self/ns/pid; ps | grep -c "sleep 100"'
    edit '.linux.namespaces |= map(if .type == "network" then .path = "/proc/\($pid)/ns/net"
        elif .type == "pid" then .path = "/proc/\($pid)/ns/pid" else . end)' --arg pid "$pid"
    run -0 runner run --bundle "$BUNDLE" "$ID-b"
    [ "${lines[0]}" = "$(readlink "/proc/$pid/ns/net")" ]
    [ "${lines[1]}" = "$(readlink "/proc/$pid/ns/pid")" ]
}

@test "a private network has its loopback up" {
    script 'ip addr show lo'
    run -0 run_container
    [[ $output == *"LOOPBACK,UP"* ]]
}

@test "a user namespace maps ids, and its root is nobody outside" {
    chown -R 100000:100000 "$BUNDLE/rootfs"
    chmod 755 "$WORLD"
    script 'id -u; cat /proc/self/uid_map; touch /tmp/mine; test -w /dev/null && echo null; sleep 100'
    edit '.linux.namespaces += [{type: "user"}]
        | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
        | .linux.gidMappings = .linux.uidMappings'
    start_container
    eventually 40 grep -q null "$WORLD/stdout"
    [ "$(head -1 "$WORLD/stdout")" = 0 ]
    [ "$(stat -c %u "$BUNDLE/rootfs/tmp/mine")" = 100000 ]
    [ "$(stat -c %u "/proc/$(cat "$WORLD/pid")")" = 100000 ]
    run -0 runner exec "$ID" id -u
    [ "$output" = 0 ]
}

@test "a user without rights runs containers too, and sees no control group of the host" {
    rm "$BUNDLE/config.json"
    chown -R 1000:1000 "$WORLD"
    chmod 755 "$WORLD"
    cat >"$WORLD/rootless.sh" <<'SH'
set -e
export XDG_RUNTIME_DIR=$WORLD/xdg
mkdir "$XDG_RUNTIME_DIR"
"$RUNNER" spec --rootless --bundle "$BUNDLE"
jq '.process.terminal = false | .process.args = ["sh", "-c",
    "id -u; cat /proc/self/uid_map; ls /sys/fs/cgroup | wc -l; echo x >/dev/null; sleep 100"]' \
    "$BUNDLE/config.json" >"$WORLD/config.json"
"$RUNNER" create --bundle "$BUNDLE" --config "$WORLD/config.json" "$ID" >"$WORLD/stdout" </dev/null
"$RUNNER" start "$ID"
"$RUNNER" exec "$ID" true
"$RUNNER" list -q | grep -q "$ID"
sleep 0.3
"$RUNNER" delete --force "$ID"
SH
    cp "$RUNNER" "$WORLD/runner"
    export BUNDLE ID WORLD
    RUNNER=$WORLD/runner run -0 setpriv --reuid 1000 --regid 1000 --clear-groups bash "$WORLD/rootless.sh" 3>&-
    run -0 cat "$WORLD/stdout"
    [ "${lines[0]}" = 0 ]
    [ "$(echo ${lines[1]})" = "0 1000 1" ]
    [ "${lines[2]}" = 0 ]
}

@test "a time namespace has its offsets" {
    [ -e /proc/self/ns/time ] || skip "the kernel has no time namespaces"
    script 'cut -d. -f1 /proc/uptime'
    edit '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 1000000}}'
    run -0 run_container
    [ "$output" -gt 1000000 ]
}

@test "bind mounts of files and directories appear, read-only where asked" {
    mkdir "$WORLD/dir"
    echo content >"$WORLD/dir/file"
    script 'cat /data/file /a/new/file; touch /data/x && echo written; touch /ro/x || echo refused'
    edit '.mounts += [
        {destination: "/data", type: "bind", source: $dir, options: ["rbind", "rw"]},
        {destination: "/ro", type: "bind", source: $dir, options: ["rbind", "ro"]},
        {destination: "/a/new/file", type: "bind", source: ($dir + "/file"), options: ["bind"]}]' \
        --arg dir "$WORLD/dir"
    run -0 run_container
    [[ $output == $'content\ncontent\nwritten'*refused ]]
    [ -e "$WORLD/dir/x" ]
}

@test "rro makes what is mounted below read-only too" {
    mkdir -p "$WORLD/dir/sub"
    mount -t tmpfs none "$WORLD/dir/sub"
    script 'touch /ro/sub/x && echo written; touch /rro/sub/x || echo refused'
    edit '.mounts += [
        {destination: "/ro", type: "bind", source: $dir, options: ["rbind", "ro"]},
        {destination: "/rro", type: "bind", source: $dir, options: ["rbind", "rro"]}]' \
        --arg dir "$WORLD/dir"
    run -0 run_container
    umount "$WORLD/dir/sub"
    [[ $output == written*refused ]]
}

@test "mounts made in a container stay in it, also below a shared mount" {
    mkdir "$WORLD/shared"
    mount -t tmpfs none "$WORLD/shared"
    mount --make-shared "$WORLD/shared"
    mkdir "$WORLD/shared/sub"
    script 'mount -t tmpfs none /s/sub && echo mounted'
    edit '.process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
        | .mounts += [{destination: "/s", type: "bind", source: $dir, options: ["rbind"]}]' \
        --arg dir "$WORLD/shared"
    run -0 run_container
    run -1 grep -F "$WORLD/shared/sub" /proc/self/mountinfo
    umount "$WORLD/shared"
}

@test "an id-mapped bind mount shows other owners" {
    mkdir "$WORLD/dir" # of a filesystem that has had these mounts from the first kernels on
    truncate -s 8M "$WORLD/disk"
    mkfs.ext4 -q "$WORLD/disk"
    mount -o loop "$WORLD/disk" "$WORLD/dir"
    chown 5000:5000 "$WORLD/dir"
    script 'stat -c %u /data'
    edit '.mounts += [{destination: "/data", type: "bind", source: $dir, options: ["bind"],
        uidMappings: [{containerID: 5000, hostID: 77, size: 1}],
        gidMappings: [{containerID: 5000, hostID: 77, size: 1}]}]' --arg dir "$WORLD/dir"
    run run_container
    umount "$WORLD/dir"
    [ "$output" = 77 ]
}

@test "tmpcopyup fills a tmpfs with what the image has there" {
    mkdir "$BUNDLE/rootfs/data"
    echo content >"$BUNDLE/rootfs/data/file"
    ln -s file "$BUNDLE/rootfs/data/link"
    script 'cat /data/link; echo changed >/data/file; cat /data/file'
    edit '.mounts += [{destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
    run -0 run_container
    [ "$output" = $'content\nchanged' ]
    [ "$(cat "$BUNDLE/rootfs/data/file")" = content ]
}

@test "a read-only root is read-only, masked and read-only paths are so" {
    script 'touch /x || echo root; head -c 1 /proc/kcore | wc -c; ls /proc/acpi /sys/firmware | grep -v : | wc -w
        echo 1 >/proc/sys/kernel/panic || echo sys'
    edit '.root.readonly = true'
    run -0 run_container
    [[ $output == *root* ]]
    [[ $output == *sys* ]]
    run grep -cE '^0$' <<<"$output"
    [ "$output" = 2 ]
}

@test "devices are those of the spec and the default ones" {
    script 'ls -l /dev/extra /dev/sub/one; echo x >/dev/null; head -c 4 /dev/zero | wc -c; readlink /dev/ptmx
        mknod /tmp/sda b 8 0 2>/dev/null && cat /tmp/sda'
    edit '.linux.devices = [{path: "/dev/extra", type: "c", major: 1, minor: 3, fileMode: 384, uid: 7},
            {path: "/dev/sub/one", type: "c", major: 1, minor: 5}]
        | .process.capabilities |= map_values(. + ["CAP_MKNOD"])'
    run run_container
    [[ ${lines[0]} == crw-------*7*"1,   3"*/dev/extra ]]
    [[ ${lines[1]} == crw-rw-rw-*"1,   5"*/dev/sub/one ]]
    [ "${lines[2]}" = 4 ]
    [ "${lines[3]}" = pts/ptmx ]
    [[ $output == *"Operation not permitted"* ]]
}

@test "a terminal is the container's own" {
    script 'tty; stty size; ls -l /dev/console'
    edit '.process.terminal = true | .process.consoleSize = {height: 33, width: 77}'
    run -0 python3 "$RUNNER_TOP/tests/integration/console.py" "$RUNNER" "$ROOT" "$BUNDLE" "$ID"
    [[ $output == */dev/pts/0* ]]
    [[ $output == *"33 77"* ]]
    [[ $output == *"136,"* ]]
}

@test "hooks of all kinds run in their order with the state on stdin" {
    cat >"$WORLD/hook" <<HOOK
#!/bin/sh
echo "\$1 \$(jq -r '.id + " " + .status' </dev/stdin)" >>$WORLD/hooks
HOOK
    chmod 755 "$WORLD/hook"
    cp "$WORLD/hook" "$BUNDLE/rootfs/hook"
    script 'echo program'
    edit 'def hook($name): [{path: $path, args: ["hook", $name], env: ["PATH=/usr/bin:/bin"]}];
        .hooks = {prestart: hook("prestart"), createRuntime: hook("createRuntime"),
        createContainer: hook("createContainer"), poststart: hook("poststart"),
        poststop: hook("poststop")}' --arg path "$WORLD/hook"
    run -0 run_container
    run -0 cat "$WORLD/hooks"
    [ "${lines[0]}" = "prestart $ID created" ]
    [ "${lines[1]}" = "createRuntime $ID created" ]
    [ "${lines[2]}" = "createContainer $ID created" ]
    [ "${lines[3]}" = "poststart $ID running" ]
    [ "${lines[4]}" = "poststop $ID stopped" ]
}

@test "a failing hook takes the container back, a slow one has its time" {
    program true
    edit '.hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "echo why >&2; exit 3"]}]}'
    run -1 run_container
    [[ $output == *"error running createRuntime hook #0"*why* ]]
    [ -z "$(left_behind)" ]
    edit '.hooks = {prestart: [{path: "/bin/sleep", args: ["sleep", "10"], timeout: 1}]}'
    run -1 run_container
    [[ $output == *"longer than 1 s"* ]]
    [ -z "$(left_behind)" ]
}

@test "sysctl, host name and oom score are set" {
    script 'cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; hostname'
    edit '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .process.oomScoreAdj = 321 | .hostname = "box"'
    run -0 run_container
    [ "$output" = $'1\n321\nbox' ]
}

@test "the root can be an overlay that is seen nowhere else" {
    mkdir "$WORLD/upper" "$WORLD/work" "$WORLD/low"
    echo low >"$WORLD/low/file"
    mv "$BUNDLE/rootfs" "$WORLD/image"
    mkdir "$BUNDLE/rootfs"
    script 'cat /file; echo x >/written; rm /file'
    edit '.annotations = {"org.volumed.rootfs": ({layers: [$w + "/low", $w + "/image"],
        upper: ($w + "/upper"), work: ($w + "/work")} | tojson)}' --arg w "$WORLD"
    run -0 run_container
    [ "$output" = low ]
    [ -e "$WORLD/upper/written" ] && [ -c "$WORLD/upper/file" ] && [ -e "$WORLD/low/file" ]
    [ -z "$(left_behind)" ]
}

@test "preserved descriptors reach the program, a gap among them is refused" {
    script 'cat <&3'
    echo passed >"$WORLD/file"
    run -0 bash -c 'exec 3<"$1"; "$2" --root "$3" run --bundle "$4" --preserve-fds 1 "$5"' - \
        "$WORLD/file" "$RUNNER" "$ROOT" "$BUNDLE" "$ID"
    [ "$output" = passed ]
    run -1 runner run --bundle "$BUNDLE" --preserve-fds 5 "$ID"
    [[ $output == *"not open"* ]]
}

@test "what the spec gets wrong is named" {
    edit '.process.user.uid = "root"'
    run -1 run_container
    [[ $output == *"'process.user.uid' must be a whole number"* ]]
    runner_config
    edit '.linux.namespaces += [{type: "nosuch"}]'
    run -1 run_container
    [[ $output == *"unknown namespace 'nosuch'"* ]]
    echo '{' >"$BUNDLE/config.json"
    run -1 run_container
    [[ $output == *"invalid JSON"* ]]
    [ -z "$(left_behind)" ]
}

@test "twenty containers at once, and none is left" {
    program true
    for i in $(seq 20); do
        runner run --bundle "$BUNDLE" "$ID-$i" &
    done
    wait
    [ -z "$(ls "$ROOT")" ]
}
