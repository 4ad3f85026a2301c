/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Slots for memories and stacks: apart from each other, zero, moved when they
 * grow, swept only when idle. */
#include "wasm/slab.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <pthread.h>
#include <unistd.h>

#include <cmocka.h>

enum { STACK = 65536, PAGE = 65536, MANY = 200 };

static struct th_slabs *slabs;

static int set_up(void **state)
{
    (void)state;
    return th_slabs_new(theater_env_default(), STACK, &slabs) == THEATER_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    th_slabs_delete(slabs);
    return 0;
}

static void random_growth_keeps_every_memory_s_bytes(void **state)
{
    struct th_linear memories[MANY] = {0};
    struct th_rng rng;
    (void)state;
    th_rng_init(&rng, 42);
    for (unsigned step = 0; step < 4000; step++) {
        unsigned i = (unsigned)th_rng_below(&rng, MANY);
        struct th_linear *m = &memories[i];
        if (m->base == NULL) {
            m->limit = (uint64_t)8 << 20;
            assert_int_equal(
                th_linear_init(m, slabs, (1 + th_rng_below(&rng, 3)) * PAGE),
                THEATER_OK);
            for (uint64_t at = 0; at < m->size; at += 4096) {
                assert_int_equal(m->base[at], 0);
            }
            memset(m->base, (int)i, 64);
        } else if (th_rng_below(&rng, 4) == 0) {
            th_linear_fini(m);
        } else {
            uint64_t old = m->size;
            uint64_t size = old + th_rng_below(&rng, 20) * PAGE;
            assert_int_equal(th_linear_grow(m, size),
                             size > m->limit ? THEATER_LIMIT : THEATER_OK);
            if (size <= m->limit && size > old) {
                assert_int_equal(m->base[old], 0);
                assert_int_equal(m->base[size - 1], 0);
                m->base[size - 1] = (uint8_t)i;
            }
            assert_in_range(m->size, 0, th_linear_capacity(m));
        }
        if (m->base != NULL) {
            for (unsigned b = 0; b < 64; b++) {
                assert_int_equal(m->base[b], (uint8_t)i);
            }
        }
    }
    for (unsigned i = 0; i < MANY; i++) {
        th_linear_fini(&memories[i]);
    }
}

static void the_limit_is_the_limit(void **state)
{
    struct th_linear m = {.limit = 2 * PAGE};
    (void)state;
    assert_int_equal(th_linear_init(&m, slabs, 3 * PAGE), THEATER_LIMIT);
    assert_null(m.base);
    assert_int_equal(th_linear_init(&m, slabs, PAGE), THEATER_OK);
    assert_int_equal(th_linear_grow(&m, 3 * PAGE), THEATER_LIMIT);
    assert_int_equal(m.size, PAGE);
    assert_int_equal(th_linear_grow(&m, 2 * PAGE), THEATER_OK);
    th_linear_fini(&m);
}

static void four_gigabytes_can_be_had(void **state)
{
    struct th_linear m = {.limit = (uint64_t)4 << 30};
    (void)state;
    assert_int_equal(th_linear_init(&m, slabs, PAGE), THEATER_OK);
    m.base[5] = 7;
    assert_int_equal(th_linear_grow(&m, (uint64_t)4 << 30), THEATER_OK);
    assert_int_equal(m.base[5], 7);
    m.base[((uint64_t)4 << 30) - 1] = 1;
    th_linear_fini(&m);
}

/* Is the byte there? A fault would end the program, so the kernel reads. */
static bool is_there(const uint8_t *byte)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    bool there = write(ends[1], byte, 1) == 1;
    assert_true(there || errno == EFAULT);
    close(ends[0]);
    close(ends[1]);
    return there;
}

static void a_reserved_memory_stays_and_ends_where_it_ends(void **state)
{
    struct th_linear m = {.limit = 3 * PAGE, .reserved = true};
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(th_linear_init(&m, slabs, PAGE), THEATER_OK);
        const uint8_t *base = m.base;
        assert_int_equal(th_linear_capacity(&m), (uint64_t)4 << 30);
        assert_true(is_there(base + PAGE - 1));
        assert_false(is_there(base + PAGE));
        assert_int_equal(m.base[7], 0);
        m.base[7] = 1;
        assert_int_equal(th_linear_grow(&m, 3 * PAGE), THEATER_OK);
        assert_ptr_equal(m.base, base);
        assert_int_equal(m.base[7], 1);
        assert_int_equal(m.base[3 * PAGE - 1], 0);
        assert_false(is_there(base + 3 * PAGE));
        assert_int_equal(th_linear_grow(&m, 4 * PAGE), THEATER_LIMIT);
        assert_false(is_there(base + TH_RESERVED + TH_RESERVED_GUARD - 1));
        th_linear_fini(&m);
        assert_null(m.base);
    }
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

/* A budget of so many stacks. */
static bool some(void *arg)
{
    unsigned *left = arg;
    return (*left)-- > 0;
}

static void a_sweep_ends_when_it_is_told(void **state)
{
    enum { STACKS = 8 };
    struct th_stack_slot *stacks[STACKS];
    unsigned left = 4, swept = 0; /* one for the chunk, three stacks go on */
    (void)state;
    for (unsigned i = 0; i < STACKS; i++) {
        assert_int_equal(th_stack_take(slabs, &stacks[i]), THEATER_OK);
        th_stack_busy(stacks[i]);
        stacks[i]->low[STACK - 1] = 1;
        th_stack_idle(stacks[i]);
    }
    th_stack_sweep(slabs, some, &left);
    for (unsigned i = 0; i < STACKS; i++) {
        swept += stacks[i]->low[STACK - 1] == 0;
    }
    assert_int_equal(swept, 4);
    th_stack_sweep(slabs, always, NULL);
    for (unsigned i = 0; i < STACKS; i++) {
        assert_int_equal(stacks[i]->low[STACK - 1], 0);
        th_stack_give(slabs, stacks[i]);
    }
}

static void a_sweep_takes_idle_stacks_and_leaves_busy_ones(void **state)
{
    struct th_stack_slot *idle, *busy;
    (void)state;
    assert_int_equal(th_stack_take(slabs, &idle), THEATER_OK);
    assert_int_equal(th_stack_take(slabs, &busy), THEATER_OK);
    th_stack_busy(idle);
    th_stack_busy(busy);
    idle->low[STACK - 1] = 1;
    busy->low[STACK - 1] = 1;
    th_stack_idle(idle);
    th_stack_sweep(slabs, always, NULL);
    assert_int_equal(idle->low[STACK - 1], 0);
    assert_int_equal(busy->low[STACK - 1], 1);
    th_stack_check(busy);
    th_stack_idle(busy);
    th_stack_give(slabs, idle);
    th_stack_give(slabs, busy);
}

static atomic_bool sweeping;

static void *sweep(void *arg)
{
    (void)arg;
    while (atomic_load_explicit(&sweeping, memory_order_relaxed)) {
        th_stack_sweep(slabs, always, NULL);
    }
    return NULL;
}

static void a_sweep_never_touches_a_stack_in_use(void **state)
{
    pthread_t thread;
    struct th_stack_slot *stack;
    (void)state;
    assert_int_equal(th_stack_take(slabs, &stack), THEATER_OK);
    atomic_store_explicit(&sweeping, true, memory_order_relaxed);
    assert_int_equal(pthread_create(&thread, NULL, sweep, NULL), 0);
    for (unsigned i = 1; i < 20000; i++) {
        volatile uint8_t *top = stack->low + STACK - 8;
        th_stack_busy(stack);
        *top = (uint8_t)(1 + i % 255);
        th_pause();
        assert_int_equal(*top, 1 + i % 255);
        th_stack_idle(stack);
    }
    atomic_store_explicit(&sweeping, false, memory_order_relaxed);
    assert_int_equal(pthread_join(thread, NULL), 0);
    th_stack_give(slabs, stack);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_growth_keeps_every_memory_s_bytes),
        TEST(the_limit_is_the_limit),
        TEST(four_gigabytes_can_be_had),
        TEST(a_reserved_memory_stays_and_ends_where_it_ends),
        TEST(a_sweep_takes_idle_stacks_and_leaves_busy_ones),
        TEST(a_sweep_ends_when_it_is_told),
        TEST(a_sweep_never_touches_a_stack_in_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
