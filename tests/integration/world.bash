# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2013,SC2119,SC2120
# A private world for one bats file: a volumed with its own state directory and socket, the docker
# CLI pointed at it, and a busybox image made on the spot.  world_end leaves no process, no mount
# and no file behind, whatever the tests did.

bats_require_minimum_version 1.5.0

# Programs under test; VOLUMED_BUILD=build/asan runs others.
WORLD_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
WORLD_BUILD=${VOLUMED_BUILD:-build/release}
case $WORLD_BUILD in /*) ;; *) WORLD_BUILD=$WORLD_ROOT/$WORLD_BUILD ;; esac

# Call from setup_file.  Where containers cannot run, every test of the file is skipped with the
# reason, which WORLD_SKIP keeps (bats has no skip for a whole file).
world_begin() {
    WORLD_SKIP=$(world_lack)
    export WORLD_SKIP
    [ -z "$WORLD_SKIP" ] || return 0
    WORLD_DIR=$(mktemp -d "${TMPDIR:-/tmp}/volumed-test.XXXXXX")
    mkdir "$WORLD_DIR/docker-config"
    export WORLD_DIR WORLD_BUILD
    export DOCKER_HOST=unix://$WORLD_DIR/volumed.sock DOCKER_CONFIG=$WORLD_DIR/docker-config
    export VOLUMED_SOCKET=$WORLD_DIR/volumed.sock
    world_daemon_start
}

# Prints what is missing here, nothing if nothing is.
world_lack() {
    local program
    [ "$(id -u)" -eq 0 ] || { echo "needs root"; return; }
    for program in docker curl jq tar sha256sum busybox python3; do
        command -v "$program" >/dev/null || { echo "needs $program"; return; }
    done
    [ -x "$WORLD_BUILD/volumed" ] || echo "needs $WORLD_BUILD/volumed"
}

# A file with a setup of its own calls world_setup first.
setup() {
    world_setup
}

world_setup() {
    [ -z "$WORLD_SKIP" ] || skip "$WORLD_SKIP"
}

# Debian's own client, 20.10: it says some errors in its own words, and lacks later options.
world_cli_is_old() {
    [ "$(docker --version | sed 's/Docker version \([0-9]*\).*/\1/')" -lt 23 ]
}

# Starts volumed (again) and waits until it answers.
world_daemon_start() {
    "$WORLD_BUILD/volumed" --state "$WORLD_DIR/state" --socket "$WORLD_DIR/volumed.sock" "$@" \
        >>"$WORLD_DIR/log" 2>&1 3>&- &
    echo $! >"$WORLD_DIR/pid"
    world_eventually 100 world_ping || { cat "$WORLD_DIR/log" >&2; return 1; }
}

world_ping() {
    curl -sf --unix-socket "$WORLD_DIR/volumed.sock" http://d/_ping >/dev/null
}

# world_daemon_stop [SIGNAL]
world_daemon_stop() {
    local pid
    pid=$(cat "$WORLD_DIR/pid" 2>/dev/null) || return 0
    kill -"${1:-TERM}" "$pid" 2>/dev/null || true
    world_eventually 100 world_is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    rm -f "$WORLD_DIR/pid"
}

# True for a zombie as well: whoever started it may not have waited yet.  Not while it has other threads: its
# files are open until the last is gone.
world_is_gone() {
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [ "$state" = Z ] && [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -le 1 ]
}

# world_eventually TENTHS COMMAND…: tries until the command succeeds, at most TENTHS/10 seconds.
world_eventually() {
    local tries=$1
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.1
    done
}

# Call from teardown_file.
world_end() {
    if [ -z "${WORLD_DIR:-}" ]; then
        return 0
    fi
    if world_ping; then
        docker ps -aq | xargs -r docker rm -f -v >/dev/null 2>&1 || true
    fi
    world_daemon_stop
    world_kill_rest
    world_unmount
    rm -rf --one-file-system "$WORLD_DIR"
}

# Supervisors outlive the daemon by design; ours name the state directory.
world_kill_rest() {
    local pid
    for pid in $(grep -lsF "$WORLD_DIR/" /proc/[0-9]*/cmdline | sed 's,/proc/\([0-9]*\)/.*,\1,'); do
        [ "$pid" = "$$" ] || kill -KILL "$pid" 2>/dev/null || true
    done
}

world_unmount() {
    local target
    awk -v dir="$WORLD_DIR/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
        while read -r target; do umount -l "$target" || true; done
}

# Makes a docker-archive of busybox and loads it as busybox:latest.  /data in it has a file to seed
# volumes with.
world_load_busybox() {
    [ -z "$WORLD_SKIP" ] || return 0
    world_make_busybox "$WORLD_DIR/busybox.tar"
    docker load -q -i "$WORLD_DIR/busybox.tar"
}

# world_make_busybox FILE
world_make_busybox() {
    local dir=$WORLD_DIR/image digest
    mkdir -p "$dir/archive"
    world_make_root "$dir/root"
    tar -C "$dir/root" --numeric-owner -cf "$dir/archive/layer.tar" .
    digest=$(sha256sum "$dir/archive/layer.tar" | cut -d' ' -f1)
    jq -n --arg layer "sha256:$digest" '{
        architecture: "amd64", os: "linux", created: "2024-01-02T03:04:05Z",
        config: { Env: ["PATH=/bin"], Cmd: ["sh"], Labels: { made: "here" } },
        rootfs: { type: "layers", diff_ids: [$layer] },
        history: [{ created: "2024-01-02T03:04:05Z", created_by: "world.bash" }]
    }' >"$dir/archive/config.json"
    jq -n '[{ Config: "config.json", RepoTags: ["busybox:latest"], Layers: ["layer.tar"] }]' \
        >"$dir/archive/manifest.json"
    tar -C "$dir/archive" -cf "$1" manifest.json config.json layer.tar
    rm -rf "$dir"
}

# world_make_root DIR
world_make_root() {
    local applet
    mkdir -p "$1"/{bin,data,dev,etc,proc,root,sys,tmp}
    chmod 1777 "$1/tmp"
    cp "$(command -v busybox)" "$1/bin/busybox"
    for applet in $(busybox --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nplain:x:1000:1000::/tmp:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nplain:x:1000:\n' >"$1/etc/group"
    echo seed >"$1/data/seed"
    chown 1000:1000 "$1/data/seed"
}

# world_terminal COMMAND…: runs it on a terminal of its own; input is what is on standard input.
# Prints what the terminal showed; the status is the command's.
world_terminal() {
    python3 "$WORLD_ROOT/tests/integration/terminal.py" "$@"
}
