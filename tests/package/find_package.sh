#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A CMake project outside of the tree finds the installed Theater.
. "$(dirname "$0")/common.sh"
cp "$source"/tests/package/outside/CMakeLists.txt \
    "$source/tests/package/embed_cpp.cpp" "$scratch"

configure() {
    cmake -S "$scratch" -B "$scratch/build" -DHOW=find_package \
        -DWANTED="$1" -DEXAMPLES="$source/examples" \
        -DCMAKE_PREFIX_PATH="$stage" >"$scratch/log" 2>&1
}
if configure 99; then
    fail "version 99 was found"
fi
rm -rf "$scratch/build"
configure "${version%.*}" || {
    cat "$scratch/log" >&2
    fail "it is not found"
}
cmake --build "$scratch/build" -j 2 >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "the programs are not built"
}
examples_run "$scratch/build"
examples_run "$scratch/build/static"
linked=$(readelf -d "$scratch/build/embed" "$scratch/build/static/embed" |
    grep -o 'libtheater[^]]*' || true)
expect libtheater.so.0 "$linked" "what embed is linked with"
[ -s "$scratch/build/pong.wasm" ] || fail "theater_wasm_actor built no actor"

mkdir "$scratch/wrong"
printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' \
    'project(wrong LANGUAGES C)' \
    'find_package(theater REQUIRED COMPONENTS actor)' \
    >"$scratch/wrong/CMakeLists.txt"
if cmake -S "$scratch/wrong" -B "$scratch/wrong/out" \
    -DCMAKE_PREFIX_PATH="$stage" >"$scratch/log" 2>&1; then
    fail "a component that is not there was found"
fi
grep -q "no component 'actor'; there is: actors" "$scratch/log" || {
    cat "$scratch/log" >&2
    fail "it is not said which component is missing"
}

# As docs/embedding.md says it.
mkdir "$scratch/mini"
cd "$scratch/mini"
embedding_block c 1 >mini.c
printf '#include <theater/actor.h>\nTHEATER_RUN()\n{\n}\n' >greeter.c
{
    printf 'cmake_minimum_required(VERSION 3.20)\nproject(mini LANGUAGES C)\n'
    embedding_block cmake 2
} >CMakeLists.txt
grep -q find_package CMakeLists.txt ||
    fail "docs/embedding.md has other blocks now"
cmake -S . -B out -DCMAKE_PREFIX_PATH="$stage" >"$scratch/log" 2>&1 &&
    cmake --build out >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "the project of docs/embedding.md is not built"
}
expect "a message server" "$(out/mini)" mini
[ -s out/greeter.wasm ] || fail "docs/embedding.md's actor is not built"
