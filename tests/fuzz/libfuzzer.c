/* SPDX-License-Identifier: Apache-2.0 */
/* The target as libFuzzer wants it. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    th_fuzz_one(data, size);
    return 0;
}
