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

# changes WORD…: "CHANGE KIND BYTES PATH" lines, sorted by path
changes() {
    volctl --json file diff "$@" | jq -r '.changes[] |
        "\(.change)\(if .change != "changed" then "" elif .data and .metadata then "-both"
         elif .data then "-data" else "-metadata" end) \(.bytes) \(.path)"'
}

compare() {
    needs_disk "$1"
    local dir method=walk
    [ "$1" = btrfs ] && method=changes
    docker volume create -o "pool=$1" "d$1" >/dev/null
    dir=$(path_of "d$1")
    mkdir -p "$dir"/{keep/deep,gone/deep,moves/deep,kind}
    seq 1 200 | while read -r i; do echo "$i" >"$dir/keep/deep/$i"; done
    dd if=/dev/urandom of="$dir/keep/big" bs=4k count=64 status=none
    dd if=/dev/urandom of="$dir/keep/log" bs=4k count=2 status=none
    echo a >"$dir/gone/deep/a"
    echo b >"$dir/moves/deep/b"
    echo same >"$dir/replaced"
    echo touched >"$dir/touched"
    echo owner >"$dir/owner"
    echo x >"$dir/attr"
    ln -s one "$dir/link"
    echo linked >"$dir/first"
    volctl snapshot create "d$1@s1"
    run -0 volctl file diff "d$1@s1"
    [ "$output" = "0 added (0 B), 0 removed (0 B), 0 changed (0 B)" ]

    dd if=/dev/urandom of="$dir/keep/big" bs=4k count=1 seek=7 conv=notrunc status=none
    touch -d '2020-01-01' "$dir/keep/big"
    echo more >>"$dir/keep/log"
    rm -r "$dir/gone"
    mv "$dir/moves" "$dir/moved"
    cp -p "$dir/replaced" "$dir/tmp" && mv "$dir/tmp" "$dir/replaced"
    touch -d '2021-01-01' "$dir/touched"
    chown 7:8 "$dir/owner"
    setfattr -n user.a -v b "$dir/attr"
    ln -sfn two "$dir/link"
    ln "$dir/first" "$dir/second"
    rmdir "$dir/kind" && echo file >"$dir/kind"
    chmod 700 "$dir/keep/deep"
    cat >expected <<EOF
changed-metadata 0 attr
removed 0 gone
removed 0 gone/deep
removed 2 gone/deep/a
changed-both 4096 keep/big
changed-metadata 0 keep/deep
changed-both 5 keep/log
removed 0 kind
added 5 kind
changed-data 0 link
added 0 moved
added 0 moved/deep
added 2 moved/deep/b
removed 0 moves
removed 0 moves/deep
removed 2 moves/deep/b
changed-metadata 0 owner
added 7 second
changed-metadata 0 touched
EOF
    [ "$(jq -r .sum.method <<<"$(volctl --json file diff "d$1@s1")")" = "$method" ]
    changes "d$1@s1" | sed 's/^changed-both 0 link/changed-data 0 link/' | diff expected -
    volctl snapshot create "d$1@s2"
    changes "d$1@s1" "d$1@s2" | sed 's/^changed-both 0 link/changed-data 0 link/' | diff expected -
    sed -e 's/^added/x/; s/^removed/added/; s/^x/removed/' expected |
        sed '/kind$/d' >backwards
    changes "d$1@s2" "d$1@s1" | sed 's/^changed-both 0 link/changed-data 0 link/' | sed '/kind$/d' |
        diff backwards -

    # After a rollback the present is another tree of the same descent.
    volctl volume rollback "d$1@s1"
    [ -z "$(changes "d$1@s1")" ]
    changes "d$1" "d$1@s2" | sed 's/^changed-both 0 link/changed-data 0 link/' | diff expected -
    volctl volume clone "d$1@s2" "e$1"
    echo new >"$(path_of "e$1")/new"
    [ "$(changes "d$1@s2" "e$1")" = "added 4 new" ]
    run -0 volctl diff --stat "d$1@s2" "e$1"
    [ "$output" = "1 added (4 B), 0 removed (0 B), 0 changed (0 B)" ]
    run -2 volctl file diff "d$1"
    is_clean
}

# More changes than one answer of the kernel holds.
compare_many() {
    needs_disk "$1"
    docker volume create -o "pool=$1" "m$1" >/dev/null
    (cd "$(path_of "m$1")" && seq -f 'entry-%g' 1 3000 | xargs touch)
    volctl snapshot create "m$1@s1"
    (cd "$(path_of "m$1")" && seq -f 'entry-%g' 1 3000 | while read -r name; do echo "$name" >"$name"; done)
    [ "$(changes "m$1@s1" | wc -l)" -eq 3000 ]
}

@test "two states are compared, on btrfs" {
    compare btrfs
}

@test "two states are compared, on XFS" {
    compare xfs
}

@test "two states are compared, on ext4" {
    compare ext4
}

@test "thousands of changes are all found, on btrfs" {
    compare_many btrfs
}

# names DIR: all that is in it, with what matters of each
names() {
    (cd "$1" && find . -printf '%P %y %m %U:%G %T@ %s %l\n' | sort)
}

restore() {
    needs_disk "$1"
    local dir before
    fill "r$1" "$1"
    dir=$(path_of "r$1")
    chmod 2750 "$dir/conf/deep"
    setfacl -d -m u:7:rx "$dir/conf/deep"
    touch -d '2001-02-03 04:05:06.5' "$dir/conf/deep/two" "$dir/conf/deep"
    volctl snapshot create "r$1@s1"
    names "$dir/conf/deep" >deep
    before=$(stat -c '%U:%G:%a %Y' "$dir/conf/app.ini")

    # One file in the place of another, while somebody holds the volume.
    echo broken >"$dir/conf/app.ini"
    chown 9:9 "$dir/conf/app.ini"
    (cd "$dir" && exec sleep 60) &
    local holder=$!
    run -0 volctl file restore "r$1@s1" conf/app.ini
    [ "$output" = "conf/app.ini, in the place of what was there" ]
    kill "$holder"
    [ "$(cat "$dir/conf/app.ini")" = one ]
    [ "$(stat -c '%U:%G:%a %Y' "$dir/conf/app.ini")" = "$before" ]
    [ "$(getfattr -n user.note --only-values "$dir/conf/app.ini")" = kept ]

    # What the volume lacks on the way comes back as it was; fifos, devices and links too.
    rm -r "$dir/conf/deep" "$dir/fifo" "$dir/null" "$dir/out"
    volctl file restore "r$1@s1" conf/deep/two fifo null out
    names "$dir/conf/deep" | diff deep -
    [ -z "$(getfacl -cp "$dir/conf/deep/two" | grep "user:[0-9]")" ]
    [ -p "$dir/fifo" ] && [ -c "$dir/null" ] && [ "$(readlink "$dir/out")" = /etc ]

    # A directory is replaced when one says so, and never by halves.
    echo mine >"$dir/conf/deep/new"
    run -4 volctl file restore "r$1@s1" conf/deep sparse
    [[ $output = *"directory 'conf/deep' is in the volume"* ]]
    run -0 volctl file restore --dry-run --replace "r$1@s1" conf/deep
    [ -e "$dir/conf/deep/new" ]
    volctl file restore --replace "r$1@s1" conf/deep
    names "$dir/conf/deep" | diff deep -
    volctl file restore "r$1@s1" conf/deep --to back/here/again
    (cd "$dir/back/here/again" && diff -r . "$dir/conf/deep")

    # Nothing is followed, out of the volume or within it.
    run -2 volctl file restore "r$1@s1" current/deep/two
    [[ $output = *"link is on the way"* ]]
    ln -s /tmp "$dir/escape"
    run -4 volctl file restore "r$1@s1" conf/app.ini --to escape/app.ini
    [ ! -e /tmp/app.ini ]
    run -3 volctl file restore "r$1@s1" conf/nothing
    run -2 volctl file restore "r$1@s1" /
    run -2 volctl file restore "r$1@s1" conf conf/deep
    [ -z "$(find "$dir" -name '.volumed*')" ]
    volctl --json lineage show "r$1" | jq -e '.edges[] | select(.relation == "restored") | .detail.paths'
    volctl --json event ls | jq -e '.[] | select(.type == "volume" and .action == "restore")' >/dev/null
    is_clean
}

@test "single files are taken back, on btrfs" {
    restore btrfs
}

@test "single files are taken back, on XFS" {
    restore xfs
}

@test "single files are taken back, on ext4" {
    restore ext4
}
