# SPDX-License-Identifier: Apache-2.0
# What build_actors.sh and build_components.sh begin with; both source it with
# their arguments, LANGUAGE FOLDER DEST.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ $# -ne 3 ]; then
    echo "usage: scripts/$(basename "$0") LANGUAGE FOLDER DEST" >&2
    exit 2
fi
language=$1
folder=$(cd "$2" && pwd)
mkdir -p "$3"
dest=$(cd "$3" && pwd)
cache=${THEATER_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/theater}/actors
mkdir -p "$cache"

# copy_template FOLDER: what a new project has, by the language's SDK.
copy_template() {
    local to from
    mkdir -p "$1"
    cp -r "$top/sdk/$language/template/." "$1"
    while read -r to from; do
        mkdir -p "$1/$(dirname "$to")"
        cp "$top/$from" "$1/$to"
    done <"$top/sdk/$language/template.txt"
}

# keep FILE BUILT: puts it into the cache, whole or not at all.
keep() {
    cp "$1" "$2.$$"
    mv "$2.$$" "$2"
}
