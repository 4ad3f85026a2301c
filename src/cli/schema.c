/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. `theater schema`: JSON schemas (2020-12) of manifests and
 * system files, made from the tables of keys that `theater check` reads with,
 * so that editors say what the command says. Sizes and durations are strings;
 * their ranges become regular expressions. What a schema cannot say: that
 * texts are counted in bytes, and what files are there. */
#include "cli/keys.h"

#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {"manifest", "system", NULL};

const char *cli_schema_word(size_t i)
{
    return i < sizeof kinds / sizeof kinds[0] ? kinds[i] : NULL;
}

/* --- Regular expressions ------------------------------------------------- */

/* Digits of numbers from `least` to `most`, without leading zeros. Blocks of
 * numbers that differ in their last digits alone, and neighbours of them that
 * differ in the digit before, become one alternative: 10 to 39 is
 * [1-3][0-9]. */
static void add_range(struct cli_text *out, uint64_t least, uint64_t most)
{
    const char *mark = "";
    if (least == 0) {
        cli_add(out, "0");
        mark = "|";
        least = 1;
    }
    while (least <= most) {
        uint64_t block = 1;
        unsigned digits = 0;
        while (least % (block * 10) == 0 && block <= most / 10 &&
               block * 10 - 1 <= most - least) {
            block *= 10;
            digits++;
        }
        uint64_t digit = least / block % 10, last = digit;
        while (last < 9 && (last - digit + 2) * block - 1 <= most - least) {
            last++;
        }
        cli_add(out, mark);
        if (least / block / 10 > 0) {
            cli_add_format(out, "%llu",
                           (unsigned long long)(least / block / 10));
        }
        cli_add_format(out, last > digit ? "[%u-%u]" : "%u", (unsigned)digit,
                       (unsigned)last);
        if (digits > 0) {
            cli_add_format(out, "[0-9]{%u}", digits);
        }
        mark = "|";
        uint64_t step = (last - digit + 1) * block;
        if (step > most - least) {
            break;
        }
        least += step;
    }
}

static void add_unit(struct cli_text *out, const theater_key_t *key,
                     const char *unit, uint64_t factor, bool *any)
{
    uint64_t most = key->max == 0 ? UINT64_MAX : key->max;
    uint64_t least = key->min / factor + (key->min % factor != 0);
    most /= factor;
    if (least > most) {
        return;
    }
    cli_add(out, *any ? "|" : "");
    *any = true;
    cli_add(out, "0*(");
    add_range(out, least, most);
    cli_add_format(out, ")%s", unit);
}

static void add_pattern(struct cli_text *out, const theater_key_t *key)
{
    static const struct {
        const char *name;
        uint64_t factor;
        theater_key_type_t type;
    } units[] = {
        {"", 1, THEATER_KEY_SIZE},
        {"KiB", UINT64_C(1) << 10, THEATER_KEY_SIZE},
        {"MiB", UINT64_C(1) << 20, THEATER_KEY_SIZE},
        {"GiB", UINT64_C(1) << 30, THEATER_KEY_SIZE},
        {"ns", 1, THEATER_KEY_DURATION},
        {"us", 1000, THEATER_KEY_DURATION},
        {"ms", 1000000, THEATER_KEY_DURATION},
        {"s", UINT64_C(1000000000), THEATER_KEY_DURATION},
        {"m", UINT64_C(60000000000), THEATER_KEY_DURATION},
        {"h", UINT64_C(3600000000000), THEATER_KEY_DURATION},
    };
    bool any = false;
    struct cli_text pattern;
    cli_text_init(&pattern, out->env);
    cli_add(&pattern, "^(");
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].type == key->type) {
            add_unit(&pattern, key, units[i].name, units[i].factor, &any);
        }
    }
    cli_add(&pattern, key->unlimited ? "|unlimited)$" : ")$");
    cli_json_bytes(out, "pattern", pattern.data, pattern.len);
    out->failed = out->failed || pattern.failed;
    cli_text_fini(&pattern);
}

/* --- Keys ---------------------------------------------------------------- */

static const char no_controls[] = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$";
static const char target[] = "^([^*\\u0000-\\u001f\\u007f-\\u009f]+\\*?|\\*)$";

static void add_text_bounds(struct cli_text *out, const theater_key_t *key)
{
    cli_json_number(out, "minLength", key->min);
    if (key->max != 0) {
        cli_json_number(out, "maxLength", key->max);
    }
}

static void add_number_bounds(struct cli_text *out, const theater_key_t *key)
{
    cli_json_string(out, "type", "integer");
    cli_json_number(out, "minimum", key->min);
    if (key->max != 0) {
        cli_json_number(out, "maximum", key->max);
    }
}

/* What a list's entries are. The only check of texts that there is, is that of
 * the names of targets. */
static void add_list(struct cli_text *out, const theater_key_t *key)
{
    cli_json_string(out, "type", "array");
    cli_json_object(out, "items");
    cli_json_string(out, "type", "string");
    add_text_bounds(out, key);
    cli_json_string(out, "pattern",
                    key->check != NULL ? target : "^[^\\u0000]*$");
    cli_json_end(out, '}');
}

static void add_choices(struct cli_text *out, const theater_key_t *key)
{
    cli_json_list(out, "enum");
    for (size_t i = 0; key->choices[i] != NULL; i++) {
        cli_json_string(out, NULL, key->choices[i]);
    }
    cli_json_end(out, ']');
}

static void add_type(struct cli_text *out, const theater_key_t *key)
{
    switch (key->type) {
    case THEATER_KEY_BOOL:
        cli_json_string(out, "type", "boolean");
        return;
    case THEATER_KEY_INT:
        add_number_bounds(out, key);
        return;
    case THEATER_KEY_SIZE:
        cli_json_list(out, "anyOf");
        cli_json_object(out, NULL);
        add_number_bounds(out, key);
        cli_json_end(out, '}');
        cli_json_object(out, NULL);
        cli_json_string(out, "type", "string");
        add_pattern(out, key);
        cli_json_end(out, '}');
        cli_json_end(out, ']');
        return;
    case THEATER_KEY_DURATION:
        cli_json_string(out, "type", "string");
        add_pattern(out, key);
        return;
    case THEATER_KEY_STRING_LIST:
        add_list(out, key);
        return;
    case THEATER_KEY_ENUM:
        add_choices(out, key);
        return;
    case THEATER_KEY_STRING:
    case THEATER_KEY_NAME:
    case THEATER_KEY_BYTES:
        cli_json_string(out, "type", "string");
        add_text_bounds(out, key);
        if (key->type != THEATER_KEY_BYTES) {
            cli_json_string(out, "pattern",
                            key->type == THEATER_KEY_NAME ? no_controls
                                                          : "^[^\\u0000]*$");
        }
        return;
    }
}

static void add_default(struct cli_text *out, const theater_key_t *key)
{
    if (key->fallback == NULL) {
        return;
    }
    if (key->type == THEATER_KEY_BOOL) {
        cli_json_bool(out, "default", strcmp(key->fallback, "true") == 0);
    } else if (key->type == THEATER_KEY_INT) {
        cli_json_number(out, "default", strtoull(key->fallback, NULL, 10));
    } else {
        cli_json_string(out, "default", key->fallback);
    }
}

static void add_keys(struct cli_text *out, const theater_key_t *keys,
                     size_t len)
{
    for (size_t i = 0; i < len; i++) {
        cli_json_object(out, keys[i].name);
        cli_json_string(out, "description", keys[i].doc);
        add_type(out, &keys[i]);
        add_default(out, &keys[i]);
        cli_json_end(out, '}');
    }
}

/* Behind the properties: no others, and those that are needed. */
static void end_keys(struct cli_text *out, const theater_key_t *keys,
                     size_t len, const char *also)
{
    cli_json_bool(out, "additionalProperties", false);
    cli_json_list(out, "required");
    if (also != NULL) {
        cli_json_string(out, NULL, also);
    }
    for (size_t i = 0; i < len; i++) {
        if (keys[i].required) {
            cli_json_string(out, NULL, keys[i].name);
        }
    }
    cli_json_end(out, ']');
}

/* --- Sections ------------------------------------------------------------ */

static void add_group(struct cli_text *out, const theater_key_group_t *group)
{
    cli_json_string(out, "type", "object");
    cli_json_object(out, "properties");
    add_keys(out, group->keys, group->keys_len);
    cli_json_end(out, '}');
    end_keys(out, group->keys, group->keys_len, NULL);
}

static void add_type_const(struct cli_text *out, const char *type)
{
    cli_json_object(out, "type");
    cli_json_string(out, "const", type);
    cli_json_end(out, '}');
}

static void add_handler(struct cli_text *out,
                        const theater_handler_keys_t *handler)
{
    cli_json_object(out, NULL);
    cli_json_string(out, "type", "object");
    cli_json_object(out, "properties");
    add_type_const(out, handler->type);
    add_keys(out, handler->keys, handler->keys_len);
    cli_json_end(out, '}');
    end_keys(out, handler->keys, handler->keys_len, "type");
    cli_json_end(out, '}');
}

/* A type stands at most once. */
static void add_once(struct cli_text *out,
                     const theater_handler_keys_t *handler)
{
    cli_json_object(out, NULL);
    cli_json_object(out, "contains");
    cli_json_object(out, "properties");
    add_type_const(out, handler->type);
    cli_json_end(out, '}');
    cli_json_list(out, "required");
    cli_json_string(out, NULL, "type");
    cli_json_end(out, ']');
    cli_json_end(out, '}');
    cli_json_number(out, "minContains", 0);
    cli_json_number(out, "maxContains", 1);
    cli_json_end(out, '}');
}

static void add_handlers(struct cli_text *out)
{
    size_t len;
    const theater_handler_keys_t *handlers = cli_handler_keys(&len);
    cli_json_object(out, "handler");
    cli_json_string(out, "description",
                    "what the actor may use; a handler that is not listed is "
                    "not there");
    cli_json_string(out, "type", "array");
    cli_json_object(out, "items");
    cli_json_list(out, "oneOf");
    for (size_t i = 0; i < len; i++) {
        add_handler(out, &handlers[i]);
    }
    cli_json_end(out, ']');
    cli_json_end(out, '}');
    cli_json_list(out, "allOf");
    for (size_t i = 0; i < len; i++) {
        add_once(out, &handlers[i]);
    }
    cli_json_end(out, ']');
    cli_json_end(out, '}');
}

static void begin_schema(struct cli_text *out, const char *title)
{
    cli_json_object(out, NULL);
    cli_json_string(out, "$schema",
                    "https://json-schema.org/draft/2020-12/schema");
    cli_json_string(out, "title", title);
    cli_json_string(out, "type", "object");
    cli_json_object(out, "properties");
}

static void add_manifest(struct cli_text *out)
{
    const theater_key_group_t *top = cli_key_group("manifest", "");
    begin_schema(out, "a manifest of Theater");
    add_keys(out, top->keys, top->keys_len);
    cli_json_object(out, "limits");
    add_group(out, cli_key_group("manifest", "limits"));
    cli_json_end(out, '}');
    add_handlers(out);
    cli_json_end(out, '}');
    end_keys(out, top->keys, top->keys_len, NULL);
    cli_json_end(out, '}');
    cli_add(out, "\n");
}

static void add_system(struct cli_text *out)
{
    begin_schema(out, "a system file of Theater");
    cli_json_object(out, "actor");
    cli_json_string(out, "description", "the actors of one run");
    cli_json_string(out, "type", "array");
    cli_json_number(out, "minItems", 1);
    cli_json_object(out, "items");
    add_group(out, cli_key_group("system", "actor"));
    cli_json_end(out, '}');
    cli_json_end(out, '}');
    cli_json_end(out, '}');
    end_keys(out, NULL, 0, "actor");
    cli_json_end(out, '}');
    cli_add(out, "\n");
}

/* --- The command --------------------------------------------------------- */

static int write_schemas(const struct cli_context *context, const char *folder)
{
    for (size_t i = 0; kinds[i] != NULL; i++) {
        struct cli_text out;
        char path[CLI_PATH_MAX];
        if (!cli_path(context, path, "%s/%s.schema.json", folder, kinds[i])) {
            return CLI_FAILED;
        }
        cli_text_init(&out, context->env);
        (i == 0 ? add_manifest : add_system)(&out);
        int code = out.failed
                       ? cli_fail(context, THEATER_OUT_OF_MEMORY, NULL)
                       : cli_write_file(context, path, out.data, out.len);
        cli_text_fini(&out);
        if (code != CLI_OK) {
            return code;
        }
    }
    return CLI_OK;
}

int cli_schema(const struct cli_context *context, int argc, char **argv)
{
    const char *folder = cli_value(context, "write");
    struct cli_text out;
    if ((folder != NULL) == (argc > 0)) {
        return cli_usage(context, "give manifest or system, or --write DIR");
    }
    if (folder != NULL) {
        return write_schemas(context, folder);
    }
    if (strcmp(argv[0], kinds[0]) != 0 && strcmp(argv[0], kinds[1]) != 0) {
        return cli_no_such(context, "schema", argv[0], cli_schema_word);
    }
    cli_text_init(&out, context->env);
    (strcmp(argv[0], kinds[0]) == 0 ? add_manifest : add_system)(&out);
    return cli_print(&out);
}
