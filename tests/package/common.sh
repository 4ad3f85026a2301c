# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the package: SCRIPT SOURCE BUILD STAGE.
set -euo pipefail
source=$1
build=$2
stage=$3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
pong=$build/examples/ping_pong/pong.toml
unset DESTDIR LD_LIBRARY_PATH

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# expect WANTED GOT WHAT
expect() {
    [ "$1" = "$2" ] || fail "$3: '$2', not '$1'"
}

# examples_run FOLDER: embed, embed_router and embed_cpp there say what they
# are to say.
examples_run() {
    local XDG_CACHE_HOME=$scratch/cache
    export XDG_CACHE_HOME
    bash "$source/examples/embed/test.sh" "$1/embed" "$pong"
    bash "$source/examples/embed_router/test.sh" "$1/embed_router"
    expect "7 is there, theater $version" "$("$1/embed_cpp")" "$1/embed_cpp"
}
version=$(sed -n 's/^#define THEATER_VERSION "\(.*\)"/\1/p' \
    "$source/include/theater/version.h")
lib=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build/CMakeCache.txt")

# embedding_block LANGUAGE NUMBER: a block of docs/embedding.md.
embedding_block() {
    awk -v fence="\`\`\`$1" -v number="$2" '
        $0 == "```" && inside { inside = 0 }
        inside == number && inside { print }
        $0 == fence { inside = ++count }' "$source/docs/embedding.md"
}
