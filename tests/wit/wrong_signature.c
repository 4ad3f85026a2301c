/* SPDX-License-Identifier: Apache-2.0 */
/* Imports `send` with a parameter too few: what the test must find. */
#include <stddef.h>

__attribute__((import_module("theater:actor/message-server@0.1.0"),
               import_name("send"))) void
send(const char *to, size_t to_len, const char *data, void *result);

__attribute__((export_name("cabi_realloc"))) void *
cabi_realloc(void *old, size_t old_size, size_t align, size_t size)
{
    (void)old_size;
    (void)align;
    (void)size;
    return old;
}

__attribute__((export_name("run"))) void run(void)
{
    static char result[16];
    send("pong", 4, "x", result);
}
