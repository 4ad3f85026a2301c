/* SPDX-License-Identifier: Apache-2.0 */
/* Defines every handler with parameters that are called as the SDK's own
 * members and locals are. That it builds is the test. */
#include <theater/actor.h>

#define HANDLERS(one, other)                                                   \
    THEATER_RUN()                                                              \
    {                                                                          \
    }                                                                          \
    THEATER_HANDLE_SEND(one)                                                   \
    {                                                                          \
        (void)one;                                                             \
    }                                                                          \
    THEATER_HANDLE_REQUEST(one)                                                \
    {                                                                          \
        return theater_answer(one);                                            \
    }                                                                          \
    THEATER_HANDLE_CHANNEL_OPEN(one, other)                                    \
    {                                                                          \
        return theater_equal(one, other);                                      \
    }                                                                          \
    THEATER_HANDLE_CHANNEL_MESSAGE(one, other)                                 \
    {                                                                          \
        (void)one;                                                             \
        (void)other;                                                           \
    }                                                                          \
    THEATER_HANDLE_CHANNEL_CLOSE(one)                                          \
    {                                                                          \
        (void)one;                                                             \
    }                                                                          \
    THEATER_HANDLE_STOP(one)                                                   \
    {                                                                          \
        (void)one;                                                             \
    }

HANDLERS(ONE, OTHER)
