# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Other engines beside a world's volumed, each private: own state, own socket, own cgroup, and
# volumed as their volume plugin under the name "ours".  engines_end leaves nothing of them.

# Restarts the world's volumed with its plugin's door.
engines_begin() {
    [ -z "$WORLD_SKIP" ] || return 0
    export ENGINE_CGROUP=${WORLD_DIR##*/}
    world_daemon_stop
    engines_volumed_start
}

engines_volumed_start() {
    world_daemon_start --plugin-socket "$WORLD_DIR/plugin.sock"
}

engines_end() {
    local dir
    if [ -z "${WORLD_DIR:-}" ]; then
        return 0
    fi
    engines_dockerd_stop
    engines_podman_stop
    for dir in /sys/fs/cgroup/{,*/}"$ENGINE_CGROUP"; do
        [ ! -d "$dir" ] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
    # Where podman keeps its monitors; stays while any podman uses it.
    rmdir /sys/fs/cgroup/{,*/}libpod_parent{/conmon,} 2>/dev/null || true
}

# Debian's dockerd in mount and network namespaces of its own.  Where it looks for plugins is a
# directory of ours, seen by it alone.
engines_dockerd_start() {
    local dir=$WORLD_DIR/dockerd
    mkdir -p "$dir/etc/plugins" /etc/docker
    echo "unix://$WORLD_DIR/plugin.sock" >"$dir/etc/plugins/ours.spec"
    # shellcheck disable=SC2016 # expands in the inner shell
    unshare -m -n sh -c 'ip link set lo up; mount --bind "$1" /etc/docker; shift; exec "$@"' sh \
        "$dir/etc" dockerd --data-root "$dir/data" --exec-root "$dir/exec" -H "unix://$dir/d.sock" \
        -p "$dir/pid" --bridge none --iptables=false --ip-forward=false \
        --storage-driver overlay2 --cgroup-parent "$ENGINE_CGROUP" >"$dir/log" 2>&1 3>&- &
    echo $! >"$dir/started"
    world_eventually 200 engines_dockerd_answers || { tail -20 "$dir/log" >&2; return 1; }
}

engines_dockerd_answers() {
    curl -sf --unix-socket "$WORLD_DIR/dockerd/d.sock" http://d/_ping >/dev/null
}

engines_dockerd_stop() {
    local pid
    pid=$(cat "$WORLD_DIR/dockerd/started" 2>/dev/null) || return 0
    if engines_dockerd_answers; then
        dock ps -aq | xargs -r docker -H "unix://$WORLD_DIR/dockerd/d.sock" rm -f -v >/dev/null 2>&1 ||
            true
    fi
    kill -TERM "$pid" 2>/dev/null || true
    world_eventually 150 world_is_gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
}

dock() {
    timeout 60 docker -H "unix://$WORLD_DIR/dockerd/d.sock" "$@"
}

# Writes podman's configuration and finds an OCI runtime that takes this host's control groups.
engines_podman_start() {
    local dir=$WORLD_DIR/podman runtime
    mkdir -p "$dir"
    cat >"$dir/containers.conf" <<END
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
[engine.volume_plugins]
ours = "$WORLD_DIR/plugin.sock"
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
END
    printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "%s"\n' \
        "$dir/root" "$dir/run" >"$dir/storage.conf"
    export CONTAINERS_CONF=$dir/containers.conf CONTAINERS_STORAGE_CONF=$dir/storage.conf
    : >"$dir/log"
    for runtime in crun runc "$WORLD_BUILD/runner"; do
        export ENGINE_RUNTIME=$runtime
        [ -s "$dir/loaded" ] || pod load -q -i "$WORLD_DIR/busybox.tar" >"$dir/loaded" 2>>"$dir/log" ||
            continue
        pod_run --rm busybox true 2>>"$dir/log" && return 0
    done
    return 1
}

engines_podman_stop() {
    [ -d "$WORLD_DIR/podman/root" ] || return 0
    pod rm -a -f -t 0 >/dev/null 2>&1 || true
    pod volume prune -f >/dev/null 2>&1 || true
}

pod() {
    env -u DOCKER_CONFIG timeout 60 podman --root "$WORLD_DIR/podman/root" --runroot "$WORLD_DIR/podman/run" \
        --tmpdir "$WORLD_DIR/podman/tmp" --cgroup-manager cgroupfs --runtime "$ENGINE_RUNTIME" "$@"
}

pod_run() {
    pod run --network none --cgroup-parent "/$ENGINE_CGROUP" "$@"
}
