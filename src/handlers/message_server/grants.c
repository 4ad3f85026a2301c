/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. What an actor may do is what the embedder's permissions and
 * its manifest's both allow. For lists of patterns (a name, or a beginning
 * and one `*`): two patterns either have nothing in common or one covers the
 * other, since of two beginnings that some name has, one begins the other. So
 * the patterns of each list that some pattern of the other covers are exactly
 * what both allow.
 */
#include "handlers/message_server/server.h"

bool th_grants_cover(const char *by, const char *pattern)
{
    size_t by_len = strlen(by);
    size_t len = strlen(pattern);
    if (by_len == 0 || by[by_len - 1] != '*') {
        return by_len == len && memcmp(by, pattern, len) == 0;
    }
    size_t prefix = by_len - 1;
    size_t own = len > 0 && pattern[len - 1] == '*' ? len - 1 : len;
    return prefix <= own && memcmp(by, pattern, prefix) == 0;
}

static bool covered(const char *const *by, size_t by_len, const char *pattern)
{
    for (size_t i = 0; i < by_len; i++) {
        if (th_grants_cover(by[i], pattern)) {
            return true;
        }
    }
    return false;
}

theater_status_t th_grants_targets(const theater_env_t *env,
                                   const char *const *a, size_t a_len,
                                   const char *const *b, size_t b_len,
                                   const char ***out, size_t *out_len)
{
    if (a == NULL && b == NULL) {
        *out = NULL;
        *out_len = 0;
        return THEATER_OK;
    }
    /* One too many, so that a list of nobody is not the NULL of everybody. */
    size_t most = (a != NULL ? a_len : 0) + (b != NULL ? b_len : 0) + 1;
    const char **list = th_alloc(env, most * sizeof(*list));
    if (list == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    size_t len = 0;
    for (size_t i = 0; a != NULL && i < a_len; i++) {
        if (b == NULL || covered(b, b_len, a[i])) {
            list[len++] = a[i];
        }
    }
    for (size_t i = 0; b != NULL && i < b_len; i++) {
        if (a == NULL || covered(a, a_len, b[i])) {
            list[len++] = b[i];
        }
    }
    *out = list;
    *out_len = len;
    return THEATER_OK;
}

theater_status_t th_grants_copy(const theater_env_t *env,
                                const theater_permissions_t *from,
                                theater_permissions_t *out)
{
    theater_permissions_t copy = *from;
    if (from->allowed_targets == NULL) {
        copy.allowed_targets_len = 0;
        *out = copy;
        return THEATER_OK;
    }
    size_t pointers = (from->allowed_targets_len + 1) * sizeof(char *);
    size_t size = pointers;
    for (size_t i = 0; i < from->allowed_targets_len; i++) {
        size += strlen(from->allowed_targets[i]) + 1;
    }
    char *block = th_alloc(env, size);
    if (block == NULL) {
        return THEATER_OUT_OF_MEMORY;
    }
    const char **list = (const char **)(void *)block;
    char *text = block + pointers;
    for (size_t i = 0; i < from->allowed_targets_len; i++) {
        size_t len = strlen(from->allowed_targets[i]) + 1;
        memcpy(text, from->allowed_targets[i], len);
        list[i] = text;
        text += len;
    }
    copy.allowed_targets = list;
    *out = copy;
    return THEATER_OK;
}

void th_grants_free(const theater_env_t *env, theater_permissions_t *grants)
{
    /* The block that th_grants_copy made begins with the list. */
    th_free(env, (void *)(uintptr_t)grants->allowed_targets);
    grants->allowed_targets = NULL;
    grants->allowed_targets_len = 0;
}
