#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # stderr is set by run
# Looking into volumes and snapshots, comparing them, and taking single files back.

load world
load disks

setup_file() {
    world_begin
    disks
}

teardown_file() {
    world_end
}

setup() {
    world_setup
    PATH=$WORLD_BUILD:$PATH
    cd "$BATS_TEST_TMPDIR" || return 1
}

# fill NAME KIND: a volume with a bit of everything that strangers leave behind.
fill() {
    local dir
    docker volume create -o "pool=$2" "$1" >/dev/null
    dir=$(path_of "$1")
    mkdir -p "$dir/conf/deep"
    echo one >"$dir/conf/app.ini"
    echo two >"$dir/conf/deep/two"
    chown 1000:1001 "$dir/conf/app.ini"
    chmod 640 "$dir/conf/app.ini"
    setfattr -n user.note -v kept "$dir/conf/app.ini"
    ln "$dir/conf/app.ini" "$dir/conf/twin"
    ln -s /etc "$dir/out"
    ln -s ../../../../../../etc/passwd "$dir/conf/passwd"
    ln -s conf "$dir/current"
    mkfifo "$dir/fifo"
    mknod "$dir/null" c 1 3
    truncate -s 1M "$dir/sparse"
    printf 'x' >"$dir/$(printf 'bad\nname')"
}

browse() {
    needs_disk "$1"
    fill "b$1" "$1"
    volctl snapshot create "b$1@s1"
    echo changed >"$(path_of "b$1")/conf/app.ini"

    run -0 volctl file ls "b$1@s1" conf
    [[ ${lines[1]} = "-rw-r-----"*"1000:1001"*" 4 "*"app.ini" ]]
    run -0 volctl --json file ls "b$1@s1"
    [ "$(jq -r '.[] | select(.name == "null") | .kind' <<<"$output")" = device ]
    [ "$(jq -r '.[] | select(.name == "out") | .link_target' <<<"$output")" = /etc ]
    [ "$(volctl file cat "b$1@s1" conf/app.ini)" = one ]
    [ "$(volctl file cat "b$1" conf/app.ini)" = changed ]
    [ "$(volctl file cat "b$1@s1" current/deep/two)" = two ]

    # Links lead nowhere else, fifos and devices are not opened, and nothing hangs.
    run -2 volctl file cat "b$1@s1" conf/passwd
    [[ $output = *"is a link"* ]]
    run volctl file cat "b$1@s1" out/hostname
    [ "$status" -ne 0 ]
    run -2 timeout 5 volctl file cat "b$1@s1" fifo
    [[ $output = *"is a fifo"* ]]
    run -2 timeout 5 volctl file cat "b$1@s1" null
    run -3 volctl file cat "b$1@s1" ../../../../etc/passwd

    volctl file get "b$1@s1" conf
    [ "$(cat conf/app.ini)" = one ]
    [ "$(stat -c %u:%g:%a conf/app.ini)" = 1000:1001:640 ]
    [ "$(stat -c %i conf/app.ini)" = "$(stat -c %i conf/twin)" ]
    [ "$(getfattr -n user.note --only-values conf/app.ini)" = kept ]
    run -4 volctl file get "b$1@s1" conf
    volctl file get "b$1@s1" conf/app.ini alone
    [ "$(cat alone)" = one ]
    volctl file get "b$1@s1" / whole
    [ "$(readlink whole/out)" = /etc ]
    [ -p whole/fifo ]
    [ "$(stat -c %s:%b whole/sparse)" = 1048576:0 ]
    [ "$(volctl file tar "b$1@s1" conf | tar -t | sort | head -2 | tr '\n' ' ')" = "conf/ conf/app.ini " ]
    [ -z "$(find . -name '.volctl-*')" ]
    is_clean
}

@test "files are looked at and taken out, on btrfs" {
    browse btrfs
}

@test "files are looked at and taken out, on XFS" {
    browse xfs
}

@test "files are looked at and taken out, on ext4" {
    browse ext4
}

@test "a directory of many entries is streamed" {
    needs_disk ext4
    docker volume create -o pool=ext4 many >/dev/null
    (cd "$(path_of many)" && seq -f 'entry-%g' 1 20000 | xargs touch)
    [ "$(volctl -q file ls many | wc -l)" -eq 20000 ]
}
