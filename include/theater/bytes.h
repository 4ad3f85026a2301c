/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes: payloads, and text without a zero at its end. */
#ifndef THEATER_BYTES_H
#define THEATER_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Who receives one says until when it is valid. */
typedef struct theater_bytes {
    const uint8_t *data; /* may be NULL when len is 0 */
    size_t len;          /* bytes */
} theater_bytes_t;

#endif
