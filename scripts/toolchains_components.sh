#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tools that make components of actors in JavaScript, TypeScript and
# Python, for the tests and the examples. Installed once, at the versions that
# the templates of new projects name, into the folder where the project keeps
# what it fetches.
#
#   scripts/toolchains_components.sh js|ts|python
#
# Prints the folder: node_modules for js and ts, the virtual environment for
# python. Without the language's own tools it says which are missing (exit
# code 77).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deps=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}/toolchains

need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null 2>&1 && continue
        echo "toolchains: there is no $tool" >&2
        exit 77
    done
}

# The folder for what these files ask for.
place() {
    local language=$1
    shift
    echo "$deps/$language-$(cat "$@" | sha256sum | cut -c1-12)"
}

# An installation is complete or not there.
install_node() {
    need node npm
    local home
    home=$(place js sdk/js/template/package.json sdk/js/package-lock.json)
    if [ ! -d "$home" ]; then
        mkdir -p "$deps"
        scratch=$(mktemp -d "$deps/js.XXXXXX")
        trap 'rm -rf "$scratch"' EXIT
        cp sdk/js/template/package.json sdk/js/package-lock.json "$scratch"
        (cd "$scratch" &&
            npm ci --ignore-scripts --no-audit --no-fund --silent >&2)
        mv -T "$scratch" "$home" 2>/dev/null || [ -d "$home" ]
    fi
    echo "$home/node_modules"
}

install_python() {
    need python3 flock
    local home
    home=$(place python sdk/python/template/requirements.txt)
    scripts/pypi.sh "$home" -r sdk/python/template/requirements.txt
    echo "$home"
}

case ${1:-} in
js | ts) install_node ;;
python) install_python ;;
*)
    echo "usage: scripts/toolchains_components.sh js|ts|python" >&2
    exit 2
    ;;
esac
