#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the actors of a folder (of examples or tests) in one language: DEST
# gets the folder's manifests and NAME.wasm for each source NAME. Each is built
# as a project of its own, as `template/` of the language's SDK makes one, by
# the very command that the SDK's README.md names. What was built before from
# the same files by the same tools comes from a cache.
#
#   scripts/build_actors.sh LANGUAGE FOLDER DEST
#
# 77: the language's tools are not here and cannot be had.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/build_actors.bash"

# language: where the template has its source, and who tells the version.
case $language in
c) source=actor.c version='clang-19 --version' ;;
go) source=actor.go version='go version' ;;
rust) source=src/lib.rs version='/usr/bin/rustc --version' ;;
zig) source=actor.zig version='python3 -m ziglang version' ;;
js | ts | python)
    exec "$top/scripts/build_components.sh" "$language" "$folder" "$dest"
    ;;
*)
    echo "build_actors: no language $language" >&2
    exit 2
    ;;
esac

environment=$("$top/scripts/toolchains.sh" "$language")
eval "$environment"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# project SOURCE FOLDER: a new project with that source.
project() {
    copy_template "$2"
    cp "$1" "$2/$source"
    # Rust's standard library is built once for all projects.
    if [ "$language" = rust ]; then
        mkdir -p "$cache/rust-target"
        ln -s "$cache/rust-target" "$2/target"
    fi
}

# The block of the README that begins with ```sh.
sed -n '/^```sh$/,/^```$/{//!p}' "$top/sdk/$language/README.md" \
    >"$scratch/build.sh"

cp "$folder"/*.toml "$dest"
for actor in "$folder"/*."${source##*.}"; do
    name=$(basename "$actor" ".${source##*.}")
    project "$actor" "$scratch/$name"
    cp "$scratch/build.sh" "$scratch/$name"
    key=$({
        echo 2 # raised when what was kept is not to be trusted any more
        eval "$version"
        cd "$scratch/$name"
        find . -type f ! -name '*.toml' -o -name Cargo.toml | LC_ALL=C sort |
            xargs sha256sum
    } | sha256sum | cut -c1-24)
    built=$cache/$language-$key.wasm
    if [ ! -f "$built" ]; then
        # Their `target` is one folder: one at a time; and cargo takes what it
        # built of another project for this one's if it is the younger.
        # shellcheck disable=SC2016 # for the inner shell
        flock "$cache/$language.lock" env -C "$scratch/$name" \
            bash -ec 'touch "$0"; . ./build.sh' "$source" \
            >"$scratch/log" 2>&1 || {
            cat "$scratch/log" >&2
            echo "build_actors: $actor does not build" >&2
            exit 1
        }
        keep "$scratch/$name/actor.wasm" "$built"
    fi
    cp "$built" "$dest/$name.wasm"
done
