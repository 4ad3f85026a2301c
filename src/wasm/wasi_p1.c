/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * WASI preview 1, as far as a sandboxed actor has it: stdout and stderr
 * become log lines, clocks and randomness are the environment's, arguments
 * and environment variables are empty, there are no files. All other
 * functions are there, so that modules link, and answer ENOSYS or ENOTCAPABLE.
 * proc_exit ends the actor: with status 0 it has stopped, else it has failed.
 *
 * Pointers are checked as everywhere; a bad one is EFAULT to the guest, as
 * WASI says, not a trap. */
#include "wasm/internal.h"

enum {
    WASI_OK = 0,
    WASI_EBADF = 8,
    WASI_EFAULT = 21,
    WASI_EINVAL = 28,
    WASI_ENOSYS = 52,
    WASI_ESPIPE = 70,
    WASI_ENOTCAPABLE = 76,
};

/* What one call may ask for: it cannot be interrupted. */
enum { MAX_VECTORS = 1024, MAX_RANDOM = 64 * 1024 };

enum { FILETYPE_CHARACTER_DEVICE = 2, RIGHT_READ = 2, RIGHT_WRITE = 64 };

#define WASI_CALL(name)                                                        \
    static wasm_trap_t *name(void *env, wasmtime_caller_t *caller,             \
                             wasmtime_val_raw_t *v, size_t len)
#define WASI_UNUSED()                                                          \
    (void)env;                                                                 \
    (void)caller;                                                              \
    (void)len;                                                                 \
    (void)v

static uint32_t u(const wasmtime_val_raw_t *v)
{
    return (uint32_t)v->i32;
}

/* What the function answers; no trap. */
static wasm_trap_t *answer(wasmtime_val_raw_t *v, int error)
{
    v[0].i32 = error;
    return NULL;
}

static bool put32(struct th_guest *guest, uint32_t at, uint32_t value)
{
    uint8_t *to = th_guest_at(guest, at, 4);
    if (to != NULL) {
        th_put32(to, value);
    }
    return to != NULL;
}

static bool put64(struct th_guest *guest, uint32_t at, uint64_t value)
{
    uint8_t *to = th_guest_at(guest, at, 8);
    if (to != NULL) {
        memcpy(to, &value, 8);
    }
    return to != NULL;
}

/* --- Lines ---------------------------------------------------------------- */

static void flush(struct th_guest *guest, unsigned which)
{
    struct th_line *line = guest->line[which];
    if (line != NULL && line->len > 0) {
        guest->hooks->output(guest->ctx, which == 1,
                             (theater_bytes_t){line->bytes, line->len});
        line->len = 0;
    }
}

void th_wasi_flush(struct th_guest *guest)
{
    for (unsigned which = 0; which < 2; which++) {
        flush(guest, which);
        th_free(guest->engine->env, guest->line[which]);
        guest->line[which] = NULL;
    }
}

/* A line that is longer than TH_LINE_BYTES goes out in pieces. */
bool th_wasi_output(struct th_guest *guest, unsigned which, const uint8_t *data,
                    uint32_t len)
{
    struct th_line *line = guest->line[which];
    if (line == NULL) {
        line = th_alloc(guest->engine->env, sizeof *line);
        if (line == NULL) {
            return false;
        }
        line->len = 0;
        guest->line[which] = line;
    }
    while (len > 0) {
        uint32_t room = TH_LINE_BYTES - line->len;
        uint32_t part = len < room ? len : room;
        const uint8_t *end = memchr(data, '\n', part);
        uint32_t take = end != NULL ? (uint32_t)(end - data) : part;
        memcpy(line->bytes + line->len, data, take);
        line->len += take;
        if (end != NULL && line->len == 0) {
            guest->hooks->output(guest->ctx, which == 1,
                                 (theater_bytes_t){line->bytes, 0});
        } else if (end != NULL || line->len == TH_LINE_BYTES) {
            flush(guest, which);
        }
        take += end != NULL ? 1 : 0;
        data += take;
        len -= take;
    }
    return true;
}

WASI_CALL(fd_write)
{
    WASI_UNUSED();
    struct th_guest *guest = th_guest_current;
    uint32_t fd = u(v), at = u(v + 1), count = u(v + 2), out = u(v + 3);
    uint64_t written = 0;
    if (fd != 1 && fd != 2) {
        return answer(v, WASI_EBADF);
    }
    const uint8_t *vectors = th_guest_at(guest, at, (uint64_t)count * 8);
    if (vectors == NULL) {
        return answer(v, WASI_EFAULT);
    }
    count = count < MAX_VECTORS ? count : MAX_VECTORS;
    for (uint32_t i = 0; i < count && written < TH_WASM_PAGE; i++) {
        uint32_t len_i = th_get32(vectors + 8 * i + 4);
        uint32_t room = TH_WASM_PAGE - (uint32_t)written;
        /* A short write bounds what one call may do, as MAX_VECTORS does. */
        len_i = len_i < room ? len_i : room;
        const uint8_t *data =
            th_guest_at(guest, th_get32(vectors + 8 * i), len_i);
        if (data == NULL || !th_wasi_output(guest, fd - 1, data, len_i)) {
            return answer(v, WASI_EFAULT);
        }
        written += len_i;
    }
    return answer(v,
                  put32(guest, out, (uint32_t)written) ? WASI_OK : WASI_EFAULT);
}

/* --- Clocks and randomness ------------------------------------------------ */

WASI_CALL(clock_time_get)
{
    WASI_UNUSED();
    struct th_guest *guest = th_guest_current;
    const theater_env_t *host = guest->engine->env;
    uint32_t id = u(v);
    if (id > 3) {
        return answer(v, WASI_EINVAL);
    }
    uint64_t now = id == 0 ? host->wall_ns(host->ctx) : host->now_ns(host->ctx);
    return answer(v, put64(guest, u(v + 2), now) ? WASI_OK : WASI_EFAULT);
}

WASI_CALL(clock_res_get)
{
    WASI_UNUSED();
    if (u(v) > 3) {
        return answer(v, WASI_EINVAL);
    }
    return answer(v, put64(th_guest_current, u(v + 1), 1000) ? WASI_OK
                                                             : WASI_EFAULT);
}

WASI_CALL(random_get)
{
    WASI_UNUSED();
    struct th_guest *guest = th_guest_current;
    const theater_env_t *host = guest->engine->env;
    uint32_t size = u(v + 1);
    uint8_t *to = th_guest_at(guest, u(v), size);
    if (to == NULL) {
        return answer(v, WASI_EFAULT);
    }
    if (size > MAX_RANDOM) {
        return answer(v, WASI_EINVAL);
    }
    host->random(host->ctx, to, size);
    return answer(v, WASI_OK);
}

/* --- Arguments, environment, descriptors ---------------------------------- */

WASI_CALL(sizes_get)
{
    WASI_UNUSED();
    struct th_guest *guest = th_guest_current;
    return answer(v, put32(guest, u(v), 0) && put32(guest, u(v + 1), 0)
                         ? WASI_OK
                         : WASI_EFAULT);
}

WASI_CALL(nothing)
{
    WASI_UNUSED();
    return answer(v, WASI_OK);
}

WASI_CALL(fd_close)
{
    WASI_UNUSED();
    return answer(v, u(v) <= 2 ? WASI_OK : WASI_EBADF);
}

WASI_CALL(fd_seek)
{
    WASI_UNUSED();
    return answer(v, u(v) <= 2 ? WASI_ESPIPE : WASI_EBADF);
}

/* Nothing to read, ever. */
WASI_CALL(fd_read)
{
    WASI_UNUSED();
    if (u(v) != 0) {
        return answer(v, WASI_EBADF);
    }
    return answer(v,
                  put32(th_guest_current, u(v + 3), 0) ? WASI_OK : WASI_EFAULT);
}

WASI_CALL(fd_fdstat_get)
{
    WASI_UNUSED();
    uint32_t fd = u(v);
    if (fd > 2) {
        return answer(v, WASI_EBADF);
    }
    uint8_t *to = th_guest_at(th_guest_current, u(v + 1), 24);
    if (to == NULL) {
        return answer(v, WASI_EFAULT);
    }
    memset(to, 0, 24);
    to[0] = FILETYPE_CHARACTER_DEVICE;
    to[8] = fd == 0 ? RIGHT_READ : RIGHT_WRITE;
    return answer(v, WASI_OK);
}

WASI_CALL(fd_filestat_get)
{
    WASI_UNUSED();
    if (u(v) > 2) {
        return answer(v, WASI_EBADF);
    }
    uint8_t *to = th_guest_at(th_guest_current, u(v + 1), 64);
    if (to == NULL) {
        return answer(v, WASI_EFAULT);
    }
    memset(to, 0, 64);
    to[16] = FILETYPE_CHARACTER_DEVICE;
    return answer(v, WASI_OK);
}

WASI_CALL(proc_exit)
{
    WASI_UNUSED();
    struct th_guest *guest = th_guest_current;
    guest->exited = true;
    guest->exit_status = v[0].i32;
    return th_trap(guest, THEATER_TRAPPED, NULL);
}

/* `params`: i and l as in th_wasi_function; an exclamation mark: it does not
 * return, and so has no result. */
static const struct th_wasi_function functions[] = {
    {"args_get", "ii", nothing, 0, false},
    {"args_sizes_get", "ii", sizes_get, 0, false},
    {"clock_res_get", "ii", clock_res_get, 0, false},
    {"clock_time_get", "ili", clock_time_get, 0, false},
    {"environ_get", "ii", nothing, 0, false},
    {"environ_sizes_get", "ii", sizes_get, 0, false},
    {"fd_advise", "illi", NULL, WASI_EBADF, false},
    {"fd_allocate", "ill", NULL, WASI_EBADF, false},
    {"fd_close", "i", fd_close, 0, false},
    {"fd_datasync", "i", NULL, WASI_EBADF, false},
    {"fd_fdstat_get", "ii", fd_fdstat_get, 0, false},
    {"fd_fdstat_set_flags", "ii", NULL, WASI_ENOTCAPABLE, false},
    {"fd_fdstat_set_rights", "ill", NULL, WASI_ENOTCAPABLE, false},
    {"fd_filestat_get", "ii", fd_filestat_get, 0, false},
    {"fd_filestat_set_size", "il", NULL, WASI_EBADF, false},
    {"fd_filestat_set_times", "illi", NULL, WASI_EBADF, false},
    {"fd_pread", "iiili", NULL, WASI_EBADF, false},
    {"fd_prestat_dir_name", "iii", NULL, WASI_EBADF, false},
    {"fd_prestat_get", "ii", NULL, WASI_EBADF, false},
    {"fd_pwrite", "iiili", NULL, WASI_EBADF, false},
    {"fd_read", "iiii", fd_read, 0, false},
    {"fd_readdir", "iiili", NULL, WASI_EBADF, false},
    {"fd_renumber", "ii", NULL, WASI_EBADF, false},
    {"fd_seek", "ilii", fd_seek, 0, false},
    {"fd_sync", "i", NULL, WASI_EBADF, false},
    {"fd_tell", "ii", fd_seek, 0, false},
    {"fd_write", "iiii", fd_write, 0, false},
    {"path_create_directory", "iii", NULL, WASI_ENOTCAPABLE, false},
    {"path_filestat_get", "iiiii", NULL, WASI_ENOTCAPABLE, false},
    {"path_filestat_set_times", "iiiilli", NULL, WASI_ENOTCAPABLE, false},
    {"path_link", "iiiiiii", NULL, WASI_ENOTCAPABLE, false},
    {"path_open", "iiiiillii", NULL, WASI_ENOTCAPABLE, false},
    {"path_readlink", "iiiiii", NULL, WASI_ENOTCAPABLE, false},
    {"path_remove_directory", "iii", NULL, WASI_ENOTCAPABLE, false},
    {"path_rename", "iiiiii", NULL, WASI_ENOTCAPABLE, false},
    {"path_symlink", "iiiii", NULL, WASI_ENOTCAPABLE, false},
    {"path_unlink_file", "iii", NULL, WASI_ENOTCAPABLE, false},
    {"poll_oneoff", "iiii", th_wasi_poll, 0, true},
    {"proc_exit", "i!", proc_exit, 0, false},
    {"proc_raise", "i", NULL, WASI_ENOSYS, false},
    {"random_get", "ii", random_get, 0, false},
    {"sched_yield", "", nothing, 0, false},
    {"sock_accept", "iii", NULL, WASI_ENOTCAPABLE, false},
    {"sock_recv", "iiiiii", NULL, WASI_ENOTCAPABLE, false},
    {"sock_send", "iiiii", NULL, WASI_ENOTCAPABLE, false},
    {"sock_shutdown", "ii", NULL, WASI_ENOTCAPABLE, false},
};

const struct th_wasi_function *th_wasi_find(const char *module, size_t len,
                                            const char *name, size_t name_len)
{
    static const char interface[] = "wasi_snapshot_preview1";
    if (len != sizeof interface - 1 || memcmp(module, interface, len) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strlen(functions[i].name) == name_len &&
            memcmp(functions[i].name, name, name_len) == 0) {
            return &functions[i];
        }
    }
    return NULL;
}
