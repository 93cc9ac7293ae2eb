#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154,SC2016
# The attacks that other runtimes have fallen to.  Each test does one of them twice: against runner,
# where it must fail, and then, as the control, against tests/attack/naive.c, which makes the mistake
# that the attack was found by; there it must succeed, or the test would not notice.

load runner.bash

setup_file() {
    LACK=$(runner_lack)
    command -v gcc >/dev/null || LACK="needs gcc"
    export LACK
    [ -z "$LACK" ] || return 0
    IMAGE=$(mktemp -d "${TMPDIR:-/tmp}/runner-image.XXXXXX")
    TOOLS=$(mktemp -d "${TMPDIR:-/tmp}/runner-tools.XXXXXX")
    # In a machine that is slow, races are tried less often, and the control is given longer.
    export TRIES=60 NAIVE_MS=200
    [ -z "${VM:-}" ] || TRIES=10 NAIVE_MS=4000
    export IMAGE TOOLS NAIVE=$TOOLS/naive
    runner_image "$IMAGE"
    gcc -O1 -D_GNU_SOURCE -static -o "$NAIVE" "$RUNNER_TOP/tests/attack/naive.c"
    gcc -O1 -D_GNU_SOURCE -o "$TOOLS/names" "$RUNNER_TOP/tests/attack/names.c"
    gcc -shared -fPIC -o "$TOOLS/library" "$RUNNER_TOP/tests/attack/library.c"
}

teardown_file() {
    [ -z "${IMAGE:-}" ] || rm -rf "$IMAGE" "$TOOLS"
}

setup() {
    WORLD=
    [ -z "$LACK" ] || skip "$LACK"
    runner_begin
    SECRET=$WORLD/host
    mkdir "$SECRET"
    echo "of the host" >"$SECRET/secret"
    VICTIM=$BUNDLE/rootfs
}

teardown() {
    runner_end
}

# naive FLAW ARGUMENT PROGRAM…: in a root of the same kind, with the same attack in it.
naive() {
    "$NAIVE" run "$1" "$VICTIM" "${@:2}" 3>&-
}

# attacker SCRIPT: a container that lives, with the attack as its program; its output in $WORLD/stdout.
attacker() {
    script "$1"
    start_container
}

# naive_attacker SCRIPT: the same in a container of naive's; its first process in $NAIVE_PID.
naive_attacker() {
    "$NAIVE" run none "$VICTIM" - /bin/sh -c "$1" </dev/null >"$WORLD/naive.out" 2>&1 3>&- &
    NAIVE_RUN=$!
    eventually 60 naive_runs
}

naive_runs() {
    NAIVE_PID=$(cat "/proc/$NAIVE_RUN/task/$NAIVE_RUN/children" 2>/dev/null) && [ -n "$NAIVE_PID" ] &&
        NAIVE_PID=${NAIVE_PID% } && grep -q sh "/proc/$NAIVE_PID/comm"
}

naive_attacker_end() {
    kill -KILL "$NAIVE_PID" 2>/dev/null || true
    wait "$NAIVE_RUN" || true
}

# --- who joins a container, and what it brings along

peek='while :; do for f in /proc/[0-9]*/fd/*/secret; do cat $f 2>/dev/null; done; done'

@test "CVE-2016-9962: who joins a container cannot be looked into from it" {
    attacker "$peek"
    exec 77<"$SECRET"
    for _ in $(seq $((TRIES / 2))); do
        runner exec "$ID" true
    done
    exec 77<&-
    run -1 grep -q "of the host" "$WORLD/stdout"

    naive_attacker "$peek"
    for _ in 1 2 3; do
        "$NAIVE" enter "$NAIVE_PID" "$SECRET" true
    done
    naive_attacker_end
    grep -q "of the host" "$WORLD/naive.out"
}

@test "CVE-2016-9962: with the right to look it finds no file and no directory of the host" {
    script 'while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || for fd in $p/fd/*; do
        case ${fd##*/} in [012]|\*) ;; *) echo seen $fd $(readlink $fd);; esac; done; done; done'
    edit '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE"])'
    start_container
    exec 77<"$SECRET"
    for _ in $(seq $((TRIES / 2))); do
        runner exec "$ID" true
    done
    exec 77<&-
    run grep -E ' /[a-z]' "$WORLD/stdout"
    [[ $output != *"$WORLD"* && $output != *cgroup* ]]
}

# A process of the container waits for one that is not, keeps its file, and writes to it when it
# has ended and the file is no longer busy.
overwrite='while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in *busybox*|*/bin/*|"") ;; *)
    exec 9<$p/exe && while [ -e $p/exe ] && readlink $p/exe >/dev/null; do :; done
    echo overwritten 2>/dev/null >/proc/self/fd/9; exec 9<&- ;; esac; done 2>/dev/null; done'

@test "CVE-2019-5736: the runtime's own file cannot be overwritten through /proc/self/exe" {
    cp "$RUNNER" "$WORLD/runner"
    cp "$NAIVE" "$WORLD/naive"
    sum=$(sha256sum <"$WORLD/runner")
    naive_sum=$(sha256sum <"$WORLD/naive")
    printf '#!/proc/self/exe\n' >"$VICTIM/bin/evil"
    chmod 755 "$VICTIM/bin/evil"
    script "$overwrite"
    edit '.process.capabilities |= map_values(. + ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])'
    "$WORLD/runner" --root "$ROOT" create --bundle "$BUNDLE" "$ID" >/dev/null 2>&1 3>&-
    "$WORLD/runner" --root "$ROOT" start "$ID"
    for _ in $(seq $((TRIES / 3))); do
        "$WORLD/runner" --root "$ROOT" exec "$ID" /bin/evil --version >/dev/null 2>&1 3>&- || true
    done
    [ "$(sha256sum <"$WORLD/runner")" = "$sum" ]

    naive_attacker "$overwrite"
    for _ in 1 2 3 4 5; do
        [ "$(sha256sum <"$WORLD/naive")" = "$naive_sum" ] || break
        "$WORLD/naive" enter "$NAIVE_PID" "$SECRET" /bin/evil >/dev/null 2>&1 || true
        sleep 0.3
    done
    naive_attacker_end
    [ "$(sha256sum <"$WORLD/naive")" != "$naive_sum" ]
}

@test "CVE-2024-21626: no descriptor of the host reaches the program" {
    script 'ls /proc/self/fd | wc -l; for fd in /proc/self/fd/*; do cat $fd/secret 2>/dev/null; done; true'
    exec 77<"$SECRET"
    run -0 run_container
    exec 77<&-
    [ "${lines[0]}" = 4 ] # 0, 1, 2 and the one that lists
    [[ $output != *"of the host"* ]]

    run naive leak "$SECRET" /bin/sh -c 'for fd in /proc/self/fd/*; do cat $fd/secret 2>/dev/null; done; true'
    [[ $output == *"of the host"* ]]
}

@test "CVE-2024-21626: a working directory through a descriptor is refused" {
    program cat secret
    exec 7<"$SECRET"
    for fd in $(seq 3 20); do
        edit '.process.cwd = "/proc/self/fd/\($fd)"' --arg fd "$fd"
        run -1 run_container
        [[ $output != *"of the host"* ]]
    done
    program sleep 100
    edit '.process.cwd = "/"'
    start_container
    for fd in $(seq 3 20); do
        run -1 runner exec --cwd "/proc/self/fd/$fd" "$ID" cat secret
        [[ $output != *"of the host"* ]]
    done
    exec 7<&-

    run -0 naive leak "$SECRET" cat secret
    [ "$output" = "of the host" ]
}

@test "CVE-2024-21626: a working directory that is made is made inside" {
    ln -s "../../../../../../../..$SECRET" "$VICTIM/link"
    program pwd
    edit '.process.cwd = "/link/made"'
    run run_container
    [ ! -e "$SECRET/made" ]
    mkdir "$SECRET/there"
    edit '.process.cwd = "/link/there"'
    script 'ls ..'
    run run_container
    [[ $output != *secret* ]]
}

@test "CVE-2019-14271: no library of the container is loaded to find a user" {
    mkdir -p "$VICTIM/lib/x86_64-linux-gnu" "$VICTIM/etc"
    cp "$TOOLS/library" "$VICTIM/lib/x86_64-linux-gnu/libnss_evil.so.2"
    cp /lib/x86_64-linux-gnu/libc.so.6 "$VICTIM/lib/x86_64-linux-gnu/" || skip "another C library"
    echo 'passwd: evil' >"$VICTIM/etc/nsswitch.conf"
    program sh -c 'echo $HOME'
    edit '.process.user.uid = 1000'
    run -0 run_container
    [ "$output" = /home/user ]
    program sleep 100
    start_container
    run runner exec --user 4711 "$ID" true
    [[ $output != *loaded* ]]

    run "$TOOLS/names" "$VICTIM"
    [[ $output == *loaded* ]]
}

# --- mount points

@test "CVE-2021-30465: a mount point that is a link stays inside the root" {
    mkdir "$WORLD/source"
    ln -s "$SECRET" "$VICTIM/link"
    ln -s "../../../../../../../../..$SECRET" "$VICTIM/up"
    program true
    edit '.mounts += [{destination: "/link/in", type: "bind", source: $dir, options: ["bind"]},
        {destination: "/up/in", type: "bind", source: $dir, options: ["bind"]}]' --arg dir "$WORLD/source"
    run run_container
    [ "$(ls "$SECRET")" = secret ]
    [ -z "$(left_behind)" ]
}

# Exchanges a directory of a volume with a link that leads to the host, for ever.
exchange() {
    mkdir -p "$1/d"
    ln -s "../../../../../../../../../$SECRET" "$1/l"
    exchange_names "$1" d l
}

# exchange_names DIRECTORY NAME OTHER
exchange_names() {
    cat >"$WORLD/exchange.c" <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    alarm(300);
    if (argc != 4 || chdir(argv[1]) < 0)
        return 1;
    for (;;)
        (void)renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE);
}
C
    gcc -D_GNU_SOURCE -o "$WORLD/exchange" "$WORLD/exchange.c"
    "$WORLD/exchange" "$@" 3>&- &
    EXCHANGER=$!
}

exchange_end() {
    kill "$EXCHANGER"
    wait "$EXCHANGER" || true
}

@test "CVE-2021-30465, CVE-2024-45310: a mount point that is exchanged while it is used leads nowhere" {
    mkdir -p "$WORLD/volume" "$WORLD/source"
    exchange "$WORLD/volume"
    program true
    edit '.mounts += [{destination: "/v", type: "bind", source: ($w + "/volume"), options: ["bind"]},
        {destination: "/v/d/made/here", type: "bind", source: ($w + "/source"), options: ["bind"]}]' \
        --arg w "$WORLD"
    for _ in $(seq "$TRIES"); do
        run_container >/dev/null 2>&1 || true
        [ "$(ls "$SECRET")" = secret ]
    done
    exchange_end

    exchange "$VICTIM/v"
    for _ in $(seq 400); do
        naive path v/d/made/here true >/dev/null 2>&1 || true
        [ "$(ls "$SECRET")" = secret ] || break
    done
    exchange_end
    [ -d "$SECRET/made" ]
}

@test "CVE-2024-23651: a cache or volume that is exchanged while it is mounted is not the host's" {
    exchange "$WORLD/volume"
    script 'cat /v/secret 2>/dev/null; true'
    edit '.root.path = ($w + "/bundle/rootfs") | .mounts += [
        {destination: "/v", type: "bind", source: ($w + "/volume"), options: ["bind"]},
        {destination: "/v/d", type: "tmpfs", source: "tmpfs"}]' --arg w "$WORLD"
    for _ in $(seq $((TRIES / 2))); do
        run run_container
        [[ $output != *"of the host"* ]]
    done
    run -1 grep -qF "$SECRET" /proc/self/mountinfo

    for _ in $(seq 400); do
        "$NAIVE" run cache "$VICTIM" "$WORLD/volume" cat /tmp/secret >"$WORLD/seen" 2>/dev/null 3>&- || true
        ! grep -q "of the host" "$WORLD/seen" || break
    done
    exchange_end
    grep -q "of the host" "$WORLD/seen"
}

# --- /proc, /sys and /dev

@test "CVE-2023-27561, CVE-2023-28642: /proc or /sys that is a link is refused" {
    program true
    for name in proc sys; do
        for target in tmp "../../../../../../../..$SECRET"; do
            rmdir "$VICTIM/$name"
            ln -s "$target" "$VICTIM/$name"
            run -1 run_container
            [[ $output == *"symbolic link"* ]]
            rm "$VICTIM/$name"
            mkdir "$VICTIM/$name"
        done
    done
    [ "$(ls "$SECRET")" = secret ]
    run -0 run_container

    rmdir "$VICTIM/proc"
    ln -s "../../../../../../../..$SECRET" "$VICTIM/proc"
    run naive link - true
    [ -d "$SECRET/made" ]
}

@test "CVE-2026-41579: nothing is made or removed through a /dev that is a link" {
    program true
    rmdir "$VICTIM/dev"
    ln -s "../../../../../../../..$SECRET" "$VICTIM/dev"
    run -1 run_container
    [[ $output == *"symbolic link"* ]]
    edit 'del(.mounts[] | select(.destination | startswith("/dev")))'
    run -1 run_container
    [ "$(ls "$SECRET")" = secret ]

    run naive devices - true
    [ -e "$SECRET/console" ]
    [ -L "$SECRET/core" ]
}

# A control on naive for each: the kernel's own names are those of its host name namespace.
@test "CVE-2019-16884, CVE-2019-19921: nothing but a procfs is /proc, and nothing hides its files" {
    mkdir -p "$WORLD/fake/self/attr" "$WORLD/fake/sys/net/ipv4"
    : >"$WORLD/fake/self/attr/exec"
    edit '.mounts += [{destination: "/proc", type: "bind", source: $dir, options: ["bind"]}]
        | .process.apparmorProfile = "none-such"' --arg dir "$WORLD/fake"
    run -1 run_container
    [[ $output == *"procfs"* ]]
    [ ! -s "$WORLD/fake/self/attr/exec" ]
    for path in /proc/self/attr /proc/sys/kernel /proc/1; do
        runner_config
        edit '.mounts += [{destination: $path, type: "tmpfs", source: "tmpfs"}]' --arg path "$path"
        run -1 run_container
        [[ $output == *"procfs"* ]]
    done
    runner_config
    ln -s /proc/self "$VICTIM/link"
    edit '.mounts += [{destination: "/link/attr", type: "tmpfs", source: "tmpfs"}]'
    run -1 run_container
    [[ $output == *"procfs"* ]]
    runner_config
    echo fake >"$WORLD/meminfo"
    edit '.mounts += [{destination: "/proc/meminfo", type: "bind", source: $f, options: ["bind"]}]' \
        --arg f "$WORLD/meminfo"
    program cat /proc/meminfo
    run -0 run_container
    [ "$output" = fake ]

    cp -a "$WORLD/fake/." "$VICTIM/proc/"
    run naive label - true
    [ "$(cat "$VICTIM/proc/self/attr/exec")" = label ]
}

@test "CVE-2025-52881: a kernel parameter is written to the kernel, whatever the image has at its place" {
    mkdir -p "$VICTIM/proc/sys/net/ipv4"
    : >"$VICTIM/proc/decoy"
    ln -s ../../../decoy "$VICTIM/proc/sys/net/ipv4/ip_forward"
    program cat /proc/sys/net/ipv4/ip_forward
    edit '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
    run -0 run_container
    [ "$output" = 1 ]
    [ ! -s "$VICTIM/proc/decoy" ]
    # no procfs at all: no container that only seems to have its parameters
    edit 'del(.mounts[] | select(.destination == "/proc"))'
    run run_container
    [ ! -s "$VICTIM/proc/decoy" ]

    mkdir -p "$VICTIM/proc/self"
    run naive label - true
    [ "$(cat "$VICTIM/proc/decoy")" = 1 ]
}

@test "CVE-2025-52881: a /proc that is exchanged while parameters are set takes none of them" {
    mkdir -p "$VICTIM/fake/sys/net/ipv4"
    : >"$VICTIM/fake/sys/net/ipv4/ip_forward"
    cp -a "$VICTIM/fake/." "$VICTIM/proc/"
    ln -s fake "$VICTIM/link"
    exchange_names "$VICTIM" proc link
    program true
    edit '.linux.sysctl = {"net.ipv4.ip_forward": "1"}'
    for _ in $(seq $((TRIES / 2))); do
        run_container >/dev/null 2>&1 || true # by luck /proc is a link, and then it is refused
        [ ! -s "$VICTIM/fake/sys/net/ipv4/ip_forward" ]
        [ ! -s "$VICTIM/proc/sys/net/ipv4/ip_forward" ]
    done

    for _ in $(seq 400); do
        naive write-race - true >/dev/null 2>&1 || true
        [ ! -s "$VICTIM/fake/sys/net/ipv4/ip_forward" ] || break
    done
    exchange_end
    [ -s "$VICTIM/fake/sys/net/ipv4/ip_forward" ]
}

@test "CVE-2025-31133: a path is masked by the host's null device, whatever the image calls /dev/null" {
    edit 'del(.mounts[] | select(.destination | startswith("/dev")))'
    ln -s /proc/sys/kernel/hostname "$VICTIM/dev/null"
    script 'echo taken >/proc/timer_list; hostname'
    run run_container
    [[ $output != *taken* ]]
    # the name is taken by a link: no container, rather than one that is not what it says
    [ "$status" -ne 0 ]
    [[ $output == *"/dev/null"* ]]

    masked=proc/version
    run naive mask $masked /bin/sh -c "echo direct >/proc/sys/kernel/hostname; echo taken >/$masked; hostname"
    [[ $output == *taken* ]]
}

# The names of hosts are those of a namespace: nothing of this host is changed by the controls.
@test "CVE-2025-31133: a null device of the image that is exchanged while paths are masked masks nothing" {
    edit 'del(.mounts[] | select(.destination | startswith("/dev")))'
    mknod "$VICTIM/dev/null" c 1 3
    ln -s ../proc/sys/kernel/hostname "$VICTIM/dev/link"
    exchange_names "$VICTIM/dev" null link
    script 'stat -c %t:%T /proc/timer_list; echo taken 2>/dev/null >/proc/timer_list; hostname'
    for _ in $(seq $((TRIES / 2))); do
        run run_container
        [[ $status -ne 0 || $output == 1:3* ]]
        [[ $output != *taken* ]]
    done

    for _ in $(seq 400); do
        run naive mask-race proc/version /bin/sh -c 'echo taken >/proc/version; hostname'
        [[ $output != *taken* ]] || break
    done
    exchange_end
    [[ $output == *taken* ]]
}

@test "a masked file's mode and owner cannot be changed: they are the host's" {
    script 'stat -c %a:%u /proc/timer_list; chmod 600 /proc/timer_list; chown 1 /proc/timer_list; mount -o remount,rw /proc/timer_list; true'
    before=$(stat -c %a:%u /dev/null)
    run run_container
    [ "$(stat -c %a:%u /dev/null)" = "$before" ]
    [[ $output == *"Read-only file system"* ]]
}

@test "CVE-2025-52565, CVE-2026-88264: /dev/console that is a link makes nothing outside" {
    edit 'del(.mounts[] | select(.destination == "/dev")) | .process.terminal = true'
    ln -s "../../../../../../../..$SECRET/made" "$VICTIM/dev/console"
    program true
    run python3 "$RUNNER_TOP/tests/integration/console.py" "$RUNNER" "$ROOT" "$BUNDLE" "$ID"
    [ "$status" -ne 0 ]
    [ ! -e "$SECRET/made" ]

    run naive devices - true
    [ -e "$SECRET/made" ]
}

@test "CVE-2025-52565: a terminal of the image that is exchanged is never the console" {
    edit 'del(.mounts[] | select(.destination | startswith("/dev"))) | .process.terminal = true'
    mkdir "$VICTIM/dev/pts"
    mknod "$VICTIM/dev/pts/0" c 136 0
    mknod "$VICTIM/dev/pts/ptmx" c 5 2
    : >"$VICTIM/dev/console"
    ln -s ../../proc/sys/kernel/hostname "$VICTIM/dev/pts/link"
    exchange_names "$VICTIM/dev/pts" 0 link
    script 'echo taken >/dev/console; echo name: $(hostname)'
    for _ in $(seq $((TRIES / 6))); do
        run python3 "$RUNNER_TOP/tests/integration/console.py" "$RUNNER" "$ROOT" "$BUNDLE" "$ID"
        [[ $output != *"name: taken"* ]] # it has one of the host's, or is refused
    done

    for _ in $(seq 400); do
        run naive console - /bin/sh -c 'echo taken >/dev/console; echo name: $(hostname)'
        [[ $output != *"name: taken"* ]] || break
    done
    exchange_end
    [[ $output == *"name: taken"* ]]
}

@test "CVE-2026-88265: /dev/null that is a link gives no file of the host away" {
    edit 'del(.mounts[] | select(.destination | startswith("/dev"))) | .process.user.uid = 1000'
    ln -s "../../../../../../../..$SECRET/secret" "$VICTIM/dev/null"
    program true
    run run_container </dev/null
    [ "$(stat -c %u "$SECRET/secret")" = 0 ]

    run naive null - true
    [ "$(stat -c %u "$SECRET/secret")" = 1000 ]
}

@test "CVE-2025-24965: nothing is written into the root by a name that the image may have taken" {
    program true
    for name in .krun_config.json .containerenv .dockerenv config.json etc/hostname etc/hosts \
        etc/resolv.conf etc/mtab run/.containerenv run/notify/notify.sock; do
        mkdir -p "$VICTIM/$(dirname "$name")"
        ln -s "../../../../../../../../..$SECRET/${name##*/}" "$VICTIM/$name"
    done
    : >"$WORLD/now"
    run -0 run_container
    [ "$(ls "$SECRET")" = secret ]
    [ -z "$(find "$VICTIM" -type f -newer "$WORLD/now")" ]

    run naive configuration - true
    [ -s "$SECRET/.krun_config.json" ]
}

# --- rights

@test "CVE-2022-29162, CVE-2022-27650, CVE-2022-24769: no capability can be had through a file" {
    command -v setcap >/dev/null || skip "needs setcap"
    cp "$VICTIM/bin/busybox" "$VICTIM/bin/chown-ei"
    rm "$VICTIM/bin/chown"
    mv "$VICTIM/bin/chown-ei" "$VICTIM/bin/chown"
    setcap cap_chown=ei "$VICTIM/bin/chown" || skip "no capabilities of files here"
    echo x >"$VICTIM/tmp/file"
    program chown 1000 /tmp/file
    edit '.process.user.uid = 1000 | .process.noNewPrivileges = false | .process.capabilities = {
        bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"]}'
    run run_container
    [ "$(stat -c %u "$VICTIM/tmp/file")" = 0 ]
    program sleep 100
    start_container
    run runner exec --user 1000 --cap CAP_CHOWN "$ID" chown 1000 /tmp/file
    [ "$(stat -c %u "$VICTIM/tmp/file")" = 0 ]

    run naive inherit - chown 1000 /tmp/file
    [ "$(stat -c %u "$VICTIM/tmp/file")" = 1000 ]
}

@test "CVE-2023-25809, CVE-2022-0492: the host's control groups cannot be written, nor their agent" {
    script 'find /sys/fs/cgroup -maxdepth 2 -type d | while read d; do mkdir $d/of-the-guest && echo written; done 2>/dev/null
        find /sys/fs/cgroup -name release_agent; for f in $(find /sys/fs/cgroup -name cgroup.procs); do
        echo $$ 2>/dev/null >$f && echo written; done 2>/dev/null; echo done'
    run -0 run_container
    [ "$output" = done ]

    run naive groups - /bin/sh -c 'mkdir $(find /sys -name cgroup.procs | head -1 | sed "s,cgroup.procs,of-the-guest,"); find /sys -name cgroup.procs | head -1'
    made=/sys/fs/cgroup/${output##*/sys/}
    [ -d "${made%/*}/of-the-guest" ]
    rmdir "${made%/*}/of-the-guest"
}

@test "CVE-2026-30892: a user is a number, whole and in range" {
    program sleep 100
    start_container
    for user in 1x x 4294967296 -1 '' 1:y; do
        run runner exec --user "$user" "$ID" id -u
        [ "$status" -ne 0 ]
        [ "$output" != 0 ]
    done

    [ "$("$NAIVE" user x)" = 0 ]
}

@test "CVE-2021-43784: a map of any length arrives as it was written, or not at all" {
    # about 11 bytes an entry: cut to sixteen bits this would be a map of another length
    edit '.linux.namespaces += [{type: "user"}] | .linux.uidMappings =
        [range(0; 6000) | {containerID: (. * 2 + 1), hostID: (100001 + .), size: 1}]
        | .linux.gidMappings = .linux.uidMappings'
    program cat /proc/self/uid_map
    run run_container
    [ "$status" -ne 0 ]
    edit '.linux.uidMappings |= [{containerID: 0, hostID: 100000, size: 1}] + .[0:300]
        | .linux.gidMappings = .linux.uidMappings'
    chown 100000:100000 "$VICTIM"
    run -0 run_container
    [ "$(wc -l <<<"$output")" = 301 ]
    [[ $output != *4294967295* ]]

    [ "$("$NAIVE" map 6000)" = "0 0 4294967295" ]
    [ "$("$NAIVE" map 300)" != "0 0 4294967295" ]
}

@test "CVE-2020-15257: no abstract socket is in reach of who shares the network" {
    edit '.linux.namespaces |= map(select(.type != "network"))'
    program cat /proc/net/unix
    export BUNDLE ID ROOT RUNNER
    run -0 unshare -n "$RUNNER" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
    [[ $output != *@* ]]

    run -0 unshare -n "$NAIVE" run socket "$VICTIM" - cat /proc/net/unix
    [[ $output == *@naive* ]]
}

@test "CVE-2016-10124: the caller's terminal is not the container's, to type into" {
    script 'exec 2>/dev/null; (: </dev/tty) && echo has; echo done'
    edit '.process.terminal = false'
    run -0 command script -qec "'$RUNNER' --root '$ROOT' run --bundle '$BUNDLE' '$ID'" /dev/null
    [[ $output == *done* && $output != *has* ]]

    mknod "$VICTIM/dev/tty" c 5 0
    run -0 command script -qec "'$NAIVE' run none '$VICTIM' - /bin/sh -c '(: </dev/tty) && echo has; echo done'" /dev/null
    [[ $output == *has*done* ]]
}

@test "a device rule holds against a node that the container makes" {
    script 'mknod /tmp/m c 1 1; head -c 1 /tmp/m; echo $?'
    edit '.process.capabilities |= map_values(. + ["CAP_MKNOD", "CAP_SYS_RAWIO"])'
    run run_container
    [[ $output == *"Operation not permitted"* ]]

    run naive none - /bin/sh -c 'mknod /tmp/m c 1 5; head -c 1 /tmp/m; echo $?'
    [[ $output != *"not permitted"* ]]
}
