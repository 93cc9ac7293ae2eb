#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A few sets of databases on two volumes, each cloned and recovered, and the control without a set, which must
# fail; `make check-proof` does it with fifty.

bats_require_minimum_version 1.5.0

@test "databases recover whole from sets, and not from separate snapshots" {
    ROOT=$(cd "$(dirname "$BATS_TEST_FILENAME")/../.." && pwd)
    export PROOF_FAILURES=1
    run "$ROOT/tests/proof/prove-sets" 5 60
    [ "$status" -ne 77 ] || skip "${output#skip: }"
    echo "# ${output//$'\n'/$'\n'# }" >&3
    [ "$status" -eq 0 ]
}
