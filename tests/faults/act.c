/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A scenario is run again and again: with the first call of a
 * kind refused, with the second, and so on; it is over when a run was not
 * refused anything. Before that it is rehearsed: nothing is refused, and what
 * it never asks for can't be. In a world that is kept the calls of earlier runs
 * have filled caches, so that a later run may ask less often; and where threads
 * run, one more or less may be asked for: so the end is two runs in a row
 * without a refusal. */
#include "act.h"

enum { RUNS_MAX = 100000 };

static const char *const kind_names[TH_FAULT_KINDS] = {
    "allocation", "map",          "thread", "file read",
    "file write", "file removal", "folder",
};

static char where[256]; /* for a person, should the test fail */
static uint64_t runs, refusals;

bool act_hit(struct act *act)
{
    return th_fault_env_failed(&act->fault, act->kind) != 0;
}

static theater_status_t lack_of(enum th_fault_kind kind)
{
    return kind <= TH_FAULT_THREAD ? THEATER_OUT_OF_MEMORY : THEATER_IO;
}

bool met_or(struct act *act, theater_status_t got, theater_status_t wanted,
            theater_status_t also)
{
    if (got == wanted) {
        return true;
    }
    if (!act_hit(act) || (got != lack_of(act->kind) && got != also)) {
        fail_msg("%s instead of %s", theater_status_name(got),
                 theater_status_name(wanted));
    }
    return false;
}

bool met(struct act *act, theater_status_t got, theater_status_t wanted)
{
    return met_or(act, got, wanted, lack_of(act->kind));
}

struct outcome *act_outcome(struct act *act)
{
    assert_true(act->outcomes_len < ACT_OUTCOMES);
    struct outcome *outcome = &act->outcomes[act->outcomes_len++];
    *outcome = (struct outcome){.started = THEATER_BUG};
    return outcome;
}

unsigned act_told(const struct outcome *outcome)
{
    /* acquire; pairs with told: what it was told */
    return atomic_load_explicit(&outcome->calls, memory_order_acquire);
}

static void told(struct outcome *outcome, theater_status_t status)
{
    outcome->status = status;
    /* release; pairs with act_told */
    atomic_fetch_add_explicit(&outcome->calls, 1, memory_order_release);
}

void note_done(void *user, theater_status_t status, theater_answer_t *answer)
{
    theater_answer_delete(answer);
    told(user, status);
}

void note_opened(void *user, theater_status_t status,
                 theater_channel_id_t channel)
{
    struct outcome *outcome = user;
    outcome->channel = channel;
    told(outcome, status);
}

void act_outcomes_check(const struct act *act)
{
    for (size_t i = 0; i < act->outcomes_len; i++) {
        const struct outcome *outcome = &act->outcomes[i];
        assert_int_equal(act_told(outcome),
                         outcome->started == THEATER_PENDING ? 1 : 0);
    }
}

static void nothing(struct act *act)
{
    (void)act;
}

static void check_bare(struct act *act)
{
    act_outcomes_check(act);
}

const struct stage stage_bare = {
    .open = nothing,
    .check = check_bare,
    .close = nothing,
    .serial = true,
};

const struct stage stage_threads = {
    .open = nothing,
    .check = check_bare,
    .close = nothing,
};

static void arm(struct act *act)
{
    act->outcomes_len = 0;
    th_fault_env_fail(&act->fault, act->kind, act->k, act->once);
}

/* The counts stay: they begin anew when the next run is armed. */
void act_calm(struct act *act)
{
    act->fault.kinds[act->kind].nth = 0;
}

void act_go_on(struct act *act)
{
    act->fault.kinds[act->kind].nth = act->k;
}

static void left_behind(struct act *act)
{
    int64_t live = th_fault_env_live(&act->fault);
    int64_t pages = th_fault_env_live_pages(&act->fault);
    if (live != 0 || pages != 0) {
        fail_msg("%lld allocations and %lld maps are left", (long long)live,
                 (long long)pages);
    }
}

static void begin(struct act *act, const struct scenario *scenario)
{
    *act = (struct act){.text = scenario->text};
    th_fault_env_init(&act->fault, theater_env_default());
    th_fault_env_use(&act->fault);
    act->env = &act->fault.table;
    scenario->stage->open(act);
}

static void end(struct act *act, const struct scenario *scenario)
{
    scenario->stage->close(act);
    left_behind(act);
    th_fault_env_use(NULL);
}

/* One run; false: nothing was refused. */
static bool run_once(struct act *act, const struct scenario *scenario,
                     enum th_fault_kind kind, uint64_t k, bool once)
{
    bool kept = scenario->stage->kept;
    snprintf(where, sizeof where, "%s: %s %llu refused%s", scenario->name,
             kind_names[kind], (unsigned long long)k, once ? "" : " for good");
    if (!kept) {
        begin(act, scenario);
    }
    act->kind = kind;
    act->k = k;
    act->once = once;
    arm(act);
    scenario->run(act);
    act_calm(act);
    uint64_t failed = th_fault_env_failed(&act->fault, kind);
    scenario->stage->check(act);
    if (!kept) {
        end(act, scenario);
    }
    runs++;
    refusals += failed;
    return failed != 0;
}

/* Threads share the count of the calls, so where there are some a run that
 * was refused nothing may have been a short one. */
static void run_kind(struct act *act, const struct scenario *scenario,
                     enum th_fault_kind kind, bool once)
{
    unsigned clean = 0;
    unsigned wanted = scenario->stage->serial ? 1 : 2;
    for (uint64_t k = 1; clean < wanted; k++) {
        clean = run_once(act, scenario, kind, k, once) ? 0 : clean + 1;
        assert_true(k < RUNS_MAX);
    }
}

/* Nothing is refused: everything is as the scenario says. Answers a bit for
 * each kind that is asked for at all. */
static unsigned rehearse(struct act *act, const struct scenario *scenario)
{
    unsigned kinds = 0;
    if (!scenario->stage->kept) {
        begin(act, scenario);
    }
    for (unsigned kind = 0; kind < TH_FAULT_KINDS; kind++) {
        th_fault_env_fail(&act->fault, (enum th_fault_kind)kind, 0, true);
    }
    snprintf(where, sizeof where, "%s: nothing refused", scenario->name);
    act->k = 0;
    act->outcomes_len = 0;
    scenario->run(act);
    for (unsigned kind = 0; kind < TH_FAULT_KINDS; kind++) {
        if (th_fault_env_calls(&act->fault, (enum th_fault_kind)kind) != 0) {
            kinds |= 1U << kind;
        }
    }
    scenario->stage->check(act);
    if (!scenario->stage->kept) {
        end(act, scenario);
    }
    return kinds;
}

static void run_scenario(void **state)
{
    static struct act act;
    static bool broken; /* what the failed one left may still run */
    const struct scenario *scenario = *state;
    if (broken) {
        skip();
    }
    broken = true;
    if (scenario->stage->kept) {
        begin(&act, scenario);
    }
    unsigned kinds = rehearse(&act, scenario);
    for (unsigned kind = 0; kind < TH_FAULT_KINDS; kind++) {
        if ((kinds >> kind & 1) != 0) {
            run_kind(&act, scenario, (enum th_fault_kind)kind, true);
            run_kind(&act, scenario, (enum th_fault_kind)kind, false);
        }
    }
    if (scenario->stage->kept) {
        end(&act, scenario);
    }
    where[0] = '\0';
    broken = false;
}

static int say_where(void **state)
{
    (void)state;
    if (where[0] != '\0') {
        print_error("%s\n", where);
        where[0] = '\0';
    }
    return 0;
}

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i]) != NULL) {
            return true;
        }
    }
    return argc <= 1;
}

int acts_run(const char *name, const struct scenario *const *tables,
             const size_t *lens, size_t tables_len, int argc, char **argv)
{
    static struct CMUnitTest tests[512];
    size_t len = 0;
    for (size_t t = 0; t < tables_len; t++) {
        for (size_t i = 0; i < lens[t]; i++) {
            const struct scenario *scenario = &tables[t][i];
            if (chosen(scenario->name, argc, argv)) {
                assert_true(len < sizeof tests / sizeof tests[0]);
                tests[len++] = (struct CMUnitTest){
                    .name = scenario->name,
                    .test_func = run_scenario,
                    .teardown_func = say_where,
                    .initial_state = (void *)(uintptr_t)scenario,
                };
            }
        }
    }
    int failed = _cmocka_run_group_tests(name, tests, len, NULL, NULL);
    printf("%zu scenarios, %llu runs, %llu refusals\n", len,
           (unsigned long long)runs, (unsigned long long)refusals);
    return failed;
}
