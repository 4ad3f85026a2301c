/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder that toml-test asks for: TOML on standard input, tagged JSON
 * on standard output; exit code 1 and a message when it is not TOML.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/toml.h"

enum { MOST_BYTES = 1 << 22 };

static void *plain_alloc(void *ctx, size_t size, size_t align)
{
    (void)ctx;
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void plain_free(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static void print_text(const char *data, size_t len)
{
    (void)putchar('"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\' || c < 0x20 || c == 0x7F) {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static const char *tag(enum th_toml_kind kind)
{
    switch (kind) {
    case TH_TOML_STRING:
        return "string";
    case TH_TOML_INTEGER:
        return "integer";
    case TH_TOML_FLOAT:
        return "float";
    case TH_TOML_BOOL:
        return "bool";
    case TH_TOML_DATETIME:
        return "datetime";
    case TH_TOML_DATETIME_LOCAL:
        return "datetime-local";
    case TH_TOML_DATE_LOCAL:
        return "date-local";
    case TH_TOML_TIME_LOCAL:
        return "time-local";
    case TH_TOML_TABLE:
    case TH_TOML_ARRAY:
        break;
    }
    return "?";
}

static void print_scalar(const struct th_toml_node *node)
{
    (void)printf("{\"type\": \"%s\", \"value\": ", tag(node->kind));
    switch (node->kind) {
    case TH_TOML_INTEGER:
        (void)printf("\"%" PRId64 "\"", node->as.integer);
        break;
    case TH_TOML_FLOAT:
        if (isnan(node->as.real)) {
            (void)printf("\"nan\"");
        } else {
            (void)printf("\"%.17g\"", node->as.real);
        }
        break;
    case TH_TOML_BOOL:
        (void)printf("\"%s\"", node->as.boolean ? "true" : "false");
        break;
    default:
        print_text(node->as.string.data, node->as.string.len);
        break;
    }
    (void)putchar('}');
}

static void print_node(const struct th_toml_node *node)
{
    const char *comma = "";
    if (node->kind == TH_TOML_TABLE) {
        (void)putchar('{');
        const struct th_toml_entry *entry = node->as.table.first;
        for (; entry != NULL; entry = entry->next) {
            (void)printf("%s", comma);
            print_text(entry->key, entry->key_len);
            (void)printf(": ");
            print_node(entry->value);
            comma = ", ";
        }
        (void)putchar('}');
    } else if (node->kind == TH_TOML_ARRAY) {
        (void)putchar('[');
        const struct th_toml_node *element = node->as.array.first;
        for (; element != NULL; element = element->next) {
            (void)printf("%s", comma);
            print_node(element);
            comma = ", ";
        }
        (void)putchar(']');
    } else {
        print_scalar(node);
    }
}

int main(void)
{
    static char text[MOST_BYTES];
    theater_env_t env = {
        .size = sizeof(env), .alloc = plain_alloc, .free = plain_free};
    struct th_toml_limits limits = {.max_bytes = sizeof(text)};
    struct th_toml_error err;
    struct th_toml *doc = NULL;
    size_t len = fread(text, 1, sizeof(text), stdin);
    theater_status_t status =
        th_toml_parse(&env, text, len, &limits, &doc, &err);
    if (status != THEATER_OK) {
        (void)fprintf(stderr, "%u:%u: %s\n", (unsigned)err.place.line,
                      (unsigned)err.place.column, err.text);
        return 1;
    }
    print_node(th_toml_root(doc));
    (void)putchar('\n');
    th_toml_delete(doc);
    return 0;
}
