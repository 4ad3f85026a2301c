/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Names to endpoints: chains of type-stable slots, hashed with
 * a secret key, in the manner of the kernel's "nulls" lists (Linux,
 * Documentation/RCU/rculist_nulls.rst): the end of a chain carries the number
 * of its bucket, so a reader that a slot's reuse has led into another chain
 * notices at its end and begins again. Nothing is ever freed under a reader,
 * so there is no grace period, and registering never stops a send. New slots
 * go to the head: a reader that is led to a head misses nothing.
 *
 * A name is known by 128 bits of a keyed hash (SipHash-2-4, key from the
 * environment's randomness): no name is compared, none has to stay readable
 * after its endpoint has gone. Two names that meet in 128 secret bits do not
 * happen (2^-64 for 2^32 names). Tables have their full size from the
 * beginning and are mapped, so untouched buckets cost nothing.
 *
 * Who calls what: find: any threads. add, remove: under registry_lock.
 * Ordering:
 *   [M1] add: store of the bucket, release; pairs with [M2]: the slot's hash,
 *        generation and link travel.
 *   [M2] find: loads of bucket and next, acquire.
 *   [M3] find: the generation is read before the hash and once more after it,
 *        acquire both; add writes it last before [M1], release; remove clears
 *        the hash first: so hash and generation belong together.
 * Progress: find is lock-free: it begins again only when another thread has
 *   registered or unregistered. */
#include "messaging/endpoint.h"

#define NULLS (UINT32_C(1) << 31) /* an end; the rest is the bucket's number */

theater_status_t th_names_init(theater_router_t *router)
{
    const theater_env_t *env = router->env;
    uint32_t buckets = 64;

    while (buckets < router->max_endpoints) { /* 1 << 24 at most */
        buckets *= 2;
    }
    router->bucket_mask = buckets - 1;
    router->buckets =
        env->map(env->ctx, (size_t)buckets * sizeof *router->buckets);
    env->random(env->ctx, router->hash_key, sizeof router->hash_key);
    return router->buckets != NULL ? THEATER_OK : THEATER_OUT_OF_MEMORY;
}

void th_names_fini(theater_router_t *router)
{
    const theater_env_t *env = router->env;
    if (router->buckets != NULL) {
        env->unmap(env->ctx, router->buckets,
                   ((size_t)router->bucket_mask + 1) * sizeof *router->buckets);
    }
}

/* Links are index + 1, 0 in a bucket: never used: its end. */
static uint32_t end_of(uint32_t bucket)
{
    return NULLS | bucket;
}

static struct th_hash128 hash_of(theater_router_t *router, theater_bytes_t name)
{
    struct th_hash128 hash =
        th_siphash128(name.data, name.len, router->hash_key);
    hash.lo |= 1; /* so that a cleared hash is no name's */
    return hash;
}

static theater_endpoint_t *walk(theater_router_t *router,
                                struct th_hash128 hash,
                                uint16_t *out_generation, bool *out_again)
{
    uint32_t bucket = (uint32_t)hash.hi & router->bucket_mask;
    /* [M2] acquire; pairs with [M1] */
    uint32_t link =
        atomic_load_explicit(&router->buckets[bucket], memory_order_acquire);

    *out_again = false;
    while (link != 0 && (link & NULLS) == 0) {
        theater_endpoint_t *ep = th_slab_at(&router->endpoints, link - 1);
        /* [M3] acquire */
        uint32_t generation =
            atomic_load_explicit(&ep->generation, memory_order_acquire);
        if (atomic_load_explicit(&ep->hash_lo, memory_order_acquire) ==
                hash.lo &&
            atomic_load_explicit(&ep->hash_hi, memory_order_acquire) ==
                hash.hi &&
            atomic_load_explicit(&ep->generation, memory_order_acquire) ==
                generation) {
            *out_generation = (uint16_t)generation;
            return ep;
        }
        /* [M2] */
        link = atomic_load_explicit(&ep->next, memory_order_acquire);
    }
    *out_again = link != 0 && link != end_of(bucket);
    return NULL;
}

theater_endpoint_t *th_names_find(theater_router_t *router,
                                  theater_bytes_t name,
                                  uint16_t *out_generation)
{
    struct th_hash128 hash = hash_of(router, name);
    theater_endpoint_t *found = NULL;
    bool again = false;

    do {
        found = walk(router, hash, out_generation, &again);
    } while (again);
    return found;
}

theater_status_t th_names_add(theater_router_t *router,
                              theater_endpoint_t *endpoint,
                              theater_bytes_t name)
{
    struct th_hash128 hash = hash_of(router, name);
    uint32_t bucket = (uint32_t)hash.hi & router->bucket_mask;
    uint16_t generation = 0;
    bool again = false;

    if (walk(router, hash, &generation, &again) != NULL) {
        return THEATER_ALREADY_EXISTS;
    }
    /* relaxed: written under the lock */
    uint32_t first =
        atomic_load_explicit(&router->buckets[bucket], memory_order_relaxed);
    if (first == 0) {
        first = end_of(bucket);
    }
    /* release, all: a reader that is still on this slot sees them in order;
     * [M3] with the generation, which the caller wrote before */
    atomic_store_explicit(&endpoint->hash_hi, hash.hi, memory_order_release);
    atomic_store_explicit(&endpoint->hash_lo, hash.lo, memory_order_release);
    atomic_store_explicit(&endpoint->next, first, memory_order_release);
    /* [M1] release; pairs with [M2] */
    atomic_store_explicit(&router->buckets[bucket], endpoint->item.index + 1,
                          memory_order_release);
    return THEATER_OK;
}

void th_names_remove(theater_endpoint_t *endpoint)
{
    theater_router_t *router = endpoint->router;
    /* relaxed: written under the lock, by whoever held it before */
    uint32_t bucket = (uint32_t)atomic_load_explicit(&endpoint->hash_hi,
                                                     memory_order_relaxed) &
                      router->bucket_mask;
    _Atomic uint32_t *link = &router->buckets[bucket];
    uint32_t at = atomic_load_explicit(link, memory_order_relaxed);

    while (at != endpoint->item.index + 1) {
        TH_CHECK(at != 0 && (at & NULLS) == 0);
        theater_endpoint_t *ep = th_slab_at(&router->endpoints, at - 1);
        link = &ep->next;
        at = atomic_load_explicit(link, memory_order_relaxed);
    }
    /* [M3] release: no reader takes it for the name any more */
    atomic_store_explicit(&endpoint->hash_lo, 0, memory_order_release);
    /* [M1] release. Its own link stays: readers on it go on from there. */
    atomic_store_explicit(
        link, atomic_load_explicit(&endpoint->next, memory_order_relaxed),
        memory_order_release);
}
