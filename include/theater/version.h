/* SPDX-License-Identifier: Apache-2.0 */
/* The version, once: CMake, pkg-config, the packages and the command read it
 * here. A change after which a program must be compiled again, or written
 * otherwise, raises the major number, and with it the SONAME. */
#ifndef THEATER_VERSION_H
#define THEATER_VERSION_H

#include <theater/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of these headers. */
#define THEATER_VERSION_MAJOR 0
#define THEATER_VERSION_MINOR 1
#define THEATER_VERSION_PATCH 0
#define THEATER_VERSION "0.1.0"
/* The same as one number, for the preprocessor: 1.2.3 is 10203. */
#define THEATER_VERSION_NUM                                                    \
    (THEATER_VERSION_MAJOR * 10000 + THEATER_VERSION_MINOR * 100 +             \
     THEATER_VERSION_PATCH)

/* The version of the library that is linked ("0.1.0"), which need not be that
 * of the headers; static. Threads: any. */
THEATER_API const char *theater_version(void);

/* The same as a number, to be compared with THEATER_VERSION_NUM.
 * Threads: any. */
THEATER_API int theater_version_num(void);

#ifdef __cplusplus
}
#endif

#endif
