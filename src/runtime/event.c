/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: events go straight to the embedder's callback, on the thread
 * where they happen, never on a guest's stack. A simulated runtime mixes each
 * event and each delivery, by value and in order, into one hash: names,
 * serial numbers and bytes, never an address. Cannot fail. */
#include "runtime/runtime.h"

void th_event_emit(struct theater_runtime *runtime,
                   const struct th_event *event)
{
    if (runtime->simulated) {
        uint32_t head[3] = {(uint32_t)event->kind, (uint32_t)event->status,
                            (uint32_t)event->level};
        th_event_mix(runtime, head, sizeof head);
        th_event_mix(runtime, event->actor, strlen(event->actor));
        th_event_mix(runtime, event->text, event->text_len);
    }
    if (runtime->on_event == NULL) {
        return;
    }
    theater_event_t out = {
        .kind = event->kind,
        .actor = event->actor,
        .status = event->status,
        .text = event->text,
        .text_len = event->text_len,
        .level = event->level,
    };
    runtime->on_event(runtime->user, &out);
}

void th_event_mix(struct theater_runtime *runtime, const void *data, size_t len)
{
    uint64_t size = len;
    runtime->event_hash = th_hash64(&size, sizeof size, runtime->event_hash);
    runtime->event_hash = th_hash64(data, len, runtime->event_hash);
}

static void mix_value(struct theater_runtime *runtime, theater_type_t type,
                      const theater_value_t *value)
{
    switch (type) {
    case THEATER_TYPE_NONE:
        break;
    case THEATER_TYPE_BOOL:
    case THEATER_TYPE_ENUM:
    case THEATER_TYPE_U32:
        th_event_mix(runtime, &value->u32, sizeof value->u32);
        break;
    case THEATER_TYPE_U64:
        th_event_mix(runtime, &value->u64, sizeof value->u64);
        break;
    case THEATER_TYPE_STRING_LIST:
    case THEATER_TYPE_BYTES_LIST:
        for (size_t i = 0; i < value->list.len; i++) {
            th_event_mix(runtime, value->list.items[i].data,
                         value->list.items[i].len);
        }
        break;
    default:
        th_event_mix(runtime, value->bytes.data, value->bytes.len);
        break;
    }
}

void th_event_mix_delivery(struct theater_actor *actor, size_t grant,
                           const theater_delivery_t *delivery)
{
    struct theater_runtime *runtime = actor->runtime;
    uint64_t head[3] = {actor->serial, grant, delivery->export_index};
    th_event_mix(runtime, head, sizeof head);
    const theater_handler_ops_t *ops = actor->body->plan->grants[grant].ops;
    if (delivery->export_index >= ops->exports_len) {
        return;
    }
    const theater_type_t *params = ops->exports[delivery->export_index].params;
    for (size_t i = 0; i < THEATER_MAX_PARAMS; i++) {
        mix_value(runtime, params[i], &delivery->args[i]);
    }
}
