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
# scripts/wasm-tools.sh brings wasm-tools; without cargo the test is skipped and
# says so (exit code 77).
set -eu

build=$1
wit=$(cd "$(dirname "$0")/../../wit" && pwd)
package=theater:actor@0.1.0

# What a core module of the C SDK may need of an engine.
features=-all,mvp,mutable-global,sign-extension,bulk-memory
features=$features,saturating-float-to-int

fail() {
    echo "wit: $1" >&2
    exit 1
}

tools=$("$(dirname "$0")/../../scripts/wasm-tools.sh") || {
    code=$?
    [ "$code" -eq 77 ] && echo "wit: skipped"
    exit "$code"
}

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
