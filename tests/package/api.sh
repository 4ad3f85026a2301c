#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The reference of the API is made without a warning, and every function that a
# header declares is in it with a text; the filter does not hide what has none.
. "$(dirname "$0")/common.sh"
if ! command -v doxygen >/dev/null; then
    echo "SKIPPED: doxygen is missing (scripts/setup.sh --extra)"
    exit 77
fi

# reference HEADERS OUT: of the headers in that folder
reference() {
    mkdir -p "$2"
    sed -e "s|@PROJECT_VERSION@|$version|" -e "s|@PROJECT_DESCRIPTION@||" \
        -e "s|@PROJECT_BINARY_DIR@|$2|" -e "s|@PROJECT_SOURCE_DIR@/include|$1|" \
        -e "s|@PROJECT_SOURCE_DIR@|$source|" \
        "$source/docs/api/Doxyfile.in" >"$2/Doxyfile"
    echo 'GENERATE_TAGFILE = tags.xml' >>"$2/Doxyfile"
    (cd "$2" && doxygen Doxyfile) >"$2/log" 2>&1
}
reference "$source/include" "$scratch/whole" || {
    cat "$scratch/whole/log" >&2
    fail "doxygen warns"
}
expect "" "$(cat "$scratch/whole/log")" "doxygen says"
for name in theater_router_send theater_manifest_release theater_version; do
    grep -q "<name>$name</name>" "$scratch/whole/tags.xml" ||
        fail "$name is not in the reference"
done

# A function without a comment is found.
cp -r "$source/include" "$scratch/include"
sed -i 's/^#ifdef __cplusplus\r*$/THEATER_API int theater_planted(int what);\n\n&/;' \
    "$scratch/include/theater/link.h"
if reference "$scratch/include" "$scratch/planted"; then
    fail "a function without a comment was not found"
fi
grep -q theater_planted "$scratch/planted/log" ||
    fail "doxygen does not name the function without a comment"
