# SPDX-License-Identifier: Apache-2.0
# The rules that one look at a line can check. Prints `check path:line: text`.
#   awk -v arrows=FILE -v allow=FILE -f text.awk FILE...   (paths from the root)

function say(check, text) {
    printf "%s %s:%d: %s\n", check, FILENAME, FNR, text
}

# Why a long file is long stands in its first comment, with these words.
function close_file(   limit) {
    if (path == "") {
        return
    }
    limit = path ~ /\.h$/ ? 300 : 800
    if (path ~ /\.[ch]$/ && lines > limit && !excused) {
        printf "size %s:%d: %d lines, more than %d: split it, or say why in " \
            "the first comment (\"Longer than %d lines: ...\")\n", path,
            lines, lines, limit, limit
    }
    if (guard != "" && guard_seen != guard) {
        printf "guards %s:1: the guard is %s, not %s\n", path,
            guard_seen == "" ? "missing" : guard_seen, guard
    }
}

function open_file() {
    path = FILENAME
    lines = 0
    excused = 0
    in_comment = 0
    first_comment = 1
    spdx = 0
    body = 0
    guard = ""
    guard_seen = ""
    folder = ""
    is_c = path ~ /\.[ch]$/
    is_test = path ~ /_(test|testing)\.[ch]$/
    is_env = path ~ /^src\/base\/env_[a-z_]*\.[ch]$/
    if (path ~ /^src\//) {
        folder = path
        sub(/^src\//, "", folder)
        sub(/\/[^\/]*$/, "", folder)
        gsub(/\//, "_", folder)
        if (path ~ /\.h$/) {
            guard = path
            sub(/^src/, "th", guard)
        }
    } else if (path ~ /^include\/.*\.h$/) {
        guard = path
        sub(/^include\//, "", guard)
    }
    guard = toupper(guard)
    gsub(/[^A-Z0-9]/, "_", guard)
}

# A line without comments and without the text of strings.
function strip(line,   out, i, c, two, quote) {
    out = ""
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                i++
            }
        } else if (two == "/*") {
            in_comment = 1
            i++
            out = out " "
        } else if (two == "//") {
            break
        } else if (c == "\"" || c == "'") {
            quote = c
            out = out c
            for (i++; i <= length(line); i++) {
                c = substr(line, i, 1)
                if (c == "\\") {
                    i++
                } else if (c == quote) {
                    break
                }
            }
            out = out quote
        } else {
            out = out c
        }
    }
    return out
}

function may_use(from, to) {
    return from == to || (from SUBSEP to) in uses
}

# The folder of src/ whose private header `name` is; "" if it is none.
function header_folder(name,   f) {
    f = name
    if (!sub(/\/[^\/]*$/, "", f)) {
        return ""
    }
    gsub(/\//, "_", f)
    return f
}

function check_include(line,   name, public, owner, mine) {
    name = line
    sub(/^[ \t]*#[ \t]*include[ \t]*[<"]/, "", name)
    sub(/[>"].*$/, "", name)
    public = name
    owner = ""
    if (name ~ /^theater\/.*\.h$/ || name == "theater.h") {
        sub(/^theater\//, "", public)
        sub(/\.h$/, "", public)
        if (!(public in owners)) {
            if (path !~ /^(sdk|examples|tests|bench)\//) {
                say("arrows", "cmake/arrows.txt does not say which folder " \
                    "implements <" name ">")
            }
            return
        }
        owner = owners[public]
    }
    if (name ~ /^(wasmtime|wasm\.h|wasi\.h)/ && path !~ /^src\/wasm\// &&
        path !~ /^(bench|tests)\//) {
        say("arrows", "only src/wasm includes " name)
        return
    }
    if (path ~ /^include\//) {
        mine = path
        sub(/^include\/(theater\/)?/, "", mine)
        sub(/\.h$/, "", mine)
        if (line ~ /include[ \t]*"/ && owner == "") {
            say("arrows", "a public header includes the private " name)
        } else if (owner != "" && mine in owners && owners[mine] != "cli" &&
            !may_use(owners[mine], owner)) {
            say("arrows", owners[mine] " (" mine ".h) may not use " owner \
                " (" name ")")
        }
        return
    }
    if (path ~ /^examples\// && line ~ /include[ \t]*"/ &&
        header_folder(name) in known) {
        say("arrows", "an example includes the private " name)
    }
    if (folder == "") {
        return
    }
    if (name ~ /\.\./) {
        say("arrows", "a path with .. hides where " name " is")
        return
    }
    if (owner != "") {
        if (folder != "cli" && !may_use(folder, owner) &&
            !((folder SUBSEP public) in sees)) {
            say("arrows", folder " may not use " owner " (" name ")")
        }
    } else if (header_folder(name) in known) {
        if (!may_use(folder, header_folder(name))) {
            say("arrows", folder " may not use " header_folder(name) \
                " (" name ")")
        }
    }
}

function check_calls(code,   rest, at, id, before) {
    rest = code
    before = ""
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        at = RSTART
        id = substr(rest, RSTART, RLENGTH)
        sub(/[ \t]*\($/, "", id)
        if (at > 1) {
            before = substr(rest, at - 1, 1)
        }
        rest = substr(rest, at + RLENGTH)
        if (id ~ fences) {
            say("atomics", id ": put the order on the operation, not in a " \
                "fence")
        }
        if (id in implicit) {
            say("atomics", id ": use " id "_explicit and argue its order")
        }
        if (before != "." && before != ">" && id in outside && !is_env &&
            !is_test && folder != "cli" && !((path " " id) in allowed)) {
            say("calls", id "(): reach it through the environment table")
        }
        before = "("
    }
}

function words(text, set,   n, i, list) {
    n = split(text, list, " ")
    for (i = 1; i <= n; i++) {
        set[list[i]] = 1
    }
}

BEGIN {
    while ((getline line < arrows) > 0) {
        if (line !~ /^(folder|header) /) {
            continue
        }
        name = line
        sub(/^[a-z]* /, "", name)
        sub(/:.*/, "", name)
        to = line
        sub(/^[^:]*: */, "", to)
        if (line ~ /^header/) {
            n = split(to, list, " ")
            owners[name] = list[1]
            for (i = 2; i <= n; i++) {
                sees[list[i], name] = 1
            }
        } else {
            known[name] = 1
            n = split(to, list, " ")
            for (i = 1; i <= n; i++) {
                uses[name, list[i]] = 1
            }
        }
    }
    close(arrows)
    while ((getline line < allow) > 0) {
        if (line ~ /^[a-z]/) {
            split(line, list, " ")
            allowed[list[1] " " list[2]] = 1
        }
    }
    fences = "^(atomic_thread_fence|atomic_signal_fence|__sync_synchronize|" \
        "__atomic_thread_fence|smp_mb|cmm_smp_mb)$"
    words("atomic_load atomic_store atomic_exchange atomic_fetch_add " \
        "atomic_fetch_sub atomic_fetch_or atomic_fetch_xor " \
        "atomic_fetch_and atomic_compare_exchange_strong " \
        "atomic_compare_exchange_weak atomic_flag_test_and_set " \
        "atomic_flag_clear __sync_fetch_and_add __sync_add_and_fetch " \
        "__sync_bool_compare_and_swap __sync_val_compare_and_swap", implicit)
    words("malloc calloc realloc reallocarray free strdup strndup " \
        "aligned_alloc posix_memalign asprintf vasprintf getline " \
        "open_memstream mi_malloc mi_calloc mi_realloc mi_free " \
        "clock_gettime clock_nanosleep gettimeofday time nanosleep usleep " \
        "sleep sched_yield pthread_create pthread_join pthread_detach " \
        "thrd_create thrd_join thrd_sleep fork syscall fopen fdopen freopen " \
        "open openat creat opendir stat lstat fstat unlink rename mkdir " \
        "realpath mkstemp getrandom getentropy rand random srand drand48",
        outside)
}

FNR == 1 {
    close_file()
    open_file()
}

{
    lines = FNR
    if (FNR <= 3 && /SPDX-License-Identifier: Apache-2\.0/) {
        spdx = 1
    }
    if (FNR == 3 && !spdx) {
        say("spdx", "no SPDX-License-Identifier: Apache-2.0")
    }
}

is_c {
    if (first_comment && /[Ll]onger than [0-9]+ lines/) {
        excused = 1
    }
    wide = $0
    gsub(/[\200-\277]/, "", wide)
    if (length(wide) > 80 && wide !~ /https?:\/\//) {
        say("columns", length(wide) " columns")
    }
    if (!in_comment && /^[ \t]*#[ \t]*include/) {
        check_include($0)
        next
    }
    was_comment = in_comment
    code = strip($0)
    if (!was_comment && !in_comment && code ~ /[^ \t]/) {
        first_comment = 0
    }
    if (guard != "" && guard_seen == "" && code ~ /^#[ \t]*ifndef/) {
        guard_seen = code
        sub(/^#[ \t]*ifndef[ \t]*/, "", guard_seen)
        sub(/[ \t].*/, "", guard_seen)
    }
    if (path ~ /\.c$/) {
        if (code ~ /^\{/) {
            body = FNR
        } else if (code ~ /^\}/ && body) {
            if (FNR - body - 1 > 60) {
                say("size", "a function of " FNR - body - 1 \
                    " lines, more than 60")
            }
            body = 0
        }
    }
    if (folder != "") {
        check_calls(code)
    }
}

END {
    close_file()
}
