#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016 # what stands in single quotes is for the shell in the container
# The life of containers through the docker CLI: its commands, exit codes and messages.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

teardown() {
    docker ps -aq | xargs -r docker rm -f >/dev/null 2>&1 || true
}

state_of() {
    docker inspect -f '{{.State.Status}}' "$1"
}

@test "run prints what the command prints and has its exit code" {
    run -0 docker run --rm busybox echo hello
    [ "$output" = hello ]
    run -7 docker run --rm busybox sh -c 'exit 7'
    run -0 --separate-stderr docker run --rm busybox sh -c 'echo out; echo err >&2'
    [ "$output" = out ]
    # shellcheck disable=SC2154 # run sets it
    [ "$stderr" = err ]
}

@test "run of what is not there is 127, of what cannot be executed 126" {
    run -127 docker run --rm busybox /nosuch
    [[ $output == *"no such file or directory"* ]]
    run -127 docker run --rm busybox nosuch
    [[ $output == *"executable file not found in \$PATH"* ]]
    world_cli_is_old || run -126 docker run --rm busybox /etc # it looks for fewer words
    run -126 docker run --rm busybox /etc/passwd
    [[ $output == *"permission denied"* ]]
}

@test "run with a bad option or a missing image is 125" {
    run -125 docker run --rm --memory 1b busybox true
    run -125 docker run --rm nosuch true
    [[ $output == *"Unable to find image 'nosuch:latest' locally"* ]]
    [[ $output == *"Error response from daemon: "* ]]
    run -125 docker run --pull never --rm nosuch true
    [[ $output == *"No such image: nosuch:latest"* ]]
}

@test "run -d prints the id; --rm makes it vanish when it ends" {
    id=$(docker run -d --rm busybox sleep 0.3)
    [[ $id =~ ^[0-9a-f]{64}$ ]]
    gone() { ! docker inspect "$id" >/dev/null 2>&1; }
    world_eventually 50 gone
}

@test "run -i feeds standard input to its end" {
    run -0 docker run -i --rm busybox wc -c <<<12345
    [ "$output" -eq 6 ]
}

@test "run -it is on a terminal" {
    run -3 world_terminal docker run -it --rm busybox sh <<'END'
stty size
tty
exit 3
END
    [[ $output == *"24 80"* && $output == *"/dev/pts/0"* ]]
}

@test "create, start, stop, start again, rm" {
    id=$(docker create --name life busybox sleep 60)
    [ "$(state_of life)" = created ]
    [ "$(docker start life)" = life ]
    [ "$(state_of life)" = running ]
    [ "$(docker start life)" = life ]
    [ "$(docker stop -t 0 life)" = life ]
    [ "$(state_of life)" = exited ]
    [ "$(docker inspect -f '{{.State.ExitCode}}' life)" = 137 ]
    docker start life
    run -1 docker rm life
    [[ $output == *"You cannot remove a running container $id. Stop the container before attempting removal or force remove" ]]
    docker stop -t 0 life
    [ "$(docker rm life)" = life ]
    run -1 docker rm "$id"
    [[ $output == *"No such container: $id" ]]
}

@test "start -a shows the output and has the exit code" {
    docker create --name again busybox sh -c 'echo again; exit 4'
    run -4 docker start -a again
    [ "$output" = again ]
}

@test "stop sends the stop signal and waits" {
    docker run -d --name polite busybox sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done'
    sleep 0.3
    docker stop -t 5 polite
    [ "$(docker inspect -f '{{.State.ExitCode}}' polite)" = 5 ]
}

@test "kill, kill -s, and kill of a container that does not run" {
    docker run -d --name target busybox sleep 60
    [ "$(docker kill target)" = target ]
    world_eventually 50 test "$(docker wait target)" = 137
    run -1 docker kill target
    [[ $output == *"is not running"* ]]
    docker start target
    run -1 docker kill -s NOSUCH target
    [[ $output == *"nvalid signal: NOSUCH"* ]]
}

@test "restart" {
    docker run -d --name once busybox sleep 60
    pid=$(docker inspect -f '{{.State.Pid}}' once)
    [ "$(docker restart -t 0 once)" = once ]
    [ "$(state_of once)" = running ]
    [ "$(docker inspect -f '{{.State.Pid}}' once)" != "$pid" ]
}

@test "pause and unpause" {
    docker run -d --name still busybox sleep 60
    [ "$(docker pause still)" = still ]
    [ "$(state_of still)" = paused ]
    [[ $(docker ps -f name=still --format '{{.Status}}') == "Up "*" (Paused)" ]]
    run -1 docker pause still
    [[ $output == *"already paused"* ]]
    docker unpause still
    [ "$(state_of still)" = running ]
    docker pause still
    [ "$(docker kill still)" = still ]
    world_eventually 30 test "$(docker wait still)" = 137
    docker start still
    run -1 docker unpause still
    [[ $output == *"is not paused"* ]]
}

@test "wait prints the exit code" {
    docker run -d --name short busybox sh -c 'sleep 0.3; exit 9'
    run -0 docker wait short
    [ "$output" = 9 ]
}

@test "rename, and names that are taken or bad" {
    docker create --name old busybox
    docker rename old new
    [ "$(docker inspect -f '{{.Name}}' new)" = /new ]
    run -1 docker inspect old
    run -125 docker run --name new busybox true
    [[ $output == *'Conflict. The container name "/new" is already in use by container'* ]]
    run -125 docker run --name 'a b' busybox true
    [[ $output == *"Invalid container name (a b), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"* ]]
}

@test "ps shows names, status, command; filters and -n, -q, -s work" {
    docker run -d --name up1 --label l=1 busybox sleep 60
    docker run --name down1 busybox sh -c 'exit 3' || true
    docker create --name made1 busybox
    [ "$(docker ps --format '{{.Names}}')" = up1 ]
    [[ $(docker ps --format '{{.Status}}') == "Up "* ]]
    [ "$(docker ps --format '{{.Command}}')" = '"sleep 60"' ]
    [ "$(docker ps --format '{{.Image}}')" = busybox ]
    [[ $(docker ps -a -f name=down1 --format '{{.Status}}') == "Exited (3) "*" ago" ]]
    [ "$(docker ps -a -f name=made1 --format '{{.Status}}')" = Created ]
    [ "$(docker ps -a -f status=exited --format '{{.Names}}')" = down1 ]
    [ "$(docker ps -a -f exited=3 --format '{{.Names}}')" = down1 ]
    [ "$(docker ps -a -f label=l=1 --format '{{.Names}}')" = up1 ]
    [ "$(docker ps -a -f ancestor=busybox -q | wc -l)" = 3 ]
    [ "$(docker ps -n 1 --format '{{.Names}}')" = made1 ]
    [[ $(docker ps -s --format '{{.Size}}') == *virtual* ]]
    run -1 docker ps -f bogus=1
    [ "$output" = "Error response from daemon: invalid filter 'bogus'" ]
}

@test "inspect tells what the container was made with" {
    docker create --name told -e A=b -w /tmp -u 1000 --hostname h1 --label x=y \
        -v named:/n:ro busybox echo one two
    run -0 docker inspect -f '{{.Path}} {{.Args}} {{.Config.WorkingDir}} {{.Config.User}} {{.Config.Hostname}} {{.Config.Labels.x}}' told
    [ "$output" = "echo [one two] /tmp 1000 h1 y" ]
    run -0 docker inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Mode}} {{.RW}}{{end}}' told
    [ "$output" = "volume named /n ro false" ]
    run -0 docker inspect -s -f '{{.SizeRw}}' told
    run -1 docker inspect nosuch
    [[ $output == *"Error: No such object: nosuch"* ]]
    run -1 docker container inspect nosuch
    [[ $output == *"No such container: nosuch"* ]]
    docker port told
}

@test "another platform or runtime than there is is refused" {
    docker create --platform linux/amd64 busybox
    run -125 docker run --pull never --platform linux/arm64 busybox true
    [[ $output == *"does not match the specified platform: wanted linux/arm64, actual: linux/amd64"* ]]
    run -125 docker run --runtime bogus busybox true
    [[ $output == *"unknown or invalid runtime name: bogus"* ]]
    docker create --runtime runc busybox
}

@test "containers are found by a prefix of the id" {
    id=$(docker create busybox)
    [ "$(docker inspect -f '{{.Id}}' "${id:0:12}")" = "$id" ]
}

@test "env, workdir, user, hostname, entrypoint reach the process" {
    run -0 docker run --rm -e A=b -w /tmp -u plain --hostname h1 --entrypoint sh busybox \
        -c 'echo $A $PWD $(id -u):$(id -g) $(hostname)'
    [ "$output" = "b /tmp 1000:1000 h1" ]
}

@test "limits of memory, cpu and pids are accepted and kept" {
    docker create --name limited --memory 64m --cpus 0.5 --pids-limit 50 --ulimit nofile=100:200 busybox
    run -0 docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}' limited
    [ "$output" = "67108864 500000000 50" ]
    [ "$(docker run --rm --ulimit nofile=100:200 busybox sh -c 'ulimit -n')" = 100 ]
}

@test "a read-only root cannot be written; init reaps" {
    run -1 docker run --rm --read-only busybox touch /x
    [[ $output == *"Read-only file system"* ]]
    run -0 docker run --rm --init busybox sh -c 'cat /proc/1/comm; (sleep 0.1 &); sleep 0.3; ps -o comm'
    [ "${lines[0]}" = docker-init ]
    [[ $output != *sleep* ]]
    run -7 docker run --rm --init busybox sh -c 'exit 7'
    run -127 docker run --rm --init busybox nosuch
}

@test "network none and the default have only loopback; host sees the host's" {
    [ "$(docker run --rm busybox ls /sys/class/net)" = lo ]
    [ "$(docker run --rm --network none busybox ls /sys/class/net)" = lo ]
    host=$(readlink /proc/self/ns/net)
    [ "$(docker run --rm --network host busybox readlink /proc/self/ns/net)" = "$host" ]
    [ "$(docker run --rm busybox readlink /proc/self/ns/net)" != "$host" ]
    run -125 docker run --rm --network nosuch busybox true
    [[ $output == *"network nosuch not found"* ]]
}

@test "cp out of and into a container, running or not" {
    docker run --name box busybox sh -c 'echo inside > /file; mkdir /dir; echo d > /dir/d'
    cd "$BATS_TEST_TMPDIR"
    docker cp box:/file .
    [ "$(cat file)" = inside ]
    docker cp box:/dir .
    [ "$(cat dir/d)" = d ]
    [ "$(docker cp box:/file - | tar -xOf -)" = inside ]
    echo outside >out
    docker cp out box:/tmp/
    docker cp out box:/tmp/renamed
    mkdir -p tree/sub && echo t >tree/sub/t
    docker cp tree box:/tmp/
    [ "$(docker cp box:/tmp/out - | tar -xOf -)" = outside ]
    [ "$(docker cp box:/tmp/renamed - | tar -xOf -)" = outside ]
    [ "$(docker cp box:/tmp/tree/sub/t - | tar -xOf -)" = t ]
    run -1 docker cp box:/nosuch .
    [[ $output == *"Could not find the file /nosuch in container box"* ||
        $output == *"No such container:path: box:/nosuch"* ]]
    docker run -d --name live -v cpvol:/v busybox sleep 60
    docker cp out live:/v/
    [ "$(docker exec live cat /v/out)" = outside ]
}

@test "diff tells added, changed and deleted paths" {
    docker run --name changed busybox sh -c 'touch /new; echo x >> /etc/passwd; rm /data/seed'
    run -0 docker diff changed
    [[ $output == *"A /new"* && $output == *"C /etc/passwd"* && $output == *"D /data/seed"* ]]
}

@test "commit makes an image of a container, with changes" {
    docker run --name source busybox sh -c 'echo committed > /file'
    run -0 docker commit -m note -a me -c 'CMD cat /file' source made:v1
    [[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
    [ "$(docker run --rm made:v1)" = committed ]
    [ "$(docker image inspect -f '{{.Comment}} {{.Author}}' made:v1)" = "note me" ]
    docker rmi -f made:v1
}

@test "export gives the whole root as a tar" {
    docker run --name whole busybox sh -c 'echo exported > /file'
    docker export whole | tar -tf - >"$BATS_TEST_TMPDIR/list"
    grep -Eq '^(\./)?file$' "$BATS_TEST_TMPDIR/list"
    grep -Eq '^(\./)?bin/busybox$' "$BATS_TEST_TMPDIR/list"
}

@test "top lists the processes" {
    docker run -d --name busy busybox sleep 60
    run -0 docker top busy
    [[ ${lines[0]} == *PID* && $output == *"sleep 60"* ]]
    run -0 docker top busy -o pid,args
    docker stop -t 0 busy
    run -1 docker top busy
    [[ $output == *"is not running"* ]]
}

@test "stats --no-stream shows one line a container" {
    docker run -d --name measured busybox sleep 60
    run -0 timeout 10 docker stats --no-stream --format '{{.Name}} {{.PIDs}}' measured
    [[ $output == "measured "* ]]
    run -0 timeout 10 docker stats --no-stream --format '{{.Name}}'
    [ "$output" = measured ]
}

@test "update changes limits and the restart policy" {
    docker run -d --name grown --memory 64m busybox sleep 60
    [ "$(docker update --memory 96m --memory-swap -1 --restart on-failure:2 grown)" = grown ]
    run -0 docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}}' grown
    [ "$output" = "100663296 on-failure" ]
}

@test "a restart policy starts the container again" {
    docker run -d --name stubborn --restart on-failure:2 busybox sh -c 'sleep 0.2; exit 1'
    counted() { [ "$(docker inspect -f '{{.RestartCount}}' stubborn)" -ge 1 ]; }
    world_eventually 80 counted
}

@test "a healthcheck is told by ps and inspect" {
    docker run -d --name well --health-cmd true --health-interval 1s busybox sleep 60
    healthy() { [ "$(docker inspect -f '{{.State.Health.Status}}' well)" = healthy ]; }
    world_eventually 80 healthy
    [[ $(docker ps --format '{{.Status}}') == *"(healthy)" ]]
}

@test "container prune takes what does not run" {
    docker run -d --name stays busybox sleep 60
    docker run --name goes busybox true
    run -0 docker container prune -f
    [[ $output == *"Deleted Containers:"* && $output == *"Total reclaimed space:"* ]]
    [ "$(docker ps -a --format '{{.Names}}')" = stays ]
}

@test "rm -f kills; rm -f of a missing container only warns" {
    docker run -d --name victim busybox sleep 60
    [ "$(docker rm -f victim)" = victim ]
    run -0 docker rm -f victim
    [[ $output == *"No such container: victim"* ]]
}

@test "containers survive the daemon and are known to the next one" {
    docker run -d --name outlive busybox sh -c 'while :; do date; sleep 0.2; done'
    pid=$(docker inspect -f '{{.State.Pid}}' outlive)
    world_daemon_stop KILL
    kill -0 "$pid"
    world_daemon_start
    [ "$(state_of outlive)" = running ]
    [ "$(docker inspect -f '{{.State.Pid}}' outlive)" = "$pid" ]
    docker stop -t 0 outlive
    [ "$(state_of outlive)" = exited ]
}
