/* SPDX-License-Identifier: Apache-2.0 */
/* One of a crowd: as soon as it runs it sends its name to whom its initial
 * state names, and says so only when that fails. */
#include <theater/actor.h>

THEATER_RUN()
{
    theater_bytes_t to;
    theater_error_t err;
    if (theater_initial_state(&to) &&
        theater_send(to, theater_self_name(), &err) != THEATER_OK) {
        theater_log_failure("not sent", &err);
    }
}
