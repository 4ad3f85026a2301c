/* SPDX-License-Identifier: Apache-2.0 */
/* What an actor may do is what the embedder and its manifest both grant, for a
 * hundred thousand random pairs of them, whole: a prototype with the embedder's
 * permissions, a manifest's text, an endpoint, and the router's answers. The
 * checker below is independent of the product: it knows the two policies and
 * how a name is matched. */
#include "handlers/message_server/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { POLICIES = 100000, LIST_MAX = 3, KINDS = 3, NAMES = 6 };

struct policy {
    bool kinds[KINDS]; /* send, request, open */
    bool said[KINDS];  /* the manifest names the key */
    bool listed;       /* there is a list */
    size_t len;        /* of it */
    char texts[LIST_MAX][8];
};

static void random_name(struct th_rng *rng, char *out, size_t least)
{
    size_t len = least + (size_t)th_rng_below(rng, 4 - least);
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)('a' + th_rng_below(rng, 2));
    }
    out[len] = '\0';
}

static void random_policy(struct th_rng *rng, struct policy *policy)
{
    for (unsigned k = 0; k < KINDS; k++) {
        policy->said[k] = th_rng_below(rng, 4) != 0;
        policy->kinds[k] = th_rng_below(rng, 3) != 0;
    }
    policy->listed = th_rng_below(rng, 4) != 0;
    policy->len = (size_t)th_rng_below(rng, LIST_MAX + 1);
    for (size_t i = 0; i < policy->len; i++) {
        bool star = th_rng_below(rng, 2) == 0;
        random_name(rng, policy->texts[i], star ? 0 : 1);
        if (star) {
            strcat(policy->texts[i], "*");
        }
    }
}

static bool lists(const struct policy *policy, const char *name)
{
    if (!policy->listed) {
        return true;
    }
    for (size_t i = 0; i < policy->len; i++) {
        const char *pattern = policy->texts[i];
        const char *at = name;
        while (*pattern != '\0' && *pattern != '*' && *pattern == *at) {
            pattern++;
            at++;
        }
        if (*pattern == '*' || (*pattern == '\0' && *at == '\0')) {
            return true;
        }
    }
    return false;
}

/* A key that a manifest does not say grants. */
static bool grants(const struct policy *policy, bool all_said, unsigned kind,
                   const char *name)
{
    bool kind_granted =
        policy->kinds[kind] || (!all_said && !policy->said[kind]);
    return kind_granted && lists(policy, name);
}

static theater_message_server_t *embedder(theater_router_t *router,
                                          const struct policy *policy)
{
    theater_permissions_t most = THEATER_PERMISSIONS_INIT;
    theater_message_server_t *server = NULL;
    const char *items[LIST_MAX] = {NULL};
    for (size_t i = 0; i < policy->len; i++) {
        items[i] = policy->texts[i];
    }
    most.can_send = policy->kinds[0];
    most.can_request = policy->kinds[1];
    most.can_open_channels = policy->kinds[2];
    most.allowed_targets = policy->listed ? items : NULL;
    most.allowed_targets_len = policy->listed ? policy->len : 0;
    assert_int_equal(theater_message_server_new(router, &most, &server),
                     THEATER_OK);
    return server;
}

static theater_manifest_t *manifest_of(const struct policy *policy)
{
    static const char *const keys[KINDS] = {"can_send", "can_request",
                                            "can_open_channels"};
    static const theater_handler_keys_t handlers = {"message-server",
                                                    th_ms_keys, TH_MS_KEYS};
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest = NULL;
    theater_error_t err;
    char text[400];
    int len = snprintf(text, sizeof text,
                       "name = \"me\"\n[[handler]]\n"
                       "type = \"message-server\"\n");
    for (unsigned k = 0; k < KINDS; k++) {
        if (policy->said[k]) {
            len += snprintf(text + len, sizeof text - (size_t)len, "%s = %s\n",
                            keys[k], policy->kinds[k] ? "true" : "false");
        }
    }
    if (policy->listed) {
        len += snprintf(text + len, sizeof text - (size_t)len,
                        "allowed_targets = [");
        for (size_t i = 0; i < policy->len; i++) {
            len += snprintf(text + len, sizeof text - (size_t)len, "\"%s\",",
                            policy->texts[i]);
        }
        len += snprintf(text + len, sizeof text - (size_t)len, "]\n");
    }
    options.native = true;
    if (theater_manifest_parse(text, (size_t)len, NULL, &options, &manifest,
                               &err) != THEATER_OK ||
        theater_manifest_check(manifest, &handlers, 1, &err) != THEATER_OK) {
        fail_msg("%s\n%s", err.text, text);
    }
    return manifest;
}

static void on_done(void *user, theater_status_t status,
                    theater_answer_t *answer)
{
    (void)user;
    (void)status;
    theater_answer_delete(answer);
}

static void on_opened(void *user, theater_status_t status,
                      theater_channel_id_t channel)
{
    (void)user;
    (void)status;
    (void)channel;
}

/* Nobody has that name: NOT_FOUND is how a grant looks. */
static theater_status_t try_kind(struct th_ms *ms, unsigned kind,
                                 const char *name)
{
    theater_bytes_t target = {(const uint8_t *)name, strlen(name)};
    theater_bytes_t none = {NULL, 0};
    switch (kind) {
    case 0:
        return theater_router_send(ms->router, ms->endpoint, target, none);
    case 1:
        return theater_router_request_start(ms->router, ms->endpoint, target,
                                            none, 1000, on_done, NULL, NULL);
    default:
        return theater_channel_open_start(ms->endpoint, target, none, 1000,
                                          on_opened, NULL, NULL);
    }
}

/* Answers how many of the questions were granted. */
static unsigned check(struct th_rng *rng, struct th_ms *ms,
                      const struct policy *most, const struct policy *wish)
{
    unsigned granted = 0;
    for (unsigned i = 0; i < NAMES; i++) {
        char name[8];
        random_name(rng, name, 1);
        for (unsigned kind = 0; kind < KINDS; kind++) {
            bool by_most = grants(most, true, kind, name);
            bool both = by_most && grants(wish, false, kind, name);
            theater_status_t status = try_kind(ms, kind, name);
            if (status != (both ? THEATER_NOT_FOUND : THEATER_DENIED)) {
                fail_msg("kind %u, %s: %s; the embedder %d, both %d", kind,
                         name, theater_status_name(status), by_most, both);
            }
            granted += both;
        }
    }
    return granted;
}

static unsigned one_pair(struct th_rng *rng, theater_router_t *router)
{
    const theater_handler_ops_t *ops = theater_message_server_ops();
    const theater_end_t end = {THEATER_TRAPPED, "a test", true};
    struct policy most;
    struct policy wish;
    void *instance = NULL;
    theater_error_t err;
    random_policy(rng, &most);
    random_policy(rng, &wish);
    theater_message_server_t *server = embedder(router, &most);
    theater_manifest_t *manifest = manifest_of(&wish);
    theater_instance_args_t args = {
        .name = "me",
        .section = theater_manifest_handler(manifest, 0),
        .exports = 31,
        .env = theater_env_default(),
        .native = th_rng_below(rng, 2) == 0,
    };
    assert_int_equal(ops->create_instance(server, &args, &instance, &err),
                     THEATER_OK);
    assert_int_equal(ops->setup_host_functions(instance, &err), THEATER_OK);
    theater_manifest_release(manifest);
    unsigned granted = check(rng, instance, &most, &wish);
    ops->restart(instance, &end);
    granted += check(rng, instance, &most, &wish);
    ops->stop(instance, &end);
    ops->destroy(instance);
    theater_message_server_delete(server);
    return granted;
}

static void no_policy_grants_more_than_both_do(void **state)
{
    const char *seed = getenv("THEATER_TEST_SEED");
    theater_router_t *router = NULL;
    uint64_t granted = 0;
    struct th_rng rng;
    (void)state;
    th_rng_init(&rng, seed != NULL ? strtoull(seed, NULL, 10) : 1);
    assert_int_equal(theater_router_new(NULL, &router), THEATER_OK);
    for (unsigned i = 0; i < POLICIES; i++) {
        granted += one_pair(&rng, router);
    }
    theater_router_release(router);
    /* Neither all nor nothing, or the questions were the wrong ones. */
    uint64_t asked = (uint64_t)POLICIES * 2 * NAMES * KINDS;
    assert_true(granted > asked / 20 && granted < asked / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_policy_grants_more_than_both_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
