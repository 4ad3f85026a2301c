/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keys.h"

#include <theater/message_server.h>
#include <theater/runtime_handler.h>

#include <string.h>

const theater_handler_keys_t *cli_handler_keys(size_t *out_len)
{
    static _Thread_local theater_handler_keys_t all[2];
    const theater_handler_ops_t *ops = theater_message_server_ops();
    all[0] =
        (theater_handler_keys_t){"message-server", ops->keys, ops->keys_len};
    ops = theater_runtime_handler_ops();
    all[1] = (theater_handler_keys_t){"runtime", ops->keys, ops->keys_len};
    *out_len = 2;
    return all;
}

const theater_key_group_t *cli_key_group(const char *file, const char *section)
{
    size_t len;
    const theater_key_group_t *groups = theater_key_groups(&len);
    for (size_t i = 0; i < len; i++) {
        if (strcmp(groups[i].file, file) == 0 &&
            strcmp(groups[i].section, section) == 0) {
            return &groups[i];
        }
    }
    return NULL;
}

void cli_add_size(struct cli_text *out, uint64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB"};
    unsigned unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
        bytes /= 1024;
        unit++;
    }
    cli_add_format(out, "%llu%s", (unsigned long long)bytes, units[unit]);
}

void cli_add_duration(struct cli_text *out, uint64_t ns)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"h", UINT64_C(3600000000000)},
                 {"m", UINT64_C(60000000000)},
                 {"s", UINT64_C(1000000000)},
                 {"ms", 1000000},
                 {"us", 1000},
                 {"ns", 1}};
    if (ns == THEATER_NEVER) {
        cli_add(out, "unlimited");
        return;
    }
    for (size_t i = 0; i < 6; i++) {
        if (ns % units[i].ns == 0 && (ns != 0 || i == 2)) {
            cli_add_format(out, "%llu%s",
                           (unsigned long long)(ns / units[i].ns),
                           units[i].name);
            return;
        }
    }
}
