/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. xoshiro256** (Blackman and Vigna, "Scrambled linear
 * pseudorandom number generators", 2018), its state filled by splitmix64, as
 * its authors advise, so that any seed will do. The same numbers on every
 * machine: what a seed found can be replayed elsewhere. */
#include "base/base.h"

static uint64_t splitmix64(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

void th_rng_init(struct th_rng *rng, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        rng->s[i] = splitmix64(&seed);
    }
}

uint64_t th_rng_next(struct th_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t th_rng_below(struct th_rng *rng, uint64_t bound)
{
    TH_ASSERT(bound > 0);
    /* Numbers below 2^64 mod bound are thrown away: the rest is a whole
     * number of times `bound`, so that no remainder is favoured. */
    uint64_t reject = (0 - bound) % bound;
    uint64_t value = th_rng_next(rng);
    while (value < reject) {
        value = th_rng_next(rng);
    }
    return value % bound;
}
