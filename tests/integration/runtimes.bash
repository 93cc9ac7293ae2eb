# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# One engine, two OCI runtimes: a scenario is a function that drives the engine and prints what came
# of it; same_outcome runs it with a peer's runtime and with ours, and compares line by line.
#
# The engines live in a room, a mount namespace of their own.  Where the host has a v2 hierarchy
# beside the old ones, with a controller in it, Debian's crun refuses to work; there the room is
# without it, which is the pure old layout to all in it.

load runner.bash

# runtimes_begin: from setup_file.  LACK says what is missing.
runtimes_begin() {
    LACK=$(runner_lack)
    export LACK
    [ -z "$LACK" ] || return 0
    ROOM=$(mktemp -d "${TMPDIR:-/tmp}/runtimes.XXXXXX")
    export ROOM RUNNER
    export GROUP=${ROOM##*/}
    mkdir "$ROOM/image"
    runner_image "$ROOM/image"
    runtimes_tools "$ROOM/image"
    tar -C "$ROOM/image" -cf "$ROOM/image.tar" .
    # A /dev of its own, too: peers give the host's /dev/null to the container's user.
    # shellcheck disable=SC2016 # expands in the inner shell
    unshare -m --propagation private sh -c '
        mkdir "$1/dev" && mount -t tmpfs -o mode=755,dev none "$1/dev"
        find /dev -mindepth 1 -maxdepth 1 ! -type d -exec cp -a {} "$1/dev/" ";"
        for dir in pts shm; do
            mkdir "$1/dev/$dir" && mount --bind "/dev/$dir" "$1/dev/$dir"
        done
        chown 0:0 "$1/dev/null" && mount --move "$1/dev" /dev
        grep -q " /sys/fs/cgroup/unified .* cgroup2 " /proc/self/mountinfo && umount /sys/fs/cgroup/unified
        echo $$ >"$1/pid"; exec sleep 10000' sh "$ROOM" >/dev/null 2>&1 3>&- &
    eventually 100 test -s "$ROOM/pid"
}

# Programs of the image that scenarios use.
runtimes_tools() {
    mkdir -p "$1/home/user" "$1/srv"
    echo user:x:1000: >"$1/etc/group"
    echo seed >"$1/srv/seed"
    echo text >"$1/bin/text"
    # All that a runtime decides about a process, in words that are the same for each container.
    cat >"$1/bin/fingerprint" <<'SH'
#!/bin/sh
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status
cat /proc/1/limits /proc/1/oom_score_adj
tr '\0' '\n' </proc/1/environ | sort | grep -v -e ^HOSTNAME= -e ^container_uuid=
tr '\0' ' ' </proc/1/cmdline
echo; umask; pwd
cut -d' ' -f6 /proc/1/stat
cut -d' ' -f4,5,6- /proc/1/mountinfo | sed 's/ master:[0-9]*//; s/ shared:[0-9]*//' |
    sed -n 's/^\S* \(\S*\) \(\S*\) - \(\S*\) .*/\1 \2 \3/p' |
    sed '/^.\(proc\|sys\).*\//s/,nosuid\|,nodev\|,noexec//g; s,^/dev/\(full\|null\|random\|tty\|urandom\|zero\) .*,\1 device,
        s,console .*,console,; s,^/proc/\(keys\|timer_list\) .*,\1 hidden,' |
    grep -v -e '^/etc/' -e '^/ ' -e '^/sys/fs/cgroup ' | sort
ls -ln /dev | sed 's/  */ /g' | cut -d' ' -f1,3-6,10- | sed 's/[0-9]* [0-9]* \(1, 3 null\)/0 0 \1/' | grep -v -e kcore -e ' tty[0-9]' -e ' vcs'
ls /dev/pts /dev/mqueue /dev/shm
stat -c '%n %a %u:%g %F' /proc /sys /dev /dev/pts /dev/shm /dev/mqueue /tmp
for path in /proc/kcore /proc/keys /proc/timer_list /proc/acpi /proc/scsi /sys/firmware; do
    [ ! -d $path ] || echo "$path $(ls $path | wc -l)"
    [ ! -f $path ] || echo "$path $(head -c 10 $path 2>/dev/null | wc -c)"
done
for path in /proc/sys/kernel/domainname /proc/sysrq-trigger /proc/irq/x /sys/x; do
    (: >$path) 2>&1 | sed 's/.*: //'
done
cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range
SH
    chmod 755 "$1/bin/fingerprint"
}

# In a machine an engine's command takes seconds: there only what the layout of control groups, or the
# kernel, decides; all with VM_ALL=1.
runtimes_setup() {
    [ -z "$LACK" ] || skip "$LACK"
    if [ -n "${VM:-}" ] && [ -z "${VM_ALL:-}" ]; then
        case $BATS_TEST_DESCRIPTION in
        *limits* | *pause* | *privileged* | *"user namespace"*) ;;
        *) skip "not in a machine, unless VM_ALL=1" ;;
        esac
    fi
    WORLD=$(mktemp -d "$ROOM/test.XXXXXX")
}

runtimes_forget() {
    SIDE=peer RUNTIME=$PEER forget_all
    SIDE=ours RUNTIME=$RUNNER forget_all
}

runtimes_end() {
    local dir
    [ -n "${ROOM:-}" ] || return 0
    [ ! -s "$ROOM/pid" ] || kill "$(cat "$ROOM/pid")" 2>/dev/null || true
    for dir in /sys/fs/cgroup/{,*/}"$GROUP"; do
        [ ! -d "$dir" ] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    # Where podman keeps its monitors; stays while any podman uses it.
    rmdir /sys/fs/cgroup/{,*/}libpod_parent{/conmon,} 2>/dev/null || true
    rm -rf "$ROOM"
}

in_room() {
    nsenter -t "$(cat "$ROOM/pid")" -m -- timeout 60 "$@" 3>&-
}

# same_outcome SCENARIO: with $PEER and with ours, each with its own $PLACE for files, at the same
# time; prints both where they differ, and holds what came of it in $outcome.
same_outcome() {
    play "$1" peer "$PEER" 3>&- &
    play "$1" ours "$RUNNER" 3>&- &
    wait
    outcome=$(cat "$WORLD/ours.out")
    diff -u --label "$PEER" --label ours "$WORLD/peer.out" "$WORLD/ours.out" && return 0
    tail -n 5 "$WORLD/peer.errors" "$WORLD/ours.errors"
    return 1
}

# play SCENARIO SIDE RUNTIME: its output in a file; forget_all is the engine's way to remove its containers.
play() {
    SIDE=$2
    RUNTIME=$3
    PLACE=$WORLD/$SIDE
    mkdir "$PLACE"
    "$1" >"$PLACE.out" 2>"$PLACE.errors" </dev/null || echo "ended: $?" >>"$PLACE.out"
    forget_all
}

# says LINE…: each is a whole line of the outcome, in this order.
says() {
    local line rest=$outcome
    for line in "$@"; do
        if ! grep -qxF -e "$line" <<<"$rest"; then
            printf 'no line "%s" in:\n%s\n' "$line" "$outcome"
            return 1
        fi
        rest=$(sed "0,/^$(sed 's/[][\\.*^$/]/\\&/g' <<<"$line")\$/d" <<<"$rest")
    done
}

# code COMMAND…: its output, without its errors, and its exit status.
code() {
    local status=0
    "$@" || status=$?
    echo "status $status"
}

# why COMMAND…: the exit status and the engine's word for the class of error.
why() {
    local status=0 text
    text=$("$@" 2>&1 >/dev/null) || status=$?
    echo "$text" >&2
    echo "status $status$(grep -oE 'OCI [a-z ]*[a-z]' <<<"$text" | head -1 | sed 's/^/: /')"
}

# Where the host lacks a capability, peers run nothing that asks for it; ours goes on without.
has_all_capabilities() {
    local have
    have=$(sed -n 's/^CapBnd:\t//p' /proc/self/status)
    [ $((16#$have)) -eq $(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1)) ]
}

# limits PID: those of its groups, whatever the layout.
limits() {
    local pid=$1 file
    for file in memory/memory.{limit,memsw.limit,soft_limit}_in_bytes cpu/cpu.{shares,cfs_quota_us,cfs_period_us} \
        pids/pids.max cpuset/cpuset.cpus memory.{max,swap.max,low} cpu.max pids.max cpuset.cpus; do
        case $file in
        */*) file=/sys/fs/cgroup/${file%/*}$(sed -n "s/^[0-9]*:${file%/*}://p" "/proc/$pid/cgroup")/${file#*/} ;;
        *) file=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$file ;;
        esac
        in_room sh -c '[ ! -f "$1" ] || echo "${1##*/} $(cat "$1")"' sh "$file"
    done
}
