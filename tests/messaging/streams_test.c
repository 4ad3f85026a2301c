/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels under churn, on two threads: opened, refused, written to, closed
 * from both ends at once, and cut when an end goes away. Each end sees a
 * channel's data without a gap, in order, from the first on, and nothing behind
 * its close; what was accepted comes out once, handled or as a dead letter.
 */
#include "world.h"

#include <pthread.h>

enum { PLAYERS = 2, STEPS = 100000, CHANNELS = 64, OPENS = 8, LEAD = 100 };

struct stream {
    uint64_t id; /* 0: unused */
    uint32_t next_out, next_in;
};

struct opening {
    _Atomic uint32_t state; /* IDLE, ASKED, OPENED, REFUSED */
    uint64_t id;
};

enum { IDLE, ASKED, OPENED, REFUSED };

struct player {
    theater_router_t *router;
    theater_endpoint_t *me;
    struct th_rng rng;
    pthread_t thread;
    unsigned index;
    struct stream streams[CHANNELS];
    struct opening openings[OPENS];
    uint64_t sent, handled, opened, closes;
};

static struct player players[PLAYERS];
static pthread_barrier_t barrier;
static _Atomic uint64_t dead_data;
static _Atomic uint32_t wrong;
static _Atomic uint32_t steps[PLAYERS];

static void on_dead(void *user, const theater_dead_letter_t *letter)
{
    (void)user;
    if (letter->kind == THEATER_MESSAGE_CHANNEL_DATA) {
        atomic_fetch_add_explicit(&dead_data, 1, memory_order_relaxed);
    }
}

static void complain(void)
{
    atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
}

/* The stream of that id; made where there is none yet. NULL: no room. */
static struct stream *stream_of(struct player *player, uint64_t id)
{
    struct stream *unused = NULL;
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct stream *stream = &player->streams[i];
        if (stream->id == id) {
            return stream;
        }
        if (stream->id == 0 && unused == NULL) {
            unused = stream;
        }
    }
    if (unused != NULL) {
        *unused = (struct stream){.id = id};
    }
    return unused;
}

static void opened(void *user, theater_status_t status,
                   theater_channel_id_t channel)
{
    struct opening *opening = user;
    opening->id = channel.value;
    atomic_store_explicit(&opening->state,
                          status == THEATER_OK ? OPENED : REFUSED,
                          memory_order_release);
}

static void note_openings(struct player *player)
{
    for (unsigned i = 0; i < OPENS; i++) {
        struct opening *opening = &player->openings[i];
        uint32_t state =
            atomic_load_explicit(&opening->state, memory_order_acquire);
        if (state == OPENED) {
            (void)stream_of(player, opening->id);
            player->opened++;
        }
        if (state == OPENED || state == REFUSED) {
            atomic_store_explicit(&opening->state, IDLE, memory_order_relaxed);
        }
    }
}

static void open_one(struct player *player)
{
    for (unsigned i = 0; i < OPENS; i++) {
        struct opening *opening = &player->openings[i];
        /* relaxed: this thread made it idle */
        if (atomic_load_explicit(&opening->state, memory_order_relaxed) !=
            IDLE) {
            continue;
        }
        atomic_store_explicit(&opening->state, ASKED, memory_order_relaxed);
        if (theater_channel_open_start(
                player->me, text(player->index == 0 ? "p1" : "p0"), text("?"),
                1 + (uint32_t)th_rng_below(&player->rng, 50), opened, opening,
                NULL) != THEATER_PENDING) {
            atomic_store_explicit(&opening->state, IDLE, memory_order_relaxed);
        }
        return;
    }
}

static struct stream *any_stream(struct player *player)
{
    struct stream *stream =
        &player->streams[th_rng_below(&player->rng, CHANNELS)];
    return stream->id != 0 ? stream : NULL;
}

static void write_one(struct player *player)
{
    struct stream *stream = any_stream(player);
    if (stream == NULL) {
        return;
    }
    theater_bytes_t data = {(const uint8_t *)&stream->next_out,
                            sizeof(stream->next_out)};
    if (theater_channel_send(player->me, (theater_channel_id_t){stream->id},
                             data) == THEATER_OK) {
        stream->next_out++;
        player->sent++;
    }
}

static void close_one(struct player *player)
{
    struct stream *stream = any_stream(player);
    if (stream != NULL) {
        (void)!theater_channel_close(
            player->me, (theater_channel_id_t){stream->id}, THEATER_CANCELLED);
        stream->id = 0;
    }
}

static void read_data(struct player *player, const theater_message_t *message)
{
    struct stream *stream = stream_of(player, message->channel.value);
    uint32_t number;
    memcpy(&number, message->data.data, sizeof(number));
    player->handled++;
    if (stream == NULL || number != stream->next_in++) {
        complain();
    }
}

static void read_one(struct player *player)
{
    const theater_message_t *message;
    if (theater_endpoint_receive(player->me, &message) != THEATER_OK) {
        return;
    }
    struct stream *stream = NULL;
    switch (message->kind) {
    case THEATER_MESSAGE_CHANNEL_OPEN:
        if (th_rng_below(&player->rng, 3) > 0 &&
            theater_channel_accept(player->me) == THEATER_OK) {
            stream = stream_of(player, message->channel.value);
            if (stream == NULL) {
                complain();
            }
        }
        break;
    case THEATER_MESSAGE_CHANNEL_DATA:
        note_openings(player);
        read_data(player, message);
        break;
    case THEATER_MESSAGE_CHANNEL_CLOSE:
        note_openings(player);
        player->closes++;
        stream = stream_of(player, message->channel.value);
        if (stream != NULL) {
            stream->id = 0;
        }
        break;
    default:
        complain();
        break;
    }
    theater_endpoint_done(player->me, THEATER_OK);
}

static void enter(struct player *player)
{
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    char name[16];
    int len = snprintf(name, sizeof(name), "p%u", player->index);
    options.channel_credit = 8;
    options.max_channels = CHANNELS / 2;
    if (theater_router_register(player->router, name, (size_t)len, &options,
                                &player->me) != THEATER_OK) {
        abort();
    }
    memset(player->streams, 0, sizeof(player->streams));
}

/* Neither gets far ahead of the other, whatever the machine does. */
static void keep_pace(const struct player *player, uint32_t step)
{
    const theater_env_t *env = theater_env_default();
    _Atomic uint32_t *other = &steps[1 - player->index];
    atomic_store_explicit(&steps[player->index], step, memory_order_relaxed);
    for (;;) {
        uint32_t its = atomic_load_explicit(other, memory_order_relaxed);
        if (step < its + LEAD) {
            return;
        }
        env->park(env->ctx, other, its, th_now(env) + 20000);
    }
}

static void *play(void *arg)
{
    struct player *player = arg;
    pthread_barrier_wait(&barrier);
    for (uint32_t step = 0; step < STEPS; step++) {
        uint64_t what = th_rng_below(&player->rng, 1000);
        keep_pace(player, step);
        note_openings(player);
        if (what < 60) {
            open_one(player);
        } else if (what < 90) {
            close_one(player);
        } else if (what < 500) {
            write_one(player);
        } else if (what < 995) {
            read_one(player);
        } else if (what < 999 || th_rng_below(&player->rng, 20) > 0) {
            theater_router_advance(player->router,
                                   th_now(theater_env_default()));
        } else {
            theater_endpoint_unregister(player->me, THEATER_CLOSED);
            note_openings(player);
            enter(player);
        }
    }
    atomic_store_explicit(&steps[player->index], STEPS, memory_order_relaxed);
    pthread_barrier_wait(&barrier);
    theater_endpoint_unregister(player->me, THEATER_CLOSED);
    return NULL;
}

static void streams_have_no_gap_and_nothing_is_lost(void **state)
{
    (void)state;
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = NULL;
    const char *seed_text = getenv("THEATER_TEST_SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 0) : 30;
    uint64_t sent = 0;
    uint64_t handled = 0;
    uint64_t channels = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    options.on_dead_letter = on_dead;
    assert_status(theater_router_new(&options, &router), THEATER_OK);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, PLAYERS), 0);
    for (unsigned i = 0; i < PLAYERS; i++) {
        players[i].router = router;
        players[i].index = i;
        th_rng_init(&players[i].rng, seed + i);
        enter(&players[i]);
    }
    for (unsigned i = 0; i < PLAYERS; i++) {
        assert_int_equal(
            pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
    }
    for (unsigned i = 0; i < PLAYERS; i++) {
        assert_int_equal(pthread_join(players[i].thread, NULL), 0);
        sent += players[i].sent;
        handled += players[i].handled;
        channels += players[i].opened;
    }
    theater_counters_t counters;
    theater_router_counters(router, &counters);
    uint64_t dead = atomic_load_explicit(&dead_data, memory_order_relaxed);
    print_message("channels %llu, sent %llu, handled %llu, dead %llu\n",
                  (unsigned long long)channels, (unsigned long long)sent,
                  (unsigned long long)handled, (unsigned long long)dead);
    assert_int_equal(atomic_load_explicit(&wrong, memory_order_relaxed), 0);
    assert_int_equal(sent, handled + dead);
    assert_true(channels > 50);
    assert_true(handled > 1000);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.endpoints, 0);
    theater_router_release(router);
    pthread_barrier_destroy(&barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_have_no_gap_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
