/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Design notes. A document is read once and thrown away whole, so its memory
 * is a list of chunks that only grows. All keys of all tables are in one hash
 * index (table and key together): a table needs no memory of its own for it,
 * and a file of a hundred thousand keys is still read in linear time. The
 * index doubles; the old one stays in the arena, which costs at most as much
 * again. Allocation is the only thing here that can fail.
 */
#include "toml_parser.h"

#include <string.h>

#define CHUNK_BYTES ((size_t)8192)
#define FIRST_BUCKETS ((size_t)64)
#define ALIGNMENT ((size_t)16)

struct th_toml_chunk {
    struct th_toml_chunk *older; /* the chunk before, or NULL */
    size_t size;                 /* bytes behind this header */
};

_Static_assert(sizeof(struct th_toml_chunk) % ALIGNMENT == 0,
               "the bytes behind a chunk's header are aligned");

void *th_toml_alloc(struct th_toml *doc, size_t size)
{
    if (size > SIZE_MAX / 4) {
        return NULL;
    }
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (size > doc->free_bytes) {
        size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        struct th_toml_chunk *chunk =
            doc->env->alloc(doc->env->ctx, sizeof(*chunk) + bytes, ALIGNMENT);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->older = doc->chunks;
        chunk->size = bytes;
        doc->chunks = chunk;
        doc->free_at = (char *)(chunk + 1);
        doc->free_bytes = bytes;
    }
    void *memory = doc->free_at;
    doc->free_at += size;
    doc->free_bytes -= size;
    return memory;
}

struct th_toml *th_toml_new(const theater_env_t *env)
{
    struct th_toml *doc = env->alloc(env->ctx, sizeof(*doc), ALIGNMENT);
    if (doc == NULL) {
        return NULL;
    }
    *doc = (struct th_toml){.env = env};
    size_t bytes = FIRST_BUCKETS * sizeof(*doc->buckets);
    doc->buckets = th_toml_alloc(doc, bytes);
    if (doc->buckets == NULL) {
        goto fail;
    }
    memset(doc->buckets, 0, bytes);
    doc->bucket_count = FIRST_BUCKETS;
    struct th_toml_place start = {1, 1};
    doc->root = th_toml_node_new(doc, TH_TOML_TABLE, TH_TOML_HEADER, start);
    if (doc->root == NULL) {
        goto fail;
    }
    return doc;
fail:
    th_toml_delete(doc);
    return NULL;
}

void th_toml_delete(struct th_toml *doc)
{
    if (doc == NULL) {
        return;
    }
    const theater_env_t *env = doc->env;
    while (doc->chunks != NULL) {
        struct th_toml_chunk *older = doc->chunks->older;
        env->free(env->ctx, doc->chunks);
        doc->chunks = older;
    }
    env->free(env->ctx, doc);
}

const struct th_toml_node *th_toml_root(const struct th_toml *doc)
{
    return doc->root;
}

struct th_toml_node *th_toml_node_new(struct th_toml *doc,
                                      enum th_toml_kind kind, uint8_t origin,
                                      struct th_toml_place place)
{
    struct th_toml_node *node = th_toml_alloc(doc, sizeof(*node));
    if (node != NULL) {
        memset(node, 0, sizeof(*node));
        node->kind = kind;
        node->origin = origin;
        node->place = place;
    }
    return node;
}

/* FNV-1a over the key, started from the table's address. */
static size_t hash_of(const struct th_toml_node *table, const char *key,
                      size_t key_len)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    hash ^= (uint64_t)(uintptr_t)table;
    hash *= UINT64_C(1099511628211);
    for (size_t i = 0; i < key_len; i++) {
        hash ^= (unsigned char)key[i];
        hash *= UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ (hash >> 32));
}

const struct th_toml_entry *th_toml_find(const struct th_toml *doc,
                                         const struct th_toml_node *table,
                                         const char *key, size_t key_len)
{
    if (table == NULL || table->kind != TH_TOML_TABLE) {
        return NULL;
    }
    size_t bucket = hash_of(table, key, key_len) & (doc->bucket_count - 1);
    const struct th_toml_entry *entry = doc->buckets[bucket];
    while (entry != NULL) {
        if (entry->owner == table && entry->key_len == key_len &&
            memcmp(entry->key, key, key_len) == 0) {
            return entry;
        }
        entry = entry->chain;
    }
    return NULL;
}

static void index_entry(struct th_toml_entry **buckets, size_t count,
                        struct th_toml_entry *entry)
{
    size_t bucket =
        hash_of(entry->owner, entry->key, entry->key_len) & (count - 1);
    entry->chain = buckets[bucket];
    buckets[bucket] = entry;
}

static bool grow_index(struct th_toml *doc)
{
    size_t count = doc->bucket_count * 2;
    struct th_toml_entry **buckets =
        th_toml_alloc(doc, count * sizeof(struct th_toml_entry *));
    if (buckets == NULL) {
        return false;
    }
    memset(buckets, 0, count * sizeof(struct th_toml_entry *));
    for (size_t i = 0; i < doc->bucket_count; i++) {
        struct th_toml_entry *entry = doc->buckets[i];
        while (entry != NULL) {
            struct th_toml_entry *chain = entry->chain;
            index_entry(buckets, count, entry);
            entry = chain;
        }
    }
    doc->buckets = buckets;
    doc->bucket_count = count;
    return true;
}

bool th_toml_insert(struct th_toml *doc, struct th_toml_node *table,
                    const struct th_toml_part *part, struct th_toml_node *value)
{
    if (doc->entry_count >= doc->bucket_count && !grow_index(doc)) {
        return false;
    }
    struct th_toml_entry *entry = th_toml_alloc(doc, sizeof(*entry));
    if (entry == NULL) {
        return false;
    }
    *entry = (struct th_toml_entry){.key = part->data,
                                    .key_len = part->len,
                                    .place = part->place,
                                    .value = value,
                                    .owner = table};
    index_entry(doc->buckets, doc->bucket_count, entry);
    if (table->as.table.last != NULL) {
        table->as.table.last->next = entry;
    } else {
        table->as.table.first = entry;
    }
    table->as.table.last = entry;
    table->as.table.count++;
    doc->entry_count++;
    return true;
}

void th_toml_append(struct th_toml_node *array, struct th_toml_node *value)
{
    if (array->as.array.last != NULL) {
        array->as.array.last->next = value;
    } else {
        array->as.array.first = value;
    }
    array->as.array.last = value;
    array->as.array.count++;
}

const char *th_toml_kind_name(enum th_toml_kind kind)
{
    static const char *const names[] = {
        [TH_TOML_TABLE] = "a table",
        [TH_TOML_ARRAY] = "a list",
        [TH_TOML_STRING] = "a string",
        [TH_TOML_INTEGER] = "an integer",
        [TH_TOML_FLOAT] = "a float",
        [TH_TOML_BOOL] = "a boolean",
        [TH_TOML_DATETIME] = "a date with time and offset",
        [TH_TOML_DATETIME_LOCAL] = "a date with time",
        [TH_TOML_DATE_LOCAL] = "a date",
        [TH_TOML_TIME_LOCAL] = "a time",
    };
    return names[kind];
}
