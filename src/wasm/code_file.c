/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes
 *
 * Compiled code kept between runs, one file per content, stack class and
 * configuration, in a folder that is the user's own (checked when the engine
 * was made). Machine code from a file is run as it is. So the file itself must
 * be the user's own, regular, and closed to the writing of others; this is
 * asked of the file that is read, not of its path. And nothing of it is looked
 * at before its SHA-256 is found to be right: the engine is never given a file
 * that was cut or damaged. The digest keeps out no one who may write files as
 * this user: who may do that may run code as this user anyway. Folders above
 * the last one are not looked at; who may rename them can put another folder
 * of this user in its place, and no file of anybody else. Whatever is
 * wrong with a file, it is removed, said so, and the module compiled anew.
 * That a file cannot be written is said and changes nothing. */
#include "wasm/internal.h"

#include <stdio.h>

enum { FILE_LIMIT = 1 << 30, PATH_BYTES = 4096 };

struct file_header {
    char magic[8];
    struct th_digest config;  /* what the code was compiled for */
    struct th_digest content; /* of the wasm bytes */
    struct th_digest payload; /* of what follows */
};

static const char magic[8] = {'T', 'H', 'C', 'O', 'D', 'E', '\n', '1'};

/* Everything that the code depends on, besides the wasm bytes. */
static struct th_digest config_of(const struct th_engine *engine,
                                  enum th_stack stack)
{
    char text[160];
    int len = snprintf(text, sizeof text,
                       "wasmtime %s stack %d %d fuel %d reserved %d 3",
                       WASMTIME_VERSION, (int)stack,
                       stack == TH_STACK_SMALL ? TH_SMALL_WASM : TH_LARGE_WASM,
                       (int)engine->fuel, stack != TH_STACK_SMALL);
    return th_sha256(text, (size_t)len);
}

static bool path_of(const struct th_engine *engine, const struct th_code *code,
                    char out[PATH_BYTES])
{
    struct th_digest config = config_of(engine, code->stack);
    char key[65], variant[65];
    th_digest_hex(&code->key, key);
    th_digest_hex(&config, variant);
    int len = snprintf(out, PATH_BYTES, "%s/%s-%.16s.code", engine->cache_dir,
                       key, variant);
    return len > 0 && len < PATH_BYTES;
}

/* NULL: the file is what it should be; else what is wrong with it. */
static const char *check(const struct th_engine *engine,
                         const struct th_code *code, const uint8_t *data,
                         size_t len)
{
    struct file_header header;
    if (len < sizeof header) {
        return "cut short";
    }
    memcpy(&header, data, sizeof header);
    struct th_digest config = config_of(engine, code->stack);
    if (memcmp(header.magic, magic, sizeof magic) != 0) {
        return "not a file of compiled code";
    }
    if (memcmp(&header.config, &config, sizeof config) != 0 ||
        memcmp(&header.content, &code->key, sizeof code->key) != 0) {
        return "compiled from or for something else";
    }
    struct th_digest payload =
        th_sha256(data + sizeof header, len - sizeof header);
    if (memcmp(&header.payload, &payload, sizeof payload) != 0) {
        return "damaged";
    }
    return NULL;
}

static wasmtime_error_t *deserialize(wasm_engine_t *wasm, struct th_code *code,
                                     const uint8_t *data, size_t len)
{
    return code->is_component
               ? wasmtime_component_deserialize(wasm, data, len,
                                                &code->component)
               : wasmtime_module_deserialize(wasm, data, len, &code->module);
}

bool th_code_file_read(struct th_engine *engine, wasm_engine_t *wasm,
                       struct th_code *code)
{
    const theater_env_t *env = engine->env;
    char path[PATH_BYTES];
    uint8_t *data = NULL;
    size_t len = 0;
    if (engine->cache_dir == NULL || !path_of(engine, code, path)) {
        return false;
    }
    theater_status_t status =
        env->file_read_own(env->ctx, path, FILE_LIMIT, &data, &len);
    if (status == THEATER_NOT_FOUND) {
        return false;
    }
    const char *wrong = NULL;
    if (status == THEATER_DENIED) {
        wrong = "a link, no file, another's, or one that others may write";
    } else if (status != THEATER_OK) {
        wrong = theater_status_text(status);
    } else {
        wrong = check(engine, code, data, len);
    }
    if (wrong == NULL) {
        wasmtime_error_t *error =
            deserialize(wasm, code, data + sizeof(struct file_header),
                        len - sizeof(struct file_header));
        if (error != NULL) {
            wasmtime_error_delete(error);
            wrong = "compiled by another engine";
        }
    }
    th_free(env, data);
    if (wrong != NULL) {
        th_engine_notice(engine, "%s: %s; compiled anew", path, wrong);
        (void)env->file_remove(env->ctx, path);
    }
    return wrong == NULL;
}

void th_code_file_write(struct th_engine *engine, const struct th_code *code)
{
    const theater_env_t *env = engine->env;
    char path[PATH_BYTES];
    wasm_byte_vec_t code_bytes;
    if (engine->cache_dir == NULL || !path_of(engine, code, path)) {
        return;
    }
    wasmtime_error_t *error =
        code->is_component
            ? wasmtime_component_serialize(code->component, &code_bytes)
            : wasmtime_module_serialize(code->module, &code_bytes);
    if (error != NULL) {
        wasmtime_error_delete(error);
        return;
    }
    size_t len = sizeof(struct file_header) + code_bytes.size;
    uint8_t *file = th_alloc(env, len);
    theater_status_t status = THEATER_OUT_OF_MEMORY;
    if (file != NULL) {
        struct file_header header = {
            .config = config_of(engine, code->stack),
            .content = code->key,
            .payload = th_sha256(code_bytes.data, code_bytes.size),
        };
        memcpy(header.magic, magic, sizeof magic);
        memcpy(file, &header, sizeof header);
        memcpy(file + sizeof header, code_bytes.data, code_bytes.size);
        status = env->file_write(env->ctx, path, file, len);
        th_free(env, file);
    }
    wasm_byte_vec_delete(&code_bytes);
    if (status != THEATER_OK) {
        th_engine_notice(engine, "%s: compiled code is not kept: %s", path,
                         theater_status_text(status));
    }
}
