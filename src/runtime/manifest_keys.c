/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. Here is every key of manifests and system files, those of
 * handlers aside, which bring tables of their own. A key is added here and
 * nowhere else: reading, checks, the tables in docs/manifest.md and the
 * tests that walk all keys follow.
 */
#include "manifest_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

#define MILLISECOND UINT64_C(1000000)
#define HOUR (UINT64_C(3600000) * MILLISECOND)
#define KIB UINT64_C(1024)

static const char *const restart_words[] = {"never", "on-failure", NULL};
static const char *const stack_words[] = {"small", "large", NULL};

const theater_key_t th_manifest_keys[TH_MANIFEST_KEYS] = {
    [TH_KEY_NAME] = {.name = "name",
                     .type = THEATER_KEY_NAME,
                     .min = 1,
                     .max = 255,
                     .required = true,
                     .doc = "the actor's address; unique in a router"},
    [TH_KEY_VERSION] = {.name = "version",
                        .type = THEATER_KEY_STRING,
                        .fallback = "",
                        .max = 64,
                        .doc = "for people; the runtime does not use it"},
    [TH_KEY_PACKAGE] = {.name = "package",
                        .type = THEATER_KEY_STRING,
                        .min = 1,
                        .max = 4000,
                        .required = true,
                        .doc = "the WebAssembly file, relative to this file; "
                               "in its folder or below"},
    [TH_KEY_DESCRIPTION] = {.name = "description",
                            .type = THEATER_KEY_STRING,
                            .fallback = "",
                            .max = 4096,
                            .doc = "one line for people"},
    [TH_KEY_INITIAL_STATE] = {.name = "initial_state",
                              .type = THEATER_KEY_BYTES,
                              .max = TH_MANIFEST_MAX_BYTES,
                              .doc = "what the actor's `initial-state()` "
                                     "answers"},
    [TH_KEY_RESTART] = {.name = "restart",
                        .type = THEATER_KEY_ENUM,
                        .fallback = "never",
                        .choices = restart_words,
                        .doc = "whether a failed actor is started again"},
    [TH_KEY_MAX_RESTARTS] = {.name = "max_restarts",
                             .type = THEATER_KEY_INT,
                             .fallback = "5",
                             .min = 1,
                             .max = 1000000,
                             .doc = "restarts within one `restart_period`; "
                                    "one more failure and the actor stays "
                                    "stopped"},
    [TH_KEY_RESTART_PERIOD] = {.name = "restart_period",
                               .type = THEATER_KEY_DURATION,
                               .fallback = "60s",
                               .min = MILLISECOND,
                               .max = 10000 * HOUR,
                               .unlimited = true,
                               .doc = "the period in which `max_restarts` "
                                      "counts"},
    [TH_KEY_RESTART_BACKOFF] = {.name = "restart_backoff",
                                .type = THEATER_KEY_DURATION,
                                .fallback = "100ms",
                                .max = HOUR,
                                .doc = "the wait before a restart"},
};

const theater_key_t th_limits_keys[TH_LIMITS_KEYS] = {
    [TH_KEY_MEMORY] = {.name = "memory",
                       .type = THEATER_KEY_SIZE,
                       .fallback = "64MiB",
                       .min = 64 * KIB,
                       .max = 4 * KIB * KIB * KIB,
                       .doc = "linear memory of the actor"},
    [TH_KEY_DELIVERY_TIME] = {.name = "delivery_time",
                              .type = THEATER_KEY_DURATION,
                              .fallback = "1s",
                              .min = MILLISECOND,
                              .max = HOUR,
                              .unlimited = true,
                              .doc = "computing (not waiting) per call of a "
                                     "handler"},
    [TH_KEY_RUN_TIME] = {.name = "run_time",
                         .type = THEATER_KEY_DURATION,
                         .fallback = "60s",
                         .min = MILLISECOND,
                         .max = 10000 * HOUR,
                         .unlimited = true,
                         .doc = "computing (not waiting) of `run`; of the "
                                "start function and `_initialize` too, and 5 "
                                "s at most there"},
    [TH_KEY_STACK] = {.name = "stack",
                      .type = THEATER_KEY_ENUM,
                      .fallback = "small",
                      .choices = stack_words,
                      .doc = "how deep the actor's calls may nest"},
};

const theater_key_t th_actor_keys[TH_ACTOR_KEYS] = {
    [TH_KEY_ACTOR_MANIFEST] = {.name = "manifest",
                               .type = THEATER_KEY_STRING,
                               .min = 1,
                               .max = 4000,
                               .required = true,
                               .doc = "the actor's manifest, relative to this "
                                      "file; in its folder or below"},
    [TH_KEY_ACTOR_NAME] = {.name = "name",
                           .type = THEATER_KEY_NAME,
                           .min = 1,
                           .max = 255,
                           .doc = "the actor's address; the manifest's `name` "
                                  "when it is not set"},
    [TH_KEY_ACTOR_COUNT] = {.name = "count",
                            .type = THEATER_KEY_INT,
                            .fallback = "1",
                            .min = 1,
                            .max = TH_SYSTEM_MAX_ACTORS,
                            .doc = "how many; from 2 on they are named "
                                   "`name-1`, `name-2`, ..."},
    [TH_KEY_ACTOR_INITIAL_STATE] = {.name = "initial_state",
                                    .type = THEATER_KEY_BYTES,
                                    .max = TH_MANIFEST_MAX_BYTES,
                                    .doc = "in place of the manifest's"},
};

const theater_key_group_t *theater_key_groups(size_t *out_len)
{
    static const theater_key_group_t groups[] = {
        {"manifest", "", th_manifest_keys, TH_MANIFEST_KEYS},
        {"manifest", "limits", th_limits_keys, TH_LIMITS_KEYS},
        {"system", "actor", th_actor_keys, TH_ACTOR_KEYS},
    };
    *out_len = sizeof(groups) / sizeof(groups[0]);
    return groups;
}

const char *th_keys_hint(const char *word, const char *const *names, size_t len,
                         char *out, size_t size)
{
    const char *near = th_nearest(word, names, len);
    if (near != NULL) {
        (void)snprintf(out, size, "did you mean '%s'?", near);
        return out;
    }
    if (len == 0) {
        (void)snprintf(out, size, "there is none");
        return out;
    }
    size_t used = (size_t)snprintf(out, size, "there are: ");
    for (size_t i = 0; i < len; i++) {
        size_t more = strlen(names[i]) + 2;
        if (used + more + 4 > size) {
            (void)snprintf(out + used, size - used, "...");
            break;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", names[i],
                                 i + 1 < len ? ", " : "");
    }
    return out;
}

static bool is_name(const struct th_toml_entry *entry, const char *name)
{
    return strlen(name) == entry->key_len &&
           memcmp(name, entry->key, entry->key_len) == 0;
}

static theater_status_t unknown_key(const struct th_source *src,
                                    const struct th_keys_check *check,
                                    const struct th_toml_entry *entry)
{
    char shown[TH_TOML_SHOW];
    char hint[240];
    const char *names[TH_MANIFEST_MAX_KEYS];
    size_t len = 0;
    for (size_t i = 0; i < check->keys_len && len < TH_MANIFEST_MAX_KEYS; i++) {
        names[len++] = check->keys[i].name;
    }
    for (size_t i = 0; i < check->others_len && len < TH_MANIFEST_MAX_KEYS;
         i++) {
        names[len++] = check->others[i];
    }
    return th_source_error(
        src, THEATER_BAD_MANIFEST, entry->place, "%s has no key '%s'; %s",
        check->what, th_toml_show(shown, entry->key, entry->key_len),
        th_keys_hint(entry->key, names, len, hint, sizeof(hint)));
}

static theater_status_t check_entry(const struct th_source *src,
                                    const struct th_keys_check *check,
                                    const struct th_toml_entry *entry)
{
    struct th_key_value value;
    struct th_key_fault fault;
    for (size_t i = 0; i < check->others_len; i++) {
        if (is_name(entry, check->others[i])) {
            return THEATER_OK;
        }
    }
    for (size_t i = 0; i < check->keys_len; i++) {
        if (!is_name(entry, check->keys[i].name)) {
            continue;
        }
        if (th_key_read(&check->keys[i], entry->value, &value, &fault)) {
            return THEATER_OK;
        }
        return th_source_error(src, THEATER_BAD_MANIFEST, fault.place, "%s",
                               fault.text);
    }
    return unknown_key(src, check, entry);
}

theater_status_t th_keys_check(const struct th_source *src,
                               const struct th_keys_check *check)
{
    const struct th_toml_entry *entry = check->table->as.table.first;
    for (; entry != NULL; entry = entry->next) {
        theater_status_t status = check_entry(src, check, entry);
        if (status != THEATER_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < check->keys_len; i++) {
        const theater_key_t *key = &check->keys[i];
        bool may_miss =
            !key->required || (check->optional != NULL &&
                               strcmp(check->optional, key->name) == 0);
        if (may_miss || th_toml_find(src->doc, check->table, key->name,
                                     strlen(key->name)) != NULL) {
            continue;
        }
        return th_source_error(src, THEATER_BAD_MANIFEST, check->place,
                               "%s has no '%s', which it needs: %s",
                               check->what, key->name, key->doc);
    }
    return THEATER_OK;
}
