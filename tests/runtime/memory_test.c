/* SPDX-License-Identifier: Apache-2.0 */
/* Out of memory is a status: each allocation of a runtime, a spawn and a
 * message is made to fail, once and from then on; nothing is left behind. */
#include "world.h"

#include "base/env_fault.h"

static theater_error_t last; /* of the last spawn */

/* Answers what the spawn did. */
static theater_status_t scenario(const theater_env_t *env,
                                 const theater_manifest_t *manifest)
{
    struct world world;
    theater_status_t status =
        world_try(&world, &(struct world_options){.env = env, .workers = 1});
    if (status == THEATER_OK) {
        theater_spawn_options_t options = THEATER_SPAWN_OPTIONS_INIT;
        options.initial_state =
            (theater_bytes_t){(const uint8_t *)"log x\nsize 9000", 15};
        status = theater_runtime_spawn(world.runtime, NULL, manifest, &options,
                                       &last);
        if (status == THEATER_OK) {
            post_send(world.post, "player", "log hello\nstop enough");
            theater_runtime_stop_all(world.runtime, "over");
            assert_int_equal(theater_runtime_wait(
                                 world.runtime, THEATER_WAIT_STOPPED, WAIT_MS),
                             THEATER_OK);
        } else {
            assert_int_equal(last.status, status);
        }
    }
    world_end(&world);
    return status;
}

static void fail_each(enum th_fault_kind kind, bool once)
{
    theater_manifest_t *manifest = world_player("");
    for (uint64_t k = 1;; k++) {
        struct th_fault_env fault;
        th_fault_env_init(&fault, theater_env_default());
        th_fault_env_fail(&fault, kind, k, once);
        theater_status_t status = scenario(&fault.table, manifest);
        if (status != THEATER_OK && status != THEATER_OUT_OF_MEMORY &&
            status != THEATER_IO) {
            fail_msg("the %llu-th: %s: %s", (unsigned long long)k, last.text,
                     theater_status_name(status));
        }
        if (th_fault_env_live(&fault) != 0 ||
            th_fault_env_live_pages(&fault) != 0) {
            fail_msg("the %llu-th leaves %lld allocations, %lld maps",
                     (unsigned long long)k,
                     (long long)th_fault_env_live(&fault),
                     (long long)th_fault_env_live_pages(&fault));
        }
        if (th_fault_env_failed(&fault, kind) == 0) {
            assert_int_equal(status, THEATER_OK);
            assert_true(k > 1);
            break;
        }
    }
    theater_manifest_release(manifest);
}

static void every_allocation_may_fail_once(void **state)
{
    (void)state;
    fail_each(TH_FAULT_ALLOC, true);
}

static void every_allocation_may_fail_for_good(void **state)
{
    (void)state;
    fail_each(TH_FAULT_ALLOC, false);
}

static void maps_threads_and_files_may_fail(void **state)
{
    (void)state;
    fail_each(TH_FAULT_MAP, true);
    fail_each(TH_FAULT_THREAD, true);
    fail_each(TH_FAULT_THREAD, false);
    fail_each(TH_FAULT_FILE_READ, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail_once),
        cmocka_unit_test(every_allocation_may_fail_for_good),
        cmocka_unit_test(maps_threads_and_files_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
