#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How volumed starts, and why it sometimes does not.

load world

setup_file() {
    world_begin
    [ -n "$WORLD_SKIP" ] || chmod 0711 "$WORLD_DIR" # users that are not root reach the socket
}

teardown_file() {
    world_end
}

teardown() {
    if [ -n "${STARTED:-}" ]; then
        kill -TERM "$STARTED" 2>/dev/null || true
        world_eventually 100 world_is_gone "$STARTED"
    fi
    if [ -n "${MOUNTED:-}" ]; then
        umount -l "$MOUNTED"
    fi
}

# start_own COMMAND…: another program than the world's volumed, gone after the test.
start_own() {
    "$@" >>"$WORLD_DIR/log" 2>&1 3>&- &
    STARTED=$!
}

# refused COMMAND…: ends by itself, with status 1; what it said is the output.
refused() {
    run -1 timeout 20 "$@"
}

# refused_state DIR: volumed does not start on it.
refused_state() {
    refused "$WORLD_BUILD/volumed" --state "$1" --socket "$WORLD_DIR/refused.sock"
    [ ! -e "$WORLD_DIR/refused.sock" ]
}

# used_state DIR: a state directory that a volumed has left.
used_state() {
    start_own "$WORLD_BUILD/volumed" --state "$1" --socket "$1.sock"
    world_eventually 100 answers "$1.sock"
    kill -TERM "$STARTED"
    world_eventually 100 world_is_gone "$STARTED"
}

# answers SOCKET
answers() {
    curl -sf --unix-socket "$1" http://d/_ping >/dev/null
}

# activates COMMAND…: the command waits with both sockets and starts volumed on them.
activates() {
    local dir=$WORLD_DIR/activated.$BATS_TEST_NUMBER
    mkdir "$dir"
    start_own "$@"
    world_eventually 100 answers "$dir/main.sock"
    run -0 curl -sf --unix-socket "$dir/plugin.sock" -X POST http://d/Plugin.Activate
    [ "$output" = '{"Implements":["VolumeDriver"]}' ]
    run -0 curl -sf --unix-socket "$dir/main.sock" http://d/volumed/v1/system
    kill -TERM "$STARTED"
    world_eventually 100 world_is_gone "$STARTED"
    [ -S "$dir/main.sock" ] # whoever made it keeps it
}

@test "systemd's own activator starts it at the first request" {
    command -v systemd-socket-activate >/dev/null || skip "needs systemd-socket-activate (systemd)"
    local dir=$WORLD_DIR/activated.$BATS_TEST_NUMBER
    activates systemd-socket-activate -l "$dir/main.sock" -l "$dir/plugin.sock" \
        --fdname=main:plugin "$WORLD_BUILD/volumed" --state "$dir/state" --socket "$dir/not.sock"
    [ ! -e "$dir/not.sock" ]
}

@test "sockets are told apart by name, whatever their order" {
    local dir=$WORLD_DIR/activated.$BATS_TEST_NUMBER
    activates /usr/bin/env python3 "$BATS_TEST_DIRNAME/activate.py" "plugin=$dir/plugin.sock" \
        "main=$dir/main.sock" -- "$WORLD_BUILD/volumed" --state "$dir/state" --socket "$dir/not.sock"
    [ ! -e "$dir/not.sock" ]
}

@test "a second volumed on the same state directory is refused, the first goes on" {
    refused_state "$WORLD_DIR/state"
    [ "$output" = "volumed: cannot use state directory '$WORLD_DIR/state': another volumed (pid $(cat "$WORLD_DIR/pid")) is using it" ]
    world_ping
}

@test "a socket where another volumed answers is not taken from it" {
    refused "$WORLD_BUILD/volumed" --state "$WORLD_DIR/second" --socket "$WORLD_DIR/volumed.sock"
    [ "$output" = "volumed: cannot listen on '$WORLD_DIR/volumed.sock': another process listens on it" ]
    world_ping
}

@test "a stale socket is replaced" {
    python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$WORLD_DIR/stale.sock"
    start_own "$WORLD_BUILD/volumed" --state "$WORLD_DIR/stale" --socket "$WORLD_DIR/stale.sock"
    world_eventually 100 answers "$WORLD_DIR/stale.sock"
}

@test "a file that is no socket is not replaced" {
    echo precious >"$WORLD_DIR/file.sock"
    refused "$WORLD_BUILD/volumed" --state "$WORLD_DIR/filed" --socket "$WORLD_DIR/file.sock"
    [ "$output" = "volumed: cannot listen on '$WORLD_DIR/file.sock': what is there is not a socket" ]
    [ "$(cat "$WORLD_DIR/file.sock")" = precious ]
}

@test "a state directory on FUSE is refused" {
    command -v fuse-overlayfs >/dev/null || skip "needs fuse-overlayfs"
    [ -c /dev/fuse ] || skip "needs /dev/fuse"
    mkdir "$WORLD_DIR"/{lower,upper,work,fuse}
    fuse-overlayfs -o "lowerdir=$WORLD_DIR/lower,upperdir=$WORLD_DIR/upper,workdir=$WORLD_DIR/work" \
        "$WORLD_DIR/fuse" 3>&- || skip "FUSE filesystems cannot be mounted here"
    MOUNTED=$WORLD_DIR/fuse
    refused_state "$WORLD_DIR/fuse/state"
    [[ $output == *"cannot use state directory '$WORLD_DIR/fuse/state': it is on a network or FUSE filesystem"* ]]
}

@test "a database newer than the program is refused and left alone" {
    command -v sqlite3 >/dev/null || skip "needs sqlite3"
    used_state "$WORLD_DIR/newer"
    sqlite3 "$WORLD_DIR/newer/volumed.db" 'PRAGMA user_version = 999'
    refused_state "$WORLD_DIR/newer"
    [[ $output == *"database has version 999, this volumed knows up to "*": use a newer volumed" ]]
    [ "$(sqlite3 "$WORLD_DIR/newer/volumed.db" 'PRAGMA user_version')" = 999 ]
}

@test "a damaged database is refused and left alone" {
    used_state "$WORLD_DIR/damaged"
    # Every page but the first, so that it still looks like a database.
    dd if=/dev/urandom of="$WORLD_DIR/damaged/volumed.db" bs=4096 seek=1 conv=notrunc status=none \
        count="$(($(stat -c %s "$WORLD_DIR/damaged/volumed.db") / 4096 - 1))"
    sum=$(sha256sum "$WORLD_DIR/damaged/volumed.db")
    refused_state "$WORLD_DIR/damaged"
    [[ $output == *"cannot use state directory '$WORLD_DIR/damaged': "*"database"* ]]
    [ "$(sha256sum "$WORLD_DIR/damaged/volumed.db")" = "$sum" ]
}

@test "a file that is no database is refused and left alone" {
    mkdir "$WORLD_DIR/text"
    yes 'this is a diary' | head -c 8192 >"$WORLD_DIR/text/volumed.db"
    refused_state "$WORLD_DIR/text"
    [[ $output == *"cannot use state directory '$WORLD_DIR/text': "*"file is not a database"* ]]
    [ "$(head -1 "$WORLD_DIR/text/volumed.db")" = 'this is a diary' ]
}

@test "the configuration file is read, and flags win over it" {
    local dir=$WORLD_DIR/configured
    mkdir "$dir"
    cat >"$dir/volumed.conf" <<END
# where things are
state = $dir/state
socket=$dir/file.sock # the door
plugin-socket = $dir/plugin.sock

workers = 3
END
    start_own "$WORLD_BUILD/volumed" --config "$dir/volumed.conf" --socket "$dir/flag.sock"
    world_eventually 100 answers "$dir/flag.sock"
    [ ! -e "$dir/file.sock" ]
    [ -S "$dir/plugin.sock" ]
    [ -e "$dir/state/volumed.db" ]
}

@test "a configuration that makes no sense is refused with its line" {
    printf 'state = /nowhere\n\nsokcet = /x\n' >"$WORLD_DIR/bad.conf"
    run -2 timeout 20 "$WORLD_BUILD/volumed" --config "$WORLD_DIR/bad.conf"
    [ "$output" = "volumed: configuration '$WORLD_DIR/bad.conf': line 3: unknown name 'sokcet'" ]
    run -2 timeout 20 "$WORLD_BUILD/volumed" --config "$WORLD_DIR/absent.conf"
    [[ $output == *"'$WORLD_DIR/absent.conf'"*"No such file or directory" ]]
    run -2 timeout 20 "$WORLD_BUILD/volumed" --state relative
    [[ $output == *"'relative' must be an absolute path"* ]]
    run -2 timeout 20 "$WORLD_BUILD/volumed" --workers many
    [[ $output == *"'workers' must be a number, not 'many'" ]]
}

# as_user UID GID COMMAND…
as_user() {
    setpriv --reuid "$1" --regid "$2" --clear-groups "${@:3}"
}

@test "the group may use the socket, others may not; events tell who did it" {
    local dir=$WORLD_DIR/grouped group
    group=$(getent group 100 | cut -d: -f1)
    [ -n "$group" ] || skip "needs a group with the number 100"
    start_own "$WORLD_BUILD/volumed" --state "$dir" --socket "$dir.sock" --group "$group"
    world_eventually 100 answers "$dir.sock"
    [ "$(stat -c '%a %u %g' "$dir.sock")" = "660 0 100" ]
    as_user 4711 100 curl -sf --unix-socket "$dir.sock" -H 'Content-Type: application/json' \
        -d '{"Name":"theirs"}' http://d/volumes/create
    run -7 as_user 4711 4711 curl -s --unix-socket "$dir.sock" http://d/_ping
    run -0 "$WORLD_BUILD/volctl" --socket "$dir.sock" event ls --json
    [[ $(jq -r '.[] | select(.object_id == "theirs" and .action == "create") | .actor' <<<"$output") == "uid=4711 "* ]]
}

@test "without a group root alone may use the socket; an unknown group is refused" {
    [ "$(stat -c %a "$WORLD_DIR/volumed.sock")" = 600 ]
    run -7 as_user 4711 4711 curl -s --unix-socket "$WORLD_DIR/volumed.sock" http://d/_ping
    refused "$WORLD_BUILD/volumed" --state "$WORLD_DIR/ungrouped" \
        --socket "$WORLD_DIR/ungrouped.sock" --group nosuchgroup
    [[ $output == *"there is no group 'nosuchgroup'" ]]
}

@test "nothing of a private volumed is where the host's would be" {
    [ ! -S /run/docker/plugins/volumed.sock ] || skip "a volumed of the host runs here"
    world_ping
    [ ! -e /run/docker/plugins/volumed.sock ]
}

@test "SIGTERM ends it at once and with success, though a client follows events" {
    local dir=$WORLD_DIR/ended
    start_own "$WORLD_BUILD/volumed" --state "$dir" --socket "$dir.sock"
    world_eventually 100 answers "$dir.sock"
    curl -sN --unix-socket "$dir.sock" http://d/events >/dev/null 3>&- &
    sleep 0.3
    kill -TERM "$STARTED"
    world_eventually 20 world_is_gone "$STARTED"
    wait "$STARTED" # with status 0
}

@test "the daemon does not carry what reads archives" {
    run ldd "$WORLD_BUILD/volumed"
    [ "$status" -eq 0 ]
    [[ "$output" != *libarchive* ]]
    run ldd "$WORLD_BUILD/confined"
    [[ "$output" == *libarchive* ]]
}
