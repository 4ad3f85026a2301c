#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# schema.sh THEATER FOLDER: the schemas that the build wrote are those of the
# command, and agree with `theater check`. The second needs Python 3.11 and its
# package jsonschema; a virtual environment beside the build gets it.
set -euo pipefail
theater=$1
folder=$2
for kind in manifest system; do
    "$theater" schema "$kind" | cmp - "$folder/$kind.schema.json"
done
python=$(command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import tomllib' 2>/dev/null; then
    echo "SKIPPED: Python 3.11 or later is needed to ask the schemas" >&2
    exit 77
fi
if ! "$python" -c 'import jsonschema' 2>/dev/null; then
    # Beside it: what is in the folder is installed.
    venv=$(dirname "$folder")/schema-venv
    if ! [ -x "$venv/bin/python" ] ||
        ! "$venv/bin/python" -c 'import jsonschema' 2>/dev/null; then
        { "$python" -m venv "$venv" &&
            timeout 100 "$venv/bin/pip" install -q jsonschema; } >&2 || {
            echo "SKIPPED: Python's jsonschema is not there" >&2
            exit 77
        }
    fi
    python=$venv/bin/python
fi
exec "$python" "$(dirname "$0")/schema_check.py" "$theater"
