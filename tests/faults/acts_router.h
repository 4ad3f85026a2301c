/* SPDX-License-Identifier: Apache-2.0 */
/* For scenarios of the router alone: short calls, and the tables. */
#ifndef TH_TESTS_FAULTS_ACTS_ROUTER_H
#define TH_TESTS_FAULTS_ACTS_ROUTER_H

#include "act.h"

/* A router on a simulated clock, with the endpoints "a" and "b". */
extern const struct stage stage_router;
/* The same, and "a" and "b" wait as actors do: a cycle of waits is refused. */
extern const struct stage stage_waiters;

extern const struct scenario acts_name[], acts_send[], acts_request[],
    acts_channel[], acts_file[];
extern const size_t acts_name_len, acts_send_len, acts_request_len,
    acts_channel_len, acts_file_len;

/* NULL when that was refused. */
theater_endpoint_t *join(struct act *act, const char *name,
                         const theater_endpoint_options_t *options);
/* NULL is fine. */
void leave(theater_endpoint_t *endpoint);

theater_status_t send_text(struct act *act, theater_endpoint_t *from,
                           const char *to, const char *data);
/* Receives all there is: answers requests, accepts opens. */
void drain(theater_endpoint_t *endpoint);
/* Moves the clock and fires what is due. */
void pass(struct act *act, uint64_t ms);

/* True: PENDING. */
bool ask(struct act *act, theater_endpoint_t *from, const char *to,
         const char *data, uint32_t timeout_ms);
bool ask_id(struct act *act, theater_endpoint_t *from, const char *to,
            theater_request_id_t *out_id);
/* The next message of `endpoint`, which must be of that kind; NULL: none. */
const theater_message_t *take(theater_endpoint_t *endpoint,
                              theater_message_kind_t kind);
/* An accepted channel from a to b; false: memory was lacking. */
bool connect_ab(struct act *act, theater_channel_id_t *out_a,
                theater_channel_id_t *out_b);

/* Bytes to be sent. */
enum { ACT_BIG = 1 << 20 };
theater_bytes_t big(size_t len);

#endif
