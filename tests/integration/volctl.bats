#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154
# volctl: every verb, its JSON, its exit status.

load world

setup_file() {
    world_begin
    world_load_busybox
}

teardown_file() {
    world_end
}

volctl() {
    "$WORLD_BUILD/volctl" "$@"
}

# Runs with --json, prints the one document that must come; the status is volctl's.
json() {
    local out status=0
    out=$(volctl --json "$@" 2>/dev/null) || status=$?
    [ "$(jq -s length <<<"$out")" = 1 ] || { echo "not one document: $out" >&2; return 99; }
    printf '%s\n' "$out"
    return "$status"
}

# put VOLUME TEXT, get VOLUME: the file "f" of a volume
put() {
    printf '%s' "$2" >"$(json volume inspect "$1" | jq -r .path)/f"
}

get() {
    cat "$(json volume inspect "$1" | jq -r .path)/f"
}

verbs() {
    local noun verb
    for noun in $(volctl --help | sed -n '/^Nouns:/,/^$/s/^  \([a-z]*\).*/\1/p'); do
        for verb in $(volctl "$noun" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z][a-z-]*\).*/\1/p'); do
            echo "$noun $verb"
        done
    done
}

# --- the command line ---

@test "help is there at every level" {
    local noun verb
    run -0 volctl --help
    [[ $output == *"Usage: volctl"*volume*snapshot*container*image*pool*operation*event*system* ]]
    [ "$(verbs | wc -l)" -gt 45 ]
    while read -r noun verb; do
        run -0 volctl "$noun" "$verb" --help
        [[ ${lines[0]} == "Usage: volctl $noun $verb "* ]]
    done < <(verbs)
    run -0 volctl --version
    [[ $output == "volctl "* ]]
}

@test "a line that makes no sense is status 2 and says what would help" {
    run -2 --separate-stderr volctl
    run -2 --separate-stderr volctl vol ls
    [[ $stderr == *"there is no noun 'vol'"*hint:* ]]
    run -2 --separate-stderr volctl volume list
    [[ $stderr == *"there is no verb 'list'"* ]]
    run -2 --separate-stderr volctl volume ls --bogus
    [[ $stderr == *"there is no option '--bogus'"* ]]
    run -2 --separate-stderr volctl volume create
    [[ $stderr == "volctl: cannot create volume: too few words"* ]]
    run -2 --separate-stderr volctl volume ls x
    run -2 --separate-stderr volctl volume create v --pool
    [[ $stderr == *"option '--pool' needs a value"* ]]
    run -2 --separate-stderr volctl volume rm --force=1 v
    [[ $stderr == *"option '--force' takes no value"* ]]
    run -2 --separate-stderr volctl volume create v --uid x
    run -2 --separate-stderr volctl snapshot rm nosnapshot
    [[ $stderr == *"must be VOLUME@SNAPSHOT"* ]]
}

@test "a service that is not there is status 1, with one JSON document when asked" {
    run -1 --separate-stderr volctl --socket "$WORLD_DIR/none.sock" volume ls
    [[ $stderr == *"cannot connect to"*"hint: is volumed running?"* ]]
    run -1 json --socket "$WORLD_DIR/none.sock" volume ls
    [ "$(jq -r .error.code <<<"$output")" = system ]
}

@test "a service that closes or talks something else is told" {
    python3 - "$WORLD_DIR/odd.sock" <<'PY' 3>&- &
import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(4)
for answer in (b'', b'SSH-2.0-x\r\n\r\n', b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{',
               b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n'):
    c, _ = s.accept(); c.recv(65536); c.sendall(answer); c.close()
PY
    server=$!
    world_eventually 50 test -S "$WORLD_DIR/odd.sock"
    run -1 --separate-stderr volctl --socket "$WORLD_DIR/odd.sock" volume ls
    [[ $stderr == *"closed the connection without a reply"* ]]
    run -1 --separate-stderr volctl --socket "$WORLD_DIR/odd.sock" volume ls
    [[ $stderr == *"not HTTP"* ]]
    run -1 --separate-stderr volctl --socket "$WORLD_DIR/odd.sock" volume ls
    [[ $stderr == *"broken off"* ]]
    run -1 --separate-stderr volctl --socket "$WORLD_DIR/odd.sock" volume ls
    [[ $stderr == *"broken off"* ]]
    wait "$server" # not for all: with a time limit bats has a clock in the background
}

@test "options may stand anywhere, VOLUMED_SOCKET gives way to --socket" {
    run -0 volctl volume ls --json
    run -0 volctl --json volume ls
    run -0 volctl volume --json ls
    local socket=$VOLUMED_SOCKET
    export VOLUMED_SOCKET=/nonexistent
    run -1 volctl volume ls
    run -0 volctl --socket "$socket" volume ls
}

@test "completion is a script that bash reads, and completes" {
    volctl completion bash >"$WORLD_DIR/completion"
    bash -n "$WORLD_DIR/completion"
    run -0 bash -c "source '$WORLD_DIR/completion'; COMP_WORDS=(volctl vol); COMP_CWORD=1
        _volctl; echo \"\${COMPREPLY[*]}\"; COMP_WORDS=(volctl volume ro); COMP_CWORD=2
        _volctl; echo \"\${COMPREPLY[*]}\"; COMP_WORDS=(volctl volume rm --with); COMP_CWORD=3
        _volctl; echo \"\${COMPREPLY[*]}\""
    [ "${lines[0]}" = volume ]
    [ "${lines[1]}" = rollback ]
    [ "${lines[2]}" = --with-snapshots ]
}

# --- volumes ---

@test "volume create prints the name, inspect and ls show it" {
    run -0 volctl volume create v1 --label a=b -l c --uid 1000 --gid 1000 --mode 0750
    [ "$output" = v1 ]
    run -0 json volume inspect v1
    [ "$(jq -c '[.name, .labels, .pool, .protected, .references]' <<<"$output")" = \
        '["v1",{"a":"b","c":""},"default",false,[]]' ]
    [ "$(stat -c '%u %g %a' "$(jq -r .path <<<"$output")")" = "1000 1000 750" ]
    run -0 volctl volume inspect v1
    [[ $output == *"name "*v1* ]]
    run -0 volctl volume ls
    [[ ${lines[0]} == NAME*POOL*LABELS ]]
    [[ $output == *v1*default*a=b,c=* ]]
    run -0 volctl volume ls -q
    [[ $output == *v1* && $output != *NAME* ]]
    run -0 json volume ls --filter label=a=b
    [ "$(jq -r '.[].name' <<<"$output")" = v1 ]
    run -2 --separate-stderr volctl volume ls --filter bogus=1
    run -2 --separate-stderr volctl volume ls --filter nonsense
}

@test "volume create again is the same volume, with other options status 4" {
    volctl volume create same --mode 0700
    run -0 volctl volume create same --mode 0700
    run -4 --separate-stderr volctl volume create same --mode 0711
    [[ $stderr == "volctl: cannot create volume 'same': "*hint:* ]]
    run -4 json volume create same --mode 0711
    [ "$(jq -r .error.code <<<"$output")" = conflict ]
    run -2 --separate-stderr volctl volume create a/b
}

@test "volume create repeats under an idempotency key" {
    local first second
    first=$(json volume create keyed --idempotency-key k1 | jq -r .id)
    second=$(json volume create keyed --idempotency-key k1 | jq -r .id)
    [ "$first" = "$second" ]
}

@test "what is not there is status 3" {
    run -3 --separate-stderr volctl volume inspect nope
    [[ $stderr == "volctl: cannot inspect volume 'nope': "*"no such volume"*hint:* ]]
    run -3 volctl volume rm nope
    run -0 volctl volume rm --force nope
    run -3 volctl volume usage nope
    run -3 volctl volume rename nope other
    run -3 volctl volume protect nope
    run -3 volctl volume clone nope other
    run -3 volctl volume rollback nope@s1
    run -3 volctl snapshot create nope@s1
    run -3 volctl snapshot ls nope
    run -3 volctl snapshot inspect v1@nope
    run -3 volctl container inspect nope
    run -3 volctl container attachments nope
    run -3 volctl image inspect nope
    run -3 volctl pool inspect nope
    run -3 volctl operation inspect nope
}

@test "several names: all are tried, the first failure's status is returned" {
    volctl volume create m1
    volctl volume create m2
    run -3 json volume inspect m1 nope m2
    [ "$(jq -r 'map(.name // .error.code) | join(" ")' <<<"$output")" = "m1 not_found m2" ]
    run -3 --separate-stderr volctl volume rm m1 nope m2
    [ "$output" = "m1
m2" ]
}

@test "volume rename, label, protect and unprotect change what inspect tells" {
    volctl volume create old --label a=1 --label b=2
    run -0 volctl volume rename old new
    [ "$output" = new ]
    run -0 volctl volume label new a- c=3
    [ "$output" = b=2,c=3 ]
    run -2 --separate-stderr volctl volume label new nonsense
    run -0 json volume label new b=4
    [ "$(jq -c .labels <<<"$output")" = '{"b":"4","c":"3"}' ]
    run -0 volctl volume protect new
    run -4 --separate-stderr volctl volume rm new
    [[ $stderr == *protect* ]]
    run -0 json volume unprotect new
    [ "$(jq .protected <<<"$output")" = false ]
    run -0 volctl volume rm new
}

@test "volume rm --dry-run removes nothing, --with-snapshots takes them along" {
    volctl volume create gone
    volctl snapshot create gone@s1
    run -4 --separate-stderr volctl volume rm gone
    run -0 volctl volume rm --dry-run --with-snapshots gone
    [ "$output" = "would remove gone and 1 of its snapshots" ]
    run -0 json volume rm --with-snapshots gone
    [ "$(jq -c . <<<"$output")" = '{"volume":"gone","snapshots":["s1"],"dry_run":false}' ]
    run -3 volctl volume inspect gone
}

@test "volume prune takes what nobody refers to, --dry-run tells it" {
    local anonymous
    anonymous=$(docker volume create)
    volctl volume create named --label prune=me
    run -0 volctl volume prune --dry-run
    [[ $output == *"$anonymous"*"would reclaim"* && $output != *named* ]]
    run -0 json volume prune
    [ "$(jq -r '.volumes[]' <<<"$output" | grep -c "$anonymous")" = 1 ]
    run -0 volctl volume prune --all --filter label=prune=me --quiet
    [ "$output" = named ]
}

@test "volume usage measures" {
    volctl volume create sized
    put sized 12345
    run -0 json volume usage sized
    [ "$(jq '.files' <<<"$output")" = 1 ]
    [ "$(jq '.apparent_bytes >= 5' <<<"$output")" = true ]
    run -0 volctl volume usage sized
    [[ $output == "sized: "*", 1 files, walked "* ]]
    run -0 volctl volume ls --size
    [[ $output == *USED*LIMIT*sized* ]]
}

# --- snapshots ---

@test "snapshot, change, roll back: both states are there" {
    volctl volume create data
    put data one
    run -0 volctl snapshot create data@s1
    [ "$output" = data@s1 ]
    put data two
    run -0 volctl volume rollback data@s1 --dry-run
    [ "$(get data)" = two ]
    run -0 json volume rollback data@s1
    [ "$(get data)" = one ]
    [ "$(jq -r .safety.reason <<<"$output")" = safety ]
    run -0 volctl volume clone "data@$(jq -r .safety.name <<<"$output")" before
    [ "$output" = before ]
    [ "$(get before)" = two ]
    run -0 json volume create copy --from data
    [ "$(jq -r '.cost' <<<"$output" | grep -c '^O(')" = 1 ]
    [ "$(get copy)" = one ]
}

@test "snapshot ls, inspect and rm" {
    volctl volume create snapped
    volctl snapshot create snapped@aa --label k=v
    run -0 volctl snapshot create snapped
    [[ $output =~ ^snapped@[0-9]{8}T[0-9]{6}Z ]]
    run -0 volctl snapshot ls snapped
    [[ ${lines[0]} == SNAPSHOT*CREATED*FENCE* ]]
    [ "${#lines[@]}" = 3 ]
    run -0 volctl snapshot ls -q
    [[ $output == *snapped@aa* ]]
    run -0 json snapshot ls snapped
    [ "$(jq -r '.[0].name' <<<"$output")" = aa ]
    run -0 json snapshot inspect snapped@aa
    [ "$(jq -c '[.fence, .labels, .pause_ns]' <<<"$output")" = '["idle",{"k":"v"},0]' ]
    run -4 --separate-stderr volctl snapshot create snapped@aa
    run -0 volctl snapshot rm --dry-run snapped@aa
    [ "$output" = "would remove snapped@aa" ]
    run -0 volctl snapshot inspect snapped@aa
    run -0 volctl snapshot rm snapped@aa
    run -3 volctl snapshot inspect snapped@aa
}

@test "rollback is busy while a container has the volume mounted" {
    volctl volume create used
    volctl snapshot create used@s1
    volctl container run -d --name user -v used:/v busybox sleep 100
    run -5 --separate-stderr volctl volume rollback used@s1
    [[ $stderr == *hint:*stop* ]]
    run -5 --separate-stderr volctl volume rollback used@s1 --dry-run
    run -4 --separate-stderr volctl volume rm --with-snapshots used
    run -0 json volume inspect used
    [ "$(jq -c '[.mounted, .references[0].name]' <<<"$output")" = '[true,"user"]' ]
    run -0 json snapshot create used@live
    [ "$(jq -c '[.fence, (.pause_ns > 0)]' <<<"$output")" = '["frozen",true]' ]
    run -0 volctl container attachments user
    [[ $output == *used*/v*rw* ]]
    run -0 json container attachments user
    [ "$(jq -r '.[0].destination' <<<"$output")" = /v ]
    volctl container rm --force user
    run -0 volctl volume rollback used@s1
}

# --- containers ---

@test "container run passes output, input and exit status" {
    run -0 --separate-stderr volctl container run --rm busybox sh -c 'echo out; echo err >&2'
    [ "$output" = out ]
    [ "$stderr" = err ]
    run -42 volctl container run --rm busybox sh -c 'exit 42'
    [ "$(echo hello | volctl container run --rm -i busybox cat)" = hello ]
    [ "$(head -c 3000000 /dev/zero | volctl container run --rm -i busybox wc -c)" = 3000000 ]
    run -0 volctl container run --rm -e A=b -w /tmp -u plain --hostname h1 busybox \
        sh -c 'echo "$A $(pwd) $(id -un) $(hostname)"'
    [ "$output" = "b /tmp plain h1" ]
    run -0 volctl container run --rm --tmpfs /t:size=1m --read-only busybox \
        sh -c 'touch /t/x && ! touch /x 2>/dev/null'
}

@test "container run --json is one document with the output in it" {
    run -3 json container run --rm busybox sh -c 'echo out; echo err >&2; exit 3'
    [ "$(jq -c '[.stdout, .stderr, .exit_code]' <<<"$output")" = '["out\n","err\n",3]' ]
}

@test "container run: 127 where the command is not there, 125 where the image is not" {
    run -127 volctl container run --rm busybox nosuchcommand
    run -125 --separate-stderr volctl container run --rm nosuchimage true
    [[ $stderr == *"No such image"*hint:* ]]
}

@test "container run passes SIGTERM on" {
    local status=0
    "$WORLD_BUILD/volctl" container run --rm --name traps busybox \
        sh -c 'trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 0.1; done' \
        >"$WORLD_DIR/traps" 3>&- &
    local pid=$!
    world_eventually 100 grep -q ready "$WORLD_DIR/traps"
    kill -TERM "$pid"
    wait "$pid" || status=$?
    [ "$status" = 7 ]
    grep -q "got it" "$WORLD_DIR/traps"
}

@test "container run -it gives a terminal" {
    run -5 world_terminal "$WORLD_BUILD/volctl" container run --rm -it busybox \
        sh -c 'tty; exit 5' </dev/null
    [[ $output == */dev/pts/* ]]
    run -2 --separate-stderr volctl container create -t -x busybox
    run -125 --separate-stderr volctl container run --rm -t busybox true </dev/null
    [[ $stderr == *"not a terminal"* ]]
}

@test "container create, start, pause, stop, wait, rename, rm" {
    run -0 volctl container create --name life -v life:/v -v /anon --label a=b \
        --restart on-failure:2 --memory 64m --pids-limit 50 --init --network none busybox sleep 100
    [[ $output =~ ^[0-9a-f]{64}$ ]]
    run -0 json container inspect life
    [ "$(jq -c '[.State.Status, .HostConfig.RestartPolicy.MaximumRetryCount, .HostConfig.Memory]' \
        <<<"$output")" = '["created",2,67108864]' ]
    run -0 json container start life
    [ "$(jq -c . <<<"$output")" = '{"container":"life","changed":true}' ]
    run -0 json container start life
    [ "$(jq .changed <<<"$output")" = false ]
    run -0 volctl container pause life
    [ "$(volctl container inspect life | jq -r .State.Status)" = paused ]
    run -0 volctl container unpause life
    run -0 volctl container ls
    [[ ${lines[0]} == "CONTAINER ID"*NAME*IMAGE*STATUS* ]]
    [[ $output == *life*busybox*Up* ]]
    run -0 volctl container rename life lives
    [ "$output" = lives ]
    run -0 volctl container restart -t 1 lives
    run -0 volctl container kill -s USR1 lives
    run -0 volctl container stop -t 1 lives
    run -0 volctl container wait lives
    [[ $output =~ ^[0-9]+$ ]]
    run -0 json container wait lives
    [ "$(jq '.exit_code >= 0' <<<"$output")" = true ]
    run -0 volctl container ls -q
    [[ $output != *"$(volctl container inspect lives | jq -r '.Id[:12]')"* ]]
    run -0 json container ls --all --filter name=lives
    [ "$(jq length <<<"$output")" = 1 ]
    run -0 json container rm -v lives
    [ "$(jq -r .container <<<"$output")" = lives ]
    run -3 volctl container rm lives
    run -0 volctl container rm --force lives
}

@test "container rm of a running one is refused without --force" {
    volctl container run -d --name stays busybox sleep 100
    run -4 --separate-stderr volctl container rm stays
    [[ $stderr == *hint:*--force* ]]
    run -0 volctl container rm --force stays
}

@test "container exec passes output, input and exit status" {
    volctl container run -d --name host busybox sleep 100
    run -0 --separate-stderr volctl container exec host sh -c 'echo out; echo err >&2'
    [ "$output" = out ]
    [ "$stderr" = err ]
    run -9 volctl container exec host sh -c 'exit 9'
    [ "$(echo hello | volctl container exec -i host cat)" = hello ]
    run -0 volctl container exec -e A=b -w /tmp -u plain host sh -c 'echo "$A $(pwd) $(id -un)"'
    [ "$output" = "b /tmp plain" ]
    run -127 volctl container exec host nosuchcommand
    run -0 json container exec host echo one
    [ "$(jq -c '[.stdout, .exit_code]' <<<"$output")" = '["one\n",0]' ]
    run -0 volctl container exec -d host touch /tmp/made
    world_eventually 50 volctl container exec host test -e /tmp/made
    run -4 world_terminal "$WORLD_BUILD/volctl" container exec -it host sh -c 'tty; exit 4' </dev/null
    [[ $output == */dev/pts/* ]]
    run -125 --separate-stderr volctl container exec nope true
    volctl container rm -f host
    run -125 --separate-stderr volctl container exec host true
}

@test "container logs: all, the tail, since, followed, as JSON" {
    volctl container run --name talks busybox \
        sh -c 'echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three'
    run -0 --separate-stderr volctl container logs talks
    [ "$output" = "one
three" ]
    [ "$stderr" = two ]
    run -0 volctl container logs --tail 1 talks
    [ "$output" = three ]
    run -0 --separate-stderr volctl container logs --timestamps talks
    [[ ${lines[0]} =~ ^20[0-9]{2}-.*Z\ one$ ]]
    run -0 json container logs talks
    [ "$(jq -c . <<<"$output")" = '{"stdout":"one\nthree\n","stderr":"two\n"}' ]
    run -0 volctl container logs --follow --json talks
    [ "$(jq -rs 'map(.text) | sort | join("")' <<<"$output")" = "one
three
two" ]
    volctl container rm talks
}

# --- images ---

@test "image ls, inspect, tag and rm" {
    run -0 volctl image ls
    [[ ${lines[0]} == IMAGE*ID*SIZE ]]
    [[ $output == *busybox:latest* ]]
    run -0 json image inspect busybox
    [ "$(jq -r '.RepoTags[0]' <<<"$output")" = busybox:latest ]
    run -0 volctl image tag busybox other/name:v2
    [ "$output" = other/name:v2 ]
    run -0 volctl image ls -q
    [[ $output == *other/name:v2* ]]
    run -0 json image ls --filter reference=other/name
    [ "$(jq length <<<"$output")" = 1 ]
    run -0 volctl image rm other/name:v2
    [ "$output" = "untagged other/name:v2" ]
    run -3 volctl image rm other/name:v2
}

@test "image save and load carry images, by file and by pipe" {
    run -0 json image save busybox --output "$WORLD_DIR/saved.tar"
    [ "$(jq .bytes <<<"$output")" = "$(stat -c %s "$WORLD_DIR/saved.tar")" ]
    tar -tf "$WORLD_DIR/saved.tar" | grep -q manifest.json
    volctl image tag busybox keeps
    volctl image save busybox >"$WORLD_DIR/piped.tar"
    volctl image rm busybox
    run -0 volctl image load "$WORLD_DIR/saved.tar"
    [[ $output == *busybox:latest* ]]
    run -0 json image load - <"$WORLD_DIR/piped.tar"
    [ "$(jq -r '.images[0]' <<<"$output")" = busybox:latest ]
    run -3 --separate-stderr volctl image load "$WORLD_DIR/none.tar"
    echo nonsense >"$WORLD_DIR/bad.tar"
    run --separate-stderr volctl image load "$WORLD_DIR/bad.tar"
    [ "$status" -ne 0 ]
    [[ $stderr == "volctl: cannot load"* ]]
    run -2 --separate-stderr volctl image save busybox --json
}

@test "image import makes an image of a tree" {
    world_make_root "$WORLD_DIR/tree"
    tar -C "$WORLD_DIR/tree" -cf "$WORLD_DIR/tree.tar" .
    run -0 volctl image import --change 'CMD ["echo", "imported"]' "$WORLD_DIR/tree.tar" made:v1
    [[ $output == sha256:* ]]
    run -0 volctl container run --rm made:v1
    [ "$output" = imported ]
    run -0 json image import - made:v2 <"$WORLD_DIR/tree.tar"
    [[ $(jq -r .id <<<"$output") == sha256:* ]]
}

# --- pools, operations, events, the system ---

@test "pool create, ls, inspect and rm" {
    cd "$WORLD_DIR"
    run -0 volctl pool create fast fast-pool --driver directory
    [ "$output" = fast ]
    run -0 volctl pool ls
    [[ ${lines[0]} == NAME*DRIVER*SIZE*FREE* ]]
    [[ $output == *fast*directory*"$WORLD_DIR/fast-pool"* ]]
    run -0 json pool inspect fast
    [ "$(jq '.space.size_bytes > 0' <<<"$output")" = true ]
    run -0 json pool ls
    [ "$(jq length <<<"$output")" = 2 ]
    volctl volume create infast --pool fast
    [ "$(json volume inspect infast | jq -r .pool)" = fast ]
    run -4 --separate-stderr volctl pool rm fast
    volctl volume rm infast
    run -4 --separate-stderr volctl pool rm fast
    [[ $stderr == *trash* ]]
    volctl trash purge infast
    run -0 volctl pool rm fast
    run -4 --separate-stderr volctl pool rm default
}

@test "operation ls and inspect tell what was done" {
    volctl volume create op1
    volctl snapshot create op1@s1
    volctl volume rollback op1@s1
    run -0 json operation ls --limit 1
    [ "$(jq -r ".[0].state" <<<"$output")" = "done" ]
    run -0 json operation inspect "$(jq -r '.[0].id' <<<"$output")"
    [ "$(jq -r .kind <<<"$output")" = snapshot.rollback ]
    run -0 volctl operation ls
    [[ $output == *snapshot.rollback* ]]
    run -0 json operation ls --running
    [ "$(jq length <<<"$output")" = 0 ]
}

@test "event ls goes on from a number" {
    local last
    last=$(json event ls --limit 1 | jq '.[0].seq')
    volctl volume create ev1
    run -0 json event ls --after "$last"
    [ "$(jq -r '.[0] | "\(.type) \(.action)"' <<<"$output")" = "volume create" ]
    run -0 volctl event ls --after "$last"
    [[ $output == *"volume create"* ]]
    run -0 volctl event ls --since 1h --limit 1
}

@test "event follow prints what happens, and goes on when the service was away" {
    "$WORLD_BUILD/volctl" event follow --json --reconnect >"$WORLD_DIR/followed" 3>&- &
    local pid=$!
    sleep 0.3
    volctl volume create ev2
    world_eventually 50 grep -q ev2 "$WORLD_DIR/followed"
    world_daemon_stop
    world_daemon_start
    volctl volume create ev3
    world_eventually 50 grep -q ev3 "$WORLD_DIR/followed"
    kill "$pid"
    [ "$(jq -s 'map(.seq) | . == unique' "$WORLD_DIR/followed")" = true ]
    [ "$(jq -s '[.[] | select(.action == "create") | .attributes.name // .object_id] | length >= 2' \
        "$WORLD_DIR/followed")" = true ]
}

@test "event follow ends quietly with its reader" {
    run -0 bash -c "timeout 10 '$WORLD_BUILD/volctl' event follow --after 0 --json | head -1; exit \${PIPESTATUS[0]}"
    [ "$(jq .seq <<<"$output")" -gt 0 ]
}

@test "system info, version and df" {
    run -0 json system info
    [ "$(jq -c '[.recovered, (.volumes > 0), .state_dir]' <<<"$output")" = \
        "[true,true,\"$WORLD_DIR/state\"]" ]
    run -0 volctl system info
    [[ $output == *state_dir* ]]
    run -0 json system version
    [ "$(jq -r '.client == .server.version' <<<"$output")" = true ]
    run -0 volctl system version
    [[ $output == *volctl*volumed* ]]
    run -0 json system df
    [ "$(jq 'has("Volumes")' <<<"$output")" = true ]
    run -0 volctl system df
    [[ $output == *volumes* ]]
}

@test "system check finds what is amiss: status 11, and --repair puts it right" {
    local orphan=$WORLD_DIR/state/pools/default/volumes/11111111-2222-4333-8444-555555555555
    run -0 volctl system check
    [ "$output" = "nothing is amiss" ]
    mkdir "$orphan"
    echo lost >"$orphan/f"
    run -11 volctl system check
    [[ $output == *"--repair would"* ]]
    [ -d "$orphan" ]
    run -0 json system check --repair
    [ "$(jq -c '[.clean, .findings[0].repaired]' <<<"$output")" = '[true,true]' ]
    [ ! -d "$orphan" ]
}

@test "names and labels never reach a terminal with control characters" {
    volctl volume create nasty --label "a=$(printf 'x\033[31my')"
    run -0 volctl volume ls
    [[ $output != *$'\033'* ]]
    [ "$(json volume inspect nasty | jq -r .labels.a)" = "$(printf 'x\033[31my')" ]
}
