/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * How deep the values of an imported function are. The engine lifts them by
 * recursion, on the guest's stack, before any code of ours is asked: records
 * 97 deep took 82 KB there. WASI's own are 6 deep or so. What is wide, and
 * wide again inside, is counted too, so that looking ends soon. Types that the
 * C API has no values for are refused: it would end the program. */
#include "wasm/component.h"

enum { MAX_DEPTH = 16, MAX_NODES = 10000 };

typedef wasmtime_component_valtype_t valtype_t;

struct look {
    unsigned nodes;
};

static bool fits(struct look *look, const valtype_t *type, unsigned depth);

/* Of a type that the engine gave, which is deleted. */
static bool fits_in(struct look *look, valtype_t *type, unsigned depth)
{
    bool ok = fits(look, type, depth + 1);
    wasmtime_component_valtype_delete(type);
    return ok;
}

static bool record_fits(struct look *look,
                        const wasmtime_component_record_type_t *record,
                        unsigned depth)
{
    size_t len = wasmtime_component_record_type_field_count(record);
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        valtype_t item;
        if (!wasmtime_component_record_type_field_nth(record, i, &name,
                                                      &name_len, &item) ||
            !fits_in(look, &item, depth)) {
            return false;
        }
    }
    return true;
}

static bool tuple_fits(struct look *look,
                       const wasmtime_component_tuple_type_t *tuple,
                       unsigned depth)
{
    size_t len = wasmtime_component_tuple_type_types_count(tuple);
    for (size_t i = 0; i < len; i++) {
        valtype_t item;
        if (!wasmtime_component_tuple_type_types_nth(tuple, i, &item) ||
            !fits_in(look, &item, depth)) {
            return false;
        }
    }
    return true;
}

static bool variant_fits(struct look *look,
                         const wasmtime_component_variant_type_t *variant,
                         unsigned depth)
{
    size_t len = wasmtime_component_variant_type_case_count(variant);
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        bool has = false;
        valtype_t item;
        if (!wasmtime_component_variant_type_case_nth(variant, i, &name,
                                                      &name_len, &has, &item) ||
            (has && !fits_in(look, &item, depth))) {
            return false;
        }
    }
    return true;
}

static bool result_fits(struct look *look,
                        const wasmtime_component_result_type_t *result,
                        unsigned depth)
{
    valtype_t item;
    if (wasmtime_component_result_type_ok(result, &item) &&
        !fits_in(look, &item, depth)) {
        return false;
    }
    return !wasmtime_component_result_type_err(result, &item) ||
           fits_in(look, &item, depth);
}

/* Recursion: MAX_DEPTH at most, and not on a guest's stack. */
static bool fits(struct look *look, const valtype_t *type, unsigned depth)
{
    valtype_t item;
    if (depth > MAX_DEPTH || ++look->nodes > MAX_NODES) {
        return false;
    }
    switch (type->kind) {
    case WASMTIME_COMPONENT_VALTYPE_LIST:
        wasmtime_component_list_type_element(type->of.list, &item);
        return fits_in(look, &item, depth);
    case WASMTIME_COMPONENT_VALTYPE_OPTION:
        wasmtime_component_option_type_ty(type->of.option, &item);
        return fits_in(look, &item, depth);
    case WASMTIME_COMPONENT_VALTYPE_RECORD:
        return record_fits(look, type->of.record, depth);
    case WASMTIME_COMPONENT_VALTYPE_TUPLE:
        return tuple_fits(look, type->of.tuple, depth);
    case WASMTIME_COMPONENT_VALTYPE_VARIANT:
        return variant_fits(look, type->of.variant, depth);
    case WASMTIME_COMPONENT_VALTYPE_RESULT:
        return result_fits(look, type->of.result, depth);
    case WASMTIME_COMPONENT_VALTYPE_FUTURE:
    case WASMTIME_COMPONENT_VALTYPE_STREAM:
    case WASMTIME_COMPONENT_VALTYPE_ERROR_CONTEXT:
    case WASMTIME_COMPONENT_VALTYPE_MAP:
        return false;
    default:
        return true;
    }
}

bool th_component_func_fits(const wasmtime_component_func_type_t *func)
{
    struct look look = {0};
    valtype_t item;
    size_t len = wasmtime_component_func_type_param_count(func);
    for (size_t i = 0; i < len; i++) {
        const char *name = NULL;
        size_t name_len = 0;
        if (!wasmtime_component_func_type_param_nth(func, i, &name, &name_len,
                                                    &item) ||
            !fits_in(&look, &item, 0)) {
            return false;
        }
    }
    return !wasmtime_component_func_type_async(func) &&
           (!wasmtime_component_func_type_result(func, &item) ||
            fits_in(&look, &item, 0));
}
