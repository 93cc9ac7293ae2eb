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
