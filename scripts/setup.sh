#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Set-up: finds out what the build needs and is not here, says what it is for,
# and installs it where it may (root, on Debian or what derives from it).
# Elsewhere it lists the packages by name and stops. Silent, and quick, when
# nothing is missing.
#
#   scripts/setup.sh           install what is missing
#   scripts/setup.sh --list    every package, what for, and whether it is here
#   scripts/setup.sh --extra   also what only the packages and the reference of
#                              the API need; without it their tests are skipped
#
# A probe decides, not the package's name: a cmake from elsewhere will do.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

has() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | cc -E -xc - >/dev/null 2>&1; }
has_builtins() {
    local file
    file=$(clang-19 --target=wasm32-wasi --print-libgcc-file-name 2>/dev/null) &&
        [ -f "$file" ]
}
has_fuzzer() {
    local folder
    folder=$(clang-19 --print-resource-dir 2>/dev/null) &&
        ls "$folder"/lib/*/libclang_rt.fuzzer* >/dev/null 2>&1
}
has_engine_or_rust() {
    deps/build-wasmtime.sh --find >/dev/null 2>&1 ||
        deps/build-wasmtime.sh --cargo >/dev/null 2>&1
}

# probe | packages | what for
requirements() {
    cat <<'END'
has cc && has g++ && has make|build-essential|the C compiler and make
has cmake|cmake|configures the build
has ninja|ninja-build|runs the build
has clang-19|clang-19|compiles actors to WebAssembly
has wasm-ld-19|lld-19|links actors
has_builtins|libclang-rt-19-dev-wasm32|the compiler's helpers for actors
[ -f /usr/include/wasm32-wasi/stdio.h ]|wasi-libc|the C library of WASI actors
has_fuzzer|libclang-rt-19-dev|libFuzzer, for make fuzz
has clang-format-19|clang-format-19|make fmt and make lint
has_header mimalloc.h|libmimalloc-dev|allocates the messages' memory
has_header cmocka.h|libcmocka-dev|runs the unit tests
has pkg-config|pkgconf|finds the installed library in the package's tests
has valgrind|valgrind|counts instructions in the guard's tests
[ -e /etc/ssl/certs/ca-certificates.crt ]|ca-certificates|lets cargo fetch the engine's sources
has_engine_or_rust|rustc-web cargo-web|Rust 1.95 or later, builds the engine (Wasmtime), once
END
    $extra || return 0
    cat <<'END'
has doxygen|doxygen|makes the reference of the API
has lintian|lintian|checks the Debian packages
has dpkg-shlibdeps|dpkg-dev|finds what the Debian packages depend on
has file|file|tells the packages' files apart
END
}

list=false
extra=false
case ${1:-} in
--list)
    list=true
    extra=true
    ;;
--extra) extra=true ;;
"") ;;
*)
    echo "usage: scripts/setup.sh [--list | --extra]" >&2
    exit 2
    ;;
esac

# Fills missing (packages) and table (with --list: of all of them).
probe_all() {
    local probe packages reason state
    missing=()
    table=""
    while IFS='|' read -r probe packages reason; do
        state=here
        if ! eval "$probe"; then
            state=missing
            # shellcheck disable=SC2206 # several packages in one field
            missing+=($packages)
        fi
        if $list || [ "$state" = missing ]; then
            table+=$(printf '  %-28s %-8s %s' "$packages" "$state" \
                "$reason")$'\n'
        fi
    done < <(requirements)
}

probe_all
if $list; then
    printf '%s' "$table"
    exit 0
fi
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

printf 'set-up: needed, and not here (names of Debian packages):\n%s' "$table"
if ! has apt-get; then
    echo "set-up: not Debian, so nothing was installed. Install the above" \
        "or what your system calls them."
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "set-up: not root, so nothing was installed. As root:"
    echo "  apt-get install --no-install-recommends ${missing[*]}"
    exit 1
fi

echo "set-up: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update </dev/null
apt-get -q install -y --no-install-recommends "${missing[@]}" </dev/null

probe_all
if [ ${#missing[@]} -ne 0 ]; then
    printf 'set-up: installed, and still not usable:\n%s' "$table" >&2
    exit 1
fi
