#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2016
# Interfaces that a container is given.

load runner.bash

setup_file() {
    runner_file
}

teardown_file() {
    runner_file_end
}

setup() {
    runner_test
}

teardown() {
    ip link del "$LINK" 2>/dev/null || true
    runner_end
}

# Makes $LINK with addresses, in the host's namespace.
make_link() {
    LINK=rt$RANDOM
    ip link add "$LINK" type dummy 2>/dev/null || ip link add "$LINK" type veth peer name "$LINK-p" ||
        skip "cannot make an interface"
    ip addr add 192.0.2.7/24 dev "$LINK"
    ip addr add 2001:db8::7/64 dev "$LINK" nodad
}

give() {
    edit '.linux.netDevices = {($link): $device}' --arg link "$LINK" --argjson device "$1"
}

@test "an interface moves with its addresses, under its new name, and is up" {
    make_link
    give '{"name": "inner"}'
    script 'ip addr show dev inner; ip link'
    run -0 run_container
    [[ $output == *"192.0.2.7/24"* ]]
    [[ $output == *"2001:db8::7/64"* ]]
    [[ $output == *"inner"*"UP"* ]]
    [[ $output != *"$LINK"* ]]
    run -1 ip link show "$LINK"
}

@test "it keeps its name where none is given" {
    make_link
    give '{}'
    script 'cat /sys/class/net/*/uevent; ip link'
    run -0 run_container
    [[ $output == *"$LINK"* ]]
}

@test "what cannot be moved is named, and nothing is left" {
    LINK=nosuch0
    give '{}'
    run -1 run_container
    [[ $output == *"cannot move network device 'nosuch0': there is none"* ]]
    [ -z "$(left_behind)" ]
    LINK="a/b"
    give '{}'
    run -1 run_container
    [[ $output == *"not a name of an interface"* ]]
    make_link
    give '{"name": "lo"}'
    run -1 run_container
    [[ $output == *"the container has 'lo' already"* ]]
    ip link show "$LINK"
    [ -z "$(left_behind)" ]
}

@test "without a network namespace there is nowhere to move it" {
    make_link
    give '{}'
    edit 'del(.linux.namespaces[] | select(.type == "network"))'
    run -1 run_container
    [[ $output == *"network devices without a network namespace"* ]]
    ip link show "$LINK"
}
