#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Debian packages: lintian finds no error, dpkg installs them (into a root
# of their own), the command and a program built with pkg-config run from there,
# and nothing is left when they are removed.
. "$(dirname "$0")/common.sh"
for tool in dpkg-deb dpkg-shlibdeps lintian; do
    if ! command -v $tool >/dev/null; then
        echo "SKIPPED: $tool is missing (scripts/setup.sh --extra)"
        exit 77
    fi
done

(cd "$build" && cpack -G DEB -B "$scratch/packages") >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "cpack failed"
}
packages=("$scratch"/packages/*.deb)
expect 3 "${#packages[@]}" "packages"
# lintian reads each of the thousand objects of the engine, for a minute, and
# has nothing to say of them: it gets that package without this one file.
dpkg-deb -R "$scratch"/packages/libtheater-dev_*.deb "$scratch/dev"
rm "$(find "$scratch/dev" -name libtheater-engine.a)"
sed -i '/libtheater-engine/d' "$scratch/dev/DEBIAN/md5sums"
dpkg-deb -Zgzip -z1 --root-owner-group -b "$scratch/dev" "$scratch/dev.deb" \
    >"$scratch/log"
lintian "$scratch"/packages/{theater,libtheater[0-9]}*.deb "$scratch/dev.deb" \
    >"$scratch/lintian" 2>"$scratch/log" || true
cat "$scratch/lintian"
expect "" "$(grep '^E: ' "$scratch/lintian" || true)" "lintian"
for package in theater_ "libtheater${version%%.*}_"; do
    dpkg-deb -f "$scratch/packages/$package"*.deb Depends | grep -q libc6 ||
        fail "$package depends on no libc"
done

# A root with a dpkg of its own. What they depend on is outside of it.
root=$scratch/root
mkdir -p "$root/var/lib/dpkg/"{info,updates,triggers}
touch "$root/var/lib/dpkg/status" "$root/var/lib/dpkg/available"
dpkg=(env PATH="$PATH:/usr/sbin:/sbin" dpkg --root="$root" --force-not-root
    --force-depends --log="$scratch/dpkg.log")
"${dpkg[@]}" -i "${packages[@]}" >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "dpkg does not install them"
}
installed=$(find "$root/usr" -type f | wc -l)
expect "theater $version" "$("$root/usr/bin/theater" version)" "theater version"
XDG_CACHE_HOME=$scratch/cache "$root/usr/bin/theater" run --help >/dev/null ||
    fail "the packaged command does not run"

libdir=$(dirname "$(find "$root/usr" -name libtheater.so)")
mkdir "$scratch/run"
cd "$scratch/run"
read -r -a flags <<<"$(PKG_CONFIG_PATH=$libdir/pkgconfig \
    pkg-config --cflags --libs theater)"
cc "$source/examples/embed/embed.c" "${flags[@]}" -o embed
LD_LIBRARY_PATH=$libdir XDG_CACHE_HOME=$scratch/cache \
    bash "$source/examples/embed/test.sh" ./embed "$pong"

"${dpkg[@]}" -P theater libtheater-dev "libtheater${version%%.*}" \
    >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "dpkg does not remove them"
}
left=$(find "$root/usr" -type f 2>/dev/null || true)
expect "" "$left" "left by dpkg"
echo "$installed files in ${#packages[@]} packages came and went"
