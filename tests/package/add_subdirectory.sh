#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A CMake project outside of the tree that has Theater's sources as a folder:
# it gets the libraries, and none of the tests and the installed files.
. "$(dirname "$0")/common.sh"
cp "$source"/tests/package/outside/CMakeLists.txt \
    "$source/tests/package/embed_cpp.cpp" "$scratch"

# outside SHARED TARGET: built with BUILD_SHARED_LIBS=SHARED
outside() {
    local out=$scratch/build-$1
    cmake -S "$scratch" -B "$out" -DHOW=add_subdirectory \
        -DEXAMPLES="$source/examples" -DBUILD_SHARED_LIBS="$1" \
        -DCMAKE_BUILD_TYPE=Debug >"$scratch/log" 2>&1 &&
        cmake --build "$out" -j 2 --target "$2" >"$scratch/log" 2>&1 || {
        cat "$scratch/log" >&2
        fail "not built with BUILD_SHARED_LIBS=$1"
    }
}
outside OFF all
out=$scratch/build-OFF
examples_run "$out"
expect "Total Tests: 0" "$(cd "$out" && ctest -N | grep Total)" "tests"
DESTDIR=$scratch/dest cmake --install "$out" >"$scratch/log"
expect embed "$(cd "$scratch/dest" && find . -type f -printf '%f')" \
    "what is installed with the project"
[ -s "$out/pong.wasm" ] || fail "theater_wasm_actor built no actor"

outside ON embed_router
needed=$(readelf -d "$scratch/build-ON/embed_router" |
    grep -o 'libtheater[^]]*' || true)
expect libtheater-messaging.so.0 "$needed" "with BUILD_SHARED_LIBS it needs"
bash "$source/examples/embed_router/test.sh" "$scratch/build-ON/embed_router"
