#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Programs outside of the tree, built with what pkg-config says: shared, and,
# where the static libraries alone are there, static.
. "$(dirname "$0")/common.sh"
if ! command -v pkg-config >/dev/null; then
    fail "pkg-config is missing (Debian: pkgconf; scripts/setup.sh)"
fi
cd "$scratch"
cp "$source/examples/embed/embed.c" \
    "$source/examples/embed_router/embed_router.c" \
    "$source/tests/package/embed_cpp.cpp" .

# programs OUT [--static]
programs() {
    local out=$1 all router
    shift
    mkdir "$out"
    read -r -a all <<<"$(pkg-config --cflags --libs "$@" theater)"
    read -r -a router <<<"$(pkg-config --cflags --libs "$@" theater-messaging)"
    "${CC:-cc}" -std=c11 -Wall -Werror embed.c "${all[@]}" -o "$out/embed"
    "${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Werror \
        embed_router.c "${router[@]}" -pthread -o "$out/embed_router"
    c++ -std=c++17 -Wall -Wextra -Werror embed_cpp.cpp "${all[@]}" \
        -o "$out/embed_cpp"
}
needs() {
    readelf -d "$1" | grep -o 'libtheater[^]]*' || true
}

libdir=$stage/$lib
export PKG_CONFIG_PATH=$libdir/pkgconfig
expect "$version" "$(pkg-config --modversion theater)" "pkg-config's version"
programs shared
expect libtheater.so.0 "$(needs shared/embed)" "what embed is linked with"
expect libtheater-messaging.so.0 "$(needs shared/embed_router)" \
    "what embed_router is linked with"
LD_LIBRARY_PATH=$libdir examples_run "$PWD/shared"

# As docs/embedding.md says it.
embedding_block c 1 >mini.c
embedding_block sh 2 >build.sh
grep -q pkg-config build.sh || fail "docs/embedding.md has other blocks now"
bash -eu build.sh
expect "a message server" "$(LD_LIBRARY_PATH=$libdir ./mini)" mini
embedding_block sh 3 >build_static.sh
grep -q -e --static build_static.sh || fail "docs/embedding.md has other blocks now"
bash -eu build_static.sh
expect "" "$(needs mini)" "shared libraries that a static mini needs"
expect "a message server" "$(./mini)" "a static mini"

# The same folder, moved again, without the shared libraries.
mkdir static_prefix
cp -r "$libdir" static_prefix/lib
cp -r "$stage/include" static_prefix/include
rm static_prefix/lib/*.so*
export PKG_CONFIG_PATH=$PWD/static_prefix/lib/pkgconfig
programs static --static
expect "" "$(needs static/embed)$(needs static/embed_router)" \
    "shared libraries that the static programs need"
examples_run "$PWD/static"
