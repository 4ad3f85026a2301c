/* SPDX-License-Identifier: Apache-2.0 */
#include "messaging/endpoint.h"

bool theater_pattern_matches(const char *pattern, const char *name,
                             size_t name_len)
{
    size_t len = strlen(pattern);
    if (len != 0 && pattern[len - 1] == '*') {
        return name_len >= len - 1 && memcmp(pattern, name, len - 1) == 0;
    }
    return name_len == len && memcmp(pattern, name, len) == 0;
}

theater_status_t theater_pattern_check(const char *pattern)
{
    size_t len = pattern == NULL ? 0 : strlen(pattern);
    if (len == 1 && pattern[0] == '*') {
        return THEATER_OK;
    }
    if (len != 0 && pattern[len - 1] == '*') {
        len--;
    }
    if (len == 0 || memchr(pattern, '*', len) != NULL ||
        !th_name_ok(pattern, len)) {
        return THEATER_INVALID_ARGUMENT;
    }
    return THEATER_OK;
}

theater_status_t th_permissions_copy(const theater_env_t *env,
                                     const theater_permissions_t *from,
                                     struct th_permissions **out)
{
    size_t count =
        from->allowed_targets == NULL ? 0 : from->allowed_targets_len;
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        if (theater_pattern_check(from->allowed_targets[i]) != THEATER_OK) {
            return THEATER_INVALID_ARGUMENT;
        }
        bytes += strlen(from->allowed_targets[i]) + 1;
    }
    struct th_permissions *copy =
        th_alloc(env, sizeof *copy + count * sizeof(char *) + bytes);
    if (copy == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    copy->kinds = (from->can_send ? THEATER_ACCEPT_SENDS : 0U) |
                  (from->can_request ? THEATER_ACCEPT_REQUESTS : 0U) |
                  (from->can_open_channels ? THEATER_ACCEPT_CHANNELS : 0U);
    copy->everybody = from->allowed_targets == NULL;
    copy->len = count;
    copy->patterns = (char **)(copy + 1);
    char *at = (char *)(copy->patterns + count);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(from->allowed_targets[i]) + 1;
        copy->patterns[i] = memcpy(at, from->allowed_targets[i], len);
        at += len;
    }
    *out = copy;
    return THEATER_OK;
}

bool th_permissions_allow(const struct th_permissions *permissions,
                          unsigned kind, theater_bytes_t target)
{
    if (permissions == NULL) {
        return true;
    }
    if ((permissions->kinds & kind) == 0) {
        return false;
    }
    bool allowed = permissions->everybody;
    for (size_t i = 0; i < permissions->len && !allowed; i++) {
        allowed = theater_pattern_matches(
            permissions->patterns[i], (const char *)target.data, target.len);
    }
    return allowed;
}
