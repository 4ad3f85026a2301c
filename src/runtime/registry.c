/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: a plain array, written during set-up and read-only once a
 * runtime has it. All handlers' timers are one time source of the scheduler,
 * so that the number of handlers is not bound by the scheduler's sources.
 * May fail: memory for the registry, a type that is taken. */
#include "runtime/registry.h"

#include "base/base.h"

theater_status_t
theater_handler_registry_new(const theater_env_t *env,
                             theater_handler_registry_t **out_registry)
{
    if (env == NULL) {
        env = theater_env_default();
    }
    theater_handler_registry_t *registry = th_calloc(env, sizeof *registry);
    if (registry == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    registry->env = env;
    *out_registry = registry;
    return THEATER_OK;
}

static bool ops_ok(const theater_handler_ops_t *ops)
{
    return ops != NULL && ops->size == sizeof *ops && ops->exports_len <= 64 &&
           ops->create_instance != NULL && ops->destroy != NULL;
}

theater_status_t theater_handler_registry_register(
    theater_handler_registry_t *registry, const char *type,
    const theater_handler_ops_t *ops, void *prototype)
{
    if (type == NULL || !th_name_ok(type, strlen(type)) || !ops_ok(ops) ||
        registry->len == TH_MAX_HANDLERS) {
        return THEATER_INVALID_ARGUMENT;
    }
    if (th_registry_find(registry, type) != NULL) {
        return THEATER_ALREADY_EXISTS;
    }
    registry->items[registry->len] =
        (struct th_registered){type, ops, prototype};
    registry->keys[registry->len] =
        (theater_handler_keys_t){type, ops->keys, ops->keys_len};
    registry->len++;
    return THEATER_OK;
}

void theater_handler_registry_delete(theater_handler_registry_t *registry)
{
    if (registry == NULL) {
        return;
    }
    for (size_t i = registry->len; i-- > 0;) {
        const struct th_registered *item = &registry->items[i];
        if (item->ops->release_prototype != NULL) {
            item->ops->release_prototype(item->prototype);
        }
    }
    th_free(registry->env, registry);
}

const struct th_registered *
th_registry_find(const struct theater_handler_registry *registry,
                 const char *type)
{
    for (size_t i = 0; i < registry->len; i++) {
        if (strcmp(registry->items[i].type, type) == 0) {
            return &registry->items[i];
        }
    }
    return NULL;
}

uint64_t th_registry_next_deadline(void *ctx)
{
    const struct theater_handler_registry *registry = ctx;
    uint64_t least = THEATER_NEVER;
    for (size_t i = 0; i < registry->len; i++) {
        const struct th_registered *item = &registry->items[i];
        if (item->ops->next_deadline != NULL) {
            uint64_t deadline = item->ops->next_deadline(item->prototype);
            least = deadline < least ? deadline : least;
        }
    }
    return least;
}

void th_registry_advance(void *ctx, uint64_t now_ns)
{
    const struct theater_handler_registry *registry = ctx;
    for (size_t i = 0; i < registry->len; i++) {
        const struct th_registered *item = &registry->items[i];
        if (item->ops->advance != NULL) {
            item->ops->advance(item->prototype, now_ns);
        }
    }
}

/* A handler that can't tell is busy while it has a timer. */
bool th_registry_busy(void *ctx)
{
    const struct theater_handler_registry *registry = ctx;
    for (size_t i = 0; i < registry->len; i++) {
        const struct th_registered *item = &registry->items[i];
        const theater_handler_ops_t *ops = item->ops;
        bool busy = ops->busy != NULL ? ops->busy(item->prototype)
                    : ops->next_deadline != NULL
                        ? ops->next_deadline(item->prototype) != THEATER_NEVER
                        : false;
        if (busy) {
            return true;
        }
    }
    return false;
}
