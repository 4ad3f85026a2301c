/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4): names the content of modules and finds damage in
 * files of compiled code. Not made for secrets. */
#ifndef TH_WASM_SHA256_H
#define TH_WASM_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct th_digest {
    uint8_t bytes[32]; /* big-endian, as it is printed */
};

struct th_sha256 {
    uint32_t state[8];
    uint64_t len; /* bytes so far */
    uint8_t block[64];
};

void th_sha256_init(struct th_sha256 *hash);
void th_sha256_add(struct th_sha256 *hash, const void *data, size_t len);
struct th_digest th_sha256_end(struct th_sha256 *hash);

/* Of one piece. Threads: any. */
struct th_digest th_sha256(const void *data, size_t len);
/* 64 hexadecimal digits and a zero. */
void th_digest_hex(const struct th_digest *digest, char out[65]);

#endif
