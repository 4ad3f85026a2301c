/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. The linker puts all places into one section, reached or not;
 * a function that was compiled twice (an inline one) has its place twice, and
 * they are taken together. */
#include "act.h"

extern struct th_fault_site *__start_th_fault_sites[];
extern struct th_fault_site *__stop_th_fault_sites[];

enum { EXCEPTIONS_MAX = 64, LINE_MAX_BYTES = 256 };

struct exception {
    char file[96], function[64];
    bool used;
};

static struct exception exceptions[EXCEPTIONS_MAX];
static size_t exceptions_len;

/* src/... */
static const char *path_of(const struct th_fault_site *site)
{
    const char *found = strstr(site->file, "/src/");
    return found != NULL ? found + 1 : site->file;
}

/* Lines: FILE FUNCTION: REASON */
static void read_exceptions(void)
{
    char line[LINE_MAX_BYTES];
    FILE *file = fopen(TH_TEST_SOURCE_DIR "/tests/faults/exceptions.txt", "r");
    assert_non_null(file);
    exceptions_len = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char reason[LINE_MAX_BYTES] = "";
        struct exception *e = &exceptions[exceptions_len];
        if (line[0] == '#' || line[0] == '\n') {
            continue;
        }
        assert_true(exceptions_len < EXCEPTIONS_MAX);
        *e = (struct exception){.used = false};
        if (sscanf(line, "%95s %63[^:]: %255[^\n]", e->file, e->function,
                   reason) != 3) {
            fail_msg("exceptions.txt: no reason: %s", line);
        }
        exceptions_len++;
    }
    fclose(file);
}

static bool excepted(const struct th_fault_site *site)
{
    for (size_t i = 0; i < exceptions_len; i++) {
        if (strcmp(exceptions[i].file, path_of(site)) == 0 &&
            strcmp(exceptions[i].function, site->function) == 0) {
            exceptions[i].used = true;
            return true;
        }
    }
    return false;
}

static bool same(const struct th_fault_site *a, const struct th_fault_site *b)
{
    return a->line == b->line && a->kind == b->kind &&
           strcmp(a->file, b->file) == 0;
}

/* Of all places that are this one. */
static uint64_t failed_at(const struct th_fault_site *site, uint64_t *out_calls)
{
    uint64_t failed = 0;
    *out_calls = 0;
    for (struct th_fault_site **at = __start_th_fault_sites;
         at < __stop_th_fault_sites; at++) {
        if (same(*at, site)) {
            /* relaxed: nobody runs any more */
            failed +=
                atomic_load_explicit(&(*at)->failed, memory_order_relaxed);
            *out_calls +=
                atomic_load_explicit(&(*at)->calls, memory_order_relaxed);
        }
    }
    return failed;
}

static bool wanted(const struct th_fault_site *site, const char *const *folders,
                   size_t folders_len)
{
    for (size_t i = 0; i < folders_len; i++) {
        if (strncmp(path_of(site), folders[i], strlen(folders[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* An exception that nothing needs is a mistake, where its folder is here. */
static size_t needless(const char *const *folders, size_t folders_len)
{
    size_t found = 0;
    for (size_t i = 0; i < exceptions_len; i++) {
        struct th_fault_site site = {.file = exceptions[i].file};
        if (!exceptions[i].used && wanted(&site, folders, folders_len)) {
            print_error("exceptions.txt: %s %s is no exception\n",
                        exceptions[i].file, exceptions[i].function);
            found++;
        }
    }
    return found;
}

void sites_check(const char *const *folders, size_t folders_len)
{
    size_t places = 0, refused = 0, apart = 0, missed = 0;
    read_exceptions();
    for (struct th_fault_site **at = __start_th_fault_sites;
         at < __stop_th_fault_sites; at++) {
        const struct th_fault_site *site = *at;
        uint64_t calls;
        if (!wanted(site, folders, folders_len)) {
            continue;
        }
        places++;
        if (failed_at(site, &calls) != 0) {
            refused++;
        } else if (excepted(site)) {
            apart++;
        } else {
            missed++;
            print_error("%s:%d: %s: reached %llu times, never refused\n",
                        path_of(site), site->line, site->function,
                        (unsigned long long)calls);
        }
    }
    printf("%zu places, %zu refused, %zu exceptions\n", places, refused, apart);
    assert_true(places > 0);
    assert_int_equal(missed + needless(folders, folders_len), 0);
}
