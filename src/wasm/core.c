/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * From the types of theater/handler.h to core WebAssembly, as the canonical
 * ABI flattens them: a string or list is a pointer and a length, an option
 * has its discriminant before it, and a result that is more than one value is
 * written where the caller's last parameter points (for an import) or where
 * the returned pointer points (for an export). */
#include "wasm/internal.h"

#include <stdio.h>

static size_t flatten(theater_type_t type, uint8_t *out)
{
    switch (type) {
    case THEATER_TYPE_BOOL:
    case THEATER_TYPE_ENUM:
    case THEATER_TYPE_U32:
        out[0] = WASM_I32;
        return 1;
    case THEATER_TYPE_U64:
        out[0] = WASM_I64;
        return 1;
    case THEATER_TYPE_STRING:
    case THEATER_TYPE_BYTES:
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        out[0] = out[1] = WASM_I32;
        return 2;
    case THEATER_TYPE_OPTION_STRING:
    case THEATER_TYPE_OPTION_BYTES:
        out[0] = out[1] = out[2] = WASM_I32;
        return 3;
    default:
        TH_CHECK(false && "a type that is no parameter");
        return 0;
    }
}

static void flatten_params(const theater_type_t *params,
                           struct th_core_type *out)
{
    *out = (struct th_core_type){0};
    for (size_t i = 0; i < THEATER_MAX_PARAMS; i++) {
        if (params[i] == THEATER_TYPE_NONE) {
            break;
        }
        size_t len = flatten(params[i], out->params + out->params_len);
        out->params_len = (uint8_t)(out->params_len + len);
    }
}

void th_core_of_import(const theater_type_t *params, theater_type_t result,
                       struct th_core_type *out)
{
    flatten_params(params, out);
    if (th_result_by_pointer(result)) {
        out->params[out->params_len++] = WASM_I32;
    } else if (result != THEATER_TYPE_NONE) {
        out->results[0] =
            result == THEATER_TYPE_U64 ? (uint8_t)WASM_I64 : (uint8_t)WASM_I32;
        out->results_len = 1;
    }
}

void th_core_of_export(const theater_guest_export_t *type,
                       struct th_core_type *out)
{
    flatten_params(type->params, out);
    if (type->result != THEATER_TYPE_NONE) {
        out->results[0] = WASM_I32;
        out->results_len = 1;
    }
}

static void of_wasi(const struct th_wasi_function *wasi,
                    struct th_core_type *out)
{
    *out = (struct th_core_type){0};
    for (const char *p = wasi->params; *p != '\0' && *p != '!'; p++) {
        out->params[out->params_len++] =
            *p == 'l' ? (uint8_t)WASM_I64 : (uint8_t)WASM_I32;
    }
    /* "!": it does not return. */
    if (strchr(wasi->params, '!') == NULL) {
        out->results[0] = WASM_I32;
        out->results_len = 1;
    }
}

void th_import_core(const struct th_import *import, struct th_core_type *out)
{
    if (import->fn != NULL) {
        th_core_of_import(import->fn->params, import->fn->result, out);
    } else {
        of_wasi(import->wasi, out);
    }
}

/* Of a number; UINT8_MAX for all other types. wasm_valtype_kind would end the
 * process at a vector or a reference of a newer kind. */
static uint8_t kind_of(const wasm_valtype_t *type)
{
    for (uint8_t kind = WASM_I32; kind <= WASM_F64; kind++) {
        wasm_valtype_t *number = wasm_valtype_new(kind);
        bool equal = wasmtime_wasm_valtype_equal(type, number);
        wasm_valtype_delete(number);
        if (equal) {
            return kind;
        }
    }
    return UINT8_MAX;
}

static bool same(const uint8_t *types, size_t len,
                 const wasm_valtype_vec_t *actual)
{
    if (actual->size != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (kind_of(actual->data[i]) != types[i]) {
            return false;
        }
    }
    return true;
}

bool th_core_matches(const struct th_core_type *type,
                     const wasm_functype_t *actual)
{
    return same(type->params, type->params_len, wasm_functype_params(actual)) &&
           same(type->results, type->results_len,
                wasm_functype_results(actual));
}

struct text {
    char *out;
    size_t size, len;
};

static void put(struct text *text, const char *word)
{
    size_t len = strlen(word);
    if (text->len + len + 1 > text->size) {
        return;
    }
    memcpy(text->out + text->len, word, len + 1);
    text->len += len;
}

static const char *kind_name(unsigned kind)
{
    static const char *const names[] = {"i32", "i64", "f32", "f64"};
    return kind < 4 ? names[kind] : "no number";
}

void th_core_show(const struct th_core_type *type, char *out, size_t size)
{
    struct text text = {out, size, 0};
    put(&text, "(");
    for (size_t i = 0; i < type->params_len; i++) {
        put(&text, i == 0 ? "" : ", ");
        put(&text, kind_name(type->params[i]));
    }
    put(&text, ") -> ");
    put(&text, type->results_len > 0 ? kind_name(type->results[0]) : "()");
}

void th_core_show_actual(const wasm_functype_t *actual, char *out, size_t size)
{
    struct text text = {out, size, 0};
    const wasm_valtype_vec_t *params = wasm_functype_params(actual);
    const wasm_valtype_vec_t *results = wasm_functype_results(actual);
    put(&text, "(");
    for (size_t i = 0; i < params->size; i++) {
        put(&text, i == 0 ? "" : ", ");
        put(&text, kind_name(kind_of(params->data[i])));
    }
    put(&text, ") -> ");
    put(&text, results->size > 0 ? kind_name(kind_of(results->data[0])) : "()");
    put(&text, results->size > 1 ? ", ..." : "");
}

static void fill(wasm_valtype_vec_t *out, const uint8_t *types, size_t len)
{
    wasm_valtype_vec_new_uninitialized(out, len);
    for (size_t i = 0; i < len; i++) {
        out->data[i] = wasm_valtype_new((wasm_valkind_t)types[i]);
    }
}

wasm_functype_t *th_core_functype(const struct th_core_type *type)
{
    wasm_valtype_vec_t params, results;
    fill(&params, type->params, type->params_len);
    fill(&results, type->results, type->results_len);
    return wasm_functype_new(&params, &results);
}
