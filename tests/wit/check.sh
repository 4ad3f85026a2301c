#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Holds the actors that this build made against wit/:
#
#   tests/wit/check.sh BUILD_FOLDER
#
# wasm-tools wraps each module into a component for a world of the package and
# validates it: an import or export whose core signature is not that of the
# WIT by the canonical ABI is an error there. The guest `driver` imports every
# host function and exports every handler, so none is left out; and a module
# with a wrong signature shows that the check can fail.
#
# wasm-tools is a Rust crate; it is installed once, at the version below, into
# the folder where the project keeps what it fetches. Without cargo the test
# is skipped and says so (exit code 77).
set -eu

version=1.263.0
build=$1
wit=$(cd "$(dirname "$0")/../../wit" && pwd)
deps=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}
tools=$deps/wasm-tools-$version/bin/wasm-tools
package=theater:actor@0.1.0

# What a core module of the C SDK may need of an engine.
features=-all,mvp,mutable-global,sign-extension,bulk-memory
features=$features,saturating-float-to-int

fail() {
    echo "wit: $1" >&2
    exit 1
}

if [ ! -x "$tools" ]; then
    if ! command -v cargo >/dev/null 2>&1; then
        echo "wit: skipped: there is no cargo to build wasm-tools"
        exit 77
    fi
    mkdir -p "$deps"
    target=$(mktemp -d "$deps/wasm-tools-build.XXXXXX")
    trap 'rm -rf "$target"' EXIT
    echo "wit: building wasm-tools $version, once, in $deps"
    CARGO_TARGET_DIR=$target cargo install wasm-tools --quiet --locked \
        --version "=$version" --no-default-features \
        --features component,validate,print,parse \
        --root "$deps/wasm-tools-$version" ||
        fail "wasm-tools $version could not be built"
    rm -rf "$target"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# wrap MODULE WORLD: the component in $scratch/component.wasm
wrap() {
    "$tools" component embed "$wit" --world "$2" "$1" \
        -o "$scratch/embedded.wasm" &&
        "$tools" component new "$scratch/embedded.wasm" \
            -o "$scratch/component.wasm" &&
        "$tools" validate "$scratch/component.wasm"
}

# The functions and exports that a WIT text names.
functions() {
    sed -n 's/^ *\(export \)\{0,1\}\([a-z][a-z-]*\): func(.*/\1\2/p' "$@" |
        sort -u
}

"$tools" component wit "$wit" >"$scratch/package.wit" ||
    fail "wit/ does not parse"
grep -q "^package $package;" "$scratch/package.wit" ||
    fail "wit/ is not the package $package"
for world in actor sender responder channel-peer; do
    grep -q "^world $world " "$scratch/package.wit" ||
        fail "wit/ has no world $world"
done

count=0
while read -r module world; do
    file=$build/$module.wasm
    [ -f "$file" ] || fail "$file is not there"
    "$tools" validate "--features=$features" "$file" ||
        fail "$module needs more of an engine than the SDK promises"
    wrap "$file" "$world" || fail "$module is no component of world $world"
    echo "wit: $module is a component of world $world"
    count=$((count + 1))
done <<END
examples/ping_pong/ping sender
examples/ping_pong/pong responder
examples/broadcast/announcer sender
examples/pipeline/reader sender
examples/channels/library channel-peer
bench/actors/requester sender
bench/actors/echo responder
tests/guests/driver actor
END

# The last one was the driver: nothing of the package is missing in it.
"$tools" component wit "$scratch/component.wasm" >"$scratch/driver.wit"
functions "$wit/actor.wit" >"$scratch/wanted"
functions "$scratch/driver.wit" >"$scratch/found"
diff "$scratch/wanted" "$scratch/found" ||
    fail "the driver does not use every function of wit/actor.wit"
echo "wit: $(wc -l <"$scratch/found") functions have the WIT's signatures"

if wrap "$build/tests/wit/wrong_signature.wasm" sender \
    2>"$scratch/wrong"; then
    fail "a module with a wrong signature was accepted"
fi
grep -q "send" "$scratch/wrong" ||
    fail "the wrong signature was refused for another reason"
echo "wit: $count components are valid, a wrong signature is refused"
