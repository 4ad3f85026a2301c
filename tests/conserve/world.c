/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. What a round is made of, and the two places where the product
 * meets the ledger: what a receiver got, and what the hook for dead letters
 * was told. Faults of the test's own (CONSERVE_PLANT) sit there, so that the
 * ledger sees what it would see if the product were wrong. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

const char *const work_names[WORKLOADS] = {
    "mesh", "churn", "star", "large", "requests", "channels", "guests"};
const char *const fault_names[FAULTS] = {
    "stop",  "fail",  "trap",     "restart", "cancel", "unregister",
    "alloc", "pause", "shutdown", "kill",    "full"};
const char *const act_names[ACTS] = {"send",   "wait",    "batch", "broadcast",
                                     "later",  "request", "open",  "data",
                                     "credit", "close",   "answer"};

/* Of a simulated round. */
enum { SMALLER = 50, SIM_NUMBERS = 2048, SIM_REQUESTS = 8192 };

/* --- The plan ------------------------------------------------------------- */

static const struct plan plans[WORKLOADS] =
    {
        [WORK_MESH] = {.actors = 12,
                       .operations = 16000,
                       .least = LEDGER_HEADER,
                       .most = 128,
                       .capacity = 500,
                       .weights = {[ACT_SEND] = 900,
                                   [ACT_WAIT] = 30,
                                   [ACT_BATCH] = 40,
                                   [ACT_BROADCAST] = 10,
                                   [ACT_LATER] = 2,
                                   [ACT_REQUEST] = 10,
                                   [ACT_ANSWER] = 5},
                       .fail_one_in = 2000,
                       .stop_one_in = 20,
                       .alloc_one_in = 30},
        [WORK_CHURN] = {.actors = 16,
                        .operations = 8000,
                        .least = LEDGER_HEADER,
                        .most = 96,
                        .capacity = 60,
                        .weights = {[ACT_SEND] = 700,
                                    [ACT_WAIT] = 60,
                                    [ACT_BATCH] = 30,
                                    [ACT_BROADCAST] = 10,
                                    [ACT_LATER] = 20,
                                    [ACT_REQUEST] = 60,
                                    [ACT_OPEN] = 10,
                                    [ACT_DATA] = 60,
                                    [ACT_CLOSE] = 5,
                                    [ACT_ANSWER] = 20},
                        .fail_one_in = 500,
                        .leave_one_in = 4000,
                        .stop_one_in = 1,
                        .alloc_one_in = 40},
        [WORK_STAR] = {.actors = 10,
                       .targets = 2,
                       .operations = 16000,
                       .least = LEDGER_HEADER,
                       .most = 64,
                       .capacity = 32,
                       .weights = {[ACT_SEND] = 800,
                                   [ACT_WAIT] = 200,
                                   [ACT_BATCH] = 20,
                                   [ACT_LATER] = 1,
                                   [ACT_REQUEST] = 5},
                       .fail_one_in = 2000,
                       .stop_one_in = 25,
                       .alloc_one_in = 50},
        [WORK_LARGE] = {.actors = 6,
                        .operations = 250,
                        .least = LEDGER_HEADER,
                        .most = MESSAGE_MAX + 100,
                        .capacity = 60,
                        .weights = {[ACT_SEND] = 400,
                                    [ACT_WAIT] = 200,
                                    [ACT_BROADCAST] = 20,
                                    [ACT_REQUEST] = 60,
                                    [ACT_OPEN] = 10,
                                    [ACT_DATA] = 100,
                                    [ACT_ANSWER] = 20},
                        .fail_one_in = 100,
                        .stop_one_in = 60,
                        .alloc_one_in = 10},
        [WORK_REQUESTS] = {.actors = 10,
                           .operations = 4000,
                           .least = LEDGER_HEADER,
                           .most = 200,
                           .capacity = 200,
                           .weights = {[ACT_SEND] = 200,
                                       [ACT_WAIT] = 10,
                                       [ACT_REQUEST] = 600,
                                       [ACT_ANSWER] = 200},
                           .fail_one_in = 300,
                           .stop_one_in = 20,
                           .alloc_one_in = 30},
        [WORK_CHANNELS] = {.actors = 8,
                           .operations = 12000,
                           .least = LEDGER_HEADER,
                           .most = 200,
                           .capacity = 200,
                           .weights = {[ACT_SEND] = 100,
                                       [ACT_WAIT] = 10,
                                       [ACT_REQUEST] = 5,
                                       [ACT_OPEN] = 20,
                                       [ACT_DATA] = 900,
                                       [ACT_CLOSE] = 8},
                           .fail_one_in = 1000,
                           .stop_one_in = 30,
                           .alloc_one_in = 30},
        [WORK_GUESTS] = {.actors = 8,
                         .guests = 4,
                         .targets = 4,
                         .operations = 4000,
                         .least = LEDGER_HEADER,
                         .most = 96,
                         .capacity = 100,
                         .weights = {[ACT_SEND] = 500,
                                     [ACT_WAIT] = 300,
                                     [ACT_BATCH] = 10,
                                     [ACT_BROADCAST] = 5,
                                     [ACT_REQUEST] = 60},
                         .stop_one_in = 40},
};

void plan_make(struct plan *plan, uint64_t seed, enum workload work,
               bool simulated)
{
    static const char *const policies[] = {"refuse", "drop-newest",
                                           "drop-oldest"};
    struct rng rng = {seed ^ UINT64_C(0x706c616e)};
    /* The cheap ones carry most of the messages. Drawn in any case, so that a
     * seed with its workload named is the same round. */
    static const enum workload often[] = {
        WORK_MESH,     WORK_MESH,     WORK_CHURN, WORK_STAR, WORK_LARGE,
        WORK_REQUESTS, WORK_CHANNELS, WORK_MESH,  WORK_STAR, WORK_GUESTS};
    enum workload drawn = often[rng_below(&rng, sizeof often / sizeof *often)];
    work = work == WORKLOADS ? drawn : work;
    *plan = plans[work];
    plan->work = work;
    plan->simulated = simulated;
    if (simulated) {
        plan->operations = plan->operations / SMALLER + 5;
    }
    plan->actors -= rng_below(&rng, 3);
    plan->on_full = policies[rng_below(&rng, 8) % 4 % 3];
    if (work == WORK_STAR) {
        plan->on_full = policies[rng_below(&rng, 3)];
    }
    plan->capacity = plan->capacity / 2 + rng_below(&rng, plan->capacity);
    plan->capacity_bytes = work == WORK_LARGE ? 4 << 20 : 1 << 20;
    plan->credit = 2 + rng_below(&rng, 40);
    uint32_t end = rng_below(&rng, 10);
    plan->end = end == 0 ? FAULT_SHUTDOWN : end == 1 ? FAULT_KILL : FAULTS;
    if (work == WORK_GUESTS && plan->end == FAULT_KILL) {
        plan->end = FAULTS; /* cut off inside a delivery, it can say nothing */
    }
}

/* --- Memory that may fail ------------------------------------------------- */

static void *alloc_in(struct world *world, size_t size, size_t align)
{
    const theater_env_t *inner = theater_env_default();
    /* relaxed, both: a rate */
    uint32_t one_in =
        atomic_load_explicit(&world->alloc_one_in, memory_order_relaxed);
    if (one_in != 0) {
        uint64_t number =
            atomic_fetch_add_explicit(&world->allocs, 1, memory_order_relaxed);
        struct rng rng = {world->seed + number};
        if (rng_below(&rng, one_in) == 0) {
            world_fault(world, FAULT_ALLOC);
            return NULL;
        }
    }
    return inner->alloc(inner->ctx, size, align);
}

static void *failing_alloc(void *ctx, size_t size, size_t align)
{
    return alloc_in(ctx, size, align);
}

/* The simulated table's context is the simulation; there is one at a time. */
static struct world *simulated;

static void *simulated_alloc(void *ctx, size_t size, size_t align)
{
    (void)ctx;
    return alloc_in(simulated, size, align);
}

static theater_status_t make_env(struct world *world)
{
    world->env = *theater_env_default();
    world->env.alloc = failing_alloc;
    world->env.ctx = world;
    if (!world->plan.simulated) {
        return THEATER_OK;
    }
    theater_status_t status = th_sim_env_new(world->seed, &world->sim);
    if (status == THEATER_OK) {
        th_sim_env_offer(world->sim);
        world->env = *th_sim_env_table(world->sim);
        world->env.alloc = simulated_alloc;
        simulated = world;
    }
    return status;
}

void world_stand_still(struct world *world)
{
    struct timespec pause = {0, PAUSE_NS};
    if (world->sim != NULL) {
        th_sim_env_advance(&world->env, th_now(&world->env) + PAUSE_NS);
    } else {
        nanosleep(&pause, NULL);
    }
}

/* --- Where the product meets the ledger ----------------------------------- */

unsigned world_party(theater_bytes_t name)
{
    unsigned party = 0;
    if (name.data == NULL || name.len < 3 || name.len > 5 ||
        memcmp(name.data, "p-", 2) != 0) {
        return LEDGER_NOBODY;
    }
    for (size_t i = 2; i < name.len; i++) {
        party = party * 10 + (name.data[i] - (unsigned)'0');
    }
    return party < PARTIES_MAX ? party : LEDGER_NOBODY;
}

/* Is there a reason why it was not handled? The mailbox was full, and the
 * policy drops, or it came with a delay, when nobody waits for an answer; the
 * target ends at some time, or the request had; or its channel does. */
static bool has_cause(const struct world *world, unsigned to,
                      const theater_dead_letter_t *letter)
{
    const struct plan *plan = &world->plan;
    /* Who comes and goes, guests, who trap, and channels, which close. */
    if (to >= plan->actors || to < plan->guests || plan->weights[ACT_OPEN]) {
        return true;
    }
    bool late = letter->data.data[4] == LEDGER_LATE;
    if (letter->reason == THEATER_MAILBOX_FULL) {
        return plan->on_full[0] == 'd' || late;
    }
    if (letter->reason == THEATER_NOT_FOUND && late) {
        return true; /* the first to come may name one that is yet to come */
    }
    if (letter->kind == THEATER_MESSAGE_REQUEST &&
        (letter->reason == THEATER_TIMEOUT ||
         letter->reason == THEATER_CANCELLED)) {
        return true;
    }
    /* relaxed: world_may_end */
    return atomic_load_explicit(&world->parties[to].ends,
                                memory_order_relaxed) != 0;
}

static void on_dead_letter(void *user, const theater_dead_letter_t *letter)
{
    struct world *world = user;
    unsigned to = world_party(letter->target);
    if (letter->data.len >= LEDGER_HEADER && !has_cause(world, to, letter) &&
        atomic_fetch_add_explicit(&world->needless, 1, memory_order_relaxed) ==
            0) {
        fprintf(stderr,
                "conserve: seed %llu: a dead letter to p-%u without a "
                "cause: %s\n",
                (unsigned long long)world->seed, to,
                theater_status_name(letter->reason));
    }
    if (letter->reason == THEATER_MAILBOX_FULL) {
        world_fault(world, FAULT_FULL);
    }
    ledger_dead(world->ledger, to, letter->data.data, letter->data.len);
}

/* PLANT_CROSS holds back broadcasts alone. Byte 4 is the stream. */
static bool is_held(const struct world *world, const struct party *party,
                    theater_bytes_t data)
{
    return party->stash_len == 0 && data.len <= STASH &&
           (world->plant == PLANT_CROSS ? data.data[4] == LEDGER_ALL
                                        : party->seen % 997 == 0);
}

static void let_go(struct world *world, struct party *party, unsigned to)
{
    struct ledger_entry late;
    (void)ledger_handled(world->ledger, to, party->stash, party->stash_len,
                         &late);
    party->stash_len = 0;
}

/* PLANT_REORDER, PLANT_CROSS: holds one back until another of the same sender
 * came; of PLANT_CROSS, one of the pair, so that each stream keeps its own
 * order. */
static bool reorder(struct world *world, struct party *party, unsigned to,
                    theater_bytes_t data, struct ledger_entry *out)
{
    if (is_held(world, party, data)) {
        memcpy(party->stash, data.data, data.len);
        party->stash_len = data.len;
        return false;
    }
    /* Byte 5 is the sender. */
    bool due = party->stash_len != 0 && data.data[5] == party->stash[5];
    bool early = world->plant == PLANT_CROSS && data.data[4] != LEDGER_PAIR;
    if (due && early) {
        let_go(world, party, to);
    }
    bool whole = ledger_handled(world->ledger, to, data.data, data.len, out);
    if (due && !early) {
        let_go(world, party, to);
    }
    return whole;
}

bool world_handled(struct world *world, unsigned to, theater_bytes_t data,
                   struct ledger_entry *out)
{
    struct party *party = &world->parties[to];
    struct ledger_entry again;
    uint8_t copy[STASH];
    bool now = ++party->seen % 997 == 0;
    bool always = world->plant == PLANT_REORDER ||
                  world->plant == PLANT_CROSS || world->plant == PLANT_LATE;
    switch (now || always ? world->plant : PLANT_NONE) {
    case PLANT_LOSE:
        return false;
    case PLANT_NEEDLESS:
        on_dead_letter(world,
                       &(theater_dead_letter_t){.target = world_name(world, to),
                                                .data = data,
                                                .kind = THEATER_MESSAGE_SEND,
                                                .reason = THEATER_CLOSED});
        return false;
    case PLANT_LATE: /* byte 4 is the stream */
        return data.data[4] != LEDGER_LATE &&
               ledger_handled(world->ledger, to, data.data, data.len, out);
    case PLANT_DOUBLE:
        (void)ledger_handled(world->ledger, to, data.data, data.len, &again);
        break;
    case PLANT_CORRUPT:
        if (data.len <= STASH) {
            memcpy(copy, data.data, data.len);
            copy[data.len - 1] ^= 1;
            return ledger_handled(world->ledger, to, copy, data.len, out);
        }
        break;
    case PLANT_REORDER:
    case PLANT_CROSS:
        return reorder(world, party, to, data, out);
    default:
        break;
    }
    return ledger_handled(world->ledger, to, data.data, data.len, out);
}

void world_ended(struct world *world, uint32_t request, theater_status_t status)
{
    /* relaxed: a count */
    uint64_t number = atomic_fetch_add_explicit(&world->request_ends, 1,
                                                memory_order_relaxed);
    if (world->plant == PLANT_UNENDED && number % 97 == 96) {
        return;
    }
    ledger_ended(world->ledger, request,
                 status == THEATER_TIMEOUT || status == THEATER_CANCELLED);
}

/* --- Events --------------------------------------------------------------- */

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : 0;
}

/* A guest's line is what it got, in hexadecimal digits. */
static void guest_line(struct world *world, const theater_event_t *event)
{
    uint8_t data[STASH];
    struct ledger_entry entry;
    theater_bytes_t name = {(const uint8_t *)event->actor,
                            strlen(event->actor)};
    size_t len = event->text_len / 2;
    len = len < sizeof data ? len : sizeof data;
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(digit(event->text[2 * i]) << 4 |
                            digit(event->text[2 * i + 1]));
    }
    unsigned party = world_party(name);
    if (party >= world->plan.guests) {
        ledger_wrong(world->ledger);
        return;
    }
    (void)world_handled(world, party, (theater_bytes_t){data, len}, &entry);
}

static void on_event(void *user, const theater_event_t *event)
{
    struct world *world = user;
    theater_bytes_t name = {(const uint8_t *)event->actor,
                            strlen(event->actor)};
    bool guest = world_party(name) < world->plan.guests;
    if (guest && event->kind == THEATER_ACTOR_LOG) {
        guest_line(world, event);
    } else if (guest && event->kind == THEATER_ACTOR_RESTARTED) {
        world_fault(world, FAULT_RESTART);
    } else if (guest && event->kind == THEATER_ACTOR_STOPPED) {
        atomic_store_explicit(&world->parties[world_party(name)].alive, 0,
                              memory_order_release);
    } else if (guest && event->status == THEATER_TRAPPED) {
        world_fault(world, FAULT_TRAP);
    } else if (event->kind == THEATER_ACTOR_FAILED) {
        /* relaxed: the text is read when the runtime is gone */
        if (atomic_fetch_add_explicit(&world->failures, 1,
                                      memory_order_relaxed) == 0) {
            snprintf(world->failure, sizeof world->failure, "%s: %.*s",
                     event->actor, (int)event->text_len, event->text);
        }
    }
}

/* --- Making it ------------------------------------------------------------ */

static theater_status_t make_manifests(struct world *world,
                                       theater_error_t *err)
{
    char text[1024];
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    const struct plan *plan = &world->plan;
    options.native = true;
    int len = snprintf(text, sizeof text,
                       "name = \"p\"\n[[handler]]\ntype = \"message-server\"\n"
                       "on_full = \"%s\"\nmailbox_capacity = %u\n"
                       "mailbox_bytes = %u\nchannel_credit = %u\n"
                       "max_channels = 12\nmax_requests = 40\n",
                       plan->on_full, plan->capacity, plan->capacity_bytes,
                       plan->credit);
    theater_status_t status = theater_manifest_parse(
        text, (size_t)len, NULL, &options, &world->manifest, err);
    if (status != THEATER_OK || plan->guests == 0) {
        return status;
    }
    options.native = false;
    len = snprintf(text, sizeof text,
                   "name = \"g\"\npackage = \"guest.wasm\"\n"
                   "restart = \"on-failure\"\nmax_restarts = 1000000\n"
                   "restart_backoff = \"0s\"\n"
                   "[[handler]]\ntype = \"runtime\"\n"
                   "[[handler]]\ntype = \"message-server\"\n"
                   "on_full = \"%s\"\nmailbox_capacity = %u\n",
                   plan->on_full, plan->capacity);
    return theater_manifest_parse(
        text, (size_t)len, TH_TEST_BUILD_DIR "/tests/conserve/guest.toml",
        &options, &world->guest_manifest, err);
}

static theater_status_t make_runtime(struct world *world, theater_error_t *err)
{
    theater_message_server_t *server = NULL;
    theater_handler_registry_t *registry = NULL;
    theater_runtime_options_t options = THEATER_RUNTIME_OPTIONS_INIT;
    options.env = &world->env;
    options.workers = 2 + rng_below(&world->rng, 2);
    options.simulated = world->sim != NULL;
    options.seed = world->seed;
    options.cache_dir = world->sim != NULL ? getenv("CONSERVE_CACHE") : NULL;
    options.on_event = on_event;
    options.user = world;
    theater_status_t status =
        theater_message_server_new(world->router, NULL, &server);
    if (status == THEATER_OK) {
        status = theater_handler_registry_new(&world->env, &registry);
    }
    if (status == THEATER_OK) {
        status = theater_handler_registry_register(
            registry, "message-server", theater_message_server_ops(), server);
    }
    if (status == THEATER_OK) {
        status = theater_runtime_handler_register(registry);
    }
    if (status == THEATER_OK) {
        status = theater_runtime_new(registry, &options, &world->runtime, err);
    }
    return status;
}

theater_status_t world_spawn(struct world *world, unsigned party)
{
    struct party *at = &world->parties[party];
    uint64_t seed = world->seed * 1000 + ++world->incarnations;
    theater_status_t status;
    atomic_store_explicit(&at->alive, 1, memory_order_relaxed);
    if (party < world->plan.guests) {
        theater_error_t err;
        status = theater_runtime_spawn(world->runtime, at->name,
                                       world->guest_manifest, NULL, &err);
        if (status != THEATER_OK && world->incarnations <= 1) {
            fprintf(stderr, "conserve: %s: %s\n", err.origin, err.text);
        }
    } else {
        status = player_spawn(world, party, seed);
    }
    if (status != THEATER_OK) {
        atomic_store_explicit(&at->alive, 0, memory_order_relaxed);
    }
    return status;
}

bool world_init(struct world *world, uint64_t seed, const struct plan *plan,
                struct counts *counts, enum plant plant)
{
    theater_router_options_t options = THEATER_ROUTER_OPTIONS_INIT;
    theater_error_t err = {0};
    memset(world, 0, sizeof *world);
    world->plan = *plan;
    world->seed = seed;
    world->rng.state = seed ^ UINT64_C(0x776f726c64);
    world->counts = counts;
    world->plant = plant;
    world->parties_len = plan->actors + 1;
    world->ledger =
        ledger_new(world->parties_len, plan->simulated ? SIM_NUMBERS : NUMBERS,
                   plan->simulated ? SIM_REQUESTS : REQUESTS);
    drifter_init(world);
    options.env = &world->env;
    options.on_dead_letter = on_dead_letter;
    options.user = world;
    for (unsigned i = 0; i < world->parties_len; i++) {
        struct party *party = &world->parties[i];
        party->name_len =
            (unsigned)snprintf(party->name, sizeof party->name, "p-%u", i);
        atomic_init(&party->left, i < plan->guests ? 0 : plan->operations);
    }
    theater_status_t status =
        world->ledger == NULL ? THEATER_OUT_OF_MEMORY : make_env(world);
    if (status == THEATER_OK) {
        status = theater_router_new(&options, &world->router);
    }
    if (status == THEATER_OK) {
        status = make_manifests(world, &err);
    }
    if (status == THEATER_OK) {
        status = make_runtime(world, &err);
    }
    for (unsigned i = 0; i < plan->actors && status == THEATER_OK; i++) {
        status = world_spawn(world, i);
    }
    if (status != THEATER_OK) {
        fprintf(stderr, "conserve: the world could not be made: %s: %s %s\n",
                theater_status_name(status), err.origin, err.text);
    }
    return status == THEATER_OK;
}

void world_fini(struct world *world)
{
    theater_runtime_delete(world->runtime);
    if (world->manifest != NULL) {
        theater_manifest_release(world->manifest);
    }
    if (world->guest_manifest != NULL) {
        theater_manifest_release(world->guest_manifest);
    }
    theater_router_release(world->router);
    ledger_delete(world->ledger);
    if (world->sim != NULL) {
        th_sim_env_delete(world->sim);
    }
}

/* --- When it hangs -------------------------------------------------------- */

static void list_one(void *user, const theater_actor_info_t *info)
{
    (void)user;
    fprintf(stderr, "  %s: %s, %llu deliveries\n", info->name, info->state,
            (unsigned long long)info->deliveries);
}

void world_dump(struct world *world)
{
    theater_counters_t counters;
    theater_router_counters(world->router, &counters);
    fprintf(stderr,
            "  %s: accepted %llu, delivered %llu, dead %llu, queued %llu, "
            "pending %llu, endpoints %llu\n",
            work_names[world->plan.work], (unsigned long long)counters.accepted,
            (unsigned long long)counters.delivered,
            (unsigned long long)counters.dead_total,
            (unsigned long long)counters.queued,
            (unsigned long long)counters.pending,
            (unsigned long long)counters.endpoints);
    for (unsigned i = 0; i < world->parties_len; i++) {
        fprintf(stderr, "  %s: %s, %u operations left\n",
                world->parties[i].name,
                world->parties[i].alive != 0 ? "there" : "gone",
                world->parties[i].left);
    }
    if (world->runtime != NULL) {
        theater_runtime_list(world->runtime, list_one, NULL);
    }
}
