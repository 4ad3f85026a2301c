/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * How deep the values of an imported function are. The engine lifts them by
 * recursion, on the guest's stack, before any code of ours is asked: records
 * 97 deep took 82 KB there. WASI's own are 6 deep or so. What is wide, and
 * wide again inside, is counted too, over all functions, so that looking ends
 * soon: the engine finds the nth field by going over all before it, and 100
 * functions of a tuple of 4,500 took 22 seconds. Types that the C API has no
 * values for are refused: it would end the program. */
#include "wasm/component.h"

enum { MAX_DEPTH = 16, MAX_WIDTH = 128, MAX_NODES = 50000 };

typedef wasmtime_component_valtype_t valtype_t;

static size_t children_of(const valtype_t *type)
{
    switch (type->kind) {
    case WASMTIME_COMPONENT_VALTYPE_LIST:
    case WASMTIME_COMPONENT_VALTYPE_OPTION:
        return 1;
    case WASMTIME_COMPONENT_VALTYPE_RESULT:
        return 2;
    case WASMTIME_COMPONENT_VALTYPE_RECORD:
        return wasmtime_component_record_type_field_count(type->of.record);
    case WASMTIME_COMPONENT_VALTYPE_TUPLE:
        return wasmtime_component_tuple_type_types_count(type->of.tuple);
    case WASMTIME_COMPONENT_VALTYPE_VARIANT:
        return wasmtime_component_variant_type_case_count(type->of.variant);
    default:
        return 0;
    }
}

/* The type inside, which the caller deletes. False: that child has none, as a
 * case without a value. */
static bool child_of(const valtype_t *type, size_t i, valtype_t *out)
{
    const char *name = NULL;
    size_t len = 0;
    bool has = false;
    switch (type->kind) {
    case WASMTIME_COMPONENT_VALTYPE_LIST:
        wasmtime_component_list_type_element(type->of.list, out);
        return true;
    case WASMTIME_COMPONENT_VALTYPE_OPTION:
        wasmtime_component_option_type_ty(type->of.option, out);
        return true;
    case WASMTIME_COMPONENT_VALTYPE_RESULT:
        return i == 0
                   ? wasmtime_component_result_type_ok(type->of.result, out)
                   : wasmtime_component_result_type_err(type->of.result, out);
    case WASMTIME_COMPONENT_VALTYPE_RECORD:
        return wasmtime_component_record_type_field_nth(type->of.record, i,
                                                        &name, &len, out);
    case WASMTIME_COMPONENT_VALTYPE_TUPLE:
        return wasmtime_component_tuple_type_types_nth(type->of.tuple, i, out);
    default:
        return wasmtime_component_variant_type_case_nth(
                   type->of.variant, i, &name, &len, &has, out) &&
               has;
    }
}

static bool is_served(const valtype_t *type)
{
    return type->kind != WASMTIME_COMPONENT_VALTYPE_FUTURE &&
           type->kind != WASMTIME_COMPONENT_VALTYPE_STREAM &&
           type->kind != WASMTIME_COMPONENT_VALTYPE_ERROR_CONTEXT &&
           type->kind != WASMTIME_COMPONENT_VALTYPE_MAP;
}

/* Deletes the type. Recursion: MAX_DEPTH at most, and not on a guest's
 * stack. */
static bool fits(valtype_t *type, unsigned depth, unsigned *nodes)
{
    bool ok = depth <= MAX_DEPTH && ++*nodes <= MAX_NODES && is_served(type);
    size_t len = ok ? children_of(type) : 0;
    ok = ok && len <= MAX_WIDTH;
    for (size_t i = 0; ok && i < len; i++) {
        valtype_t child;
        ok = !child_of(type, i, &child) || fits(&child, depth + 1, nodes);
    }
    wasmtime_component_valtype_delete(type);
    return ok;
}

bool th_component_func_fits(const wasmtime_component_func_type_t *func,
                            unsigned *io_nodes)
{
    valtype_t type;
    size_t len = wasmtime_component_func_type_param_count(func);
    if (len > MAX_WIDTH) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        if (!wasmtime_component_func_type_param_nth(func, i, &name, &name_len,
                                                    &type) ||
            !fits(&type, 1, io_nodes)) {
            return false;
        }
    }
    return !wasmtime_component_func_type_async(func) &&
           (!wasmtime_component_func_type_result(func, &type) ||
            fits(&type, 1, io_nodes));
}
