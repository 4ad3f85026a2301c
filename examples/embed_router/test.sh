#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Does the program say what README.md says it does? The block there is the
# expectation.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
expected=$(sed -n '/^```text$/,/^```$/p' "$here/README.md" | sed '1d;$d')
printed=$("$1")
diff <(printf '%s\n' "$expected") <(printf '%s\n' "$printed") || {
    echo "embed_router does not print what its README says" >&2
    exit 1
}
