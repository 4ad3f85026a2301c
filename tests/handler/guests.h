/* SPDX-License-Identifier: Apache-2.0 */
/* Where the tests' guests are: in the build's folder, or in one with the same
 * guests as components (tests/components/run.sh). */
#ifndef TH_TESTS_HANDLER_GUESTS_H
#define TH_TESTS_HANDLER_GUESTS_H

#include <stdbool.h>
#include <stdlib.h>

static inline bool guests_are_components(void)
{
    return getenv("THEATER_TEST_BUILD") != NULL;
}

static inline const char *guests_folder(void)
{
    return guests_are_components() ? getenv("THEATER_TEST_BUILD")
                                   : TH_TEST_BUILD_DIR;
}

#endif
