#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/tutorial.md is done as it stands there, in an empty folder: its C becomes
# host.c, all its commands run in one shell, and where a block of text follows
# one of commands, they print these lines (and what actors log, which comes on
# other threads). Times are not compared. What `make install` installs is what this build folder has.
. "$(dirname "$0")/common.sh"
tutorial=$source/docs/tutorial.md
if ! grep -q 'theater new' <<<"$("$stage/bin/theater" help new 2>&1)"; then
    echo "SKIPPED: this command cannot make projects yet"
    exit 77
fi

mkdir "$scratch/home" "$scratch/work" "$scratch/blocks"
awk -v out="$scratch/blocks" '
    $0 == "```" { if (file != "") close(file); file = ""; next }
    /^```c$/ { file = out "/host.c"; next }
    /^```sh$/ { n++; file = sprintf("%s/%02d.sh", out, n); next }
    /^```text$/ { file = sprintf("%s/%02d.text", out, n); next }
    file != "" { print >file }' "$tutorial"
expect "7 5" "$(ls "$scratch/blocks"/*.sh | wc -l) $(ls \
    "$scratch/blocks"/*.text | wc -l)" "blocks of commands and of text"

# The installation is from this build, whatever its folder is called.
make() {
    [ "$1" = install ] || fail "the tutorial makes $1"
    cmake --install "$build" --prefix "${2#PREFIX=}"
}
plain() {
    sed -E 's/^[0-9:.]+Z /TIME /; s/ [0-9.]+ s$/ TIME s/' "$1"
}

cp "$build/install_manifest.txt" "$scratch/manifest" 2>/dev/null || true
finish() {
    local status=$?
    mv "$scratch/manifest" "$build/install_manifest.txt" 2>/dev/null || true
    [ $status -eq 0 ] || cat "$scratch/out" >&2
    rm -rf "$scratch"
}
trap finish EXIT
export HOME=$scratch/home XDG_CACHE_HOME=$scratch/cache THEATER_LOG=info
unset PKG_CONFIG_PATH
cd "$scratch/work"
cp "$scratch/blocks/host.c" .
start=$SECONDS
for block in "$scratch"/blocks/*.sh; do
    cat "$block"
    # In this shell, which ends at the first command that fails.
    # shellcheck disable=SC1090 # the tutorial's own commands
    . "$block" >"$scratch/out" 2>&1
    wanted=${block%.sh}.text
    if [ -f "$wanted" ]; then
        while IFS= read -r line; do
            plain "$scratch/out" | grep -qxFe "$line" ||
                fail "they do not print what the tutorial shows: $line"
        done < <(plain "$wanted")
    fi
done
echo "done in $((SECONDS - start)) s, without the build of Theater"
