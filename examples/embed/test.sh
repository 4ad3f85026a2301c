#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the program say what README.md says it does? The block there is the
# expectation. What actors log comes on other threads: the order is open.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
expected=$(sed -n '/^```text$/,/^```$/p' "$here/README.md" | sed '1d;$d')
printed=$("$@")
diff <(printf '%s\n' "$expected" | sort) <(printf '%s\n' "$printed" | sort) || {
    echo "embed does not print what its README says" >&2
    exit 1
}
