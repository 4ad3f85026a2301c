/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * SHA-256 as FIPS 180-4 writes it: 64 rounds over blocks of 64 bytes. The
 * message schedule is kept as a ring of 16 words. Nothing can fail. */
#include "wasm/sha256.h"

#include <string.h>

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
}

static uint32_t word_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

/* The word of round i: one of the block's 16, then made of earlier ones. */
static inline uint32_t schedule(uint32_t w[16], const uint8_t *block,
                                unsigned i)
{
    if (i < 16) {
        w[i] = word_at(block + 4 * i);
    } else {
        uint32_t x = w[(i + 1) % 16], y = w[(i + 14) % 16];
        w[i % 16] += w[(i + 9) % 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) +
                     (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
    return w[i % 16];
}

/* Compiled code of 30 MB is read before a component starts, so this is not
 * slow either: the eight words stay in registers. */
static void add_block(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[16];
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t t1 = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & f) ^ (~e & g)) + round_constants[i] +
                      schedule(w, block, i);
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

void th_sha256_init(struct th_sha256 *hash)
{
    static const uint32_t first[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                      0xa54ff53a, 0x510e527f, 0x9b05688c,
                                      0x1f83d9ab, 0x5be0cd19};
    memcpy(hash->state, first, sizeof first);
    hash->len = 0;
}

void th_sha256_add(struct th_sha256 *hash, const void *data, size_t len)
{
    const uint8_t *p = data;
    size_t held = (size_t)(hash->len % 64);
    hash->len += len;
    if (held > 0) {
        size_t part = len < 64 - held ? len : 64 - held;
        memcpy(hash->block + held, p, part);
        p += part;
        len -= part;
        if (held + part < 64) {
            return;
        }
        add_block(hash->state, hash->block);
    }
    for (; len >= 64; p += 64, len -= 64) {
        add_block(hash->state, p);
    }
    if (len > 0) {
        memcpy(hash->block, p, len);
    }
}

struct th_digest th_sha256_end(struct th_sha256 *hash)
{
    uint64_t bits = hash->len * 8;
    uint8_t tail[72] = {0x80};
    size_t held = (size_t)(hash->len % 64);
    size_t pad = (held < 56 ? 56 : 120) - held;
    for (unsigned i = 0; i < 8; i++) {
        tail[pad + i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    th_sha256_add(hash, tail, pad + 8);
    struct th_digest digest;
    for (unsigned i = 0; i < 32; i++) {
        digest.bytes[i] = (uint8_t)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
}

struct th_digest th_sha256(const void *data, size_t len)
{
    struct th_sha256 hash;
    th_sha256_init(&hash);
    if (len > 0) {
        th_sha256_add(&hash, data, len);
    }
    return th_sha256_end(&hash);
}

void th_digest_hex(const struct th_digest *digest, char out[65])
{
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 32; i++) {
        out[2 * i] = digits[digest->bytes[i] >> 4];
        out[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    out[64] = '\0';
}
