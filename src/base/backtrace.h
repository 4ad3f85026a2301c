/* SPDX-License-Identifier: Apache-2.0 */
/* The stack of another thread, as addresses: for who reports that a thread is
 * stuck. Not for debuggers: no files, no lines. */
#ifndef TH_BASE_BACKTRACE_H
#define TH_BASE_BACKTRACE_H

#include "base/base.h"

enum { TH_BACKTRACE_FRAMES = 48 };

/* The number by which th_backtrace_take knows the calling thread. */
int th_thread_number(void);

/* Writes at most TH_BACKTRACE_FRAMES return addresses of that thread, innermost
 * first, and answers how many; 0: it did not answer in time, or the process
 * uses the signal (SIGPROF) itself. The thread is interrupted for that: a
 * system call that it waits in may end with EINTR.
 * Threads: any. Blocks: 0.2 s at most. */
size_t th_backtrace_take(int thread, void *out[static TH_BACKTRACE_FRAMES]);

/* "clock_nanosleep+0x4d libc.so.6", or what is known of it. */
void th_backtrace_name(const void *address, char *out, size_t size);

#endif
