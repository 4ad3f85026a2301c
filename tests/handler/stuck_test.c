/* SPDX-License-Identifier: Apache-2.0 */
/* A native actor that blocks: the watchdog names it, says who waits for whom
 * and shows the stack; nobody else is accused. */
#include "world.h"

struct reports {
    _Atomic unsigned stuck, moves;
    char actor[256];
    char text[16384];
};

static void on_event(void *user, const theater_event_t *event)
{
    struct reports *reports = user;
    if (event->kind == THEATER_WORKER_STUCK) {
        assert_true(event->text_len < sizeof reports->text);
        snprintf(reports->actor, sizeof reports->actor, "%s", event->actor);
        memcpy(reports->text, event->text, event->text_len + 1);
        atomic_fetch_add_explicit(&reports->stuck, 1, memory_order_release);
    } else if (event->kind == THEATER_ACTOR_LOG && event->actor[0] == '\0' &&
               strstr(event->text, "goes on") != NULL) {
        atomic_fetch_add_explicit(&reports->moves, 1, memory_order_release);
    }
}

struct blocker {
    const theater_env_t *env;
    _Atomic uint32_t go; /* it parks on that, in a delivery */
    _Atomic unsigned entered;
};

__attribute__((noinline)) static void block_here(struct blocker *blocker)
{
    while (atomic_load_explicit(&blocker->go, memory_order_acquire) == 0) {
        blocker->env->park(blocker->env->ctx, &blocker->go, 0, THEATER_NEVER);
    }
}

static void deliver(void *self, theater_actor_t *actor,
                    theater_delivery_t *delivery)
{
    struct blocker *blocker = self;
    (void)actor;
    atomic_fetch_add_explicit(&blocker->entered, 1, memory_order_release);
    block_here(blocker);
    delivery->status = THEATER_OK;
}

static const theater_native_ops_t ops = {
    .size = sizeof(theater_native_ops_t),
    .exports = 31,
    .handler = "message-server",
    .deliver = deliver,
};

static void start(struct world *world, struct reports *reports,
                  struct blocker *blocker, uint32_t watchdog_ms)
{
    struct world_options options = WORLD_OPTIONS;
    memset(reports, 0, sizeof *reports);
    *blocker = (struct blocker){.env = theater_env_default()};
    options.on_event = on_event;
    options.user = reports;
    options.watchdog_ms = watchdog_ms;
    options.workers = 3;
    world_make(world, &options);
    theater_manifest_t *manifest = manifest_for("driver", NULL, NULL);
    assert_status(theater_runtime_spawn_native(world->runtime, "rock", manifest,
                                               NULL, &ops, blocker,
                                               &world->err),
                  THEATER_OK);
    theater_manifest_release(manifest);
}

static void pass(uint64_t ms)
{
    static _Atomic uint32_t never;
    const theater_env_t *env = theater_env_default();
    uint64_t until = th_now(env) + ms * 1000000;
    while (th_now(env) < until) {
        env->park(env->ctx, &never, 0, until);
    }
}

static void await(_Atomic unsigned *count, unsigned at_least)
{
    for (unsigned i = 0; count_of(count) < at_least; i++) {
        assert_true(i < 2000);
        pass(10);
    }
}

static void let_go(struct blocker *blocker)
{
    atomic_store_explicit(&blocker->go, 1, memory_order_release);
    blocker->env->unpark(blocker->env->ctx, &blocker->go, 1);
}

static void assert_part(const struct reports *reports, const char *part)
{
    if (strstr(reports->text, part) == NULL) {
        fail_msg("no \"%s\" in:\n%s", part, reports->text);
    }
}

static void the_report_names_who_blocks_and_who_waits(void **state)
{
    static struct reports reports;
    struct world world;
    struct blocker blocker;
    (void)state;
    start(&world, &reports, &blocker, 200);
    driver(&world, "first", NULL);
    driver(&world, "second", NULL);
    /* second asks first, who asks rock, who blocks. */
    assert_status(theater_router_send(world.router, NULL, text("first"),
                                      text("!request rock x")),
                  THEATER_OK);
    await(&blocker.entered, 1);
    assert_status(theater_router_send(world.router, NULL, text("second"),
                                      text("!request first who")),
                  THEATER_OK);
    await(&reports.stuck, 1);
    assert_string_equal(reports.actor, "rock");
    assert_part(&reports, "is stuck: for 0.");
    assert_part(&reports, "in the native actor \"rock\" (running, ");
    assert_part(&reports, "queued\nno worker's: 0 queued\n");
    assert_part(&reports, "\n2 actors wait for others\n");
    assert_part(&reports,
                "\n  \"first\" waits for \"rock\": an answer, for 0.");
    assert_part(&reports,
                "\n  \"second\" waits for \"first\": an answer, for 0.");
    assert_part(&reports, "\nstack of worker ");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* At least: the call to the kernel, park, the actor, the worker. */
    const char *at = strstr(reports.text, "stack of worker");
    unsigned lines = 0;
    while ((at = strchr(at + 1, '\n')) != NULL) {
        lines++;
    }
    assert_true(lines >= 4);
#endif
    pass(500);
    assert_int_equal(count_of(&reports.stuck), 1);
    let_go(&blocker);
    await(&reports.moves, 1);
    assert_status(
        theater_runtime_wait(world.runtime, THEATER_WAIT_QUIET, 20000),
        THEATER_OK);
    assert_int_equal(count_of(&reports.stuck), 1);
    world_fini(&world);
}

static void without_a_watchdog_nobody_is_told(void **state)
{
    static struct reports reports;
    struct world world;
    struct blocker blocker;
    (void)state;
    start(&world, &reports, &blocker, 0);
    assert_status(
        theater_router_send(world.router, NULL, text("rock"), text("x")),
        THEATER_OK);
    await(&blocker.entered, 1);
    pass(600);
    let_go(&blocker);
    world_fini(&world);
    assert_int_equal(count_of(&reports.stuck), 0);
}

static void who_computes_is_not_stuck(void **state)
{
    static struct reports reports;
    struct world world;
    struct blocker blocker;
    (void)state;
    start(&world, &reports, &blocker, 400);
    assert_status(try_spawn(&world, "looper", "looper",
                            "initial_state = \"run\"\n"
                            "[limits]\nrun_time = \"1500ms\"\n",
                            NULL),
                  THEATER_OK);
    assert_status(theater_runtime_wait_actor(world.runtime, "looper", 20000),
                  THEATER_OK);
    world_fini(&world);
    assert_int_equal(count_of(&reports.stuck), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_report_names_who_blocks_and_who_waits),
        cmocka_unit_test(without_a_watchdog_nobody_is_told),
        cmocka_unit_test(who_computes_is_not_stuck),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
