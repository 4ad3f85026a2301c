/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: `check`: reads manifests and modules as `run` does and says
 * what is found, without starting anything. What a handler grants is shown
 * from its own table of keys. All actors are looked at, also after an error;
 * the exit code is that of the first. Actors that share a manifest are one
 * entry. */
#include "cli/keys.h"
#include "cli/operands.h"
#include "cli/progress.h"
#include "cli/session.h"

#include <theater/runtime_handler.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct check {
    const struct cli_context *context;
    struct cli_text *out;    /* all of it */
    struct cli_text exports; /* of the actor that is looked at */
    struct cli_text imports;
};

/* --- Keys ---------------------------------------------------------------- */

static const theater_handler_ops_t *ops_of(const char *type)
{
    if (strcmp(type, "message-server") == 0) {
        return theater_message_server_ops();
    }
    return strcmp(type, "runtime") == 0 ? theater_runtime_handler_ops() : NULL;
}

static void add_list(struct cli_text *out, const theater_section_t *section,
                     const theater_key_t *key)
{
    size_t len;
    const char *const *list = theater_section_list(section, key, &len);
    if (list == NULL) {
        cli_add(out, "not set");
        return;
    }
    cli_add(out, "[");
    for (size_t i = 0; i < len; i++) {
        cli_add(out, i > 0 ? ", " : "");
        cli_add_name(out, list[i], strlen(list[i]));
    }
    cli_add(out, "]");
}

static void add_value(struct cli_text *out, const theater_section_t *section,
                      const theater_key_t *key)
{
    const char *string;
    switch (key->type) {
    case THEATER_KEY_BOOL:
        cli_add(out, theater_section_bool(section, key) ? "true" : "false");
        break;
    case THEATER_KEY_INT:
        cli_add_format(
            out, "%llu",
            (unsigned long long)theater_section_number(section, key));
        break;
    case THEATER_KEY_SIZE:
        cli_add_size(out, theater_section_number(section, key));
        break;
    case THEATER_KEY_DURATION:
        cli_add_duration(out, theater_section_number(section, key));
        break;
    case THEATER_KEY_STRING_LIST:
        add_list(out, section, key);
        break;
    case THEATER_KEY_STRING:
    case THEATER_KEY_ENUM:
    case THEATER_KEY_NAME:
    case THEATER_KEY_BYTES:
        string = theater_section_string(section, key);
        if (string == NULL) {
            cli_add(out, "not set");
        } else {
            cli_add_escaped(out, string, strlen(string));
        }
        break;
    }
}

static void add_value_json(struct cli_text *out,
                           const theater_section_t *section,
                           const theater_key_t *key)
{
    struct cli_text value;
    size_t len;
    if (key->type == THEATER_KEY_BOOL) {
        cli_json_bool(out, key->name, theater_section_bool(section, key));
        return;
    }
    if (key->type == THEATER_KEY_INT) {
        cli_json_number(out, key->name, theater_section_number(section, key));
        return;
    }
    if (key->type == THEATER_KEY_STRING_LIST) {
        const char *const *list = theater_section_list(section, key, &len);
        if (list == NULL) {
            cli_json_string(out, key->name, NULL);
            return;
        }
        cli_json_list(out, key->name);
        for (size_t i = 0; i < len; i++) {
            cli_json_string(out, NULL, list[i]);
        }
        cli_json_end(out, ']');
        return;
    }
    cli_text_init(&value, out->env);
    add_value(&value, section, key);
    cli_json_bytes(out, key->name, value.data, value.len);
    cli_text_fini(&value);
}

/* --- One actor ----------------------------------------------------------- */

static void add_uncalled(struct cli_text *out, const char *name)
{
    const theater_handler_ops_t *ops = theater_message_server_ops();
    cli_add(out, "  warning   exports ");
    cli_add_escaped(out, name, strlen(name));
    cli_add(out, ", which nobody calls");
    for (size_t i = 0; i < ops->exports_len; i++) {
        if (strcmp(ops->exports[i].name, name) == 0) {
            cli_add(out, ": list message-server in the manifest");
        }
    }
    cli_add(out, "\n");
}

static void on_item(void *user, const theater_check_item_t *item)
{
    struct check *check = user;
    bool exported = strcmp(item->kind, "export") == 0;
    struct cli_text *out = exported ? &check->exports : &check->imports;
    if (check->context->json) {
        cli_json_object(out, NULL);
        cli_json_string(out, "name", item->name);
        cli_json_string(out, "by", item->by);
        cli_json_end(out, '}');
        return;
    }
    if (exported && item->by == NULL) {
        add_uncalled(out, item->name);
        return;
    }
    cli_add_format(out, "  %-9s ", exported ? "exports" : "imports");
    cli_add_escaped(out, item->name, strlen(item->name));
    cli_add_format(out, ", %s by %s\n", exported ? "called" : "granted",
                   item->by != NULL ? item->by : "nobody");
}

static void add_handlers(struct cli_text *out,
                         const theater_manifest_t *manifest)
{
    size_t len = theater_manifest_handlers_len(manifest);
    if (len == 0) {
        cli_add(out, "  granted   nothing: it lists no [[handler]]\n");
    }
    for (size_t i = 0; i < len; i++) {
        const theater_section_t *section =
            theater_manifest_handler(manifest, i);
        const char *type = theater_section_type(section);
        const theater_handler_ops_t *ops = ops_of(type);
        cli_add_format(out, "  granted   %s\n", type);
        for (size_t k = 0; ops != NULL && k < ops->keys_len; k++) {
            cli_add_format(out, "            %s = ", ops->keys[k].name);
            add_value(out, section, &ops->keys[k]);
            cli_add(out, "\n");
        }
    }
}

static void add_limits(struct cli_text *out, const theater_limits_t *limits)
{
    cli_add(out, "  limits    memory ");
    cli_add_size(out, limits->memory_bytes);
    cli_add(out, ", delivery_time ");
    cli_add_duration(out, limits->delivery_time_ns);
    cli_add(out, ", run_time ");
    cli_add_duration(out, limits->run_time_ns);
    cli_add_format(out, ", stack %s\n",
                   limits->stack == THEATER_STACK_SMALL ? "small" : "large");
}

static void add_field(struct cli_text *out, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        cli_add_format(out, "  %-9s ", name);
        cli_add_escaped(out, value, strlen(value));
        cli_add(out, "\n");
    }
}

static void add_actor(struct check *check, const char *name, size_t count,
                      const theater_manifest_t *manifest, bool ok)
{
    struct cli_text *out = check->out;
    cli_add_name(out, name, strlen(name));
    if (count > 1) {
        cli_add_format(out, " and %zu more", count - 1);
    }
    cli_add(out, ok ? ": ok\n" : ": cannot be started\n");
    add_field(out, "manifest", theater_manifest_origin(manifest));
    add_field(out, "package", theater_manifest_package(manifest));
    add_field(out, "version", theater_manifest_version(manifest));
    add_field(out, "about", theater_manifest_description(manifest));
    cli_add_bytes(out, check->exports.data, check->exports.len);
    cli_add_bytes(out, check->imports.data, check->imports.len);
    add_handlers(out, manifest);
    add_limits(out, theater_manifest_limits(manifest));
}

static void add_limits_json(struct cli_text *out,
                            const theater_limits_t *limits)
{
    cli_json_object(out, "limits");
    cli_json_number(out, "memory_bytes", limits->memory_bytes);
    if (limits->delivery_time_ns != THEATER_NEVER) {
        cli_json_number(out, "delivery_time_ns", limits->delivery_time_ns);
    }
    if (limits->run_time_ns != THEATER_NEVER) {
        cli_json_number(out, "run_time_ns", limits->run_time_ns);
    }
    cli_json_string(out, "stack",
                    limits->stack == THEATER_STACK_SMALL ? "small" : "large");
    cli_json_end(out, '}');
}

static void add_actor_json(struct check *check, const char *name, size_t count,
                           const theater_manifest_t *manifest, bool ok)
{
    struct cli_text *out = check->out;
    cli_json_object(out, NULL);
    cli_json_string(out, "name", name);
    cli_json_number(out, "count", count);
    cli_json_bool(out, "ok", ok);
    cli_json_string(out, "manifest", theater_manifest_origin(manifest));
    cli_json_string(out, "package", theater_manifest_package(manifest));
    cli_json_string(out, "version", theater_manifest_version(manifest));
    cli_json_string(out, "description", theater_manifest_description(manifest));
    cli_json_list(out, "exports");
    cli_add_bytes(out, check->exports.data, check->exports.len);
    cli_json_end(out, ']');
    cli_json_list(out, "imports");
    cli_add_bytes(out, check->imports.data, check->imports.len);
    cli_json_end(out, ']');
    cli_json_object(out, "granted");
    for (size_t i = 0; i < theater_manifest_handlers_len(manifest); i++) {
        const theater_section_t *section =
            theater_manifest_handler(manifest, i);
        const theater_handler_ops_t *ops =
            ops_of(theater_section_type(section));
        cli_json_object(out, theater_section_type(section));
        for (size_t k = 0; ops != NULL && k < ops->keys_len; k++) {
            add_value_json(out, section, &ops->keys[k]);
        }
        cli_json_end(out, '}');
    }
    cli_json_end(out, '}');
    add_limits_json(out, theater_manifest_limits(manifest));
    cli_json_end(out, '}');
}

static int check_actor(struct check *check, theater_runtime_t *runtime,
                       const theater_system_actor_t *actor, size_t count)
{
    theater_error_t err = {.text = ""};
    cli_text_init(&check->exports, check->context->env);
    cli_text_init(&check->imports, check->context->env);
    struct cli_progress progress;
    cli_progress_begin(
        check->context, &progress, "compiling",
        cli_base_name(theater_manifest_package(actor->manifest)));
    theater_status_t status =
        theater_runtime_check(runtime, actor->manifest, on_item, check, &err);
    cli_progress_end(&progress);
    bool ok = status == THEATER_OK;
    if (check->context->json) {
        add_actor_json(check, actor->name, count, actor->manifest, ok);
    } else {
        add_actor(check, actor->name, count, actor->manifest, ok);
    }
    cli_text_fini(&check->exports);
    cli_text_fini(&check->imports);
    return ok ? CLI_OK : cli_fail(check->context, status, &err);
}

/* --- The command --------------------------------------------------------- */

static bool seen_before(const theater_system_t *system, size_t index)
{
    const theater_manifest_t *manifest =
        theater_system_actor(system, index)->manifest;
    for (size_t i = 0; i < index; i++) {
        if (theater_system_actor(system, i)->manifest == manifest) {
            return true;
        }
    }
    return false;
}

static int check_system(struct check *check, theater_runtime_t *runtime,
                        const theater_system_t *system)
{
    size_t len = theater_system_actors_len(system);
    int code = CLI_OK;
    size_t next;
    for (size_t i = 0; i < len; i = next) {
        const theater_system_actor_t *actor = theater_system_actor(system, i);
        next = i + 1;
        /* Those of one `count` stand behind each other. */
        while (next < len && theater_system_actor(system, next)->manifest ==
                                 actor->manifest) {
            next++;
        }
        if (seen_before(system, i)) {
            continue;
        }
        int one = check_actor(check, runtime, actor, next - i);
        code = code == CLI_OK ? one : code;
    }
    return code;
}

static int check_files(struct check *check, theater_runtime_t *runtime,
                       const char *const *paths, size_t paths_len)
{
    size_t keys_len;
    const theater_handler_keys_t *keys = cli_handler_keys(&keys_len);
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_system_t *system = NULL;
    theater_error_t err = {.text = ""};
    options.env = check->context->env;
    theater_status_t status =
        theater_system_load_files(paths, paths_len, &options, &system, &err);
    if (status == THEATER_OK) {
        status = theater_system_check(system, keys, keys_len, &err);
    }
    if (status != THEATER_OK) {
        theater_system_delete(system);
        return cli_fail_load(check->context, status, &err);
    }
    if (check->context->json) {
        cli_json_object(check->out, NULL);
        cli_json_list(check->out, "actors");
    }
    int code = check_system(check, runtime, system);
    if (check->context->json) {
        cli_json_end(check->out, ']');
        cli_add(check->out, "}\n");
    }
    theater_system_delete(system);
    return code;
}

int cli_check(const struct cli_context *context, int argc, char **argv)
{
    struct cli_session session;
    struct cli_text out;
    struct cli_files files;
    struct check check = {.context = context, .out = &out};
    int code = cli_find_files(context, argc, argv, &files);
    if (code != CLI_OK) {
        cli_files_fini(&files);
        return code;
    }
    cli_text_init(&out, context->env);
    code = cli_session_open(context, STDERR_FILENO, 0, &session);
    if (code == CLI_OK) {
        code = check_files(&check, session.runtime,
                           (const char *const *)files.paths, files.len);
    }
    int closed = cli_session_close(&session);
    cli_files_fini(&files);
    int printed = cli_print(&out);
    if (code == CLI_OK) {
        code = closed != CLI_OK ? closed : printed;
    }
    return code;
}
