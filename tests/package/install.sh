#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is installed is complete, names no place, and goes again; leaves a stage
# behind that was moved after it was installed, for the other tests.
. "$(dirname "$0")/common.sh"

# The list of the last install belongs to whoever runs `make uninstall`.
manifest=$build/install_manifest.txt
if [ -f "$manifest" ]; then
    cp "$manifest" "$scratch/manifest"
fi
restore() {
    rm -f "$manifest"
    if [ -f "$scratch/manifest" ]; then
        cp "$scratch/manifest" "$manifest"
    fi
    rm -rf "$scratch"
}
trap restore EXIT

# DESTDIR and prefix, and back: only folders that others share are left.
dest=$scratch/dest
unset MAKEFLAGS MFLAGS
if [ "$build" = "$source/build" ]; then
    make -s -C "$source" -o build install PREFIX=/opt/theater-test \
        DESTDIR="$dest" >"$scratch/log"
    remove=(make -s -C "$source" uninstall DESTDIR="$dest")
else
    DESTDIR=$dest cmake --install "$build" --prefix /opt/theater-test \
        >"$scratch/log"
    remove=(env DESTDIR="$dest" cmake --build "$build" --target uninstall)
fi
[ -x "$dest/opt/theater-test/bin/theater" ] || fail "DESTDIR is not followed"
[ ! -e /opt/theater-test ] || fail "something was installed without DESTDIR"
"${remove[@]}" >"$scratch/log"
left=$(find "$dest" -name '*theater*' ! -name theater-test -o ! -type d)
expect "" "$left" "left by uninstall"

# A prefix, then another place.
rm -rf "$stage"
mkdir -p "$(dirname "$stage")"
first=$scratch/first
cmake --install "$build" --prefix "$first" >"$scratch/log"
for file in bin/theater include/theater.h include/theater/router.h \
    include/theater/version.h lib/libtheater.a lib/libtheater.so \
    lib/libtheater-messaging.a lib/libtheater-messaging.so \
    lib/pkgconfig/theater.pc lib/pkgconfig/theater-messaging.pc \
    lib/cmake/theater/theaterConfig.cmake \
    share/theater/sdk/c/include/theater/actor.h \
    share/theater/sdk/c/src/actor.c share/theater/wit/actor.wit \
    share/theater/docs/manifest.md; do
    [ -e "$first/${file/#lib\//$lib/}" ] || fail "$file is not installed"
done
# Links of the documents that are installed lead to what is installed.
while IFS= read -r -d '' page; do
    while IFS= read -r link; do
        [ -e "$(dirname "$page")/$link" ] ||
            fail "${page#"$first"/} has a link to $link, which is not installed"
    done < <(grep -oE '\]\([^):#]+[)#]' "$page" | sed 's/^](//; s/.$//')
done < <(find "$first/share/theater" -name '*.md' -print0)
# Nor do their words name templates: those are in the command alone.
named=$(grep -rl 'template' "$first/share/theater/sdk" --include=README.md ||
    true)
expect "" "$named" "documents that name templates, which are not installed"
# What the command writes of itself, where it can.
if "$build/theater" help schema >/dev/null 2>&1; then
    for file in man/man1/theater.1 man/man5/theater.toml.5 \
        theater/manifest.schema.json bash-completion/completions/theater \
        zsh/site-functions/_theater fish/vendor_completions.d/theater.fish; do
        [ -s "$first/share/$file" ] || fail "share/$file is not installed"
    done
fi
named=$(grep -rlF -e "$first" -e "$build/" -e "$source/" "$first/$lib/cmake" \
    "$first/$lib/pkgconfig" "$first/share" "$first/include" || true)
expect "" "$named" "files that name the place where they were built"
mv "$first" "$stage"

XDG_CACHE_HOME=$scratch/cache "$stage/bin/theater" check "$pong" >"$scratch/log" || {
    cat "$scratch/log" >&2
    fail "the installed command does not check a manifest"
}
expect "theater $version" "$("$stage/bin/theater" version)" "theater version"
