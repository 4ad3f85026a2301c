/* SPDX-License-Identifier: Apache-2.0 */
/* Requests along a path: "b/c/d" asks b, which asks c, which asks d; the last
 * answers "end". An error comes back as the code's name. A message starts such
 * a path and logs how it ended. So "a/b/a", sent to x, is a cycle. */
#include <theater/actor.h>

static theater_code_t follow(theater_bytes_t path, theater_bytes_t *answer,
                             theater_error_t *err)
{
    size_t slash = 0;
    while (slash < path.len && path.data[slash] != '/') {
        slash++;
    }
    size_t rest = slash < path.len ? slash + 1 : slash;
    return theater_request(theater_bytes(path.data, slash),
                           theater_bytes(path.data + rest, path.len - rest),
                           answer, err);
}

THEATER_HANDLE_REQUEST(data)
{
    theater_bytes_t answer = theater_str("end");
    theater_error_t err;
    if (data.len == 0) {
        return theater_answer(answer);
    }
    theater_code_t code = follow(data, &answer, &err);
    if (code == THEATER_OK) {
        return theater_answer(answer);
    }
    /* Who failed because of another hands that one's code on. */
    if (code == THEATER_FAILED) {
        return theater_fail(err.message);
    }
    return theater_fail(theater_str(theater_code_name(code)));
}

THEATER_HANDLE_SEND(data)
{
    theater_bytes_t answer = theater_str("");
    theater_error_t err;
    theater_code_t code = follow(data, &answer, &err);
    if (code == THEATER_OK) {
        theater_log(THEATER_LEVEL_INFO, answer);
    } else if (code == THEATER_FAILED) {
        theater_log(THEATER_LEVEL_WARN, err.message);
    } else {
        theater_log(THEATER_LEVEL_WARN, theater_str(theater_code_name(code)));
    }
}
