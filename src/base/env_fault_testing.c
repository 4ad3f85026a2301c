/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Every function that can fail asks `fails` first; the rest goes
 * straight to the wrapped table. Counters are relaxed: they order nothing, and
 * who reads them at the end has joined the threads that wrote them. */
#include "base/env_fault.h"

/* Where this thread is about to ask; NULL: nobody said so. */
static _Thread_local struct th_fault_site *here;
static struct th_fault_env *in_use;

void th_fault_site_enter(struct th_fault_site *site)
{
    here = site;
}

static void count_site(struct th_fault_site *site, enum th_fault_kind kind,
                       bool failed)
{
    if (site == NULL || site->kind != kind) {
        return;
    }
    /* relaxed: see above */
    atomic_fetch_add_explicit(&site->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&site->failed, failed, memory_order_relaxed);
}

static bool fails(struct th_fault_env *fault, enum th_fault_kind kind)
{
    /* relaxed: see above */
    uint64_t call = 1 + atomic_fetch_add_explicit(&fault->kinds[kind].calls, 1,
                                                  memory_order_relaxed);
    uint64_t nth = fault->kinds[kind].nth;
    bool fail =
        nth != 0 && (fault->kinds[kind].once ? call == nth : call >= nth);
    if (fail) {
        atomic_fetch_add_explicit(&fault->kinds[kind].failed, 1,
                                  memory_order_relaxed);
    }
    count_site(here, kind, fail);
    here = NULL;
    return fail;
}

static void count(_Atomic int64_t *counter, int64_t by)
{
    /* relaxed: see above */
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static uint64_t fault_now_ns(void *ctx)
{
    const struct th_fault_env *fault = ctx;
    return fault->inner->now_ns(fault->inner->ctx);
}

static uint64_t fault_wall_ns(void *ctx)
{
    const struct th_fault_env *fault = ctx;
    return fault->inner->wall_ns(fault->inner->ctx);
}

static void fault_random(void *ctx, void *out, size_t len)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->random(fault->inner->ctx, out, len);
}

static void *fault_alloc(void *ctx, size_t size, size_t align)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_ALLOC)) {
        return NULL;
    }
    void *memory = fault->inner->alloc(fault->inner->ctx, size, align);
    count(&fault->live, memory != NULL ? 1 : 0);
    return memory;
}

static void fault_free(void *ctx, void *memory)
{
    struct th_fault_env *fault = ctx;
    count(&fault->live, memory != NULL ? -1 : 0);
    fault->inner->free(fault->inner->ctx, memory);
}

static void *fault_map(void *ctx, size_t size)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_MAP)) {
        return NULL;
    }
    void *memory = fault->inner->map(fault->inner->ctx, size);
    count(&fault->live_pages, memory != NULL ? 1 : 0);
    return memory;
}

static void *fault_reserve(void *ctx, size_t size)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_MAP)) {
        return NULL;
    }
    void *memory = fault->inner->map_reserve(fault->inner->ctx, size);
    count(&fault->live_pages, memory != NULL ? 1 : 0);
    return memory;
}

static theater_status_t fault_allow(void *ctx, void *memory, size_t size)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_MAP)) {
        return THEATER_OUT_OF_MEMORY;
    }
    return fault->inner->map_allow(fault->inner->ctx, memory, size);
}

static void fault_unmap(void *ctx, void *memory, size_t size)
{
    struct th_fault_env *fault = ctx;
    count(&fault->live_pages, memory != NULL ? -1 : 0);
    fault->inner->unmap(fault->inner->ctx, memory, size);
}

static void fault_discard(void *ctx, void *memory, size_t size)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->discard(fault->inner->ctx, memory, size);
}

static theater_status_t fault_thread_start(void *ctx, const char *name,
                                           void (*run)(void *arg), void *arg,
                                           theater_thread_t **out)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_THREAD)) {
        return THEATER_OUT_OF_MEMORY;
    }
    return fault->inner->thread_start(fault->inner->ctx, name, run, arg, out);
}

static void fault_thread_join(void *ctx, theater_thread_t *thread)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->thread_join(fault->inner->ctx, thread);
}

static void fault_park(void *ctx, const void *word, uint32_t expected,
                       uint64_t deadline_ns)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->park(fault->inner->ctx, word, expected, deadline_ns);
}

static void fault_unpark(void *ctx, const void *word, uint32_t woken)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->unpark(fault->inner->ctx, word, woken);
}

static void fault_yield(void *ctx, const char *point)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->yield(fault->inner->ctx, point);
}

/* What was read is freed here; it was not allocated here, unless the files'
 * own code takes this environment for the default one. */
static void count_file(struct th_fault_env *fault, theater_status_t status)
{
    count(&fault->live, status == THEATER_OK && in_use != fault ? 1 : 0);
}

static theater_status_t fault_file_read(void *ctx, const char *path,
                                        size_t limit, uint8_t **out_data,
                                        size_t *out_len)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_FILE_READ)) {
        return THEATER_IO;
    }
    theater_status_t status = fault->inner->file_read(fault->inner->ctx, path,
                                                      limit, out_data, out_len);
    count_file(fault, status);
    return status;
}

static theater_status_t fault_file_read_own(void *ctx, const char *path,
                                            size_t limit, uint8_t **out_data,
                                            size_t *out_len)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_FILE_READ)) {
        return THEATER_IO;
    }
    theater_status_t status = fault->inner->file_read_own(
        fault->inner->ctx, path, limit, out_data, out_len);
    count_file(fault, status);
    return status;
}

static theater_status_t fault_file_write(void *ctx, const char *path,
                                         const void *data, size_t len)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_FILE_WRITE)) {
        return THEATER_IO;
    }
    return fault->inner->file_write(fault->inner->ctx, path, data, len);
}

static theater_status_t fault_file_remove(void *ctx, const char *path)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_FILE_REMOVE)) {
        return THEATER_IO;
    }
    return fault->inner->file_remove(fault->inner->ctx, path);
}

static theater_status_t fault_folder_private(void *ctx, const char *path)
{
    struct th_fault_env *fault = ctx;
    if (fails(fault, TH_FAULT_FOLDER)) {
        return THEATER_IO;
    }
    return fault->inner->folder_private(fault->inner->ctx, path);
}

static void fault_log_write(void *ctx, const char *line, size_t len)
{
    const struct th_fault_env *fault = ctx;
    fault->inner->log_write(fault->inner->ctx, line, len);
}

void th_fault_env_init(struct th_fault_env *fault, const theater_env_t *inner)
{
    memset(fault, 0, sizeof(*fault));
    fault->inner = inner;
    fault->table = (theater_env_t){
        .size = sizeof(theater_env_t),
        .ctx = fault,
        .now_ns = fault_now_ns,
        .wall_ns = fault_wall_ns,
        .random = fault_random,
        .alloc = fault_alloc,
        .free = fault_free,
        .map = fault_map,
        .unmap = fault_unmap,
        .discard = fault_discard,
        .map_reserve = fault_reserve,
        .map_allow = fault_allow,
        .thread_start = fault_thread_start,
        .thread_join = fault_thread_join,
        .park = fault_park,
        .unpark = fault_unpark,
        .yield = fault_yield,
        .file_read = fault_file_read,
        .file_read_own = fault_file_read_own,
        .file_write = fault_file_write,
        .file_remove = fault_file_remove,
        .folder_private = fault_folder_private,
        .log_write = fault_log_write,
    };
}

void th_fault_env_fail(struct th_fault_env *fault, enum th_fault_kind kind,
                       uint64_t nth, bool once)
{
    /* relaxed: set up while nobody calls */
    atomic_store_explicit(&fault->kinds[kind].calls, 0, memory_order_relaxed);
    atomic_store_explicit(&fault->kinds[kind].failed, 0, memory_order_relaxed);
    fault->kinds[kind].nth = nth;
    fault->kinds[kind].once = once;
}

uint64_t th_fault_env_calls(struct th_fault_env *fault, enum th_fault_kind kind)
{
    return atomic_load_explicit(&fault->kinds[kind].calls,
                                memory_order_relaxed);
}

uint64_t th_fault_env_failed(struct th_fault_env *fault,
                             enum th_fault_kind kind)
{
    return atomic_load_explicit(&fault->kinds[kind].failed,
                                memory_order_relaxed);
}

int64_t th_fault_env_live(struct th_fault_env *fault)
{
    return atomic_load_explicit(&fault->live, memory_order_relaxed);
}

void th_fault_env_use(struct th_fault_env *fault)
{
    in_use = fault;
}

const theater_env_t *th_fault_env_default(void)
{
    return in_use != NULL ? &in_use->table : theater_env_default();
}

int64_t th_fault_env_live_pages(struct th_fault_env *fault)
{
    return atomic_load_explicit(&fault->live_pages, memory_order_relaxed);
}
