/* SPDX-License-Identifier: Apache-2.0 */
#include "handlers/message_server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

enum { LIST_MAX = 4, PATTERN_SIZE = 5 };

struct list {
    char texts[LIST_MAX][PATTERN_SIZE];
    const char *items[LIST_MAX];
    size_t len;
    bool all; /* NULL: everybody */
};

/* 1 to 3 letters of {a, b}, or 0 to 3 and a star. */
static void random_list(struct th_rng *rng, struct list *list)
{
    list->all = th_rng_below(rng, 8) == 0;
    list->len = (size_t)th_rng_below(rng, LIST_MAX + 1);
    for (size_t i = 0; i < list->len; i++) {
        bool star = th_rng_below(rng, 2) == 0;
        size_t len = (size_t)th_rng_below(rng, 4);
        len = len == 0 && !star ? 1 : len;
        char *text = list->texts[i];
        for (size_t k = 0; k < len; k++) {
            text[k] = (char)('a' + th_rng_below(rng, 2));
        }
        if (star) {
            text[len++] = '*';
        }
        text[len] = '\0';
        list->items[i] = text;
    }
}

/* Written anew, not with theater_pattern_matches. */
static bool naive_allows(const char *const *items, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++) {
        const char *p = items[i];
        const char *n = name;
        while (*p != '\0' && *p != '*' && *p == *n) {
            p++;
            n++;
        }
        if (*p == '*' || (*p == '\0' && *n == '\0')) {
            return true;
        }
    }
    return false;
}

static bool list_allows(const struct list *list, const char *name)
{
    return list->all || naive_allows(list->items, list->len, name);
}

/* Every name of 1 to 5 letters of {a, b}: longer than any pattern. */
static void check_all_names(const struct list *a, const struct list *b,
                            const char *const *both, size_t both_len)
{
    for (unsigned len = 1; len <= 5; len++) {
        for (unsigned bits = 0; bits < 1U << len; bits++) {
            char name[6] = {0};
            for (unsigned k = 0; k < len; k++) {
                name[k] = (bits >> k & 1) != 0 ? 'b' : 'a';
            }
            bool want = list_allows(a, name) && list_allows(b, name);
            bool got = both == NULL || naive_allows(both, both_len, name);
            if (want != got) {
                fail_msg("%s: both say %d, the intersection %d", name, want,
                         got);
            }
        }
    }
}

static void the_intersection_allows_what_both_lists_allow(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    struct th_rng rng;
    th_rng_init(&rng, 3);
    for (int round = 0; round < 20000; round++) {
        struct list a;
        struct list b;
        const char **both = NULL;
        size_t len = 0;
        random_list(&rng, &a);
        random_list(&rng, &b);
        assert_int_equal(th_grants_targets(env, a.all ? NULL : a.items, a.len,
                                           b.all ? NULL : b.items, b.len, &both,
                                           &len),
                         THEATER_OK);
        assert_int_equal(both == NULL, a.all && b.all);
        check_all_names(&a, &b, both, len);
        th_free(env, both);
    }
}

static void nobody_stays_nobody(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    const char *const none[1] = {NULL};
    const char *const some[] = {"a", "b*"};
    const char **both = NULL;
    size_t len = 9;
    assert_int_equal(th_grants_targets(env, none, 0, some, 2, &both, &len),
                     THEATER_OK);
    assert_non_null(both);
    assert_int_equal(len, 0);
    th_free(env, both);
    assert_int_equal(th_grants_targets(env, NULL, 0, none, 0, &both, &len),
                     THEATER_OK);
    assert_non_null(both);
    assert_int_equal(len, 0);
    th_free(env, both);
}

static void a_name_is_what_is_left_of_a_family(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    const char *const a[] = {"worker-*"};
    const char *const b[] = {"worker-1", "boss"};
    const char **both = NULL;
    size_t len = 0;
    assert_int_equal(th_grants_targets(env, a, 1, b, 2, &both, &len),
                     THEATER_OK);
    assert_int_equal(len, 1);
    assert_string_equal(both[0], "worker-1");
    th_free(env, both);
}

static void a_copy_outlives_what_it_was_made_from(void **state)
{
    (void)state;
    const theater_env_t *env = theater_env_default();
    char first[] = "pong";
    char second[] = "worker-*";
    const char *targets[] = {first, second};
    theater_permissions_t from = THEATER_PERMISSIONS_INIT;
    theater_permissions_t copy;
    from.can_request = false;
    from.allowed_targets = targets;
    from.allowed_targets_len = 2;
    assert_int_equal(th_grants_copy(env, &from, &copy), THEATER_OK);
    memset(first, 'x', sizeof(first) - 1);
    memset(second, 'x', sizeof(second) - 1);
    targets[0] = targets[1] = NULL;
    assert_true(copy.can_send && !copy.can_request);
    assert_int_equal(copy.allowed_targets_len, 2);
    assert_string_equal(copy.allowed_targets[0], "pong");
    assert_string_equal(copy.allowed_targets[1], "worker-*");
    th_grants_free(env, &copy);
    assert_null(copy.allowed_targets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_intersection_allows_what_both_lists_allow),
        cmocka_unit_test(nobody_stays_nobody),
        cmocka_unit_test(a_name_is_what_is_left_of_a_family),
        cmocka_unit_test(a_copy_outlives_what_it_was_made_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
