/* SPDX-License-Identifier: Apache-2.0 */
/* Channels inside: a type-stable slot that two endpoints share.
 *
 * Who calls what: the owner of an end: everything that names its endpoint.
 *   open_failed: who ends the opening operation, any thread.
 * Ordering:
 *   [M1] state: exchanges, acq_rel: of two that end their ends at once the
 *        second sees the first.
 *   [M2] flight and waiter of a way: sequentially consistent: the sender puts
 *        up its wait, then looks at the credit; the receiver gives credit,
 *        then looks for a wait: one of them sees the other.
 *   [M3] state, then the ends: whoever makes a channel stores its ends with
 *        release, after the slot's former state was put out; whoever looks one
 *        up loads them with acquire and then the state again: who has seen an
 *        end of the next life sees that this one is over. (Boehm, "Can Seqlocks
 *        Get Along With Programming Language Memory Models?", MSPC 2012)
 * Reclamation: counted by the two ends and by a close on its way; a
 *   generation in the state and in the id makes a stale id fail. */
#ifndef TH_MESSAGING_CHANNEL_H
#define TH_MESSAGING_CHANNEL_H

#include "messaging/op.h"

enum { /* flags in the low half of the state; the high half: generation */
       TH_CHANNEL_LIVE = 1,
       TH_CHANNEL_OPEN = 2, /* accepted */
       TH_CHANNEL_END0 = 4, /* the opener's end is done with it */
       TH_CHANNEL_END1 = 8, /* the target's end is */
       /* The opening has ended well: the opener's end is its owner's alone. */
       TH_CHANNEL_AGREED = 16,
};
#define TH_CHANNEL_GENERATION (UINT64_MAX << 32)

/* One direction: what end s has sent and the other has not handled yet. */
struct th_way {
    _Atomic uint64_t flight; /* messages << 32 | bytes */
    _Atomic uint64_t waiter; /* the credit wait of end s; 0: none */
    _Atomic uint32_t max_messages, max_bytes;
};

struct th_channel {
    struct th_slab_item item;
    _Atomic uint64_t state;
    _Atomic uint64_t end[2]; /* th_ref: opener, target */
    _Atomic uint32_t refs;
    struct th_way way[2];
    /* The close that end s sends, made beforehand: closing can't fail. */
    _Atomic(struct th_message *) close[2];
    struct th_message *held, *held_last; /* sent before the accept; target */
};

/* Is a message of a channel still to be handled? If not it is disposed of. */
bool th_channel_wanted(theater_endpoint_t *ep, struct th_message *message);
/* The handling of a channel's message has ended. */
void th_channel_done(theater_endpoint_t *ep, struct th_message *message,
                     theater_status_t status);
/* Any message that was queued and will not be handled. */
void th_channel_or_request_dead(theater_endpoint_t *ep,
                                struct th_message *message,
                                theater_status_t reason);
/* The open was refused or dropped: the target's end lets go. */
void th_channel_open_gone(theater_router_t *router,
                          const struct th_message *message);
/* The target does not want it. The message stays the caller's. */
void th_channel_reject_message(theater_endpoint_t *ep,
                               const struct th_message *message);
/* Closes all that the endpoint takes part in. */
void th_channel_end_all(theater_endpoint_t *ep, theater_status_t reason);
/* Frees what a slot still holds, when the router goes. */
void th_channel_fini(theater_router_t *router, struct th_channel *channel);

/* --- Between channel.c and channel_open.c -------------------------------- */
/* Ends the end `side` of that very channel, whoever may have the slot by now.
 * True: this call did, and has the end's reference; `was`: before. */
bool th_channel_end_once(struct th_channel *channel, uint64_t id, unsigned side,
                         uint64_t *out_was);
void th_channel_unref(theater_router_t *router, struct th_channel *channel);
/* An end is done with it: whoever waits for credit is told CLOSED. */
void th_channel_end_waits(theater_router_t *router, struct th_channel *channel);
/* Queues the close that end `side` sends, for endpoint `to`. */
void th_channel_push_close(theater_router_t *router, struct th_channel *channel,
                           unsigned side, th_ref to, theater_status_t reason);
/* Queues channel data for end 1 - side. Takes `message` on OK. `count`: as
 * accepted, which what was held is already. */
theater_status_t th_channel_push(theater_router_t *router,
                                 struct th_channel *channel, unsigned side,
                                 struct th_message *message, bool count);
th_id_alive th_channel_is_mine;

static inline unsigned th_channel_end_flag(unsigned side)
{
    return side == 0 ? TH_CHANNEL_END0 : TH_CHANNEL_END1;
}

#endif
