/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The macros are compiled in here: a program that was built
 * with other headers hears what it is really linked with. */
#include <theater/version.h>

const char *theater_version(void)
{
    return THEATER_VERSION;
}

int theater_version_num(void)
{
    return THEATER_VERSION_NUM;
}
