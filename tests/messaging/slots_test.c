/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept per thread, and what is made for short names and few uses, is
 * right for many threads, long names and slots at the end of their life too. */
#include "world.h"

#include "messaging/channel.h"
#include "messaging/op.h"

enum { CROWD = TH_SLOTS, NAMES = 64 };

/* --- More threads than slots ---------------------------------------------- */

struct crowd {
    struct world *world;
    _Atomic uint32_t arrived, leave;
    unsigned shared; /* threads that found no slot of their own */
};

static void await_word(const theater_env_t *env, _Atomic uint32_t *word,
                       uint32_t value)
{
    uint64_t give_up = th_now(env) + 20000 * MS;
    uint32_t seen;
    while ((seen = atomic_load_explicit(word, memory_order_acquire)) < value) {
        TH_CHECK(th_now(env) < give_up);
        env->park(env->ctx, word, seen, give_up);
    }
}

static void bump_word(const theater_env_t *env, _Atomic uint32_t *word)
{
    atomic_fetch_add_explicit(word, 1, memory_order_acq_rel);
    env->unpark(env->ctx, word, UINT32_MAX);
}

static void hold_a_slot(void *arg)
{
    struct crowd *crowd = arg;
    const theater_env_t *env = crowd->world->env;
    (void)th_slot();
    bump_word(env, &crowd->arrived);
    await_word(env, &crowd->leave, 1);
}

/* All that a thread does with a router. */
static void deal(void *arg)
{
    struct crowd *crowd = arg;
    struct world *world = crowd->world;
    struct outcome outcome;
    theater_timer_id_t timer;

    crowd->shared += th_slot() == 0;
    theater_endpoint_t *a = join(world, "a");
    theater_endpoint_t *b = join(world, "b");
    theater_channel_id_t channel = connect(a, b, "b", NULL);
    for (unsigned i = 0; i < 300; i++) {
        assert_status(send_text(world, a, "b", "m"), THEATER_OK);
        assert_status(theater_channel_send(a, channel, text("d")), THEATER_OK);
        handle_send(b, "m");
        handle(b, THEATER_MESSAGE_CHANNEL_DATA, "d");
    }
    assert_status(ask(world, a, "b", "q", 10000, &outcome, NULL),
                  THEATER_PENDING);
    const theater_message_t *asked = take(b, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_respond(b, asked->request, text("r")),
                  THEATER_OK);
    theater_endpoint_done(b, THEATER_OK);
    assert_ended(outcome, THEATER_OK);
    assert_status(theater_router_send_after(world->router, a, text("b"),
                                            text("later"), 1, &timer),
                  THEATER_OK);
    const theater_message_t *message = NULL;
    assert_status(theater_endpoint_wait(b, 20000, &message), THEATER_OK);
    assert_int_equal(message->data.len, 5);
    theater_endpoint_done(b, THEATER_OK);
    assert_status(send_text(world, a, "b", "left"), THEATER_OK);
    leave(a);
    leave(b); /* a dead letter */
}

static void
threads_that_share_a_slot_do_and_count_all_that_others_do(void **state)
{
    struct world world;
    struct crowd crowd = {.world = &world};
    theater_thread_t *threads[CROWD];
    theater_thread_t *last = NULL;
    (void)state;

    world_make(&world, NULL, false);
    const theater_env_t *env = world.env;
    for (unsigned i = 0; i < CROWD; i++) {
        assert_int_equal(env->thread_start(env->ctx, "slot", hold_a_slot,
                                           &crowd, &threads[i]),
                         THEATER_OK);
    }
    await_word(env, &crowd.arrived, CROWD);
    assert_int_equal(env->thread_start(env->ctx, "late", deal, &crowd, &last),
                     THEATER_OK);
    env->thread_join(env->ctx, last);
    assert_int_equal(crowd.shared, 1);
    bump_word(env, &crowd.leave);
    for (unsigned i = 0; i < CROWD; i++) {
        env->thread_join(env->ctx, threads[i]);
    }
    theater_counters_t c = counters_of(&world);
    assert_int_equal(c.accepted, 300 + 300 + 4);
    assert_int_equal(c.dead_total, 1);
    assert_int_equal(c.ended[THEATER_OK], 2); /* the request and the open */
    world_fini(&world);
}

/* --- Names of all lengths ------------------------------------------------- */

/* A name of `len` bytes that differs from others of that length in one. */
static void name_of(char *out, size_t len, size_t odd)
{
    memset(out, 'n', len);
    out[odd] = 'o';
    out[len] = '\0';
}

static void names_that_differ_in_one_byte_are_told_apart(void **state)
{
    static const size_t lengths[] = {1, 3, 4, 7, 8, 9, 16, 17, 43, 44, 255};
    struct world world;
    char name[256], said[16];
    (void)state;

    world_init(&world);
    theater_endpoint_t *from = join(&world, "a sender with a long name");
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        theater_endpoint_t *to[NAMES];
        size_t count = lengths[l] < NAMES ? lengths[l] : NAMES;
        for (size_t i = 0; i < count; i++) {
            name_of(name, lengths[l], i);
            to[i] = join(&world, name);
        }
        for (unsigned round = 0; round < 8; round++) {
            for (size_t i = 0; i < count; i++) {
                name_of(name, lengths[l], i);
                snprintf(said, sizeof said, "%zu", i);
                assert_status(send_text(&world, from, name, said), THEATER_OK);
            }
        }
        for (size_t i = 0; i < count; i++) {
            snprintf(said, sizeof said, "%zu", i);
            for (unsigned round = 0; round < 8; round++) {
                const theater_message_t *m =
                    take(to[i], THEATER_MESSAGE_SEND, said);
                assert_int_equal(m->sender.len, 25);
                assert_memory_equal(m->sender.data, "a sender with a long name",
                                    25);
                theater_endpoint_done(to[i], THEATER_OK);
            }
            nothing(to[i]);
            leave(to[i]);
        }
    }
    leave(from);
    world_fini(&world);
}

/* A target that is remembered, and takes no such message any more. */
static void a_remembered_name_that_another_took_is_asked_anew(void **state)
{
    struct world world;
    theater_endpoint_options_t mute = THEATER_ENDPOINT_OPTIONS_INIT;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    assert_status(send_text(&world, a, "b", "1"), THEATER_OK);
    handle_send(b, "1");
    leave(b);
    mute.accepts = THEATER_ACCEPT_REQUESTS;
    b = join_as(&world, "b", &mute);
    assert_status(send_text(&world, a, "b", "2"), THEATER_UNSUPPORTED);
    nothing(b);
    leave(a);
    leave(b);
    world_fini(&world);
}

/* --- Slots at the end of their life --------------------------------------- */

static void note_nothing(void *user, theater_status_t status,
                         theater_answer_t *answer)
{
    (void)status;
    theater_answer_delete(answer);
    ++*(unsigned *)user;
}

static uint64_t ask_nobody(struct world *world, unsigned *ends)
{
    theater_request_id_t id = {0};
    assert_status(theater_router_request_start(world->router, NULL, text("b"),
                                               text("q"), 10, note_nothing,
                                               ends, &id),
                  THEATER_PENDING);
    return id.value;
}

/* After four thousand million uses an id would come again: the slot of its
 * operation, and of its channel, is not used any more instead. */
static void an_id_never_comes_again(void **state)
{
    struct world world;
    struct outcome outcome;
    unsigned ends = 0;
    (void)state;

    world_init(&world);
    theater_endpoint_t *a = join(&world, "a");
    theater_endpoint_t *b = join(&world, "b");
    uint64_t id = ask_nobody(&world, &ends);
    assert_status(
        theater_router_cancel(world.router, (theater_request_id_t){id}),
        THEATER_OK);
    struct th_op *op = th_slab_at(&world.router->ops, (uint32_t)id);
    atomic_store_explicit(&op->state, (uint64_t)(UINT32_MAX - 1) << 32,
                          memory_order_relaxed);
    uint64_t last = ask_nobody(&world, &ends);
    assert_true(last == ((uint64_t)UINT32_MAX << 32 | (uint32_t)id));
    assert_status(
        theater_router_cancel(world.router, (theater_request_id_t){last}),
        THEATER_OK);
    uint64_t next = ask_nobody(&world, &ends);
    assert_true((uint32_t)next != (uint32_t)id);
    assert_status(
        theater_router_cancel(world.router, (theater_request_id_t){next}),
        THEATER_OK);
    assert_int_equal(ends, 3);
    nothing(b);

    theater_channel_id_t channel = connect(a, b, "b", NULL);
    assert_status(theater_channel_close(a, channel, THEATER_OK), THEATER_OK);
    handle(b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    struct th_channel *slot =
        th_slab_at(&world.router->channels, (uint32_t)channel.value);
    atomic_store_explicit(&slot->state, (uint64_t)(UINT32_MAX - 1) << 32,
                          memory_order_relaxed);
    channel = connect(a, b, "b", NULL);
    assert_true(channel.value >> 32 == UINT32_MAX);
    assert_status(theater_channel_close(a, channel, THEATER_OK), THEATER_OK);
    handle(b, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
    theater_channel_id_t other = connect(a, b, "b", NULL);
    assert_true((uint32_t)other.value != (uint32_t)channel.value);
    assert_status(offer(a, "b", "never decided", 0, &outcome), THEATER_PENDING);
    leave(a);
    leave(b);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            threads_that_share_a_slot_do_and_count_all_that_others_do),
        cmocka_unit_test(names_that_differ_in_one_byte_are_told_apart),
        cmocka_unit_test(a_remembered_name_that_another_took_is_asked_anew),
        cmocka_unit_test(an_id_never_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
