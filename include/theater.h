/* SPDX-License-Identifier: Apache-2.0 */
/* All of libtheater. Who wants the message server alone (libtheater-messaging)
 * includes theater/router.h and theater/channel.h. */
#ifndef THEATER_H
#define THEATER_H

#include <theater/bytes.h>
#include <theater/channel.h>
#include <theater/env.h>
#include <theater/handler.h>
#include <theater/link.h>
#include <theater/manifest.h>
#include <theater/message.h>
#include <theater/message_server.h>
#include <theater/permissions.h>
#include <theater/router.h>
#include <theater/runtime.h>
#include <theater/runtime_handler.h>
#include <theater/status.h>
#include <theater/version.h>

#endif
