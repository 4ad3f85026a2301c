#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The engine: finds Wasmtime's C API, or builds it, once.
#
#   deps/build-wasmtime.sh          build it unless a usable one is there
#   deps/build-wasmtime.sh --find   print the root of the usable one; fails,
#                                   saying why, where there is none
#   deps/build-wasmtime.sh --path   print where the built one is or will be
#   deps/build-wasmtime.sh --cargo  print the cargo that would build it; fails
#                                   where none is new enough
#
# Looked for in WASMTIME_ROOT (then nowhere else), in the cache, in /usr/local
# and /usr. The cache is ${THEATER_DEPS:-~/.cache/theater}: one folder for each
# set of inputs (deps/wasmtime/* and the kind of machine), so that nothing is
# built twice and `make clean` does not touch it. It appears there by a
# rename: an interrupted build leaves no half of it, and goes on where it was.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
line=48
rust_needed=1.95
features="ASYNC CRANELIFT WAT PARALLEL_COMPILATION COMPONENT_MODEL COMPONENT_MODEL_ASYNC"

cache_root() {
    if [ -n "${THEATER_DEPS:-}" ]; then
        printf '%s\n' "$THEATER_DEPS"
    else
        printf '%s/theater\n' "${XDG_CACHE_HOME:-${HOME:?}/.cache}"
    fi
}

crate_version() {
    sed -n 's/^wasmtime-c-api.*version = "=\([0-9.]*\)".*/\1/p' \
        "$here/wasmtime/Cargo.toml"
}

input_key() {
    (cd "$here/wasmtime" && cat Cargo.toml Cargo.lock src/lib.rs &&
        uname -sm) | sha256sum | cut -c1-12
}

built_path() {
    printf '%s/wasmtime-%s-%s\n' "$(cache_root)" "$(crate_version)" \
        "$(input_key)"
}

# Why a root cannot be used, on standard output; fails if it cannot.
usable() {
    local root=$1 header="$1/include/wasmtime.h" version feature
    if [ ! -f "$header" ] || ! compgen -G "$root/lib/libwasmtime.*" \
        >/dev/null && ! compgen -G "$root/lib/*/libwasmtime.*" >/dev/null
    then
        echo "no include/wasmtime.h with lib/libwasmtime"
        return 1
    fi
    version=$(sed -n 's/^#define WASMTIME_VERSION "\(.*\)"/\1/p' "$header")
    case $version in
    "$line".*) ;;
    *)
        echo "is version ${version:-unknown}, not $line.x"
        return 1
        ;;
    esac
    for feature in $features; do
        if ! grep -q "^#define WASMTIME_FEATURE_$feature[[:space:]]*\$" \
            "$root/include/wasmtime/conf.h"; then
            echo "was built without the feature $feature"
            return 1
        fi
    done
}

find_root() {
    local root why roots
    roots=$(printf '%s\n' "$(built_path)" /usr/local /usr)
    if [ -n "${WASMTIME_ROOT:-}" ]; then
        roots=$WASMTIME_ROOT
    fi
    local report=""
    while IFS= read -r root; do
        if why=$(usable "$root"); then
            printf '%s\n' "$root"
            return 0
        fi
        report="$report  $root: $why"$'\n'
    done <<<"$roots"
    printf 'no usable Wasmtime C API %s.x:\n%s' "$line" "$report" >&2
    return 1
}

# A cargo with a rustc beside it, both new enough. A newer one may be hidden
# by an older one in PATH, so the usual places are looked at too.
find_cargo() {
    local cargo rustc version oldest
    for cargo in "${CARGO:-}" "$(command -v cargo || true)" /usr/bin/cargo \
        "${HOME:-}/.cargo/bin/cargo"; do
        [ -n "$cargo" ] && [ -x "$cargo" ] || continue
        rustc=$(dirname "$cargo")/rustc
        [ -x "$rustc" ] || continue
        version=$("$rustc" --version 2>/dev/null | cut -d' ' -f2) || continue
        oldest=$(printf '%s\n%s\n' "$rust_needed" "$version" | sort -V |
            head -n 1)
        if [ "$oldest" = "$rust_needed" ]; then
            printf '%s\n' "$cargo"
            return 0
        fi
    done
    echo "no Rust of $rust_needed or later (Debian: rustc-web cargo-web)" >&2
    return 1
}

# A line every 20 seconds where no terminal shows cargo's own progress.
heartbeat() {
    local target=$1 start=$SECONDS count ticks=0
    while sleep 1; do
        ticks=$((ticks + 1))
        [ $((ticks % 20)) -eq 0 ] || continue
        count=$(find "$target/release/deps" -name '*.rlib' 2>/dev/null | wc -l)
        printf 'engine: %d s, %d libraries compiled\n' \
            $((SECONDS - start)) "$count"
    done
}

# Ends what was started and removes what is unfinished, however we end.
pids=()
unfinished=()
clean_up() {
    local pid path
    for pid in ${pids[@]+"${pids[@]}"}; do
        kill "$pid" 2>/dev/null || true
    done
    for path in ${unfinished[@]+"${unfinished[@]}"}; do
        rm -rf "$path"
    done
}

build() {
    local target=$1 messages=$2 cargo=$3 status=0
    if [ ! -t 2 ]; then
        heartbeat "$target" 9>&- &
        pids+=($!)
    fi
    # In the background, so that a signal to this script alone ends it too.
    (
        cd "$here/wasmtime"
        if [ "$(command -v rustc || true)" != "$(dirname "$cargo")/rustc" ]
        then
            export RUSTC
            RUSTC=$(dirname "$cargo")/rustc
        fi
        export CARGO_TARGET_DIR=$target
        exec "$cargo" build --release --locked \
            --message-format=json-render-diagnostics >"$messages" 9>&-
    ) &
    pids+=($!)
    wait "$!" || status=$?
    return "$status"
}

install_built() {
    local messages=$1 path=$2 cargo=$3 out archive staging
    out=$(sed -n '/"reason":"build-script-executed"/{
        /wasmtime-c-api-impl/s/.*"out_dir":"\([^"]*\)".*/\1/p
    }' "$messages")
    archive=$(sed -n '/"reason":"compiler-artifact"/s/.*"\([^"]*\/libwasmtime\.a\)".*/\1/p' \
        "$messages")
    if [ ! -d "$out/include" ] || [ ! -f "$archive" ]; then
        echo "engine: cargo did not say where its output is" >&2
        return 1
    fi
    staging=$(mktemp -d "$path.XXXXXX")
    unfinished+=("$staging")
    mkdir "$staging/lib"
    cp -R "$out/include" "$staging/include"
    cp "$archive" "$staging/lib/libwasmtime.a"
    "$(dirname "$cargo")/rustc" --version >"$staging/BUILT-BY"
    chmod 755 "$staging"
    if ! mv -T "$staging" "$path" 2>/dev/null && [ ! -d "$path" ]; then
        echo "engine: cannot create $path" >&2
        return 1
    fi
}

main() {
    local root path target cargo messages
    if root=$(find_root 2>/dev/null); then
        echo "engine: $root"
        return 0
    fi
    if [ -n "${WASMTIME_ROOT:-}" ]; then
        find_root
    fi
    cargo=$(find_cargo)
    path=$(built_path)
    target=$(cache_root)/build/wasmtime
    mkdir -p "$target"
    messages=$target/messages.$$.json
    unfinished+=("$messages")
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    echo "engine: building Wasmtime $(crate_version) with $cargo, once, into"
    echo "engine: $path (4 to 10 minutes on two cores)"
    exec 9>"$target.lock"
    if command -v flock >/dev/null && ! flock -n 9; then
        echo "engine: another build is under way, waiting for it"
        flock 9
    fi
    if [ ! -d "$path" ]; then
        build "$target" "$messages" "$cargo"
        install_built "$messages" "$path" "$cargo"
    fi
    find_root >/dev/null
    echo "engine: built, $path"
}

case ${1:-} in
"") main ;;
--find) find_root ;;
--path) built_path ;;
--cargo) find_cargo ;;
*)
    echo "usage: deps/build-wasmtime.sh [--find | --path | --cargo]" >&2
    exit 2
    ;;
esac
