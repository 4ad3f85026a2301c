/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/manifest.md is right: its tables of keys are those that the tables in
 * the sources make, each example is accepted, and each example of an error
 * fails with just that error.
 *
 *   manifest.docs DOCUMENT           tests
 *   manifest.docs DOCUMENT --write   writes the tables into the document
 */
#include "world.h"

#include "base/base.h"
#include "handlers/message_server/server.h"
#include "runtime/manifest_internal.h"

enum { MOST = 1 << 18 };

static const char *document_path;
static char document[MOST];

static const theater_handler_keys_t handlers[] = {
    {"runtime", NULL, 0},
    {"message-server", th_ms_keys, TH_MS_KEYS},
};

/* --- Making the tables -------------------------------------------------- */

struct text {
    char data[MOST]; /* with a zero at its end */
    size_t len;      /* bytes */
};

static void add(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text->data + text->len, sizeof(text->data) - text->len,
                        format, args);
    va_end(args);
    text->len += (size_t)len;
    if (len < 0 || text->len >= sizeof(text->data)) {
        abort();
    }
}

static bool is_quoted(theater_key_type_t type)
{
    return type != THEATER_KEY_BOOL && type != THEATER_KEY_INT;
}

static void add_number(struct text *out, const theater_key_t *key,
                       uint64_t number)
{
    char shown[32];
    th_key_show(key->type, number, shown);
    bool quoted = key->type == THEATER_KEY_DURATION ||
                  (key->type == THEATER_KEY_SIZE && strchr(shown, 'B') != NULL);
    add(out, quoted ? "`\"%s\"`" : "`%s`", shown);
}

static void add_range(struct text *out, const theater_key_t *key)
{
    if (key->max == 0) {
        add(out, ", from ");
        add_number(out, key, key->min);
    } else {
        add(out, ", ");
        add_number(out, key, key->min);
        add(out, " to ");
        add_number(out, key, key->max);
    }
    add(out, "%s", key->unlimited ? ", or `\"unlimited\"`" : "");
}

static void add_value(struct text *out, const theater_key_t *key)
{
    switch (key->type) {
    case THEATER_KEY_BOOL:
        add(out, "boolean");
        break;
    case THEATER_KEY_INT:
        add(out, "number");
        add_range(out, key);
        break;
    case THEATER_KEY_SIZE:
        add(out, "size");
        add_range(out, key);
        break;
    case THEATER_KEY_DURATION:
        add(out, "duration");
        add_range(out, key);
        break;
    case THEATER_KEY_ENUM:
        for (size_t i = 0; key->choices[i] != NULL; i++) {
            add(out, "%s`\"%s\"`", i == 0 ? "" : ", ", key->choices[i]);
        }
        break;
    case THEATER_KEY_STRING_LIST:
        add(out, "list of strings");
        break;
    case THEATER_KEY_STRING:
    case THEATER_KEY_BYTES:
        add(out, "string");
        break;
    case THEATER_KEY_NAME:
        add(out, "name");
        break;
    }
}

static void add_row(struct text *out, const theater_key_t *key)
{
    const char *quote = is_quoted(key->type) ? "\"" : "";
    add(out, "| `%s` | ", key->name);
    add_value(out, key);
    if (key->required) {
        add(out, " | needed");
    } else if (key->fallback == NULL) {
        add(out, " | none");
    } else {
        add(out, " | `%s%s%s`", quote, key->fallback, quote);
    }
    add(out, " | %s |\n", key->doc);
}

static void add_table(struct text *out, const theater_key_t *keys, size_t len)
{
    add(out, "| key | value | default | meaning |\n");
    add(out, "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < len; i++) {
        add_row(out, &keys[i]);
    }
}

/* The table for "manifest limits", "handler message-server", ... */
static bool add_named(struct text *out, const char *name)
{
    size_t len = 0;
    const theater_key_group_t *groups = theater_key_groups(&len);
    for (size_t i = 0; i < len; i++) {
        char title[100];
        (void)snprintf(title, sizeof(title), "%s%s%s", groups[i].file,
                       groups[i].section[0] != '\0' ? " " : "",
                       groups[i].section);
        if (strcmp(title, name) == 0) {
            add_table(out, groups[i].keys, groups[i].keys_len);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (strncmp(name, "handler ", 8) == 0 &&
            strcmp(name + 8, handlers[i].type) == 0) {
            add_table(out, handlers[i].keys, handlers[i].keys_len);
            return true;
        }
    }
    return false;
}

#define MARK "<!-- keys: "
#define MARK_END " -->\n"
#define TABLE_END "<!-- end -->\n"

/* The document with its tables made anew; the number of tables. */
static size_t regenerate(struct text *out)
{
    size_t tables = 0;
    const char *at = document;
    for (;;) {
        const char *mark = strstr(at, MARK);
        if (mark == NULL) {
            add(out, "%s", at);
            return tables;
        }
        const char *name = mark + strlen(MARK);
        const char *name_end = strstr(name, MARK_END);
        const char *end = strstr(mark, TABLE_END);
        char title[100];
        if (name_end == NULL || end == NULL) {
            abort();
        }
        (void)snprintf(title, sizeof(title), "%.*s", (int)(name_end - name),
                       name);
        name_end += strlen(MARK_END);
        add(out, "%.*s", (int)(name_end - at), at);
        if (!add_named(out, title)) {
            fail_msg("there are no keys '%s'", title);
        }
        add(out, "%s", TABLE_END);
        at = end + strlen(TABLE_END);
        tables++;
    }
}

static void the_tables_of_keys_are_those_of_the_sources(void **state)
{
    (void)state;
    static struct text made;
    size_t groups = 0;
    (void)theater_key_groups(&groups);
    /* One handler has keys. */
    assert_int_equal(regenerate(&made), groups + 1);
    if (strcmp(made.data, document) != 0) {
        fail_msg("%s: the tables differ from the sources; run this test's "
                 "program with the document and --write",
                 document_path);
    }
}

/* --- Examples ----------------------------------------------------------- */

/* A block between fences; false when there is none of that kind at `*at`. */
static bool take_block(const char **at, const char *fence, char *out,
                       size_t size)
{
    size_t fence_len = strlen(fence);
    if (strncmp(*at, fence, fence_len) != 0) {
        return false;
    }
    const char *begin = *at + fence_len;
    const char *end = strstr(begin, "\n```\n");
    assert_non_null(end);
    assert_true((size_t)(end - begin) + 2 < size);
    (void)snprintf(out, size, "%.*s\n", (int)(end - begin), begin);
    *at = end + strlen("\n```\n");
    return true;
}

static theater_status_t read_example(const char *text, theater_error_t *err)
{
    theater_status_t status;
    if (strncmp(text, "# theater.toml\n", 15) == 0) {
        theater_system_t *system = NULL;
        status = theater_system_parse(text, strlen(text), "theater.toml", NULL,
                                      &system, err);
        if (status == THEATER_OK) {
            status = theater_system_check(system, handlers, 2, err);
        }
        theater_system_delete(system);
        return status;
    }
    assert_memory_equal(text, "# manifest.toml\n", 16);
    theater_manifest_t *manifest = NULL;
    status = theater_manifest_parse(text, strlen(text), "manifest.toml", NULL,
                                    &manifest, err);
    if (status == THEATER_OK) {
        status = theater_manifest_check(manifest, handlers, 2, err);
    }
    theater_manifest_release(manifest);
    return status;
}

static void each_example_does_what_the_document_says(void **state)
{
    const struct world *world = *state;
    static char example[8192];
    static char expected[1024];
    size_t good = 0;
    size_t bad = 0;
    world_text(world, "pong.wasm", "");
    world_folder(world, "worker");
    world_text(world, "worker/worker.wasm", "");
    world_link(world, "/etc/passwd", "link.wasm");
    world_text(world, "manifest.toml",
               "name = \"pong\"\npackage = \"pong.wasm\"\n");
    world_text(world, "worker/manifest.toml",
               "name = \"worker\"\npackage = \"worker.wasm\"\n");
    assert_int_equal(chdir(world->folder), 0);
    const char *at = document;
    while ((at = strstr(at, "```toml\n")) != NULL) {
        char said[sizeof(expected)] = "";
        theater_error_t err = {0};
        assert_true(take_block(&at, "```toml\n", example, sizeof(example)));
        expected[0] = '\0';
        bool fails = take_block(&at, "```text\n", expected, sizeof(expected));
        if (read_example(example, &err) != THEATER_OK) {
            (void)snprintf(said, sizeof(said), "%s: %s\n", err.origin,
                           err.text);
        }
        if (strcmp(said, expected) != 0) {
            fail_msg("\n%s\nsays:\n%snot:\n%s", example, said, expected);
        }
        good += !fails;
        bad += fails;
    }
    assert_true(good >= 3);
    assert_true(bad >= 25);
}

/* --- The program -------------------------------------------------------- */

static bool read_document(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(document, 1, sizeof(document) - 1, file);
    document[len] = '\0';
    document_path = path;
    (void)fclose(file);
    return len > 0;
}

static int write_document(void)
{
    static struct text made;
    (void)regenerate(&made);
    FILE *file = fopen(document_path, "wb");
    if (file == NULL || fwrite(made.data, 1, made.len, file) != made.len) {
        return 1;
    }
    return fclose(file);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_of_keys_are_those_of_the_sources),
        cmocka_unit_test_setup_teardown(
            each_example_does_what_the_document_says, world_setup,
            world_teardown),
    };
    if (argc < 2 || !read_document(argv[1])) {
        (void)fprintf(stderr, "usage: manifest.docs DOCUMENT [--write]\n");
        return 2;
    }
    if (argc > 2 && strcmp(argv[2], "--write") == 0) {
        return write_document();
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
