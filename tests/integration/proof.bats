#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A few sets of databases on two volumes, each cloned and recovered, and the control without a set, which must
# fail; and two recreations of a database under load.  `make check-proof` does it with fifty sets, and with all
# that can become of a recreation.

bats_require_minimum_version 1.5.0

@test "databases recover whole from sets, and not from separate snapshots" {
    export PROOF_FAILURES=1
    proves prove-sets 5 60
}

@test "a recreated database has what it acknowledged, and one that is rolled back too" {
    proves prove-recreate --short
}

proves() {
    run "$BATS_TEST_DIRNAME/../proof/$1" "${@:2}"
    [ "$status" -ne 77 ] || skip "${output#skip: }"
    echo "# ${output//$'\n'/$'\n'# }" >&3
    [ "$status" -eq 0 ]
}
