/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Things that an endpoint takes part in end on other threads,
 * which never touch the endpoint's books: it drops what has ended when its set
 * is full, so adding is constant time on average and the set is bounded. */
#include "messaging/endpoint.h"

void th_ids_sweep(theater_endpoint_t *endpoint, struct th_ids *ids,
                  th_id_alive *alive)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ids->len; i++) {
        if (alive(endpoint, ids->items[i])) {
            ids->items[kept++] = ids->items[i];
        }
    }
    ids->len = kept;
}

static bool grow(const theater_env_t *env, struct th_ids *ids)
{
    uint32_t size = ids->size == 0 ? 4 : ids->size * 2;
    uint64_t *items = th_alloc(env, size * sizeof *items);
    if (items == NULL) {
        return false;
    }
    if (ids->len != 0) {
        memcpy(items, ids->items, ids->len * sizeof *items);
    }
    th_free(env, ids->items);
    ids->items = items;
    ids->size = size;
    return true;
}

theater_status_t th_ids_add(theater_endpoint_t *endpoint, struct th_ids *ids,
                            uint64_t id, uint32_t max, th_id_alive *alive)
{
    bool crowded = ids->len == ids->size;
    if (crowded || ids->len >= max) {
        th_ids_sweep(endpoint, ids, alive);
    }
    if (ids->len >= max) {
        return THEATER_MAILBOX_FULL;
    }
    /* Grows only where more than half is alive: sweeps stay rare. */
    if (crowded && ids->len >= ids->size / 2 &&
        !grow(endpoint->router->env, ids) && ids->len == ids->size) {
        return THEATER_OUT_OF_MEMORY;
    }
    ids->items[ids->len++] = id;
    return THEATER_OK;
}

bool th_ids_has(const struct th_ids *ids, uint64_t id)
{
    for (uint32_t i = ids->len; i-- > 0;) {
        if (ids->items[i] == id) {
            return true;
        }
    }
    return false;
}

bool th_ids_remove(struct th_ids *ids, uint64_t id)
{
    for (uint32_t i = ids->len; i-- > 0;) {
        if (ids->items[i] == id) {
            memmove(&ids->items[i], &ids->items[i + 1],
                    (ids->len - i - 1) * sizeof *ids->items);
            ids->len--;
            return true;
        }
    }
    return false;
}

void th_ids_fini(const theater_env_t *env, struct th_ids *ids)
{
    th_free(env, ids->items);
    *ids = (struct th_ids){NULL, 0, 0};
}
