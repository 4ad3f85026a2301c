/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater inspect`: what a WebAssembly file holds, by a reader
 * of our own, so that it also shows what the engine refuses. Signatures are
 * written as WIT would, of a component with WIT's types. */
#include "cli/project.h"
#include "cli/wasm_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NAME_SHOWN = 256,
    FILE_MAX = 1 << 30,
    /* Behind so many bytes the functions of interfaces are left out: many
     * imports may be of one type. */
    FUNCTIONS_MAX = 4 << 20
};

static void add_slice(struct cli_text *out, struct wasm_slice slice)
{
    size_t len = slice.len < NAME_SHOWN ? slice.len : NAME_SHOWN;
    cli_add_escaped(out, slice.data, len);
    cli_add(out, slice.len > NAME_SHOWN ? "..." : "");
}

static bool same(struct wasm_slice a, struct wasm_slice b)
{
    return a.len == b.len && a.data != NULL && b.data != NULL &&
           memcmp(a.data, b.data, a.len) == 0;
}

/* The type of an item: of a component's function with WIT's types. */
static void add_type(struct cli_text *out, const struct wasm_file *file,
                     const struct wasm_items *list, size_t at)
{
    const struct wasm_item *item = &list->items[at];
    const struct wit_node *node = wasm_wit_of(file, list, at);
    if (node == NULL || strcmp(item->kind, "func") != 0 ||
        !wit_add_func(out, &file->wit, file->len, node)) {
        wasm_add_type(out, file, item);
    }
}

/* The functions of an interface. */
static void add_functions(struct cli_text *out, const struct wasm_file *file,
                          const struct wit_node *instance)
{
    size_t at = 0;
    for (const struct wit_node *func;
         (func = wit_func_of(&file->wit, instance, &at)) != NULL;) {
        cli_add(out, "    ");
        add_slice(out, func->name);
        cli_add(out, ": ");
        if (!wit_add_func(out, &file->wit, file->len, func)) {
            cli_add(out, "func");
        }
        cli_add(out, "\n");
        if (out->len > FUNCTIONS_MAX) {
            cli_add(out, "    ...\n");
            return;
        }
    }
}

static void add_items(struct cli_text *out, const struct wasm_file *file,
                      const struct wasm_items *list, const char *title)
{
    struct wasm_slice module = {NULL, 0};
    cli_add_format(out, "%s%s\n", title, list->all == 0 ? ": none" : "");
    for (size_t i = 0; i < list->len; i++) {
        const struct wasm_item *item = &list->items[i];
        if (item->module.data != NULL && !same(item->module, module)) {
            cli_add(out, "  ");
            add_slice(out, item->module);
            cli_add(out, "\n");
        }
        module = item->module;
        cli_add(out, module.data != NULL ? "    " : "  ");
        add_slice(out, item->name);
        cli_add(out, ": ");
        add_type(out, file, list, i);
        cli_add(out, "\n");
        const struct wit_node *node = wasm_wit_of(file, list, i);
        if (node != NULL && strcmp(item->kind, "instance") == 0) {
            add_functions(out, file, node);
        }
    }
    if (list->all > list->len) {
        cli_add_format(out, "  ... and %zu more\n", list->all - list->len);
    }
}

static void add_text(struct cli_text *out, const char *path,
                     const struct wasm_file *file)
{
    cli_add_escaped(out, path, strlen(path));
    cli_add_format(out, ": %s, version %u, %zu bytes\n",
                   file->component ? "component" : "core module", file->version,
                   file->len);
    cli_add(out, "sections\n");
    for (size_t i = 0; i < file->sections_len; i++) {
        const struct wasm_section *section = &file->sections[i];
        cli_add_format(out, "  %s", section->kind);
        if (section->name.data != NULL) {
            cli_add(out, " ");
            add_slice(out, section->name);
        }
        cli_add_format(out, ": %zu bytes\n", section->bytes);
    }
    if (file->sections_all > file->sections_len) {
        cli_add_format(out, "  ... and %zu more\n",
                       file->sections_all - file->sections_len);
    }
    for (size_t i = 0; i < file->memories.len; i++) {
        wasm_add_type(out, file, &file->memories.items[i]);
        cli_add(out, "\n");
    }
    cli_add(out, file->has_start ? "has a start function\n" : "");
    add_items(out, file, &file->imports, "imports");
    add_items(out, file, &file->exports, "exports");
}

static void add_functions_json(struct cli_text *out,
                               const struct wasm_file *file,
                               const struct wit_node *instance)
{
    size_t at = 0;
    cli_json_list(out, "functions");
    for (const struct wit_node *func;
         out->len <= FUNCTIONS_MAX &&
         (func = wit_func_of(&file->wit, instance, &at)) != NULL;) {
        struct cli_text type;
        cli_text_init(&type, out->env);
        if (!wit_add_func(&type, &file->wit, file->len, func)) {
            cli_add(&type, "func");
        }
        cli_json_object(out, NULL);
        cli_json_bytes(out, "name", func->name.data, func->name.len);
        cli_json_bytes(out, "type", type.data, type.len);
        cli_json_end(out, '}');
        cli_text_fini(&type);
    }
    cli_json_end(out, ']');
}

static void add_items_json(struct cli_text *out, const struct wasm_file *file,
                           const struct wasm_items *list, const char *title)
{
    cli_json_list(out, title);
    for (size_t i = 0; i < list->len; i++) {
        const struct wasm_item *item = &list->items[i];
        struct cli_text type;
        cli_text_init(&type, out->env);
        add_type(&type, file, list, i);
        cli_json_object(out, NULL);
        if (item->module.data != NULL) {
            cli_json_bytes(out, "module", item->module.data, item->module.len);
        }
        cli_json_bytes(out, "name", item->name.data, item->name.len);
        cli_json_string(out, "kind", item->kind);
        cli_json_bytes(out, "type", type.data, type.len);
        const struct wit_node *node = wasm_wit_of(file, list, i);
        if (node != NULL && strcmp(item->kind, "instance") == 0) {
            add_functions_json(out, file, node);
        }
        cli_json_end(out, '}');
        cli_text_fini(&type);
    }
    cli_json_end(out, ']');
}

static void add_json(struct cli_text *out, const char *path,
                     const struct wasm_file *file)
{
    cli_json_object(out, NULL);
    cli_json_string(out, "file", path);
    cli_json_string(out, "encoding", file->component ? "component" : "core");
    cli_json_number(out, "version", file->version);
    cli_json_number(out, "bytes", file->len);
    cli_json_list(out, "sections");
    for (size_t i = 0; i < file->sections_len; i++) {
        const struct wasm_section *section = &file->sections[i];
        cli_json_object(out, NULL);
        cli_json_string(out, "kind", section->kind);
        if (section->name.data != NULL) {
            cli_json_bytes(out, "name", section->name.data, section->name.len);
        }
        cli_json_number(out, "bytes", section->bytes);
        cli_json_end(out, '}');
    }
    cli_json_end(out, ']');
    cli_json_bool(out, "start", file->has_start);
    add_items_json(out, file, &file->imports, "imports");
    add_items_json(out, file, &file->exports, "exports");
    /* How many there are, where the lists were cut. */
    cli_json_number(out, "sections_all", file->sections_all);
    cli_json_number(out, "imports_all", file->imports.all);
    cli_json_number(out, "exports_all", file->exports.all);
    cli_json_string(out, "problem",
                    file->problem[0] != '\0' ? file->problem : NULL);
    cli_json_end(out, '}');
    cli_add(out, "\n");
}

/* What is no WebAssembly has often a command of its own. */
static int refuse(const struct cli_context *context, const char *path,
                  const char *problem)
{
    const char *ending = strrchr(path, '.');
    const char *next = NULL;
    if (cli_source_language(path) != NULL) {
        next = "`theater build DIR` builds a project's sources to actor.wasm, "
               "which can be inspected";
    } else if (ending != NULL && strcmp(ending, ".toml") == 0) {
        next = "`theater check FILE` looks at manifests and system files, and "
               "at the modules that they name";
    }
    return next != NULL ? cli_fail_advice(context, THEATER_BAD_MODULE, path,
                                          next, "%s", problem)
                        : cli_fail_text(context, THEATER_BAD_MODULE, path, "%s",
                                        problem);
}

static int inspect(const struct cli_context *context, const char *path,
                   struct wasm_file *file, const uint8_t *data, size_t len)
{
    struct cli_text out;
    if (!wasm_file_read(file, data, len)) {
        return refuse(context, path, file->problem);
    }
    cli_text_init(&out, context->env);
    if (context->json) {
        add_json(&out, path, file);
    } else {
        add_text(&out, path, file);
    }
    int code = cli_print(&out);
    return code == CLI_OK && file->problem[0] != '\0'
               ? cli_fail_text(context, THEATER_BAD_MODULE, path, "%s",
                               file->problem)
               : code;
}

int cli_inspect(const struct cli_context *context, int argc, char **argv)
{
    const theater_env_t *env = context->env;
    struct wasm_file *file = malloc(sizeof *file);
    uint8_t *data = NULL;
    size_t len = 0;
    (void)argc;
    if (file == NULL) {
        return cli_fail(context, THEATER_OUT_OF_MEMORY, NULL);
    }
    theater_status_t status =
        env->file_read(env->ctx, argv[0], FILE_MAX, &data, &len);
    int code = status != THEATER_OK
                   ? cli_fail_text(context, status, argv[0],
                                   status == THEATER_NOT_FOUND
                                       ? "there is no such file"
                                   : cli_is_folder(argv[0])
                                       ? "it is a folder; name a file in it"
                                       : "it cannot be read")
                   : inspect(context, argv[0], file, data, len);
    if (status == THEATER_OK) {
        wasm_file_fini(file);
        env->free(env->ctx, data);
    }
    free(file);
    return code;
}
