/* SPDX-License-Identifier: Apache-2.0 */
/* Answers requests with what was asked; exports no other handler. */
#include <theater/actor.h>

THEATER_HANDLE_REQUEST(data)
{
    return theater_answer(data);
}
