#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shared libraries have a SONAME, show what the headers declare, and nothing
# else: not ours, not the engine's.
. "$(dirname "$0")/common.sh"

for name in theater theater-messaging; do
    library=$stage/$lib/lib$name.so
    soname=$(readelf -d "$library" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
    expect "lib$name.so.${version%%.*}" "$soname" "the SONAME of $name"
    expect "lib$name.so.$version" "$(basename "$(readlink -f "$library")")" \
        "the file of $name"
    nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' |
        sed 's/@.*//' | sort -u >"$scratch/$name"
    strange=$(grep -v '^theater_' "$scratch/$name" || true)
    expect "" "$strange" "symbols of $name that are not theater_"
done

# Each function that a header declares is there. Types end in _t.
cat "$stage"/include/theater/*.h | tr '\n' ' ' |
    grep -oE 'THEATER_API [^;{]*\(' |
    grep -oE 'theater_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u \
    >"$scratch/declared"
[ "$(wc -l <"$scratch/declared")" -gt 100 ] || fail "no declarations found"
missing=$(comm -23 "$scratch/declared" "$scratch/theater")
expect "" "$missing" "declared, and not in libtheater.so"
secret=$(comm -13 "$scratch/declared" "$scratch/theater")
expect "" "$secret" "in libtheater.so, and in no header"
secret=$(comm -13 "$scratch/theater" "$scratch/theater-messaging")
expect "" "$secret" "in libtheater-messaging.so alone"

# Loaded while a program runs, let go, and loaded again.
cat >"$scratch/load.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    for (int i = 0; i < 2 * argc; i++) {
        void *library = dlopen(argv[1], RTLD_NOW);
        const char *(*version)(void);
        if (library == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
        *(void **)&version = dlsym(library, "theater_version");
        printf("%s ", version());
        dlclose(library);
    }
    return 0;
}
END
"${CC:-cc}" "$scratch/load.c" -ldl -o "$scratch/load"
for name in theater theater-messaging; do
    expect "$version $version $version $version " \
        "$("$scratch/load" "$stage/$lib/lib$name.so")" "$name, loaded twice"
done
