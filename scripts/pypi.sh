#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An environment of Python with packages from PyPI, made once:
#
#   scripts/pypi.sh FOLDER PACKAGE... | -r FILE
#
# An environment knows its own path, so it is made in place; FOLDER/complete
# says that it is complete. One at a time: tests run side by side.
set -euo pipefail
if [ $# -lt 2 ]; then
    echo "usage: scripts/pypi.sh FOLDER PACKAGE... | -r FILE" >&2
    exit 2
fi
folder=$1
shift
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
if [ ! -e "$folder/complete" ]; then
    python3 -m venv --clear "$folder" >&2
    "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
    touch "$folder/complete"
fi
