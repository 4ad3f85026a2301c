/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * The types of theater/handler.h as the WIT has them, held against what a
 * component says of its imports and exports. The engine does not compare the
 * type of a host function of ours with the one that is imported, so what is
 * let through here is what the conversions (component_value.c) rely on. */
#include "wasm/component.h"

#include <stdio.h>

typedef wasmtime_component_valtype_t valtype_t;

static bool kind_is(const valtype_t *type, uint8_t kind)
{
    return type->kind == kind;
}

static bool is_bytes(const valtype_t *type)
{
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_LIST)) {
        return false;
    }
    valtype_t item;
    wasmtime_component_list_type_element(type->of.list, &item);
    bool is = kind_is(&item, WASMTIME_COMPONENT_VALTYPE_U8);
    wasmtime_component_valtype_delete(&item);
    return is;
}

static bool is_string(const valtype_t *type)
{
    return kind_is(type, WASMTIME_COMPONENT_VALTYPE_STRING);
}

static bool is_u32(const valtype_t *type)
{
    return kind_is(type, WASMTIME_COMPONENT_VALTYPE_U32);
}

/* An enum with exactly these names. */
static bool is_enum(const valtype_t *type, const char *(*name_at)(size_t),
                    size_t len)
{
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_ENUM) ||
        wasmtime_component_enum_type_names_count(type->of.enum_) != len) {
        return false;
    }
    bool same = true;
    for (size_t i = 0; same && i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        same = wasmtime_component_enum_type_names_nth(type->of.enum_, i, &name,
                                                      &name_len) &&
               name_len == strlen(name_at(i)) &&
               memcmp(name, name_at(i), name_len) == 0;
    }
    return same;
}

static const char *level_at(size_t i)
{
    static const char *const levels[THEATER_LEVELS] = {"error", "warn", "info",
                                                       "debug", "trace"};
    return levels[i];
}

static const char *code_at(size_t i)
{
    return theater_status_name((theater_status_t)(i + 1));
}

static bool is_code(const valtype_t *type)
{
    return is_enum(type, code_at, THEATER_UNREACHABLE);
}

/* record { code: error-code, message: string } */
static bool is_error(const valtype_t *type)
{
    static const char *const names[2] = {"code", "message"};
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_RECORD) ||
        wasmtime_component_record_type_field_count(type->of.record) != 2) {
        return false;
    }
    bool same = true;
    for (size_t i = 0; same && i < 2; i++) {
        const char *name = NULL;
        size_t len = 0;
        valtype_t field;
        if (!wasmtime_component_record_type_field_nth(type->of.record, i, &name,
                                                      &len, &field)) {
            return false;
        }
        same = len == strlen(names[i]) && memcmp(name, names[i], len) == 0 &&
               (i == 0 ? is_code(&field) : is_string(&field));
        wasmtime_component_valtype_delete(&field);
    }
    return same;
}

static bool is_option(const valtype_t *type, bool (*inner)(const valtype_t *))
{
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_OPTION)) {
        return false;
    }
    valtype_t item;
    wasmtime_component_option_type_ty(type->of.option, &item);
    bool is = inner(&item);
    wasmtime_component_valtype_delete(&item);
    return is;
}

static bool is_option_code(const valtype_t *type)
{
    return is_option(type, is_code);
}

static bool is_list(const valtype_t *type, bool (*inner)(const valtype_t *))
{
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_LIST)) {
        return false;
    }
    valtype_t item;
    wasmtime_component_list_type_element(type->of.list, &item);
    bool is = inner(&item);
    wasmtime_component_valtype_delete(&item);
    return is;
}

/* `ok` NULL: nothing. */
static bool is_result(const valtype_t *type, bool (*ok)(const valtype_t *),
                      bool (*err)(const valtype_t *))
{
    if (!kind_is(type, WASMTIME_COMPONENT_VALTYPE_RESULT)) {
        return false;
    }
    valtype_t item;
    bool has = wasmtime_component_result_type_ok(type->of.result, &item);
    bool same = has == (ok != NULL) && (!has || ok(&item));
    if (has) {
        wasmtime_component_valtype_delete(&item);
    }
    if (!wasmtime_component_result_type_err(type->of.result, &item)) {
        return false;
    }
    same = same && err(&item);
    wasmtime_component_valtype_delete(&item);
    return same;
}

bool th_component_type_is(theater_type_t type, const valtype_t *actual)
{
    switch (type) {
    case THEATER_TYPE_NONE:
        return false;
    case THEATER_TYPE_BOOL:
        return kind_is(actual, WASMTIME_COMPONENT_VALTYPE_BOOL);
    case THEATER_TYPE_ENUM:
        return is_enum(actual, level_at, THEATER_LEVELS);
    case THEATER_TYPE_U32:
        return is_u32(actual);
    case THEATER_TYPE_U64:
        return kind_is(actual, WASMTIME_COMPONENT_VALTYPE_U64);
    case THEATER_TYPE_STRING:
        return is_string(actual);
    case THEATER_TYPE_BYTES:
        return is_bytes(actual);
    case THEATER_TYPE_STRING_LIST:
        return is_list(actual, is_string);
    case THEATER_TYPE_BYTES_LIST:
        return is_list(actual, is_bytes);
    case THEATER_TYPE_OPTION_STRING:
        return is_option(actual, is_string);
    case THEATER_TYPE_OPTION_BYTES:
        return is_option(actual, is_bytes);
    case THEATER_TYPE_OPTION_ERROR:
        return is_option(actual, is_error);
    case THEATER_TYPE_CODE_LIST:
        return is_list(actual, is_option_code);
    case THEATER_TYPE_RESULT_NONE:
        return is_result(actual, NULL, is_error);
    case THEATER_TYPE_RESULT_U32:
        return is_result(actual, is_u32, is_error);
    case THEATER_TYPE_RESULT_STRING:
        return is_result(actual, is_string, is_error);
    case THEATER_TYPE_RESULT_BYTES:
        return is_result(actual, is_bytes, is_error);
    case THEATER_TYPE_REPLY:
        return is_result(actual, is_bytes, is_string);
    }
    return false;
}

bool th_component_func_is(const theater_type_t *params, theater_type_t result,
                          const wasmtime_component_func_type_t *actual)
{
    size_t len = 0;
    valtype_t type;
    while (len < THEATER_MAX_PARAMS && params[len] != THEATER_TYPE_NONE) {
        len++;
    }
    bool same = !wasmtime_component_func_type_async(actual) &&
                wasmtime_component_func_type_param_count(actual) == len;
    for (size_t i = 0; same && i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        if (!wasmtime_component_func_type_param_nth(actual, i, &name, &name_len,
                                                    &type)) {
            return false;
        }
        same = th_component_type_is(params[i], &type);
        wasmtime_component_valtype_delete(&type);
    }
    if (!wasmtime_component_func_type_result(actual, &type)) {
        return same && result == THEATER_TYPE_NONE;
    }
    same = same && th_component_type_is(result, &type);
    wasmtime_component_valtype_delete(&type);
    return same;
}

static const char *name_of(theater_type_t type)
{
    switch (type) {
    case THEATER_TYPE_NONE:
        break;
    case THEATER_TYPE_BOOL:
        return "bool";
    case THEATER_TYPE_ENUM:
        return "level";
    case THEATER_TYPE_U32:
        return "u32";
    case THEATER_TYPE_U64:
        return "u64";
    case THEATER_TYPE_STRING:
        return "string";
    case THEATER_TYPE_BYTES:
        return "list<u8>";
    case THEATER_TYPE_STRING_LIST:
        return "list<string>";
    case THEATER_TYPE_BYTES_LIST:
        return "list<list<u8>>";
    case THEATER_TYPE_OPTION_STRING:
        return "option<string>";
    case THEATER_TYPE_OPTION_BYTES:
        return "option<list<u8>>";
    case THEATER_TYPE_OPTION_ERROR:
        return "option<error>";
    case THEATER_TYPE_CODE_LIST:
        return "list<option<error-code>>";
    case THEATER_TYPE_RESULT_NONE:
        return "result<_, error>";
    case THEATER_TYPE_RESULT_U32:
        return "result<u32, error>";
    case THEATER_TYPE_RESULT_STRING:
        return "result<string, error>";
    case THEATER_TYPE_RESULT_BYTES:
        return "result<list<u8>, error>";
    case THEATER_TYPE_REPLY:
        return "result<list<u8>, string>";
    }
    return "";
}

void th_component_func_show(const theater_type_t *params, theater_type_t result,
                            char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "func(");
    for (size_t i = 0; i < THEATER_MAX_PARAMS && used < size; i++) {
        if (params[i] == THEATER_TYPE_NONE) {
            break;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 i > 0 ? ", " : "", name_of(params[i]));
    }
    if (used < size) {
        (void)snprintf(out + used, size - used, ")%s%s",
                       result != THEATER_TYPE_NONE ? " -> " : "",
                       name_of(result));
    }
}
