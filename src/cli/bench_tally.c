/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. What was lost is taken from two sources that do not know of
 * each other, the router's counters and those that each actor keeps itself;
 * the greater of both counts. */
#include "cli/bench_tally.h"

void bench_tally_add(struct bench_tally *tally,
                     const struct bench_counters *counters,
                     enum bench_role role)
{
    bool receives = role == BENCH_RECEIVER || role == BENCH_RECEIVER_MANY ||
                    role == BENCH_LISTENER;
    /* Of a ring and of peers only some decide when it is over. */
    bool ends = role == BENCH_SENDER || role == BENCH_REQUESTER ||
                role == BENCH_BROADCASTER;
    tally->sent += counters->sent;
    tally->received += counters->received;
    tally->completed += counters->completed;
    tally->errors += counters->order_errors + counters->checksum_errors;
    /* A number that is skipped on a ring is one that others hand on. */
    tally->errors += role == BENCH_RING ? 0 : counters->gaps;
    tally->unfinished += (counters->flags & BENCH_MISCONFIGURED) != 0 ||
                         (ends && (counters->flags & BENCH_FINISHED) == 0);
    if (receives) {
        if (tally->receivers == 0 || counters->received < tally->slowest) {
            tally->slowest = counters->received;
        }
        tally->receivers++;
    }
}

static uint64_t distance(uint64_t a, uint64_t b)
{
    return a > b ? a - b : b - a;
}

void bench_tally_settle(const struct bench_config *config,
                        const struct bench_tally *tally,
                        const theater_counters_t *at_rest,
                        struct bench_result *result)
{
    bool requests = config->workload->rate == BENCH_ANSWERED;
    uint64_t by_router =
        distance(at_rest->accepted, at_rest->delivered + at_rest->dead_total);
    uint64_t by_actors;
    result->dead = at_rest->dead_total;
    result->sent = tally->sent;
    if (requests) {
        /* An echo keeps no counters: an answer says that it got one. */
        result->delivered = tally->completed;
        by_actors = distance(at_rest->requests, tally->completed);
    } else {
        result->delivered = tally->received;
        by_actors =
            distance(tally->sent, tally->received + at_rest->dead_total);
    }
    result->lost = by_actors > by_router ? by_actors : by_router;
    result->errors = tally->errors;
    result->failed += tally->unfinished;
    if (tally->receivers > 1 && tally->received > 0) {
        result->figures[BENCH_FAIRNESS] = (double)tally->slowest *
                                          (double)tally->receivers /
                                          (double)tally->received;
    }
}
