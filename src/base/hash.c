/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. th_hash64 folds eight bytes a step with one 64 x 64 -> 128 bit
 * multiplication; both halves are used, so that every input bit reaches every
 * output bit after two steps. It withstands no attacker. th_siphash128 does
 * (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the
 * 128-bit output is of the authors' reference). Both read bytes in
 * little-endian order on every machine, so that hashes may be compared. */
#include "base/base.h"

__extension__ typedef unsigned __int128 wide;

static uint64_t load64(const uint8_t *data)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++) {
        value |= (uint64_t)data[i] << (8 * i);
    }
    return value;
}

/* The last 0 .. 7 bytes. */
static uint64_t load_rest(const uint8_t *data, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value |= (uint64_t)data[i] << (8 * i);
    }
    return value;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t th_hash64(const void *data, size_t len, uint64_t seed)
{
    /* Odd, half of the bits set: digits of pi, of e and of the golden ratio. */
    const uint64_t k0 = 0x9E3779B97F4A7C15u;
    const uint64_t k1 = 0x243F6A8885A308D3u;
    const uint64_t k2 = 0xB7E151628AED2A6Bu;
    const uint8_t *bytes = data;
    uint64_t hash = fold(seed ^ k0, k1 ^ (uint64_t)len);
    size_t left = len;

    for (; left >= 8; left -= 8, bytes += 8) {
        /* The sum keeps a step from forgetting when its factor is zero. */
        hash = fold(hash ^ load64(bytes), k1) + (hash << 1 | hash >> 63);
    }
    uint64_t rest = left > 0 ? load_rest(bytes, left) : 0;
    hash = fold(hash ^ rest, k1) + (hash << 1 | hash >> 63);
    hash = fold(hash ^ k2, k0);
    return hash ^ (hash >> 29);
}

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotl(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void sip_rounds(struct sip *s, unsigned rounds)
{
    for (unsigned i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v1 = rotl(s->v1, 13) ^ s->v0;
        s->v0 = rotl(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotl(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotl(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotl(s->v1, 17) ^ s->v2;
        s->v2 = rotl(s->v2, 32);
    }
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_rounds(s, 2);
    s->v0 ^= word;
}

struct th_hash128 th_siphash128(const void *data, size_t len,
                                const uint64_t key[2])
{
    const uint8_t *bytes = data;
    struct sip s = {
        .v0 = 0x736F6D6570736575u ^ key[0],
        .v1 = 0x646F72616E646F6Du ^ key[1] ^ 0xEE,
        .v2 = 0x6C7967656E657261u ^ key[0],
        .v3 = 0x7465646279746573u ^ key[1],
    };
    size_t left = len;

    for (; left >= 8; left -= 8, bytes += 8) {
        sip_word(&s, load64(bytes));
    }
    uint64_t rest = left > 0 ? load_rest(bytes, left) : 0;
    sip_word(&s, rest | (uint64_t)(len & 0xFF) << 56);

    struct th_hash128 hash;
    s.v2 ^= 0xEE;
    sip_rounds(&s, 4);
    hash.lo = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xDD;
    sip_rounds(&s, 4);
    hash.hi = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return hash;
}
