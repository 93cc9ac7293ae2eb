#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2154
# What tools that were written for crun ask for, and runc has not, or has otherwise.

load runner.bash

setup_file() {
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
    program sleep 100
}

teardown() {
    runner_end
}

# start_as NAME
start_as() {
    runner create --bundle "$BUNDLE" "$1" </dev/null >/dev/null 2>&1
    runner start "$1"
}

@test "kill and delete mean every container that an expression is found in" {
    for name in "$ID-a1" "$ID-a2" "$ID-b1"; do
        start_as "$name"
    done
    runner kill --regex "$ID-a[0-9]" KILL
    ID=$ID-a1 eventually 100 status_is stopped
    ID=$ID-a2 eventually 100 status_is stopped
    ID=$ID-b1 status_is running
    run -1 runner delete --regex "^$ID-" # one runs: the others are deleted all the same
    [[ $output == *"container '$ID-b1'"*"that is not stopped"* ]]
    [ "$(runner list -q)" = "$ID-b1" ]
    runner delete --force --regex '.*'
    [ -z "$(runner list -q)" ]
    runner delete --force --regex 'no such' # none is meant: nothing is wrong
    run -1 runner kill --regex '(' KILL
    [[ $output == *"invalid regular expression"* ]]
}

@test "mounts says what to use in its place" {
    run -1 runner mounts add "$ID" file.json
    [[ $output == *"see mount and unmount"* ]]
}

@test "events tells again and again, at the interval asked for, until the container has ended" {
    start_as "$ID"
    runner events --interval 100ms "$ID" >"$WORLD/events" 3>&- &
    events=$!
    three() { [ "$(grep -c '"type":"stats"' "$WORLD/events")" -ge 3 ]; }
    eventually 200 three
    runner kill "$ID" KILL
    wait "$events"
}

@test "configuration from another file, and list, ps and their forms" {
    mv "$BUNDLE/config.json" "$WORLD/other.json"
    runner create --config "$WORLD/other.json" --bundle "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
    [ "$(runner list -q)" = "$ID" ]
    runner list --format json | jq -e --arg id "$ID" '.[0].id == $id' >/dev/null
    runner start "$ID"
    runner ps --format json "$ID" | jq -e --argjson pid "$(runner state "$ID" | jq .pid)" '. == [$pid]'
    runner ps "$ID" -o pid,comm | grep -q sleep
}
