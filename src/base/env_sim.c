/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A world of one thread in which nothing happens by itself: the
 * clock stands until it is moved, random numbers come from the seed, nobody
 * else can be waited for. Parking returns at once; when it has a deadline the
 * clock moves there first, since in a world of one thread that is all that can
 * happen meanwhile. Memory, files and standard error are the real ones. */
#include "base/points.h"

/* The clock's first time: nobody mistakes it for "none". */
#define START_NS UINT64_C(1000000000)
/* 2026-01-01 00:00:00 UTC, for the wall clock at START_NS. */
#define WALL_NS UINT64_C(1767225600000000000)

struct th_sim_env {
    theater_env_t table;
    uint64_t now_ns;
    struct th_rng rng;
    uint64_t yields;
    struct th_rng luck; /* of the points alone: a new one shifts nothing else */
    struct {
        uint64_t asked, taken;
        uint32_t one_in; /* 0: never, under this seed */
    } points[TH_POINT_COUNT];
};

static uint64_t sim_now_ns(void *ctx)
{
    const struct th_sim_env *sim = ctx;
    return sim->now_ns;
}

static uint64_t sim_wall_ns(void *ctx)
{
    const struct th_sim_env *sim = ctx;
    return WALL_NS + (sim->now_ns - START_NS);
}

static void sim_random(void *ctx, void *out, size_t len)
{
    struct th_sim_env *sim = ctx;
    uint8_t *bytes = out;

    while (len > 0) {
        uint64_t value = th_rng_next(&sim->rng);
        /* Byte by byte: the same on machines of either byte order. */
        for (unsigned i = 0; i < 8 && len > 0; i++, len--) {
            *bytes++ = (uint8_t)(value >> (8 * i));
        }
    }
}

static void *sim_alloc(void *ctx, size_t size, size_t align)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->alloc(real->ctx, size, align);
}

static void sim_free(void *ctx, void *memory)
{
    (void)ctx;
    th_free(theater_env_default(), memory);
}

/* Pages, files and standard error are the real world's. */
static void *sim_map(void *ctx, size_t size)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->map(real->ctx, size);
}

static void *sim_reserve(void *ctx, size_t size)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->map_reserve(real->ctx, size);
}

static theater_status_t sim_allow(void *ctx, void *memory, size_t size)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->map_allow(real->ctx, memory, size);
}

static void sim_unmap(void *ctx, void *memory, size_t size)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    real->unmap(real->ctx, memory, size);
}

static void sim_discard(void *ctx, void *memory, size_t size)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    real->discard(real->ctx, memory, size);
}

static theater_status_t sim_file_read(void *ctx, const char *path, size_t limit,
                                      uint8_t **out_data, size_t *out_len)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->file_read(real->ctx, path, limit, out_data, out_len);
}

static theater_status_t sim_file_read_own(void *ctx, const char *path,
                                          size_t limit, uint8_t **out_data,
                                          size_t *out_len)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->file_read_own(real->ctx, path, limit, out_data, out_len);
}

static theater_status_t sim_file_write(void *ctx, const char *path,
                                       const void *data, size_t len)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->file_write(real->ctx, path, data, len);
}

static theater_status_t sim_file_remove(void *ctx, const char *path)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->file_remove(real->ctx, path);
}

static theater_status_t sim_folder_private(void *ctx, const char *path)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    return real->folder_private(real->ctx, path);
}

static void sim_log_write(void *ctx, const char *line, size_t len)
{
    const theater_env_t *real = theater_env_default();
    (void)ctx;
    real->log_write(real->ctx, line, len);
}

static theater_status_t sim_thread_start(void *ctx, const char *name,
                                         void (*run)(void *arg), void *arg,
                                         theater_thread_t **out)
{
    (void)ctx;
    (void)name;
    (void)run;
    (void)arg;
    (void)out;
    return THEATER_UNSUPPORTED;
}

static void sim_thread_join(void *ctx, theater_thread_t *thread)
{
    (void)ctx;
    (void)thread;
    TH_CHECK(false && "a simulated world has no threads to join");
}

static void sim_move(struct th_sim_env *sim, uint64_t now_ns)
{
    if (now_ns > sim->now_ns) {
        sim->now_ns = now_ns;
    }
}

static void sim_park(void *ctx, const void *word, uint32_t expected,
                     uint64_t deadline_ns)
{
    const _Atomic uint32_t *value = word;

    /* relaxed: there is one thread */
    if (deadline_ns != THEATER_NEVER &&
        atomic_load_explicit(value, memory_order_relaxed) == expected) {
        sim_move(ctx, deadline_ns);
    }
}

static void sim_unpark(void *ctx, const void *word, uint32_t count)
{
    (void)ctx;
    (void)word;
    (void)count;
}

static void sim_yield(void *ctx, const char *point)
{
    struct th_sim_env *sim = ctx;
    (void)point;
    sim->yields++;
}

/* --- Points -------------------------------------------------------------- */

static bool sim_rare(void *ctx, unsigned point)
{
    struct th_sim_env *sim = ctx;

    TH_CHECK(point < TH_POINT_COUNT);
    sim->points[point].asked++;
    if (sim->points[point].one_in == 0 ||
        th_rng_below(&sim->luck, sim->points[point].one_in) != 0) {
        return false;
    }
    sim->points[point].taken++;
    return true;
}

const char *th_point_name(enum th_point point)
{
#define TH_POINT_NAME(name, text) text,
    static const char *const names[] = {TH_POINTS(TH_POINT_NAME)};
#undef TH_POINT_NAME
    return point < TH_POINT_COUNT ? names[point] : "?";
}

/* Different bugs need different luck: under each seed half of the points never
 * happen, the others often, now and then, or seldom. */
void th_sim_env_offer(struct th_sim_env *sim)
{
    static const uint32_t rates[] = {0, 0, 0, 2, 8, 100};

    for (unsigned i = 0; i < TH_POINT_COUNT; i++) {
        sim->points[i].one_in =
            rates[th_rng_below(&sim->luck, sizeof rates / sizeof *rates)];
    }
    sim->table.rare = sim_rare;
}

uint64_t th_sim_env_asked(const struct th_sim_env *sim, enum th_point point)
{
    return sim->points[point].asked;
}

uint64_t th_sim_env_taken(const struct th_sim_env *sim, enum th_point point)
{
    return sim->points[point].taken;
}

/* --- The world ----------------------------------------------------------- */

theater_status_t th_sim_env_new(uint64_t seed, struct th_sim_env **out)
{
    const theater_env_t *real = theater_env_default();
    struct th_sim_env *sim = th_calloc(real, sizeof(*sim));
    if (sim == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    sim->table = (theater_env_t){
        .size = sizeof(theater_env_t),
        .ctx = sim,
        .now_ns = sim_now_ns,
        .wall_ns = sim_wall_ns,
        .random = sim_random,
        .alloc = sim_alloc,
        .free = sim_free,
        .map = sim_map,
        .unmap = sim_unmap,
        .discard = sim_discard,
        .map_reserve = sim_reserve,
        .map_allow = sim_allow,
        .thread_start = sim_thread_start,
        .thread_join = sim_thread_join,
        .park = sim_park,
        .unpark = sim_unpark,
        .yield = sim_yield,
        .file_read = sim_file_read,
        .file_read_own = sim_file_read_own,
        .file_write = sim_file_write,
        .file_remove = sim_file_remove,
        .folder_private = sim_folder_private,
        .log_write = sim_log_write,
    };
    sim->now_ns = START_NS;
    th_rng_init(&sim->rng, seed);
    th_rng_init(&sim->luck, ~seed);
    *out = sim;
    return THEATER_OK;
}

void th_sim_env_delete(struct th_sim_env *sim)
{
    th_free(theater_env_default(), sim);
}

const theater_env_t *th_sim_env_table(struct th_sim_env *sim)
{
    return &sim->table;
}

void th_sim_env_advance(const theater_env_t *env, uint64_t now_ns)
{
    TH_ASSERT(env->now_ns == sim_now_ns);
    sim_move(env->ctx, now_ns);
}

bool th_sim_env_is(const theater_env_t *env)
{
    return env->now_ns == sim_now_ns;
}

uint64_t th_sim_env_yields(const theater_env_t *env)
{
    TH_ASSERT(env->now_ns == sim_now_ns);
    const struct th_sim_env *sim = env->ctx;
    return sim->yields;
}
