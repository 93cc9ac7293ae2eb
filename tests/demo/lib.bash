# shellcheck shell=bash
# What the story needs around it: the private volumed, the image, the load, the table.

PROVED=()
STEP_BEGAN=0
DEMO_BEGAN=0
DAEMON=
LOAD=
STEP=0

tell() { printf '   %s\n' "$*"; }

step() {
    STEP=$((STEP + 1))
    STEP_BEGAN=$(date +%s%N)
    printf '\n%d. %s\n' "$STEP" "$*"
}

proved() {
    PROVED+=("$(printf '%5.1f s   %s' "$(since "$STEP_BEGAN")" "$*")")
}

since() { awk -v a="$1" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'; }

# expect A OP B, as test(1); a story that is not true must not go on.
expect() {
    if ! test "$@"; then
        printf '\nNOT TRUE: %s\n' "$*" >&2
        tail -20 "$DEMO/log" >&2 || true
        exit 1
    fi
}

demo_prepare() {
    [ "$(id -u)" -eq 0 ] || { echo "make demo needs root: it makes mounts and containers" >&2; exit 1; }
    make --no-print-directory deps
    make --no-print-directory -s -j"$(nproc)" all
    DEMO_BEGAN=$(date +%s%N)
    DEMO=$(mktemp -d "${TMPDIR:-/tmp}/volumed-demo.XXXXXX")
    export DEMO
    mkdir "$DEMO/state" "$DEMO/docker"
    export PATH=$ROOT/$BUILD:$PATH
    export DOCKER_HOST=unix://$DEMO/volumed.sock DOCKER_CONFIG=$DEMO/docker VOLUMED_SOCKET=$DEMO/volumed.sock
    demo_make_disk
    demo_start_daemon
    echo "volumed $(volctl --version | awk '{ print $NF }') in $DEMO, on $(stat -f -c %T "$DEMO/state"); docker is $(docker --version | cut -d, -f1)"
}

# A throw-away btrfs disk where the kernel has one, so that snapshots are O(1); else the plain directory.
demo_make_disk() {
    truncate -s 8G "$DEMO/disk"
    if mkfs.btrfs -q "$DEMO/disk" > /dev/null 2>&1 && mount -o loop "$DEMO/disk" "$DEMO/state" 2> /dev/null; then
        return
    fi
    rm -f "$DEMO/disk"
}

demo_start_daemon() {
    volumed --state "$DEMO/state" --socket "$DEMO/volumed.sock" >> "$DEMO/log" 2>&1 &
    DAEMON=$!
    local tries=0
    until docker version > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] && kill -0 "$DAEMON" 2> /dev/null || { cat "$DEMO/log" >&2; exit 1; }
        sleep 0.1
    done
}

demo_kill_daemon() {
    kill -KILL "$DAEMON"
    wait "$DAEMON" 2> /dev/null || true
}

# Runs on every way out.  Supervisors outlive the daemon by design; ours name the directory.
demo_end() {
    trap '' INT TERM
    set +eu # whatever is missing, the rest is cleaned up
    load_stop 2> /dev/null || true
    docker ps -aq 2> /dev/null | xargs -r docker rm -f -v > /dev/null 2>&1 || true
    if [ -n "$DAEMON" ]; then
        kill -TERM "$DAEMON" 2> /dev/null || true
        wait "$DAEMON" 2> /dev/null || true
    fi
    local pid
    for pid in $(grep -lsF "$DEMO/" /proc/[0-9]*/cmdline | sed 's,/proc/\([0-9]*\)/.*,\1,'); do
        [ "$pid" = "$$" ] || kill -KILL "$pid" 2> /dev/null || true
    done
    umount "$DEMO/state" 2> /dev/null || umount -l "$DEMO/state" 2> /dev/null || true
    rm -rf --one-file-system "$DEMO"
}

# Debian's PostgreSQL where packages can be had.
image_make() {
    local mirror
    tell "mmdebstrap installs postgresql into an empty root…"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2> /dev/null | head -1)
    mmdebstrap --quiet --variant=minbase --include=postgresql \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm - ${mirror:+"$mirror"} 2> "$DEMO/mmdebstrap.log" |
        docker import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - pg > /dev/null ||
        { cat "$DEMO/mmdebstrap.log" >&2; exit 1; }
}

sql() { docker exec -u postgres "$1" psql -XqAt -c "$2" postgres; }

sql_ready() {
    local tries=0
    until sql "$1" 'SELECT 1' > /dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 150 ] || { docker logs "$1" >&2; exit 1; }
        sleep 0.2
    done
}

# A client container commits one row after the other; each id it prints was acknowledged.
load_start() {
    : > "$DEMO/acknowledged"
    docker run --rm -i --name client -u postgres -v pgsock:/run/postgresql pg \
        psql -XqAt -f - postgres > "$DEMO/acknowledged" 2> "$DEMO/client" < <(
        while echo "INSERT INTO ledger (body) VALUES (repeat('x', 100)) RETURNING id;"; do :; done 2> /dev/null
    ) &
    LOAD=$!
}

load_stop() {
    [ -n "$LOAD" ] || return 0
    docker kill client > /dev/null 2>&1 || true
    wait "$LOAD" 2> /dev/null || true
}

acknowledged() { wc -l < "$DEMO/acknowledged"; }

load_reach() {
    local tries=0
    while [ "$(acknowledged)" -lt "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || { cat "$DEMO/client" >&2; exit 1; }
        sleep 0.1
    done
}

# How many of the acknowledged ids the table does not have.
missing_rows() {
    {
        echo "CREATE TEMP TABLE told (id bigint); COPY told FROM STDIN;"
        grep -E '^[0-9]+$' "$DEMO/acknowledged"
        echo '\.'
        echo "SELECT count(*) FROM told LEFT JOIN ledger USING (id) WHERE ledger.body IS NULL;"
    } | docker exec -i -u postgres "$1" psql -XqAt -f - postgres | tail -1
}

pause_of() {
    volctl snapshot inspect "$1@$2" --json | jq -r '.pause_ns / 1e6 * 10 | round / 10 | tostring + " ms"'
}

demo_table() {
    printf '\nWhat was proven, and how long each step took\n\n'
    printf '  %s\n' "${PROVED[@]}"
    printf '\n  %5.1f s   in all\n' "$(since "$DEMO_BEGAN")"
}
