#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Other clients of the Docker API than the CLI: the Python library and docker-compose.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

@test "the Python library runs, feeds, reads and removes a container" {
    /usr/bin/python3 -c 'import docker' 2>/dev/null || skip "needs python3-docker"
    run -0 timeout 60 /usr/bin/python3 "$BATS_TEST_DIRNAME/docker_client.py"
    [ "${lines[-1]}" = "all well" ]
}

@test "docker-compose brings a project up, recreates it and takes it down; the volume stays" {
    command -v docker-compose >/dev/null || skip "needs docker-compose"
    mkdir "$WORLD_DIR/project"
    cd "$WORLD_DIR/project"
    cat >docker-compose.yml <<'END'
version: "3.7"
services:
  web:
    image: busybox
    command: sh -c "echo up >> /data/log; sleep 100"
    network_mode: none
    volumes: ["data:/data", "/anonymous"]
    stop_grace_period: 0s
volumes:
  data: {}
END
    export COMPOSE_API_VERSION=1.41
    docker-compose up -d
    run -0 docker-compose exec -T web cat /data/log
    [ "$output" = up ]
    docker-compose up -d --force-recreate
    run -0 docker-compose exec -T web cat /data/log
    [ "$output" = $'up\nup' ]
    docker-compose down
    docker volume inspect project_data >/dev/null
    docker-compose down -v
    run -1 docker volume inspect project_data
}

# compose FILE ARGUMENT…
compose() {
    COMPOSE_API_VERSION=1.41 timeout 60 docker-compose -p shared -f "$WORLD_DIR/$1" "${@:2}"
}

@test "docker-compose: two services share a volume that outlives them" {
    command -v docker-compose >/dev/null || skip "needs docker-compose"
    cat >"$WORLD_DIR/shared.yml" <<'END'
version: "3.7"
services:
  writer:
    image: busybox
    command: sh -c "echo written > /data/file; sleep 100"
    network_mode: none
    volumes: ["data:/data"]
    stop_grace_period: 0s
  reader:
    image: busybox
    command: sh -c "until cat /data/file; do sleep 0.1; done 2>/dev/null; touch /data/mine; sleep 100"
    network_mode: none
    depends_on: [writer]
    volumes: ["data:/data:ro"]
    stop_grace_period: 0s
volumes:
  data:
    driver_opts: { mode: "0750" }
    labels: { kept: "yes" }
END
    compose shared.yml up -d
    world_eventually 50 compose_has_read
    run -1 compose shared.yml exec -T reader test -e /data/mine
    [ "$(docker volume inspect -f '{{index .Labels "kept"}}' shared_data)" = yes ]
    run -0 compose shared.yml ps -q
    [ "${#lines[@]}" = 2 ]
    compose shared.yml restart -t 0 writer
    compose shared.yml stop -t 0
    compose shared.yml rm -f
    [ "$(docker run --rm -v shared_data:/data busybox cat /data/file)" = written ]
    compose shared.yml down -v
    run -1 docker volume inspect shared_data
}

compose_has_read() {
    [[ $(compose shared.yml logs --no-color reader) == *written* ]]
}

@test "docker-compose: a project that wants a network of its own is told that there is none" {
    command -v docker-compose >/dev/null || skip "needs docker-compose"
    printf 'version: "3.7"\nservices:\n  web: { image: busybox, command: "true" }\n' >"$WORLD_DIR/net.yml"
    run -1 compose net.yml up -d
    [[ $output == *"volumed has no networks of its own yet: only 'none' and 'host' exist"* ]]
    [ -z "$(docker ps -aq -f label=com.docker.compose.project=shared)" ]
}
