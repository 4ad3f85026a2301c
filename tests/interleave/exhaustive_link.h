/* SPDX-License-Identifier: Apache-2.0 */
/* A link to names of three letters, such as "far". It answers nothing by
 * itself; the last request that it was asked is in `request`. */
#ifndef TH_TESTS_INTERLEAVE_EXHAUSTIVE_LINK_H
#define TH_TESTS_INTERLEAVE_EXHAUSTIVE_LINK_H

#include "exhaustive_world.h"

#include <theater/link.h>

static inline theater_status_t resolves(void *ctx, theater_bytes_t target)
{
    (void)ctx;
    return target.len == 3 ? THEATER_OK : THEATER_NOT_FOUND;
}

static inline theater_status_t link_sends(void *ctx, theater_bytes_t sender,
                                          theater_bytes_t target,
                                          theater_bytes_t data)
{
    (void)ctx;
    (void)sender;
    (void)target;
    (void)data;
    return THEATER_OK;
}

static inline theater_status_t link_asks(void *ctx, theater_bytes_t sender,
                                         theater_bytes_t target,
                                         theater_bytes_t data,
                                         theater_request_id_t id)
{
    (void)ctx;
    (void)sender;
    (void)target;
    (void)data;
    request = id;
    return THEATER_OK;
}

static const theater_link_ops_t link_ops = {sizeof(theater_link_ops_t),
                                            resolves, link_sends, link_asks};

#endif
