/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Two small modules are generated, as text, for each module that is loaded.
 *
 * The imports module stands between the guest and host functions that may
 * wait or answer more than a number. Each of its exports calls `begin`; when
 * that answers 0, all is done. Else $slow waits (1), parked until `wait` says
 * that it is over, and then writes the result (2): it asks `lower` what to
 * allocate, calls the guest's cabi_realloc through a table (the guest is
 * instantiated later) and gives the address back, until nothing is left. So no
 * host function ever calls into the guest.
 *
 * The loop module gets deliveries until there is none: `recv` answers which
 * export, and for each parameter its number or its length; strings and bytes
 * are allocated by cabi_realloc and filled by `take`, or lie at $p already,
 * where the guest exports `theater_arena`; the export is called,
 * its result is shown to `result`, its cabi_post_ is called. One call of the
 * engine for as many deliveries as there are; and where the guest is called
 * often, the loop parks when there is none, instead of ending.
 *
 * To park is to call $park, which does nothing but look at the epoch, as every
 * function does that begins: whoever lets a guest park has set its deadline to
 * now, so it gives way there (enter.c). */
#include "wasm/internal.h"

#include <stdarg.h>
#include <stdio.h>

struct text {
    const theater_env_t *env;
    char *bytes;
    size_t len, cap;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t need = text->len + (size_t)more + 1;
    if (!text->failed && need > text->cap) {
        size_t cap = need * 2 + 1024;
        char *bytes = th_alloc(text->env, cap);
        if (bytes == NULL) {
            text->failed = true;
        } else {
            if (text->len > 0) {
                memcpy(bytes, text->bytes, text->len);
            }
            th_free(text->env, text->bytes);
            text->bytes = bytes;
            text->cap = cap;
        }
    }
    if (!text->failed) {
        (void)vsnprintf(text->bytes + text->len, (size_t)more + 1, format,
                        again);
        text->len += (size_t)more;
    }
    va_end(again);
}

static char *finish(struct text *text, size_t *out_len)
{
    if (text->failed) {
        th_free(text->env, text->bytes);
        return NULL;
    }
    *out_len = text->len;
    return text->bytes;
}

static const char *kind(uint8_t type)
{
    return type == WASM_I64 ? "i64" : "i32";
}

static void put_params(struct text *text, const struct th_core_type *type)
{
    for (size_t i = 0; i < type->params_len; i++) {
        put(text, " (param %s)", kind(type->params[i]));
    }
}

static void put_type(struct text *text, const struct th_core_type *type)
{
    put_params(text, type);
    if (type->results_len > 0) {
        put(text, " (result %s)", kind(type->results[0]));
    }
}

bool th_import_waits(const struct th_import *import)
{
    return import->fn != NULL ? import->fn->resume != NULL
                              : import->wasi->waits;
}

static const char slow_begin[] =
    " (func $slow (param $s i32) (local $p i32) (local $v i64)\n";
static const char park[] = " (func $park)\n";
static const char slow_wait[] =
    "  (if (i32.eq (local.get $s) (i32.const 1)) (then\n"
    "   (loop $again\n"
    "    (if (call $wait) (then (call $park) (br $again))))))\n";
static const char slow_lower[] =
    "  (block $out (loop $more\n"
    "   (local.set $v (call $lower (local.get $p)))\n"
    "   (br_if $out (i64.lt_s (local.get $v) (i64.const 0)))\n"
    "   (local.set $p (call_indirect (type $realloc)\n"
    "    (i32.const 0) (i32.const 0)\n"
    "    (i32.wrap_i64 (i64.shr_u (local.get $v) (i64.const 32)))\n"
    "    (i32.wrap_i64 (local.get $v)) (i32.const 0)))\n"
    "   (br $more))))\n";

static void put_wrapper(struct text *text, const struct th_import *import,
                        size_t i)
{
    struct th_core_type type;
    th_import_core(import, &type);
    put(text, " (func (export \"%zu\")", i);
    put_type(text, &type);
    put(text, " (local $s i32)\n  (local.set $s (call $b%zu", i);
    for (size_t p = 0; p < type.params_len; p++) {
        put(text, " (local.get %zu)", p);
    }
    put(text, "))\n  (if (local.get $s) (then (call $slow (local.get $s))))\n");
    if (type.results_len > 0) {
        put(text, "  (call $flat%s)\n",
            type.results[0] == WASM_I64 ? "64" : "32");
    }
    put(text, " )\n");
}

/* Does a wrapped import answer a number of that kind? */
static bool answers(const struct th_module *module, uint8_t kind)
{
    for (size_t i = 0; i < module->imports_len; i++) {
        struct th_core_type type;
        th_import_core(&module->imports[i], &type);
        if (module->imports[i].wrapped && type.results_len > 0 &&
            type.results[0] == kind) {
            return true;
        }
    }
    return false;
}

char *th_text_imports(const struct th_module *module, size_t *out_len)
{
    struct text text = {module->engine->env, NULL, 0, 0, false};
    bool waits = false;
    put(&text,
        "(module\n (type $realloc (func (param i32 i32 i32 i32)"
        " (result i32)))\n"
        " (import \"h\" \"lower\" (func $lower (param i32)"
        " (result i64)))\n"
        "%s%s",
        answers(module, WASM_I32)
            ? " (import \"h\" \"flat32\" (func $flat32 (result i32)))\n"
            : "",
        answers(module, WASM_I64)
            ? " (import \"h\" \"flat64\" (func $flat64 (result i64)))\n"
            : "");
    for (size_t i = 0; i < module->imports_len; i++) {
        const struct th_import *import = &module->imports[i];
        struct th_core_type type;
        if (!import->wrapped) {
            continue;
        }
        waits = waits || th_import_waits(import);
        th_import_core(import, &type);
        put(&text, " (import \"b\" \"%zu\" (func $b%zu", i, i);
        put_params(&text, &type);
        put(&text, " (result i32)))\n");
    }
    if (waits) {
        put(&text, " (import \"h\" \"wait\" (func $wait (result i32)))\n");
    }
    put(&text, " (table (export \"t\") 1 1 funcref)\n%s%s%s%s",
        waits ? park : "", slow_begin, waits ? slow_wait : "", slow_lower);
    for (size_t i = 0; i < module->imports_len; i++) {
        if (module->imports[i].wrapped) {
            put_wrapper(&text, &module->imports[i], i);
        }
    }
    put(&text, ")\n");
    return finish(&text, out_len);
}

/* $p = cabi_realloc(0, 0, 1, $l); nothing is allocated for nothing. */
static void put_allocate(struct text *text, size_t i)
{
    put(text,
        "  (local.set $p%zu (if (result i32) (local.get $l%zu)\n"
        "   (then (call $realloc (i32.const 0) (i32.const 0) (i32.const 1)"
        " (local.get $l%zu)))\n"
        "   (else (i32.const 1))))\n",
        i, i, i);
}

/* Where recv has put them. */
static void put_filled(struct text *text, const struct th_entry *entry)
{
    put(text, "  (if (local.get $p) (then\n");
    for (size_t i = 0; i < entry->values; i++) {
        if (entry->allocates[i]) {
            put(text,
                "   (local.set $p%zu (local.get $p))\n"
                "   (local.set $p (i32.add (local.get $p)"
                " (local.get $l%zu)))\n",
                i, i);
        }
    }
    put(text, "  ) (else\n");
}

static void put_entry(struct text *text, const struct th_entry *entry, size_t e,
                      bool arena)
{
    size_t given = 0;
    if (arena && entry->pointers > 0) {
        put_filled(text, entry);
    }
    for (size_t i = 0; i < entry->values; i++) {
        if (entry->allocates[i]) {
            put_allocate(text, i);
        }
    }
    if (entry->pointers > 0) {
        put(text, "  (call $take");
        for (size_t i = 0; i < entry->values; i++) {
            if (entry->allocates[i]) {
                put(text, " (local.get $p%zu)", i);
                given++;
            }
        }
        for (; given < THEATER_MAX_PARAMS; given++) {
            put(text, " (i32.const 0)");
        }
        put(text, ")%s\n", arena ? "))" : "");
    }
    put(text, "  (call $g%zu", e);
    for (size_t i = 0; i < entry->values; i++) {
        if (entry->allocates[i]) {
            put(text, " (local.get $p%zu)", i);
        }
        put(text, " (local.get $l%zu)", i);
    }
    put(text, ")\n");
    bool answers = entry->type->result != THEATER_TYPE_NONE;
    if (answers) {
        put(text, "  (local.set $r) (call $result (local.get $r))\n");
    }
    if (entry->has_post) {
        put(text, "  (call $post%zu%s)\n", e, answers ? " (local.get $r)" : "");
    }
    put(text, "  (br $next)\n");
}

/* Asked at each call: the answer is a number that costs nothing. */
static const char where[] = " (call $arena (call $where))";

static void put_loop(struct text *text, const struct th_module *module)
{
    put(text, "%s (func $loop (export \"loop\") (local $x i32) (local $r i32)",
        park);
    for (size_t i = 0; i < module->values; i++) {
        put(text, " (local $l%zu i32) (local $p%zu i32)", i, i);
    }
    if (module->has_arena) {
        put(text, " (local $p i32)\n%s", where);
    }
    put(text, "\n  (block $done (loop $next\n  (call $recv)\n %s",
        module->has_arena ? "(local.set $p)" : "");
    for (size_t i = module->values; i > 0; i--) {
        put(text, " (local.set $l%zu)", i - 1);
    }
    put(text, " (local.set $x)\n"
              "  (if (i32.lt_s (local.get $x) (i32.const 0)) (then\n"
              "   (br_if $done (i32.eq (local.get $x) (i32.const -1)))\n"
              "   (call $park) (br $next)))\n");
    size_t len = module->entries_len;
    if (len > 1) {
        for (size_t e = len; e > 0; e--) {
            put(text, "  (block $e%zu\n", e - 1);
        }
        put(text, "  (br_table");
        for (size_t e = 0; e < len; e++) {
            put(text, " $e%zu", e);
        }
        put(text, " (local.get $x))\n");
    }
    for (size_t e = 0; e < len; e++) {
        put(text, "%s", len > 1 ? "  )\n" : "");
        put_entry(text, &module->entries[e], e, module->has_arena);
    }
    put(text, "  )))\n");
}

/* The host's part of the loop: what this module needs of it. */
static void put_host(struct text *text, const struct th_module *module)
{
    put(text, " (import \"h\" \"recv\" (func $recv (result i32");
    for (size_t i = 0; i < module->values; i++) {
        put(text, " i32");
    }
    put(text, "%s", module->has_arena ? " i32" : "");
    put(text, ")))\n"
              " (import \"h\" \"take\" (func $take (param i32 i32 i32)))\n"
              " (import \"h\" \"result\" (func $result (param i32)))\n");
    if (module->has_arena) {
        put(text, " (import \"h\" \"arena\" (func $arena (param i32)))\n");
    }
    if (module->has_stop) {
        put(text, " (import \"h\" \"stop\" (func $stop (result i32)))\n"
                  " (import \"h\" \"stopped\" (func $stopped (param i32)))\n");
    }
}

char *th_text_loop(const struct th_module *module, size_t *out_len)
{
    struct text text = {module->engine->env, NULL, 0, 0, false};
    put(&text, "(module\n");
    put_host(&text, module);
    if (module->has_realloc) {
        put(&text, " (import \"g\" \"cabi_realloc\" (func $realloc"
                   " (param i32 i32 i32 i32) (result i32)))\n");
    }
    if (module->has_arena) {
        put(&text, " (import \"g\" \"theater_arena\" (func $where"
                   " (result i32)))\n");
    }
    if (th_module_ties(module)) {
        put(&text, " (import \"i\" \"t\" (table 1 funcref))\n"
                   " (elem (i32.const 0) func $realloc)\n");
    }
    for (size_t e = 0; e < module->entries_len; e++) {
        const struct th_entry *entry = &module->entries[e];
        struct th_core_type type;
        th_core_of_export(entry->type, &type);
        put(&text, " (import \"g\" \"%s\" (func $g%zu", entry->type->name, e);
        put_type(&text, &type);
        put(&text, "))\n");
        if (entry->has_post) {
            put(&text, " (import \"g\" \"cabi_post_%s\" (func $post%zu%s))\n",
                entry->type->name, e,
                type.results_len > 0 ? " (param i32)" : "");
        }
    }
    if (module->has_run || module->has_start) {
        put(&text, " (import \"g\" \"%s\" (func $run))\n",
            module->has_run ? "run" : "_start");
    }
    if (module->has_stop) {
        put(&text, " (import \"g\" \"handle-stop\" (func $hstop"
                   " (param i32 i32)))\n"
                   " (func (export \"stop\") (local $l0 i32) (local $p0 i32)\n"
                   "  (local.set $l0 (call $stop))\n");
        put_allocate(&text, 0);
        put(&text, "  (call $stopped (local.get $p0))\n"
                   "  (call $hstop (local.get $p0) (local.get $l0)))\n");
    }
    if (module->entries_len > 0) {
        put_loop(&text, module);
    }
    if (module->has_run || module->has_start) {
        put(&text, " (func (export \"run\")%s (call $run)%s)\n",
            module->has_arena ? where : "",
            module->entries_len > 0 ? " (call $loop)" : "");
    }
    put(&text, ")\n");
    return finish(&text, out_len);
}
