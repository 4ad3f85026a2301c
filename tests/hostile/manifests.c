/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: manifests by somebody else. Each is refused with its line, or
 * its path, and with what is wrong. */
#include "cage.h"
#include "cases.h"

#include <stdlib.h>

#define LEN(table) (sizeof(table) / sizeof *(table))
#define ORIGIN TH_TEST_BUILD_DIR "/tests/hostile/x.toml"
#define HEAD "name = \"x\"\npackage = \"pest.wasm\"\n"
#define SERVER "[[handler]]\ntype = \"message-server\"\n"

struct manifest {
    const char *what, *text, *says;
};

static const struct manifest manifests[] = {
    {"nothing", "", "name"},
    {"no package", "name = \"x\"\n", "package"},
    {"an unknown key", HEAD "root = true\n", "root"},
    {"an unknown section", HEAD "[powers]\nall = true\n", "powers"},
    {"an unknown limit", HEAD "[limits]\nmemroy = \"1MiB\"\n", "memroy"},
    {"an unknown key of a handler", HEAD SERVER "can_sned = true\n",
     "can_sned"},
    {"an unknown handler", HEAD "[[handler]]\ntype = \"root\"\n", "root"},
    {"a handler without type", HEAD "[[handler]]\n", "type"},
    {"a key twice", HEAD "name = \"y\"\n", "name"},
    {"a section twice", HEAD "[limits]\n[limits]\n", "limits"},
    {"a name that is a number", "name = 1\npackage = \"pest.wasm\"\n", "name"},
    {"an empty name", "name = \"\"\npackage = \"pest.wasm\"\n", "name"},
    {"a NUL in the name", "name = \"a\\u0000b\"\npackage = \"pest.wasm\"\n",
     "name"},
    {"an escape in the name", "name = \"\\u001b[2J\"\npackage = \"x\"\n",
     "name"},
    {"bytes that are not UTF-8", "name = \"\xff\"\n", ""},
    {"half a surrogate", "name = \"\\ud800\"\n", ""},
    {"the parent's folder", "name = \"x\"\npackage = \"../handler/x.wasm\"\n",
     "package"},
    {"the parent's folder, round about",
     "name = \"x\"\npackage = \"cage/../../x.wasm\"\n", "package"},
    {"an absolute path", "name = \"x\"\npackage = \"/etc/passwd\"\n",
     "package"},
    {"a NUL in the path", "name = \"x\"\npackage = \"pest.wasm\\u0000x\"\n",
     "package"},
    {"no memory", HEAD "[limits]\nmemory = 0\n", "memory"},
    {"negative memory", HEAD "[limits]\nmemory = -1\n", "memory"},
    {"memory that overflows",
     HEAD "[limits]\nmemory = \"18446744073709551616GiB\"\n", "memory"},
    {"memory that overflows when multiplied",
     HEAD "[limits]\nmemory = \"17179869184GiB\"\n", "memory"},
    {"an integer that overflows", HEAD "max_restarts = 9223372036854775808\n",
     ""},
    {"time that overflows",
     HEAD "[limits]\nrun_time = \"18446744073709551615h\"\n", "run_time"},
    {"time without unit", HEAD "[limits]\nrun_time = \"1\"\n", "run_time"},
    {"infinite time", HEAD "[limits]\nrun_time = inf\n", "run_time"},
    {"a mailbox of nothing", HEAD SERVER "mailbox_capacity = 0\n",
     "mailbox_capacity"},
    {"a mailbox of 10 billion", HEAD SERVER "mailbox_capacity = 10000000000\n",
     "mailbox_capacity"},
    {"a pattern with two stars", HEAD SERVER "allowed_targets = [\"a*b*\"]\n",
     "allowed_targets"},
    {"a target that is a number", HEAD SERVER "allowed_targets = [1]\n",
     "allowed_targets"},
    {"a permission that is a word", HEAD SERVER "can_send = \"yes\"\n",
     "can_send"},
    {"a text without end", "name = \"x", ""},
    {"a section without end", HEAD "[limits\n", ""},
};

static const theater_key_t *keys_of(const theater_handler_ops_t *ops)
{
    return ops->keys;
}

static void must_refuse(const char *what, const char *text, size_t len,
                        const char *says)
{
    const theater_handler_ops_t *server = theater_message_server_ops();
    const theater_handler_ops_t *runtime = theater_runtime_handler_ops();
    theater_handler_keys_t handlers[] = {
        {"message-server", keys_of(server), server->keys_len},
        {"runtime", keys_of(runtime), runtime->keys_len},
    };
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {0};
    theater_status_t status =
        theater_manifest_parse(text, len, ORIGIN, NULL, &manifest, &err);
    if (status == THEATER_OK) {
        status = theater_manifest_check(manifest, handlers, 2, &err);
        theater_manifest_release(manifest);
    }
    if (status != THEATER_BAD_MANIFEST || strstr(err.text, says) == NULL ||
        strstr(err.origin, "x.toml:") == NULL) {
        fail_msg("%s: %s: %s: `%s` is not in: %s", what,
                 theater_status_name(status), err.origin, says, err.text);
    }
}

static char *repeated(const char *head, const char *each, size_t times)
{
    size_t len = strlen(each), start = strlen(head);
    char *text = malloc(start + len * times + 1);
    assert_non_null(text);
    memcpy(text, head, start + 1);
    for (size_t i = 0; i < times; i++) {
        memcpy(text + start + i * len, each, len + 1);
    }
    return text;
}

static void bulky(const char *what, const char *head, const char *each,
                  size_t times)
{
    char *text = repeated(head, each, times);
    must_refuse(what, text, strlen(text), "");
    free(text);
}

size_t hostile_manifests(void)
{
    cage_watch_begin();
    for (size_t i = 0; i < LEN(manifests); i++) {
        must_refuse(manifests[i].what, manifests[i].text,
                    strlen(manifests[i].text), manifests[i].says);
    }
    must_refuse("a NUL byte", HEAD "\0", sizeof HEAD, "");
    bulky("100,000 arrays in one another", "x = ", "[", 100000);
    bulky("100,000 tables in one another", "x = ", "{a=", 100000);
    bulky("a key of 100,000 parts", "a", ".a", 100000);
    bulky("10 MB", HEAD, "# a comment that says nothing\n", 350000);
    bulky("100,000 handlers", HEAD, SERVER, 100000);
    cage_watch_end("manifests");
    return LEN(manifests) + 6;
}
