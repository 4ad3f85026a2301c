/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler's contract, one sentence at a time. */
#include "sched/sched_testing.h"

#include "base/env_fault.h"

struct probe {
    struct th_task task;
    struct th_sched *sched;
    struct th_task *other;
    _Atomic uint64_t runs;
    _Atomic uint64_t go; /* the run waits for it */
    uint64_t at;         /* which run of all it was */
    uint64_t plain;      /* written before the wake */
    uint64_t seen;       /* what the run saw of it */
    int worker;
    bool on_worker;
};

static _Atomic uint64_t order;

static void probe_init(struct probe *probe, struct th_sched *sched,
                       enum th_run (*run)(struct th_task *))
{
    memset(probe, 0, sizeof(*probe));
    probe->sched = sched;
    th_task_init(&probe->task, run);
}

static struct probe *probe_of(struct th_task *task)
{
    return TH_CONTAINER_OF(task, struct probe, task);
}

static enum th_run note(struct th_task *task)
{
    struct probe *probe = probe_of(task);
    probe->at = bump(&order);
    probe->seen = probe->plain;
    probe->worker = th_sched_current_worker(probe->sched);
    probe->on_worker = th_on_worker() && th_thread_is_worker;
    bump(&probe->runs);
    return TH_RUN_IDLE;
}

static void a_task_runs_after_its_wake_and_sees_what_came_before(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct probe probe;
    (void)state;

    probe_init(&probe, sched, note);
    for (uint64_t i = 1; i <= 2000; i++) {
        probe.plain = i;
        th_sched_wake(sched, &probe.task);
        assert_true(reaches(env, &probe.runs, i));
        assert_int_equal(probe.seen, i);
        assert_int_equal(get(&probe.runs), i);
    }
    assert_true(probe.on_worker);
    assert_in_range(probe.worker, 0, 1);
    assert_int_equal(th_sched_current_worker(sched), -1);
    assert_false(th_on_worker());
    th_sched_delete(sched);
}

static enum th_run wait_for_go(struct th_task *task)
{
    struct probe *probe = probe_of(task);
    if (bump(&probe->runs) == 1) {
        while (get(&probe->go) == 0) {
            th_pause();
        }
    }
    return TH_RUN_IDLE;
}

static void a_task_woken_while_it_runs_runs_once_more(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 2);
    struct probe probe;
    (void)state;

    probe_init(&probe, sched, wait_for_go);
    th_sched_wake(sched, &probe.task);
    assert_true(reaches(env, &probe.runs, 1));
    for (int i = 0; i < 10; i++) {
        th_sched_wake(sched, &probe.task);
    }
    bump(&probe.go);
    assert_quiet(sched);
    assert_int_equal(get(&probe.runs), 2);
    th_sched_delete(sched);
}

static struct probe crowd[6];

static enum th_run wake_crowd(struct th_task *task)
{
    struct probe *probe = probe_of(task);
    if (bump(&probe->runs) == 1) {
        for (int i = 0; i < 6; i++) {
            th_sched_wake(probe->sched, &crowd[i].task);
        }
        return TH_RUN_AGAIN;
    }
    probe->at = bump(&order);
    return TH_RUN_IDLE;
}

static void who_has_more_to_do_goes_behind_the_others(void **state)
{
    struct th_sched *sched = open_sched(theater_env_default(), 1);
    struct probe probe;
    (void)state;

    probe_init(&probe, sched, wake_crowd);
    for (int i = 0; i < 6; i++) {
        probe_init(&crowd[i], sched, note);
    }
    th_sched_wake(sched, &probe.task);
    assert_quiet(sched);
    for (int i = 0; i < 6; i++) {
        assert_true(crowd[i].at < probe.at);
    }
    th_sched_delete(sched);
}

static enum th_run last_run(struct th_task *task)
{
    struct probe *probe = probe_of(task);
    bump(&probe->runs);
    /* Its memory may go: the scheduler must not look at it again. */
    memset(&probe->task, 0x5A, sizeof(probe->task));
    return TH_RUN_ENDED;
}

static void a_task_that_ended_is_not_touched_any_more(void **state)
{
    struct th_sched *sched = open_sched(theater_env_default(), 2);
    static struct probe probes[100];
    struct th_task rubbish;
    (void)state;

    memset(&rubbish, 0x5A, sizeof(rubbish));
    for (int i = 0; i < 100; i++) {
        probe_init(&probes[i], sched, last_run);
        th_sched_wake(sched, &probes[i].task);
    }
    assert_quiet(sched);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(get(&probes[i].runs), 1);
        assert_memory_equal(&probes[i].task, &rubbish, sizeof(rubbish));
    }
    th_sched_delete(sched);
}

static enum th_run until_stop(struct th_task *task)
{
    struct probe *probe = probe_of(task);
    th_sched_wake(probe->sched, probe->other);
    bump(&probe->runs);
    while (atomic_load_explicit(&probe->sched->stop, memory_order_acquire) ==
           0) {
        th_pause();
    }
    return TH_RUN_AGAIN;
}

static void delete_joins_the_workers_and_runs_nothing_more(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    struct probe busy, local, foreign;
    (void)state;

    probe_init(&busy, sched, until_stop);
    probe_init(&local, sched, note);
    probe_init(&foreign, sched, note);
    busy.other = &local.task;
    th_sched_wake(sched, &busy.task);
    assert_true(reaches(env, &busy.runs, 1));
    th_sched_wake(sched, &foreign.task);
    th_sched_delete(sched);
    assert_int_equal(get(&busy.runs), 1);
    assert_int_equal(get(&local.runs), 0);
    assert_int_equal(get(&foreign.runs), 0);
}

static void when_anything_cannot_be_had_nothing_is_left_behind(void **state)
{
    static const enum th_fault_kind kinds[] = {TH_FAULT_ALLOC, TH_FAULT_THREAD};
    (void)state;

    for (int kind = 0; kind < 2; kind++) {
        theater_status_t status;
        uint64_t k = 0;
        do {
            struct th_fault_env fault;
            struct th_sched *sched = NULL;
            k++;
            th_fault_env_init(&fault, theater_env_default());
            th_fault_env_fail(&fault, kinds[kind], k, true);
            struct th_sched_options options = {.env = &fault.table,
                                               .workers = 3};
            status = th_sched_new(&options, &sched);
            if (status == THEATER_OK) {
                th_sched_delete(sched);
            } else {
                assert_int_equal(status, THEATER_OUT_OF_MEMORY);
                assert_null(sched);
            }
            assert_int_equal(th_fault_env_live(&fault), 0);
        } while (status != THEATER_OK);
        assert_true(k > 2);
    }
}

static void no_number_of_workers_means_one_for_each_core(void **state)
{
    struct th_sched *sched = open_sched(theater_env_default(), 0);
    (void)state;
    assert_in_range(th_sched_workers(sched), 1, TH_WORKERS_MAX);
    th_sched_delete(sched);
    sched = open_sched(theater_env_default(), 100000);
    assert_int_equal(th_sched_workers(sched), TH_WORKERS_MAX);
    th_sched_delete(sched);
}

/* --- Jobs --------------------------------------------------------------- */

struct work {
    struct th_job job;
    struct th_sched *sched;
    struct th_task *task;
    bool on_worker;
    _Atomic uint64_t ran;
};

static void work_run(struct th_job *job)
{
    struct work *work = TH_CONTAINER_OF(job, struct work, job);
    work->on_worker = th_on_worker();
    if (work->task != NULL) {
        th_sched_wake(work->sched, work->task);
    }
    bump(&work->ran);
}

static void a_job_runs_on_no_worker_and_is_waited_for(void **state)
{
    struct th_sched *sched = open_sched(theater_env_default(), 2);
    static struct work works[100];
    struct probe probe;
    (void)state;

    probe_init(&probe, sched, note);
    memset(works, 0, sizeof(works));
    for (int i = 0; i < 100; i++) {
        works[i] = (struct work){.job.run = work_run, .sched = sched};
    }
    works[99].task = &probe.task;
    for (int i = 0; i < 100; i++) {
        th_sched_run_job(sched, &works[i].job);
    }
    assert_quiet(sched);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(get(&works[i].ran), 1);
        assert_false(works[i].on_worker);
    }
    assert_int_equal(get(&probe.runs), 1);
    th_sched_delete(sched);
}

static void all_jobs_have_run_when_delete_returns(void **state)
{
    static struct work works[100];
    (void)state;

    for (int round = 0; round < 20; round++) {
        struct th_sched *sched = open_sched(theater_env_default(), 2);
        memset(works, 0, sizeof(works));
        for (int i = 0; i < 100; i++) {
            works[i] = (struct work){.job.run = work_run, .sched = sched};
            th_sched_run_job(sched, &works[i].job);
        }
        th_sched_delete(sched);
        for (int i = 0; i < 100; i++) {
            assert_int_equal(get(&works[i].ran), 1);
        }
    }
}

/* A job that does not return before `gate` is set. */
struct long_job {
    struct th_job job;
    const theater_env_t *env;
    _Atomic uint32_t *gate;
    struct th_sched *sched;
};

static void long_run(struct th_job *job)
{
    struct long_job *self = TH_CONTAINER_OF(job, struct long_job, job);
    const theater_env_t *env = self->env;
    _Atomic uint32_t *gate = self->gate;
    while (atomic_load_explicit(gate, memory_order_acquire) == 0) {
        env->park(env->ctx, gate, 0, THEATER_NEVER);
    }
}

static void jobs_that_take_long_do_not_hold_up_another(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    _Atomic uint32_t gate = 0;
    struct long_job slow[3];
    struct work work = {.job.run = work_run, .sched = sched};
    (void)state;

    for (int i = 0; i < 3; i++) {
        slow[i] = (struct long_job){{.run = long_run}, env, &gate, sched};
        th_sched_run_job(sched, &slow[i].job);
    }
    th_sched_run_job(sched, &work.job);
    bool ran = reaches(env, &work.ran, 1);
    /* What takes long is under way still: it is not quiet. */
    theater_status_t quiet = th_sched_wait_quiet(sched, th_now(env));
    atomic_store_explicit(&gate, 1, memory_order_release);
    env->unpark(env->ctx, &gate, UINT32_MAX);
    assert_true(ran);
    assert_int_equal(get(&work.ran), 1);
    assert_int_equal(quiet, THEATER_TIMEOUT);
    assert_quiet(sched);
    th_sched_delete(sched);
}

static void what_took_long_waits_for_its_like_and_nobody_else(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    _Atomic uint32_t gate = 0;
    struct long_job slow[6];
    struct work quick[2], queued = {.job = {.run = work_run}};
    (void)state;

    for (int i = 0; i < 6; i++) {
        slow[i] = (struct long_job){
            {.run = long_run, .took_ns = TH_JOB_LONG_NS}, env, &gate, sched};
        th_sched_run_job(sched, &slow[i].job);
    }
    queued.job.took_ns = TH_JOB_LONG_NS;
    th_sched_run_job(sched, &queued.job);
    for (int i = 0; i < 2; i++) {
        quick[i] = (struct work){.job.run = work_run, .sched = sched};
        th_sched_run_job(sched, &quick[i].job);
        assert_true(reaches(env, &quick[i].ran, 1));
    }
    /* Those that have not begun can be taken back, from any place. */
    assert_int_equal(get(&queued.ran), 0);
    assert_true(th_sched_take_job(sched, &slow[3].job));
    assert_true(th_sched_take_job(sched, &queued.job));
    assert_false(th_sched_take_job(sched, &queued.job));
    assert_false(th_sched_take_job(sched, &quick[0].job));
    atomic_store_explicit(&gate, 1, memory_order_release);
    env->unpark(env->ctx, &gate, UINT32_MAX);
    assert_quiet(sched);
    assert_int_equal(get(&queued.ran), 0);
    th_sched_delete(sched);
}

/* A job that comes again until `gate` is set. */
static void again_run(struct th_job *job)
{
    struct long_job *self = TH_CONTAINER_OF(job, struct long_job, job);
    if (atomic_load_explicit(self->gate, memory_order_acquire) == 0) {
        th_sched_run_job(self->sched, &self->job);
    }
}

static void
quick_jobs_without_end_do_not_hold_up_one_that_takes_long(void **state)
{
    const theater_env_t *env = theater_env_default();
    struct th_sched *sched = open_sched(env, 1);
    _Atomic uint32_t gate = 0;
    struct long_job again[16];
    struct work slow = {.job = {.run = work_run, .took_ns = TH_JOB_LONG_NS}};
    (void)state;

    for (int i = 0; i < 16; i++) {
        again[i] = (struct long_job){{.run = again_run}, env, &gate, sched};
        th_sched_run_job(sched, &again[i].job);
    }
    th_sched_run_job(sched, &slow.job);
    assert_true(reaches(env, &slow.ran, 1));
    atomic_store_explicit(&gate, 1, memory_order_release);
    assert_quiet(sched);
    th_sched_delete(sched);
}

static void without_a_thread_for_it_a_job_runs_in_the_call(void **state)
{
    struct th_fault_env fault;
    (void)state;

    th_fault_env_init(&fault, theater_env_default());
    struct th_sched *sched = open_sched(&fault.table, 1);
    struct work work = {.job.run = work_run, .sched = sched};
    th_fault_env_fail(&fault, TH_FAULT_THREAD, 1, false);
    th_sched_run_job(sched, &work.job);
    assert_int_equal(get(&work.ran), 1);
    assert_quiet(sched);
    th_fault_env_fail(&fault, TH_FAULT_THREAD, 0, false);
    work.task = NULL;
    th_sched_run_job(sched, &work.job);
    assert_quiet(sched);
    assert_int_equal(get(&work.ran), 2);
    th_sched_delete(sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_runs_after_its_wake_and_sees_what_came_before),
        cmocka_unit_test(a_task_woken_while_it_runs_runs_once_more),
        cmocka_unit_test(who_has_more_to_do_goes_behind_the_others),
        cmocka_unit_test(a_task_that_ended_is_not_touched_any_more),
        cmocka_unit_test(delete_joins_the_workers_and_runs_nothing_more),
        cmocka_unit_test(when_anything_cannot_be_had_nothing_is_left_behind),
        cmocka_unit_test(no_number_of_workers_means_one_for_each_core),
        cmocka_unit_test(a_job_runs_on_no_worker_and_is_waited_for),
        cmocka_unit_test(all_jobs_have_run_when_delete_returns),
        cmocka_unit_test(jobs_that_take_long_do_not_hold_up_another),
        cmocka_unit_test(what_took_long_waits_for_its_like_and_nobody_else),
        cmocka_unit_test(
            quick_jobs_without_end_do_not_hold_up_one_that_takes_long),
        cmocka_unit_test(without_a_thread_for_it_a_job_runs_in_the_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
