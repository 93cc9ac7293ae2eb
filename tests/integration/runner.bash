# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# Bundles and containers for runner.bats.  Each test has its own directory, state root and
# containers; runner_end removes them whatever the test did.

bats_require_minimum_version 1.5.0

RUNNER_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RUNNER=${RUNNER:-${VOLUMED_BUILD:-build/release}/runner}
case $RUNNER in /*) ;; *) RUNNER=$RUNNER_TOP/$RUNNER ;; esac

# Prints what is missing here, nothing if nothing is.
runner_lack() {
    local program
    [ "$(id -u)" -eq 0 ] || { echo "needs root"; return; }
    for program in busybox jq python3; do
        command -v "$program" >/dev/null || { echo "needs $program"; return; }
    done
    [ -x "$RUNNER" ] || echo "needs $RUNNER"
}

# One busybox tree for a whole file; tests get copies.
runner_image() {
    local image=$1
    mkdir -p "$image"/{bin,etc,proc,sys,dev,tmp,root}
    cp "$(command -v busybox)" "$image/bin/busybox"
    "$image/bin/busybox" --install "$image/bin"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$image/etc/passwd"
    echo 'user:x:1000:1000:user:/home/user:/bin/sh' >>"$image/etc/passwd"
}

# runner_file [PROGRAM]: for setup_file; what is missing, PROGRAM among it, is in $LACK.
runner_file() {
    LACK=$(runner_lack)
    [ -n "$LACK" ] || [ -z "${1:-}" ] || command -v "$1" >/dev/null || LACK="needs $1"
    export LACK
    [ -z "$LACK" ] || return 0
    IMAGE=$(mktemp -d "${TMPDIR:-/tmp}/runner-image.XXXXXX")
    export IMAGE
    runner_image "$IMAGE"
}

runner_file_end() {
    [ -z "${IMAGE:-}" ] || rm -rf "$IMAGE"
}

# For setup.
runner_test() {
    WORLD=
    [ -z "$LACK" ] || skip "$LACK"
    runner_begin
}

# Makes $BUNDLE with a root of its own and a configuration that runs the arguments.
runner_begin() {
    WORLD=$(mktemp -d "${TMPDIR:-/tmp}/runner-test.XXXXXX")
    BUNDLE=$WORLD/bundle
    ROOT=$WORLD/state
    ID=test-${WORLD##*.}
    mkdir "$BUNDLE"
    cp -a "$IMAGE" "$BUNDLE/rootfs"
    chmod 755 "$BUNDLE/rootfs"
    runner_config
}

# Writes config.json anew.
runner_config() {
    rm -f "$BUNDLE/config.json"
    "$RUNNER" spec --bundle "$BUNDLE"
    edit '.process.terminal = false | .root.readonly = false'
}

# edit JQ-PROGRAM [JQ-ARGS]: changes config.json.
edit() {
    local program=$1
    shift
    jq "$@" "$program" "$BUNDLE/config.json" >"$BUNDLE/config.new"
    mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

# Sets the program: words, or a shell script.
program() {
    jq '.process.args = $ARGS.positional' "$BUNDLE/config.json" --args -- "$@" >"$BUNDLE/config.new"
    mv "$BUNDLE/config.new" "$BUNDLE/config.json"
}

script() {
    program /bin/sh -c "$1"
}

runner() {
    "$RUNNER" --root "$ROOT" "$@" 3>&-
}

run_container() {
    runner run --bundle "$BUNDLE" "$ID"
}

# Starts $ID in the background with its output in files.
start_container() {
    runner create --bundle "$BUNDLE" --pid-file "$WORLD/pid" "$ID" \
        </dev/null >"$WORLD/stdout" 2>"$WORLD/stderr"
    runner start "$ID"
}

# eventually TIMES COMMAND…: every 50 ms.
eventually() {
    local times=$1
    shift
    while ! "$@"; do
        times=$((times - 1))
        [ "$times" -gt 0 ] || return 1
        sleep 0.05
    done
}

status_is() {
    [ "$(runner state "$ID" 2>/dev/null | jq -r .status)" = "$1" ]
}

# The directory of $ID in a v1 hierarchy.
group_of() {
    local pid
    pid=$(runner state "$ID" | jq .pid)
    echo "/sys/fs/cgroup/$1$(sed -n "s/^[0-9]*:$1://p" "/proc/$pid/cgroup")"
}

runner_end() {
    local state
    [ -n "$WORLD" ] || return 0
    for state in "$ROOT"/*; do
        [ ! -d "$state" ] || runner delete --force "${state##*/}" 2>/dev/null || true
    done
    rm -rf "$WORLD"
}

# What no test may leave: processes, groups and mounts that carry the test's id.
left_behind() {
    find /sys/fs/cgroup -maxdepth 3 -name "$ID" 2>/dev/null
    grep -F "$WORLD" /proc/self/mountinfo || true
    [ ! -d "$ROOT" ] || ls "$ROOT"
}
