/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Values of the component model as the engine's C API has them: a tree, in
 * which a list of bytes has a value of 32 bytes for each. What goes to the
 * guest as an argument is only read by the engine, so it is made of memory of
 * our own and borrows what it can; what goes to it as a result is owned by the
 * engine, and is made by its functions. What comes from the guest is the
 * engine's; bytes are gathered into `in`, since handlers want them in one
 * piece. Types were held against the tables when the module was loaded, so
 * kinds are not asked for here, and strings are valid UTF-8. */
#include "wasm/component.h"

/* --- Scratch ------------------------------------------------------------- */

uint8_t *th_scratch(struct th_guest *guest, struct th_scratch *scratch,
                    size_t size)
{
    const theater_env_t *env = guest->engine->env;
    if (size <= scratch->capacity && scratch->data != NULL) {
        return scratch->data;
    }
    th_free(env, scratch->data);
    scratch->capacity = size < 256 ? 256 : size;
    scratch->data = th_alloc(env, scratch->capacity);
    if (scratch->data == NULL) {
        scratch->capacity = 0;
    }
    return scratch->data;
}

void th_scratch_trim(struct th_guest *guest, struct th_scratch *scratch)
{
    if (TH_UNLIKELY(scratch->capacity > TH_SCRATCH_KEEP)) {
        th_free(guest->engine->env, scratch->data);
        *scratch = (struct th_scratch){NULL, 0};
    }
}

/* --- Values that the engine owns ----------------------------------------- */

static wasm_name_t name_of(const char *text)
{
    wasm_name_t name;
    wasm_byte_vec_new(&name, strlen(text), text);
    return name;
}

static th_val_t *box(th_val_t value)
{
    return wasmtime_component_val_new(&value);
}

th_val_t th_val_bool(bool value)
{
    return (th_val_t){WASMTIME_COMPONENT_BOOL, {.boolean = value}};
}

th_val_t th_val_u32(uint32_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_U32, {.u32 = value}};
}

th_val_t th_val_u64(uint64_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_U64, {.u64 = value}};
}

th_val_t th_val_string(theater_bytes_t text)
{
    th_val_t value = {WASMTIME_COMPONENT_STRING, {.u64 = 0}};
    if (text.len == 0) {
        wasm_byte_vec_new_empty(&value.of.string);
    } else {
        wasm_byte_vec_new(&value.of.string, text.len, (const char *)text.data);
    }
    return value;
}

th_val_t th_val_enum(const char *name)
{
    return (th_val_t){WASMTIME_COMPONENT_ENUM, {.enumeration = name_of(name)}};
}

th_val_t th_val_list(size_t len)
{
    th_val_t value = {WASMTIME_COMPONENT_LIST, {.u64 = 0}};
    if (len == 0) {
        wasmtime_component_vallist_new_empty(&value.of.list);
    } else {
        wasmtime_component_vallist_new_uninit(&value.of.list, len);
    }
    return value;
}

static void spread(th_val_t *to, theater_bytes_t bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        to[i].kind = WASMTIME_COMPONENT_U8;
        to[i].of.u8 = bytes.data[i];
    }
}

th_val_t th_val_bytes(theater_bytes_t bytes)
{
    th_val_t value = th_val_list(bytes.len);
    spread(value.of.list.data, bytes);
    return value;
}

th_val_t th_val_none(void)
{
    return (th_val_t){WASMTIME_COMPONENT_OPTION, {.option = NULL}};
}

th_val_t th_val_some(th_val_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_OPTION, {.option = box(value)}};
}

th_val_t th_val_ok(void)
{
    return (th_val_t){WASMTIME_COMPONENT_RESULT, {.result = {true, NULL}}};
}

th_val_t th_val_ok_of(th_val_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_RESULT,
                      {.result = {true, box(value)}}};
}

th_val_t th_val_err_of(th_val_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_RESULT,
                      {.result = {false, box(value)}}};
}

th_val_t th_val_variant(const char *name)
{
    return (th_val_t){WASMTIME_COMPONENT_VARIANT,
                      {.variant = {name_of(name), NULL}}};
}

th_val_t th_val_variant_of(const char *name, th_val_t value)
{
    return (th_val_t){WASMTIME_COMPONENT_VARIANT,
                      {.variant = {name_of(name), box(value)}}};
}

th_val_t th_val_record2(const char *a, th_val_t a_value, const char *b,
                        th_val_t b_value)
{
    th_val_t value = {WASMTIME_COMPONENT_RECORD, {.u64 = 0}};
    wasmtime_component_valrecord_new_uninit(&value.of.record, 2);
    value.of.record.data[0].name = name_of(a);
    value.of.record.data[0].val = a_value;
    value.of.record.data[1].name = name_of(b);
    value.of.record.data[1].val = b_value;
    return value;
}

/* --- What a guest passes ------------------------------------------------- */

static const wasmtime_component_vallist_t *list_in(const th_val_t *value)
{
    return &value->of.list;
}

/* Bytes of scratch that the argument takes, with what aligns it. */
static size_t room_for(theater_type_t type, const th_val_t *value)
{
    size_t room = 0;
    switch (type) {
    case THEATER_TYPE_BYTES:
        return list_in(value)->size;
    case THEATER_TYPE_OPTION_BYTES:
        return value->of.option != NULL ? list_in(value->of.option)->size : 0;
    case THEATER_TYPE_BYTES_LIST:
        for (size_t i = 0; i < list_in(value)->size; i++) {
            room += list_in(&list_in(value)->data[i])->size;
        }
        return room + (list_in(value)->size + 1) * sizeof(theater_bytes_t);
    case THEATER_TYPE_STRING_LIST:
        return (list_in(value)->size + 1) * sizeof(theater_bytes_t);
    default:
        return 0;
    }
}

static theater_bytes_t gather(const wasmtime_component_vallist_t *list,
                              uint8_t **io_at)
{
    uint8_t *to = *io_at;
    for (size_t i = 0; i < list->size; i++) {
        to[i] = list->data[i].of.u8;
    }
    *io_at += list->size;
    return (theater_bytes_t){to, list->size};
}

/* No host function wants more of a string than TH_MAX_TEXT. */
static theater_bytes_t text_in(const th_val_t *value)
{
    const wasm_name_t *text = &value->of.string;
    const uint8_t *data = (const uint8_t *)text->data;
    size_t len = text->size;
    if (TH_UNLIKELY(len > TH_MAX_TEXT)) {
        len = th_cut_text(data);
    }
    /* An empty string is there, unlike one with no data. */
    return (theater_bytes_t){len > 0 ? data : (const uint8_t *)"", len};
}

static void lift_list(theater_type_t type, const th_val_t *value,
                      uint8_t **io_at, theater_value_t *out)
{
    const wasmtime_component_vallist_t *list = list_in(value);
    size_t align = sizeof(void *);
    size_t past = (size_t)((uintptr_t)*io_at % align);
    *io_at += past != 0 ? align - past : 0;
    theater_bytes_t *items = (theater_bytes_t *)(void *)*io_at;
    *io_at += list->size * sizeof *items;
    for (size_t i = 0; i < list->size; i++) {
        items[i] = type == THEATER_TYPE_STRING_LIST
                       ? text_in(&list->data[i])
                       : gather(list_in(&list->data[i]), io_at);
    }
    out->list.items = items;
    out->list.len = list->size;
}

static uint32_t level_of(const wasm_name_t *name)
{
    static const char *const levels[THEATER_LEVELS] = {"error", "warn", "info",
                                                       "debug", "trace"};
    for (uint32_t i = 0; i < THEATER_LEVELS; i++) {
        if (name->size == strlen(levels[i]) &&
            memcmp(name->data, levels[i], name->size) == 0) {
            return i;
        }
    }
    return 0;
}

static void lift(theater_type_t type, const th_val_t *value, uint8_t **io_at,
                 theater_value_t *out)
{
    const th_val_t *inner;
    switch (type) {
    case THEATER_TYPE_BOOL:
        out->u32 = value->of.boolean;
        break;
    case THEATER_TYPE_ENUM:
        out->u32 = level_of(&value->of.enumeration);
        break;
    case THEATER_TYPE_U64:
        out->u64 = value->of.u64;
        break;
    case THEATER_TYPE_STRING:
        out->bytes = text_in(value);
        break;
    case THEATER_TYPE_BYTES:
        out->bytes = gather(list_in(value), io_at);
        break;
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        lift_list(type, value, io_at, out);
        break;
    case THEATER_TYPE_OPTION_STRING:
    case THEATER_TYPE_OPTION_BYTES:
        inner = value->of.option;
        out->bytes = (theater_bytes_t){NULL, 0};
        if (inner != NULL) {
            out->bytes = type == THEATER_TYPE_OPTION_STRING
                             ? text_in(inner)
                             : gather(list_in(inner), io_at);
        }
        break;
    default:
        out->u32 = value->of.u32;
        break;
    }
}

static wasmtime_error_t *check_list(struct th_guest *guest,
                                    const struct th_import *import,
                                    theater_type_t type, const th_val_t *value)
{
    if (type != THEATER_TYPE_STRING_LIST && type != THEATER_TYPE_BYTES_LIST) {
        return NULL;
    }
    const wasmtime_component_vallist_t *list = list_in(value);
    if (list->size > TH_MAX_LIST) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "`%s`: a list of %zu items is too long (%d "
                                  "at most)",
                                  import->name, list->size, (int)TH_MAX_LIST);
    }
    uint64_t sum = 0;
    bool is_text = type == THEATER_TYPE_STRING_LIST;
    uint64_t most = is_text ? TH_MAX_LIST_TEXT : TH_MAX_LIST_BYTES;
    for (size_t i = 0; i < list->size; i++) {
        sum += is_text ? list->data[i].of.string.size
                       : list_in(&list->data[i])->size;
    }
    if (sum > most) {
        return th_component_fault(guest, THEATER_TRAPPED,
                                  "`%s`: the items of a list have %llu bytes, "
                                  "and may have %llu in all",
                                  import->name, (unsigned long long)sum,
                                  (unsigned long long)most);
    }
    return NULL;
}

wasmtime_error_t *th_component_lift(struct th_guest *guest,
                                    const struct th_import *import,
                                    const th_val_t *args, size_t len)
{
    const theater_type_t *params = import->fn->params;
    size_t room = 0;
    for (size_t i = 0; i < len; i++) {
        wasmtime_error_t *error =
            check_list(guest, import, params[i], &args[i]);
        if (error != NULL) {
            return error;
        }
        room += room_for(params[i], &args[i]);
    }
    uint8_t *at = th_scratch(guest, &guest->component->in, room);
    if (at == NULL) {
        return th_component_fault(guest, THEATER_OUT_OF_MEMORY,
                                  "no memory for what `%s` is given",
                                  import->name);
    }
    for (size_t i = 0; i < len; i++) {
        lift(params[i], &args[i], &at, &guest->call.args[i]);
    }
    return NULL;
}

/* --- What a host function answers ---------------------------------------- */

/* The guest's enum error-code: the statuses 1 to 14. */
static const char *code_of(theater_status_t status)
{
    if (status >= THEATER_NOT_FOUND && status <= THEATER_UNREACHABLE) {
        return theater_status_name(status);
    }
    /* Memory of the host is a bound like the others. */
    return theater_status_name(status == THEATER_OUT_OF_MEMORY
                                   ? THEATER_MAILBOX_FULL
                                   : THEATER_FAILED);
}

static th_val_t error_of(const theater_call_t *call)
{
    const char *text = call->message != NULL
                           ? call->message
                           : theater_status_text(call->status);
    theater_bytes_t bytes = {(const uint8_t *)text, strlen(text)};
    if (!th_utf8_ok(bytes.data, bytes.len)) {
        bytes.len = 0;
    }
    return th_val_record2("code", th_val_enum(code_of(call->status)), "message",
                          th_val_string(bytes));
}

static th_val_t list_of(const theater_call_t *call, bool is_text)
{
    size_t len = call->result.list.len;
    th_val_t value = th_val_list(len);
    for (size_t i = 0; i < len; i++) {
        theater_bytes_t item = call->result.list.items[i];
        value.of.list.data[i] =
            is_text ? th_val_string(item) : th_val_bytes(item);
    }
    return value;
}

static th_val_t codes_of(const theater_call_t *call)
{
    size_t len = call->result.codes.len;
    th_val_t value = th_val_list(len);
    for (size_t i = 0; i < len; i++) {
        theater_status_t status = call->result.codes.items[i];
        value.of.list.data[i] = status == THEATER_OK
                                    ? th_val_none()
                                    : th_val_some(th_val_enum(code_of(status)));
    }
    return value;
}

th_val_t th_component_lower(const struct th_import *import,
                            const theater_call_t *call)
{
    theater_bytes_t bytes = call->result.bytes;
    switch (import->fn->result) {
    case THEATER_TYPE_BOOL:
        return th_val_bool(call->result.u32 != 0);
    case THEATER_TYPE_U32:
        return th_val_u32(call->result.u32);
    case THEATER_TYPE_U64:
        return th_val_u64(call->result.u64);
    case THEATER_TYPE_STRING:
        return th_val_string(bytes);
    case THEATER_TYPE_BYTES:
        return th_val_bytes(bytes);
    case THEATER_TYPE_OPTION_STRING:
        return bytes.data == NULL ? th_val_none()
                                  : th_val_some(th_val_string(bytes));
    case THEATER_TYPE_OPTION_BYTES:
        return bytes.data == NULL ? th_val_none()
                                  : th_val_some(th_val_bytes(bytes));
    case THEATER_TYPE_STRING_LIST:
        return list_of(call, true);
    case THEATER_TYPE_BYTES_LIST:
        return list_of(call, false);
    case THEATER_TYPE_CODE_LIST:
        return codes_of(call);
    case THEATER_TYPE_OPTION_ERROR:
        return call->status == THEATER_OK ? th_val_none()
                                          : th_val_some(error_of(call));
    default:
        break;
    }
    if (call->status != THEATER_OK) {
        return th_val_err_of(error_of(call));
    }
    switch (import->fn->result) {
    case THEATER_TYPE_RESULT_U32:
        return th_val_ok_of(th_val_u32(call->result.u32));
    case THEATER_TYPE_RESULT_STRING:
        return th_val_ok_of(th_val_string(bytes));
    case THEATER_TYPE_RESULT_BYTES:
        return th_val_ok_of(th_val_bytes(bytes));
    default:
        return th_val_ok();
    }
}

/* --- Deliveries ---------------------------------------------------------- */

bool th_component_args(struct th_guest *guest, const theater_type_t *params,
                       const theater_value_t *values, size_t *out_len)
{
    struct th_component_guest *component = guest->component;
    size_t room = 0, len = 0;
    for (; len < THEATER_MAX_PARAMS && params[len] != THEATER_TYPE_NONE;
         len++) {
        room += params[len] == THEATER_TYPE_BYTES ? values[len].bytes.len : 0;
    }
    th_val_t *at = NULL;
    if (room > 0) {
        at = (th_val_t *)(void *)th_scratch(guest, &component->out,
                                            room * sizeof *at);
        if (at == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < len; i++) {
        theater_bytes_t bytes = values[i].bytes;
        th_val_t *arg = &component->args[i];
        switch (params[i]) {
        case THEATER_TYPE_BYTES:
            arg->kind = WASMTIME_COMPONENT_LIST;
            arg->of.list.size = bytes.len;
            arg->of.list.data = at;
            spread(at, bytes);
            at = bytes.len > 0 ? at + bytes.len : at;
            break;
        case THEATER_TYPE_STRING:
            /* The engine insists on UTF-8. */
            arg->kind = WASMTIME_COMPONENT_STRING;
            arg->of.string.size =
                th_text_ok(bytes.data, bytes.len) ? bytes.len : 0;
            arg->of.string.data = (char *)(uintptr_t)bytes.data;
            break;
        case THEATER_TYPE_BOOL:
            *arg = th_val_bool(values[i].u32 != 0);
            break;
        default:
            *arg = th_val_u32(values[i].u32);
            break;
        }
    }
    *out_len = len;
    return true;
}

wasmtime_error_t *th_component_answer(struct th_guest *guest)
{
    struct th_component_guest *component = guest->component;
    theater_delivery_t *delivery = guest->delivery;
    const th_val_t *result = &component->result;
    theater_status_t status = THEATER_OK;
    switch (guest->entry->type->result) {
    case THEATER_TYPE_REPLY:
        if (!result->of.result.is_ok) {
            status = THEATER_FAILED;
            delivery->result.bytes = text_in(result->of.result.val);
        } else {
            const wasmtime_component_vallist_t *list =
                list_in(result->of.result.val);
            uint8_t *to = th_scratch(guest, &component->in, list->size);
            if (to == NULL) {
                return th_component_fault(guest, THEATER_OUT_OF_MEMORY,
                                          "no memory for an answer");
            }
            delivery->result.bytes = gather(list, &to);
        }
        break;
    case THEATER_TYPE_BOOL:
        delivery->result.u32 = result->of.boolean;
        break;
    default:
        break;
    }
    th_deliver_end(guest, status);
    th_scratch_trim(guest, &component->in);
    return NULL;
}
