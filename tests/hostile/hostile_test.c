/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: one runtime, a bystander pair, and every hostile actor in
 * turn; the counters must conserve when all is over.
 *   hostile.actors                every case (the test)
 *   hostile.actors --seed N       other mutants
 *   hostile.actors --measure MS [NAME]
 *                                 what the bystanders keep, MS per actor, or
 *                                 for those alone that have NAME in theirs */
#include "cage.h"
#include "cases.h"
#include "pests.h"

#include <stdlib.h>

static unsigned seed = 1;

static int open_cage(void **state)
{
    (void)state;
    cage_open(NULL, NULL, 4);
    return 0;
}

static int close_cage(void **state)
{
    (void)state;
    cage_close();
    return 0;
}

static void family(const char *name, const struct hostile *actors, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint64_t since = stage_now();
        cage_run(&actors[i]);
        print_message("  %s: %s: %llu ms\n", name, actors[i].name,
                      (unsigned long long)((stage_now() - since) / 1000000));
    }
}

static void who_burns_the_processor_ends_by_its_limit(void **state)
{
    (void)state;
    family("processor", cage_cpu, cage_cpu_len);
}

static void who_takes_memory_ends_by_its_limit(void **state)
{
    (void)state;
    family("memory", cage_memory, cage_memory_len);
}

static void who_calls_too_deep_ends_by_the_stack(void **state)
{
    (void)state;
    family("stack", cage_stack, cage_stack_len);
}

static void who_lies_to_the_host_traps(void **state)
{
    (void)state;
    family("lies", cage_lies, cage_lies_len);
}

struct held {
    _Atomic bool ended;
    theater_status_t status;
    char text[8];
};

static void on_held(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    struct held *held = user;
    held->status = status;
    if (answer != NULL) {
        memcpy(held->text, answer->data, answer->len < 8 ? answer->len : 7);
        theater_answer_delete(answer);
    }
    /* release; pairs with the acquire in the test: status and text travel */
    atomic_store_explicit(&held->ended, true, memory_order_release);
}

/* The vault holds a request, a channel and a timed send all the while. */
static void no_id_of_another_is_of_use(void **state)
{
    static struct held held;
    struct stage *stage = cage_stage();
    (void)state;
    assert_int_equal(theater_router_request_start(
                         stage->router, NULL, stage_text("vault"),
                         stage_text("hold"), 600000, on_held, &held, NULL),
                     THEATER_PENDING);
    cage_open_vault();
    family("identity", cage_identity, cage_identity_len);
    assert_false(atomic_load_explicit(&held.ended, memory_order_acquire));
    assert_string_equal(stage_ask(stage, "vault", "check"), "all there");
    assert_true(atomic_load_explicit(&held.ended, memory_order_acquire));
    assert_int_equal(held.status, THEATER_OK);
    assert_string_equal(held.text, "kept");
}

static void who_floods_is_held_back_or_refused(void **state)
{
    (void)state;
    family("floods", cage_floods, cage_floods_len);
}

static void who_takes_everything_gets_its_bound(void **state)
{
    (void)state;
    family("exhaustion", cage_exhaustion, cage_exhaustion_len);
}

static void every_host_function_checks_every_pointer(void **state)
{
    (void)state;
    print_message("  %zu calls\n", hostile_pointers());
}

static void what_is_no_module_is_refused(void **state)
{
    (void)state;
    print_message("  %zu lengths\n", hostile_truncated());
    print_message("  %zu modules\n", hostile_modules());
}

static void a_module_with_a_wrong_byte_does_no_harm(void **state)
{
    (void)state;
    (void)hostile_mutated(seed);
}

static void bad_manifests_are_refused_with_their_line(void **state)
{
    (void)state;
    print_message("  %zu manifests\n", hostile_manifests());
}

static void a_name_that_is_taken_stays_with_its_owner(void **state)
{
    struct stage *stage = cage_stage();
    theater_manifest_t *manifest =
        stage_manifest("tests/hostile/vault.wasm", NULL, NULL);
    (void)state;
    cage_watch_begin();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(stage_try_spawn(stage, "left", manifest, NULL, false),
                         THEATER_ALREADY_EXISTS);
        assert_int_equal(
            stage_try_spawn(stage, "prober", manifest, NULL, false),
            THEATER_ALREADY_EXISTS);
    }
    cage_watch_end("taken names");
    theater_manifest_release(manifest);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        seed = (unsigned)strtoul(argv[2], NULL, 10);
    } else if (argc >= 3 && argc <= 4 && strcmp(argv[1], "--measure") == 0) {
        return hostile_measure((unsigned)strtoul(argv[2], NULL, 10),
                               argc > 3 ? argv[3] : NULL) > 0;
    } else if (argc != 1) {
        fprintf(stderr, "usage: %s [--seed N | --measure MS [NAME]]\n",
                argv[0]);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_burns_the_processor_ends_by_its_limit),
        cmocka_unit_test(who_takes_memory_ends_by_its_limit),
        cmocka_unit_test(who_calls_too_deep_ends_by_the_stack),
        cmocka_unit_test(who_lies_to_the_host_traps),
        cmocka_unit_test(no_id_of_another_is_of_use),
        cmocka_unit_test(who_floods_is_held_back_or_refused),
        cmocka_unit_test(who_takes_everything_gets_its_bound),
        cmocka_unit_test(every_host_function_checks_every_pointer),
        cmocka_unit_test(what_is_no_module_is_refused),
        cmocka_unit_test(a_module_with_a_wrong_byte_does_no_harm),
        cmocka_unit_test(bad_manifests_are_refused_with_their_line),
        cmocka_unit_test(a_name_that_is_taken_stays_with_its_owner),
    };
    return cmocka_run_group_tests(tests, open_cage, close_cage);
}
