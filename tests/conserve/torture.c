/* SPDX-License-Identifier: Apache-2.0 */
/* The torture program: rounds of the real runtime with real threads, until so
 * many messages were sent and so many faults injected; with --simulate, each of
 * so many seeds twice under the seeded scheduler. Prints a table and, in its
 * last line, JSON; ends with 1 and the seed when anything was lost, duplicated,
 * corrupted, reordered, ended other than once, not counted as the router
 * counts, or hangs.
 *
 *   conserve [--seed S] [--messages N] [--faults F] [--seconds T]
 *            [--workload NAME] [--all-kinds] [--soak SECONDS]
 *            [--hang SECONDS] [--simulate SEEDS]
 *
 * Seeds are S, S + 1, ... one for each round; without --seed they are chosen.
 * --seconds ends it early, with success. --all-kinds: fails unless each
 * workload and each kind of fault was met. CONSERVE_PLANT=lose, late, needless,
 * double, corrupt, reorder, cross, unended plants a fault that the ledger must
 * find; hang one for the watchdog; leak, open for the soak; drift for the
 * simulation.
 *
 * Design notes. A watchdog counts its own ticks rather than time, so that a
 * machine that stands still is not taken for a hang. */
#include "simulate.h"
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NS = 100000000, HANG_SECONDS = 90, KINDS_ROUNDS = 200 };

struct options {
    uint64_t seed;
    uint64_t messages;
    uint64_t faults;
    uint64_t seconds;  /* 0: no limit */
    uint64_t soak;     /* seconds; 0: none */
    uint64_t simulate; /* seeds; 0: real threads */
    uint64_t hang;     /* seconds without progress that are a hang */
    enum workload work;
    bool all_kinds;
    enum plant plant;
};

static struct total total;

uint64_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

/* --- The watchdog --------------------------------------------------------- */

static void *watch(void *arg)
{
    struct timespec tick = {0, TICK_NS};
    uint32_t seen = 0;
    uint64_t ticks = 0;
    const struct options *options = arg;
    for (;;) {
        nanosleep(&tick, NULL);
        /* relaxed: does it change? */
        uint32_t beat = atomic_load_explicit(&round_beat, memory_order_relaxed);
        ticks = beat == seen ? ticks + 1 : 0;
        seen = beat;
        if (ticks < options->hang * 10) {
            continue;
        }
        /* acquire; pairs with round_run */
        struct world *world =
            atomic_load_explicit(&round_now, memory_order_acquire);
        fprintf(stderr, "conserve: hangs for %llu s; seed %llu\n",
                (unsigned long long)options->hang,
                (unsigned long long)(world != NULL ? world->seed : 0));
        if (world != NULL) {
            world_dump(world);
        }
        _exit(1);
    }
    return NULL;
}

/* --- What is printed ------------------------------------------------------ */

static uint64_t fault_count(enum fault fault)
{
    /* relaxed: all threads are gone */
    return atomic_load_explicit(&total.counts.faults[fault],
                                memory_order_relaxed);
}

static uint64_t injected(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < FAULTS_INJECTED; i++) {
        sum += fault_count((enum fault)i);
    }
    return sum;
}

static void line(const char *what, uint64_t value)
{
    printf("  %-24s %12llu\n", what, (unsigned long long)value);
}

static void print_table(void)
{
    const struct ledger_report *sum = &total.sum;
    printf("messages accepted, by workload\n");
    for (unsigned i = 0; i < WORKLOADS; i++) {
        line(work_names[i], total.of_work[i]);
    }
    printf("begun by actors\n");
    for (unsigned i = 0; i < ACTS; i++) {
        if (i != ACT_CREDIT) {
            line(act_names[i], atomic_load_explicit(&total.counts.acts[i],
                                                    memory_order_relaxed));
        }
    }
    printf("faults injected\n");
    for (unsigned i = 0; i < FAULTS_INJECTED; i++) {
        line(fault_names[i], fault_count((enum fault)i));
    }
    printf("the ledger\n");
    line("rounds", total.rounds);
    line("actors spawned", total.spawned);
    line("accepted", sum->accepted);
    line("handled", sum->handled);
    line("dead letters", sum->dead);
    line("mailbox full", fault_count(FAULT_FULL));
    line("requests", sum->requests);
    line("ended while refused", sum->never);
    line("lost", sum->lost);
    line("duplicated", sum->duplicated);
    line("corrupted", sum->corrupted);
    line("reordered", sum->reordered);
    line("requests unended", sum->unended);
    line("requests ended twice", sum->ended_twice);
    line("wrong answers, strays", sum->wrong_answers);
    line("counted otherwise", total.uncounted);
}

static void print_json(const struct options *options)
{
    const struct ledger_report *sum = &total.sum;
    printf("{\"seed\":%llu,\"rounds\":%llu,\"messages\":%llu,"
           "\"injected\":%llu,\"faults\":{",
           (unsigned long long)options->seed, (unsigned long long)total.rounds,
           (unsigned long long)sum->accepted, (unsigned long long)injected());
    for (unsigned i = 0; i < FAULTS; i++) {
        printf("%s\"%s\":%llu", i == 0 ? "" : ",", fault_names[i],
               (unsigned long long)fault_count((enum fault)i));
    }
    printf("},\"handled\":%llu,\"dead_letters\":%llu,\"lost\":%llu,"
           "\"duplicated\":%llu,\"corrupted\":%llu,\"reordered\":%llu,"
           "\"requests\":%llu,\"requests_unended\":%llu,"
           "\"requests_ended_twice\":%llu,\"wrong_answers\":%llu,"
           "\"counted_otherwise\":%llu,\"passed\":%s}\n",
           (unsigned long long)sum->handled, (unsigned long long)sum->dead,
           (unsigned long long)sum->lost, (unsigned long long)sum->duplicated,
           (unsigned long long)sum->corrupted,
           (unsigned long long)sum->reordered,
           (unsigned long long)sum->requests, (unsigned long long)sum->unended,
           (unsigned long long)sum->ended_twice,
           (unsigned long long)sum->wrong_answers,
           (unsigned long long)total.uncounted,
           total_is_clean(&total) ? "true" : "false");
}

/* --- Running -------------------------------------------------------------- */

/* Each workload in turn first, so that a short run has them all. */
static enum workload work_of(const struct options *options, uint64_t number)
{
    if (options->work != WORKLOADS) {
        return options->work;
    }
    return number < WORKLOADS ? (enum workload)number : WORKLOADS;
}

static bool kinds_met(bool say)
{
    bool met = true;
    for (unsigned i = 0; i < WORKLOADS; i++) {
        if (total.of_work[i] == 0) {
            met = false;
            if (say) {
                fprintf(stderr, "conserve: no message of %s\n", work_names[i]);
            }
        }
    }
    for (unsigned i = 0; i < FAULTS; i++) {
        if (fault_count((enum fault)i) == 0) {
            met = false;
            if (say) {
                fprintf(stderr, "conserve: no fault of kind %s\n",
                        fault_names[i]);
            }
        }
    }
    return met;
}

/* Were there enough of everything after that many rounds? What the seeds have
 * not met after so many they never do. */
static bool is_enough(const struct options *options, uint64_t rounds)
{
    bool each = options->work != WORKLOADS || options->messages <= 1 ||
                rounds >= WORKLOADS;
    return each && total.sum.accepted >= options->messages &&
           injected() >= options->faults &&
           (!options->all_kinds || kinds_met(false) || rounds >= KINDS_ROUNDS);
}

static bool run_rounds(const struct options *options)
{
    uint64_t until = seconds_now() + options->seconds;
    for (uint64_t i = 0;; i++) {
        if (!round_run(options->seed + i, work_of(options, i), options->plant,
                       &total)) {
            fprintf(stderr,
                    "conserve: failed: --seed %llu --messages 1 "
                    "--workload %s\n",
                    (unsigned long long)(options->seed + i),
                    work_names[total.last]);
            return false;
        }
        if (is_enough(options, i + 1) ||
            (options->seconds != 0 && seconds_now() >= until)) {
            return !options->all_kinds || kinds_met(true);
        }
    }
}

/* --- The command line ----------------------------------------------------- */

static int usage(void)
{
    fprintf(stderr, "usage: conserve [--seed S] [--messages N] [--faults F] "
                    "[--seconds T]\n"
                    "                [--workload NAME] [--all-kinds] [--soak "
                    "T] [--hang T]\n"
                    "                [--simulate SEEDS]\n");
    return 2;
}

static bool read_name(const char *text, const char *const *names, unsigned len,
                      unsigned *out)
{
    for (unsigned i = 0; i < len; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end = NULL;
    *out = strtoull(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

static bool read_option(struct options *options, const char *name,
                        const char *value)
{
    unsigned work = WORKLOADS;
    if (strcmp(name, "--seed") == 0) {
        return read_number(value, &options->seed);
    }
    if (strcmp(name, "--messages") == 0) {
        return read_number(value, &options->messages);
    }
    if (strcmp(name, "--faults") == 0) {
        return read_number(value, &options->faults);
    }
    if (strcmp(name, "--seconds") == 0) {
        return read_number(value, &options->seconds);
    }
    if (strcmp(name, "--hang") == 0) {
        return read_number(value, &options->hang);
    }
    if (strcmp(name, "--simulate") == 0) {
        return read_number(value, &options->simulate);
    }
    if (strcmp(name, "--soak") == 0) {
        return read_number(value, &options->soak);
    }
    if (strcmp(name, "--workload") == 0 &&
        read_name(value, work_names, WORKLOADS, &work)) {
        options->work = (enum workload)work;
        return true;
    }
    return false;
}

static bool read_options(struct options *options, int argc, char **argv)
{
    static const char *const plants[PLANTS] = {
        "",      "lose",    "late", "needless", "double", "corrupt", "reorder",
        "cross", "unended", "hang", "leak",     "open",   "drift"};
    const char *planted = getenv("CONSERVE_PLANT");
    unsigned plant = PLANT_NONE;
    if (planted != NULL && !read_name(planted, plants, PLANTS, &plant)) {
        return false;
    }
    options->plant = (enum plant)plant;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all-kinds") == 0) {
            options->all_kinds = true;
            continue;
        }
        if (i + 1 == argc || !read_option(options, argv[i], argv[i + 1])) {
            return false;
        }
        i++;
    }
    return true;
}

int main(int argc, char **argv)
{
    const theater_env_t *env = theater_env_default();
    /* Static: the watchdog reads it until the program is gone. */
    static struct options options = {
        .messages = 1000000, .work = WORKLOADS, .hang = HANG_SECONDS};
    pthread_t watchdog;
    env->random(env->ctx, &options.seed, sizeof options.seed);
    options.seed >>= 24; /* short enough to be typed */
    if (!read_options(&options, argc, argv)) {
        return usage();
    }
    if (pthread_create(&watchdog, NULL, watch, &options) != 0) {
        return 1;
    }
    printf("conserve: seed %llu\n", (unsigned long long)options.seed);
    fflush(stdout);
    bool passed = options.simulate != 0
                      ? simulate_run(options.seed, options.simulate,
                                     options.work, options.plant, &total)
                  : options.soak != 0 ? soak_run(options.seed, options.soak,
                                                 options.plant, &total)
                                      : run_rounds(&options);
    print_table();
    print_json(&options);
    fflush(stdout);
    if (!passed) {
        _exit(1); /* the broken round's world is still there */
    }
    return 0; /* a sanitizer looks for leaks */
}
