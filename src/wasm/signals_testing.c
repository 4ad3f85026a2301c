/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: cmocka installs handlers for SIGSEGV, SIGILL and their like
 * around each test and puts the old ones back afterwards, while the engine
 * installs its own once per process: from the second test on, a guest's trap
 * would be the test's end. So in programs with guests cmocka's signal() is
 * this one, which leaves the signals of traps to the engine. A crash of a test
 * then ends its program, which the test run notices as well. */
#include <signal.h>

#include "wasm/engine.h"

THEATER_API sighandler_t signal(int number, sighandler_t handler);

sighandler_t signal(int number, sighandler_t handler)
{
    if (number == SIGSEGV || number == SIGILL || number == SIGFPE ||
        number == SIGBUS) {
        return SIG_DFL;
    }
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct sigaction before;
    return sigaction(number, &action, &before) == 0 ? before.sa_handler
                                                    : SIG_ERR;
}
