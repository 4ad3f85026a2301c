/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. A thread sleeps until the work is over or its patience is;
 * then it writes its line, once, and ends. Nothing is erased, so lines of
 * actors may come in between, and a log of a script holds plain lines only: a
 * person waits half a second, a log is given two, so that what is compiled
 * quickly leaves no line there.
 *   [P1] release in end, pairs with [P2] acquire in the thread: nothing but
 *   the word itself travels; the thread is joined. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_PATIENCE_NS UINT64_C(500000000)
#define LOG_PATIENCE_NS UINT64_C(2000000000)

static void wait_and_say(void *arg)
{
    struct cli_progress *progress = arg;
    const theater_env_t *env = progress->env;
    uint64_t deadline_ns =
        env->now_ns(env->ctx) +
        (isatty(STDERR_FILENO) ? TERMINAL_PATIENCE_NS : LOG_PATIENCE_NS);
    while (atomic_load_explicit(&progress->done, memory_order_acquire) ==
           0) { /* [P2] */
        if (env->now_ns(env->ctx) >= deadline_ns) {
            (void)cli_write(STDERR_FILENO, progress->text,
                            strlen(progress->text));
            return;
        }
        env->park(env->ctx, &progress->done, 0, deadline_ns);
    }
}

void cli_progress_begin(const struct cli_context *context,
                        struct cli_progress *progress, const char *verb,
                        const char *what)
{
    struct cli_text shown;
    progress->env = context->env;
    progress->thread = NULL;
    atomic_store_explicit(&progress->done, 0, memory_order_relaxed);
    if (context->json) {
        return;
    }
    cli_text_init(&shown, context->env);
    cli_add_escaped(&shown, what, strlen(what));
    snprintf(progress->text, sizeof progress->text, "%s %.150s ...\n", verb,
             shown.data != NULL ? shown.data : "");
    cli_text_fini(&shown);
    if (progress->env->thread_start(progress->env->ctx, "progress",
                                    wait_and_say, progress,
                                    &progress->thread) != THEATER_OK) {
        progress->thread = NULL;
    }
}

void cli_progress_end(struct cli_progress *progress)
{
    const theater_env_t *env = progress->env;
    if (progress->thread == NULL) {
        return;
    }
    /* [P1] */
    atomic_store_explicit(&progress->done, 1, memory_order_release);
    env->unpark(env->ctx, &progress->done, 1);
    env->thread_join(env->ctx, progress->thread);
}
