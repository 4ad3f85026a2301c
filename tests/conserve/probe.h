/* SPDX-License-Identifier: Apache-2.0 */
/* How long an answer takes, in a small world of its own. */
#ifndef CONSERVE_PROBE_H
#define CONSERVE_PROBE_H

/* The p99, in ns, of some thousand requests to an actor that answers at once.
 * Ends the program when one is not answered. */
double probe_p99(void);

#endif
