/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accepted means accounted for, with threads that send in every way while
 * names come and go. Every message carries who sent it, a number and a
 * checksum; a ledger outside the router counts, per message, how often it was
 * accepted and how often it came out: handled or a dead letter. The two must
 * agree for each, and what one sender sends to one receiver comes in order.
 */
#include "world.h"

#include <pthread.h>

enum {
    THREADS = 3,
    NAMES = 9, /* thread t owns the names t, t + 3, t + 6 */
    OWN = NAMES / THREADS,
    MESSAGES = 40000, /* per thread */
    PAYLOAD_MAX = 300,
    IN_FLIGHT = 64, /* operations with a callback, per thread */
};

struct payload {
    uint32_t thread;
    uint32_t number;
    uint32_t len;
    uint32_t checksum;
};

struct ledger {
    _Atomic uint16_t accepted[THREADS][MESSAGES];
    _Atomic uint16_t out[THREADS][MESSAGES];
    /* A request whose deadline came while it was refused: it was under way
     * (PENDING, then TIMEOUT), but no message was accepted. */
    _Atomic uint8_t timed_out[THREADS][MESSAGES];
    _Atomic uint32_t corrupt;
    _Atomic uint32_t disordered;
    _Atomic uint32_t handled;
    _Atomic uint32_t dead;
    _Atomic uint32_t ended_requests;
};

/* A send or request whose end is told by a callback. */
struct operation {
    struct player *player;
    _Atomic uint32_t busy;
    uint32_t number;
    bool request;
};

struct player {
    struct th_rng rng;
    theater_router_t *router;
    theater_endpoint_t *me; /* sends; handles nothing */
    theater_endpoint_t *own[OWN];
    /* Last number that each thread's sends had, per own endpoint. */
    int64_t last[OWN][THREADS];
    pthread_t thread;
    unsigned index;
    uint32_t next;
    uint32_t started_requests;
    struct operation operations[IN_FLIGHT];
};

static struct ledger ledger;
static pthread_barrier_t barrier;

static uint32_t checksum(const uint8_t *data, size_t len, uint32_t seed)
{
    return (uint32_t)th_hash64(data, len, seed);
}

static theater_bytes_t compose(struct player *player, uint32_t number,
                               uint8_t *buffer)
{
    struct payload head = {player->index, number, 0, 0};
    size_t extra = (size_t)th_rng_below(&player->rng, PAYLOAD_MAX);
    head.len = (uint32_t)(sizeof(head) + extra);
    memset(buffer + sizeof(head), (int)(number & 0xff), extra);
    head.checksum = checksum(buffer + sizeof(head), extra, number);
    memcpy(buffer, &head, sizeof(head));
    return (theater_bytes_t){buffer, head.len};
}

/* Checks a payload; false: not one of ours. */
static bool read_payload(theater_bytes_t data, struct payload *out)
{
    struct payload head;
    if (data.len < sizeof(head)) {
        return false;
    }
    memcpy(&head, data.data, sizeof(head));
    if (head.thread >= THREADS || head.number >= MESSAGES ||
        head.len != data.len ||
        head.checksum != checksum(data.data + sizeof(head),
                                  data.len - sizeof(head), head.number)) {
        return false;
    }
    *out = head;
    return true;
}

static void came_out(theater_bytes_t data)
{
    struct payload head;
    if (!read_payload(data, &head)) {
        atomic_fetch_add_explicit(&ledger.corrupt, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&ledger.out[head.thread][head.number], 1,
                              memory_order_relaxed);
}

static void on_dead(void *user, const theater_dead_letter_t *letter)
{
    (void)user;
    atomic_fetch_add_explicit(&ledger.dead, 1, memory_order_relaxed);
    came_out(letter->data);
}

static void accepted(const struct player *player, uint32_t number,
                     unsigned times)
{
    atomic_fetch_add_explicit(&ledger.accepted[player->index][number],
                              (uint16_t)times, memory_order_relaxed);
}

/* --- Receiving ----------------------------------------------------------- */

static void note_order(struct player *player, unsigned own,
                       const theater_message_t *message)
{
    struct payload head;
    if (!read_payload(message->data, &head)) {
        return; /* counted by came_out */
    }
    int64_t *last = &player->last[own][head.thread];
    if ((int64_t)head.number < *last) {
        atomic_fetch_add_explicit(&ledger.disordered, 1, memory_order_relaxed);
    }
    *last = (int64_t)head.number;
}

static void handle_some(struct player *player, unsigned own, unsigned most)
{
    theater_endpoint_t *endpoint = player->own[own];
    const theater_message_t *message;
    for (unsigned i = 0; i < most; i++) {
        if (theater_endpoint_receive(endpoint, &message) != THEATER_OK) {
            return;
        }
        came_out(message->data);
        note_order(player, own, message);
        atomic_fetch_add_explicit(&ledger.handled, 1, memory_order_relaxed);
        theater_request_id_t later;
        bool request = message->kind == THEATER_MESSAGE_REQUEST;
        uint64_t what = th_rng_below(&player->rng, 8);
        if (request && what < 4) {
            (void)!theater_endpoint_respond(endpoint, message->request,
                                            message->data);
        } else if (request && what < 6) {
            (void)!theater_endpoint_defer(endpoint, &later);
        }
        theater_endpoint_done(endpoint,
                              what == 7 ? THEATER_TRAPPED : THEATER_OK);
    }
}

static void forget_order(struct player *player, unsigned own)
{
    for (unsigned i = 0; i < THREADS; i++) {
        player->last[own][i] = -1;
    }
}

static void enter(struct player *player, unsigned own)
{
    static const theater_on_full_t policies[] = {
        THEATER_REFUSE, THEATER_DROP_NEWEST, THEATER_DROP_OLDEST};
    theater_endpoint_options_t options = THEATER_ENDPOINT_OPTIONS_INIT;
    char name[16];
    int len =
        snprintf(name, sizeof(name), "name-%u", player->index + own * THREADS);
    options.capacity = 1 + (uint32_t)th_rng_below(&player->rng, 40);
    options.capacity_bytes = 1000;
    options.on_full = policies[th_rng_below(&player->rng, 3)];
    options.max_requests = 8;
    if (theater_router_register(player->router, name, (size_t)len, &options,
                                &player->own[own]) != THEATER_OK) {
        abort();
    }
    forget_order(player, own);
}

static void churn(struct player *player)
{
    unsigned own = (unsigned)th_rng_below(&player->rng, OWN);
    if (th_rng_below(&player->rng, 3) == 0) {
        theater_endpoint_reset(player->own[own], THEATER_CLOSED);
        return;
    }
    theater_endpoint_unregister(player->own[own], THEATER_CLOSED);
    enter(player, own);
}

/* --- Sending -------------------------------------------------------------- */

static void operation_done(void *user, theater_status_t status,
                           theater_answer_t *answer)
{
    struct operation *operation = user;
    theater_answer_delete(answer);
    if (operation->request) {
        atomic_fetch_add_explicit(&ledger.ended_requests, 1,
                                  memory_order_relaxed);
        if (status == THEATER_TIMEOUT) {
            atomic_store_explicit(
                &ledger.timed_out[operation->player->index][operation->number],
                1, memory_order_relaxed);
        }
    } else if (status == THEATER_OK) {
        accepted(operation->player, operation->number, 1);
    }
    atomic_store_explicit(&operation->busy, 0, memory_order_release);
}

static struct operation *idle_operation(struct player *player)
{
    for (unsigned i = 0; i < IN_FLIGHT; i++) {
        struct operation *operation = &player->operations[i];
        if (atomic_load_explicit(&operation->busy, memory_order_acquire) == 0) {
            return operation;
        }
    }
    return NULL;
}

static void start(struct player *player, theater_bytes_t target,
                  uint32_t number, theater_bytes_t data, bool request)
{
    struct operation *operation = idle_operation(player);
    theater_request_id_t id;
    theater_status_t status;
    uint32_t timeout = 1 + (uint32_t)th_rng_below(&player->rng, 30);
    if (operation == NULL) {
        return;
    }
    operation->player = player;
    operation->number = number;
    operation->request = request;
    atomic_store_explicit(&operation->busy, 1, memory_order_relaxed);
    if (request) {
        /* Counted beforehand, as it may come out at once; taken back. */
        accepted(player, number, 1);
        status = theater_router_request_start(player->router, player->me,
                                              target, data, timeout,
                                              operation_done, operation, &id);
        if (status != THEATER_PENDING) {
            atomic_fetch_sub_explicit(&ledger.accepted[player->index][number],
                                      1, memory_order_relaxed);
        } else {
            player->started_requests++;
        }
    } else {
        status =
            theater_router_send_start(player->router, player->me, target, data,
                                      timeout, operation_done, operation, &id);
        if (status == THEATER_OK) {
            accepted(player, number, 1);
        }
    }
    if (status != THEATER_PENDING) {
        atomic_store_explicit(&operation->busy, 0, memory_order_relaxed);
    } else if (th_rng_below(&player->rng, 10) == 0) {
        (void)!theater_router_cancel(player->router, id);
    }
}

static void broadcast(struct player *player, uint32_t number,
                      theater_bytes_t data)
{
    theater_bytes_t targets[NAMES];
    char names[NAMES][16];
    uint8_t codes[NAMES];
    unsigned taken = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof(names[i]), "name-%u", i);
        targets[i] = text(names[i]);
    }
    if (theater_router_broadcast(player->router, player->me, targets, NAMES,
                                 data, codes) == THEATER_OK) {
        for (unsigned i = 0; i < NAMES; i++) {
            taken += codes[i] == THEATER_OK;
        }
        accepted(player, number, taken);
    }
}

static void send_one(struct player *player)
{
    uint8_t buffer[sizeof(struct payload) + PAYLOAD_MAX];
    char name[16];
    uint32_t number = player->next++;
    theater_bytes_t data = compose(player, number, buffer);
    snprintf(name, sizeof(name), "name-%u",
             (unsigned)th_rng_below(&player->rng, NAMES));
    theater_timer_id_t timer;
    size_t taken = 0;
    switch (th_rng_below(&player->rng, 16)) {
    case 0:
        broadcast(player, number, data);
        break;
    case 1:
    case 2:
        start(player, text(name), number, data, true);
        break;
    case 3:
    case 4:
    case 5:
        start(player, text(name), number, data, false);
        break;
    case 6:
        (void)!theater_router_send_batch(player->router, player->me, text(name),
                                         &data, 1, &taken);
        accepted(player, number, (unsigned)taken);
        break;
    default:
        (void)timer;
        if (theater_router_send(player->router, player->me, text(name), data) ==
            THEATER_OK) {
            accepted(player, number, 1);
        }
        break;
    }
}

static void *play(void *arg)
{
    struct player *player = arg;
    const theater_env_t *env = theater_env_default();
    pthread_barrier_wait(&barrier);
    while (player->next < MESSAGES) {
        uint64_t what = th_rng_below(&player->rng, 1000);
        send_one(player);
        if (what < 300) {
            handle_some(player, (unsigned)what % OWN, 16);
        } else if (what < 310) {
            churn(player);
        } else if (what < 330) {
            theater_router_advance(player->router, th_now(env));
        }
    }
    pthread_barrier_wait(&barrier);
    theater_endpoint_unregister(player->me, THEATER_CLOSED);
    for (unsigned i = 0; i < OWN; i++) {
        handle_some(player, i, 10);
        theater_endpoint_unregister(player->own[i], THEATER_CLOSED);
    }
    return NULL;
}

static void join_players(theater_router_t *router, struct player *players,
                         uint64_t seed)
{
    for (unsigned i = 0; i < THREADS; i++) {
        struct player *player = &players[i];
        char name[16];
        int len = snprintf(name, sizeof(name), "player-%u", i);
        player->index = i;
        player->router = router;
        th_rng_init(&player->rng, seed + i);
        assert_status(theater_router_register(router, name, (size_t)len, NULL,
                                              &player->me),
                      THEATER_OK);
        for (unsigned k = 0; k < OWN; k++) {
            enter(player, k);
        }
    }
}

static void check_ledger(const struct player *players)
{
    uint32_t requests = 0;
    unsigned wrong = 0;
    unsigned never = 0;
    for (unsigned t = 0; t < THREADS; t++) {
        requests += players[t].started_requests;
        for (unsigned n = 0; n < MESSAGES; n++) {
            unsigned in = atomic_load_explicit(&ledger.accepted[t][n],
                                               memory_order_relaxed);
            unsigned out =
                atomic_load_explicit(&ledger.out[t][n], memory_order_relaxed);
            bool late = in == 1 && out == 0 &&
                        atomic_load_explicit(&ledger.timed_out[t][n],
                                             memory_order_relaxed) != 0;
            never += late;
            if (in != out && !late && wrong++ < 5) {
                print_error("message %u of %u: accepted %u, came out %u\n", n,
                            t, in, out);
            }
        }
    }
    assert_int_equal(wrong, 0);
    assert_true(never < 100);
    assert_int_equal(
        atomic_load_explicit(&ledger.corrupt, memory_order_relaxed), 0);
    assert_int_equal(
        atomic_load_explicit(&ledger.disordered, memory_order_relaxed), 0);
    assert_int_equal(
        atomic_load_explicit(&ledger.ended_requests, memory_order_relaxed),
        requests);
    assert_true(requests > 100);
    assert_true(atomic_load_explicit(&ledger.handled, memory_order_relaxed) >
                THREADS * MESSAGES / 10);
    assert_true(atomic_load_explicit(&ledger.dead, memory_order_relaxed) > 10);
}

static void what_is_accepted_is_handled_or_a_dead_letter_once(void **state)
{
    (void)state;
    static struct player players[THREADS];
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_router_t *router = NULL;
    const char *seed_text = getenv("THEATER_TEST_SEED");
    uint64_t seed = seed_text != NULL ? strtoull(seed_text, NULL, 0) : 20;
    print_message("seed %llu\n", (unsigned long long)seed);
    options.on_dead_letter = on_dead;
    assert_status(theater_router_new(&options, &router), THEATER_OK);
    join_players(router, players, seed);
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(
            pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(players[i].thread, NULL), 0);
    }
    theater_counters_t counters;
    theater_router_counters(router, &counters);
    print_message("accepted %llu, delivered %llu, dead %llu\n",
                  (unsigned long long)counters.accepted,
                  (unsigned long long)counters.delivered,
                  (unsigned long long)counters.dead_total);
    check_ledger(players);
    assert_int_equal(counters.accepted,
                     counters.delivered + counters.dead_total);
    assert_int_equal(counters.queued, 0);
    assert_int_equal(counters.pending, 0);
    assert_int_equal(counters.endpoints, 0);
    assert_int_equal(
        counters.delivered,
        atomic_load_explicit(&ledger.handled, memory_order_relaxed));
    theater_router_release(router);
    pthread_barrier_destroy(&barrier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_accepted_is_handled_or_a_dead_letter_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
