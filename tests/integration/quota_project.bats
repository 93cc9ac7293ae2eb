#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Limits by project quota, on XFS and ext4.  Where this host's kernel has none, the file runs in a
# machine whose kernel does (tests/lib/vm), and each test here tells what became of it there.

load world

setup_file() {
    if [ -z "${VM:-}" ] && ! has_project_quota; then
        elsewhere
        return
    fi
    export ELSEWHERE=
    world_begin
    [ -z "$WORLD_SKIP" ] || return 0
    disk xfs pquota mkfs.xfs -q -m reflink=1
    disk ext4 prjquota mkfs.ext4 -q -O quota,project
}

teardown_file() {
    [ -n "${ELSEWHERE:-}" ] || world_end
    [ -z "${ELSEWHERE:-}" ] || rm -f "$ELSEWHERE"
}

setup() {
    PATH=$WORLD_BUILD:$PATH
    [ -n "${ELSEWHERE:-}" ] || world_setup
}

# A kernel that mounts ext4 with project quota will do.
has_project_quota() {
    local dir status
    dir=$(mktemp -d)
    truncate -s 16M "$dir/img"
    mkdir "$dir/fs"
    mkfs.ext4 -q -O quota,project "$dir/img" >/dev/null 2>&1 &&
        mount -o loop,prjquota "$dir/img" "$dir/fs" 2>/dev/null
    status=$?
    [ "$status" -ne 0 ] || umount "$dir/fs"
    rm -rf --one-file-system "$dir"
    return "$status"
}

# Once for all tests; ELSEWHERE is what they were told.
elsewhere() {
    local lack
    lack=$("$WORLD_ROOT/tests/lib/vm" lack)
    ELSEWHERE=$(mktemp)
    export ELSEWHERE
    if [ -n "$lack" ]; then
        echo "lack $lack" >"$ELSEWHERE"
        return
    fi
    # Not with the programs that bats puts in front of our PATH.
    (cd "$WORLD_ROOT" && PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        tests/lib/vm run --memory 1536 --time 240 bats --tap tests/integration/quota_project.bats) \
        >"$ELSEWHERE" 2>&1 || true
}

# True when the test was done elsewhere, and went well there.
was_done() {
    [ -n "${ELSEWHERE:-}" ] || return 1
    if grep -q '^lack' "$ELSEWHERE"; then
        skip "no project quota in this kernel, and $(cut -d' ' -f2- "$ELSEWHERE") for a machine that has it"
    fi
    if ! grep -qE "^ok [0-9]+ $BATS_TEST_DESCRIPTION" "$ELSEWHERE"; then
        cat "$ELSEWHERE" >&2
        exit 1
    fi
}

# disk KIND OPTION MKFS…
disk() {
    local kind=$1 option=$2 dir=$WORLD_DIR/$1
    shift 2
    mkdir "$dir"
    truncate -s 400M "$dir.img"
    "$@" "$dir.img" >/dev/null && mount -o "loop,$option" "$dir.img" "$dir"
    "$WORLD_BUILD/volctl" pool create "$kind" "$dir/pool"
}

path_of() {
    docker volume inspect -f '{{.Mountpoint}}' "$1"
}

# fill NAME MIB: status and message are dd's.  As in a container: the kernel lets whoever has
# CAP_SYS_RESOURCE write over ext4's limits.
fill() {
    setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
        dd if=/dev/urandom of="$(path_of "$1")/fill$RANDOM" bs=1M count="$2" conv=fsync
}

size_of() {
    du -sm "$(path_of "$1")" | cut -f1
}

# story KIND
story() {
    local name=$1-data
    docker volume create -o pool="$1" -o size=8m -o inodes=20 "$name"
    run -0 volctl --json volume inspect "$name"
    [ "$(jq -c .limit <<<"$output")" = '{"size_bytes":8388608,"inodes":20}' ]
    # statfs shows it: df in a container is right.
    [ "$(stat -f -c '%b %S' "$(path_of "$name")" | awk '{ print $1 * $2 }')" = 8388608 ]
    run -1 fill "$name" 20
    [[ $output == *"Disk quota exceeded"* || $output == *"No space left"* ]]
    [ "$(size_of "$name")" -le 8 ]
    run -0 volctl --json volume usage "$name"
    [ "$(jq .used_bytes <<<"$output")" -gt 7000000 ]
    rm "$(path_of "$name")"/fill*
    # Inodes.
    run -1 setpriv --bounding-set -sys_resource --inh-caps -sys_resource bash -c 'for i in $(seq 30); do : >"$1/$i" || exit 1; done' _ "$(path_of "$name")"
    [ "$(find "$(path_of "$name")" | wc -l)" -le 20 ]
    rm -f "$(path_of "$name")"/[0-9]*
    # Up and down.
    fill "$name" 6
    run -4 volctl volume resize "$name" 4M
    [[ $output == *"volume '$name' takes 6"* ]]
    volctl volume resize "$name" 12M --inodes 100
    fill "$name" 5
    run -1 fill "$name" 5
    # What may be renamed within a volume, and what is a rename in the pool.
    volctl volume resize "$name" 20M
    mkdir "$(path_of "$name")/a"
    mv "$(path_of "$name")"/fill* "$(path_of "$name")/a/"
}

@test "xfs: a limit holds, shows in statfs, and moves up and down" {
    was_done && return
    story xfs
}

@test "ext4: a limit holds, shows in statfs, and moves up and down" {
    was_done && return
    story ext4
}

# through KIND: the limit follows the volume.
through() {
    local name=$1-kept
    docker volume create -o pool="$1" -o size=8m "$name"
    fill "$name" 3
    volctl snapshot create "$name@s1"
    fill "$name" 3
    # A snapshot is not on the volume's account.
    run -0 volctl --json volume usage "$name"
    [ "$(jq .used_bytes <<<"$output")" -lt 7000000 ]
    volctl volume clone "$name@s1" "$name-twin"
    run -1 fill "$name-twin" 6
    volctl volume rollback "$name@s1"
    [ "$(size_of "$name")" -le 4 ]
    run -1 fill "$name" 6
    # Its safety snapshot kept its own number, and goes for good.
    run -0 volctl --json snapshot ls "$name"
    volctl snapshot rm "$name@$(jq -r '.[] | select(.reason == "safety") | .name' <<<"$output")"
    run -8 volctl volume clone "$name@s1" "$name-small" --size 1M
    run -3 volctl volume inspect "$name-small"
    volctl volume rm "$name-twin"
    volctl volume create again --pool "$1" --size 2M
    run -1 fill again 3
    volctl volume rm again
    run -0 volctl system check --repair
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}

@test "xfs: a limit follows the volume through snapshot, clone and rollback" {
    was_done && return
    through xfs
}

@test "ext4: a limit follows the volume through snapshot, clone and rollback" {
    was_done && return
    through ext4
}

# first KIND: a volume that had no limit is marked, file by file.
first() {
    local name=$1-first path
    volctl volume create "$name" --pool "$1"
    path=$(path_of "$name")
    mkdir -p "$path/a/b"
    ln -s a "$path/link"
    dd if=/dev/urandom of="$path/a/b/f" bs=1M count=4 2>/dev/null
    sync -f "$path"
    run -4 volctl volume resize "$name" 2M
    volctl volume resize "$name" 6M
    run -1 fill "$name" 4
    ln "$path/a/b/f" "$path/hard" # EXDEV, had a file been forgotten
    mv "$path/a/b/f" "$path/moved"
    volctl volume resize "$name" none
    fill "$name" 10
}

@test "xfs: a volume at rest gets its first limit" {
    was_done && return
    first xfs
}

@test "ext4: a volume at rest gets its first limit" {
    was_done && return
    first ext4
}

@test "numbers that are on disk already are not given again" {
    was_done && return
    mkdir "$WORLD_DIR/ext4/theirs"
    next=$(($(sqlite3 "$WORLD_DIR/state/volumed.db" 'SELECT coalesce(max(id), 1073741823) FROM project') + 1))
    chattr -p "$next" +P "$WORLD_DIR/ext4/theirs"
    echo x >"$WORLD_DIR/ext4/theirs/f"
    volctl volume create numbered --pool ext4 --size 4M
    run -0 lsattr -pd "$(path_of numbered)"
    [ "$(awk '{ print $1 }' <<<"$output")" -eq $((next + 1)) ]
}

@test "a daemon that is killed keeps limits and numbers" {
    was_done && return
    volctl volume create lasting --pool xfs --size 4M
    world_daemon_stop KILL
    world_daemon_start
    run -1 fill lasting 6
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
}
