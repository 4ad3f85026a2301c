/* SPDX-License-Identifier: Apache-2.0 */
/* A C actor of the torture program: what player.c (its life, what it gets) and
 * acts.c (what it begins, and how that ends) share. */
#ifndef CONSERVE_PLAYER_H
#define CONSERVE_PLAYER_H

#include "world.h"

enum { DEEDS = 24, DEFERRED = 24, CHANNELS = 32, NO_REQUEST = -1 };

enum deed_state { DEED_IDLE, DEED_UNDER_WAY, DEED_ENDED };

struct player;

/* An operation whose end a callback tells, on any thread. */
struct deed {
    struct player *player;
    _Atomic uint32_t state;
    enum act act;
    unsigned to;
    uint32_t request; /* the ledger's */
    struct ledger_entry entry;
    bool chained; /* its answer is owed to `owed` */
    theater_request_id_t owed;
    uint8_t echo[LEDGER_HEADER]; /* what that is answered with */
    theater_status_t status;     /* from ENDED on */
    theater_channel_id_t channel;
};

struct deferred {
    theater_request_id_t id;
    uint8_t echo[LEDGER_HEADER];
};

struct channel {
    theater_channel_id_t id;
    unsigned peer;
};

struct player {
    struct world *world;
    theater_actor_t *actor;
    theater_endpoint_t *endpoint;
    unsigned party;
    struct rng rng;
    _Atomic uint32_t under_way; /* callbacks that are still to come */
    _Atomic uint32_t landed;    /* a deed has ended since the last look */
    struct deed deeds[DEEDS];
    struct deferred deferred[DEFERRED];
    unsigned deferred_len;
    struct channel channels[CHANNELS];
    unsigned channels_len;
    unsigned waiting[PARTIES_MAX]; /* sends that wait for space there */
    uint8_t *buffer;               /* a message; of a batch: its messages */
};

/* Picks something and does it. */
void acts_one(struct player *player);
/* Looks after what has ended. */
void acts_absorb(struct player *player);
/* A request that goes on: its answer is owed to `owed`. False: not begun. */
bool acts_chain(struct player *player, uint8_t hops, theater_request_id_t owed,
                const uint8_t *echo);
/* Answers a deferred request in one of the ways. */
void acts_answer(struct player *player);
/* Sends on a channel of its own. */
void acts_data(struct player *player, const struct channel *channel);
void acts_add_channel(struct player *player, theater_channel_id_t id,
                      unsigned peer);
/* -1: none. */
int acts_find_channel(const struct player *player, theater_channel_id_t id);
void acts_remove_channel(struct player *player, unsigned at);

#endif
