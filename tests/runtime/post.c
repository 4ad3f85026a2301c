/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: one lock for all; the actor is woken under it, so that no wake
 * comes after `stop`. */
#include "post.h"

#include "base/base.h"

struct letter {
    struct letter *next;
    size_t len;
    char text[];
};

struct box {
    struct post *post;
    struct box *next; /* of the registered ones */
    theater_actor_t *actor;
    struct letter *first, **last;
    struct letter *open; /* given out */
    bool registered;
    char name[256];
};

struct post {
    const theater_env_t *env;
    const char *failing;
    struct th_lock lock;
    struct box *boxes;
    struct post_counts counts;
};

struct post *post_new(const theater_env_t *env, const char *failing)
{
    struct post *post = th_calloc(env, sizeof *post);
    if (post != NULL) {
        post->env = env;
        post->failing = failing;
    }
    return post;
}

void post_delete(struct post *post)
{
    if (post != NULL) {
        th_free(post->env, post);
    }
}

struct post_counts *post_counts(struct post *post)
{
    return &post->counts;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

bool post_send(struct post *post, const char *to, const char *text)
{
    size_t len = strlen(text);
    struct letter *letter = th_alloc(post->env, sizeof *letter + len + 1);
    if (letter == NULL) {
        return false;
    }
    letter->next = NULL;
    letter->len = len;
    memcpy(letter->text, text, len + 1);
    th_lock(post->env, &post->lock);
    struct box *box = post->boxes;
    while (box != NULL && strcmp(box->name, to) != 0) {
        box = box->next;
    }
    if (box != NULL) {
        *box->last = letter;
        box->last = &letter->next;
        add(&post->counts.posted, 1);
        theater_actor_wake(box->actor);
    }
    th_unlock(post->env, &post->lock);
    if (box == NULL) {
        th_free(post->env, letter);
    }
    return box != NULL;
}

static theater_status_t create_instance(void *prototype,
                                        const theater_instance_args_t *args,
                                        void **out_instance,
                                        theater_error_t *err)
{
    struct post *post = prototype;
    struct box *box = th_calloc(args->env, sizeof *box);
    if (box == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, args->name, "no box");
    }
    box->post = post;
    box->actor = args->actor;
    box->last = &box->first;
    memcpy(box->name, args->name, strlen(args->name) + 1);
    add(&post->counts.instances, 1);
    *out_instance = box;
    return THEATER_OK;
}

static theater_status_t set_up(void *instance, theater_error_t *err)
{
    struct box *box = instance;
    struct post *post = box->post;
    if (post->failing != NULL &&
        strncmp(box->name, post->failing, strlen(post->failing)) == 0) {
        return th_error(err, THEATER_DENIED, box->name, "it fails on purpose");
    }
    th_lock(post->env, &post->lock);
    box->next = post->boxes;
    post->boxes = box;
    box->registered = true;
    add(&post->counts.names, 1);
    th_unlock(post->env, &post->lock);
    return THEATER_OK;
}

static theater_status_t next(void *instance, theater_delivery_t *out)
{
    struct box *box = instance;
    struct post *post = box->post;
    TH_CHECK(box->open == NULL);
    th_lock(post->env, &post->lock);
    struct letter *letter = box->first;
    if (letter != NULL) {
        box->first = letter->next;
        if (box->first == NULL) {
            box->last = &box->first;
        }
    }
    th_unlock(post->env, &post->lock);
    if (letter == NULL) {
        return THEATER_EMPTY;
    }
    box->open = letter;
    out->export_index = 0;
    out->token = letter;
    out->args[0].bytes =
        (theater_bytes_t){(const uint8_t *)letter->text, letter->len};
    return THEATER_OK;
}

static void done(void *instance, theater_delivery_t *delivery)
{
    struct box *box = instance;
    TH_CHECK(delivery->token == box->open);
    add(delivery->status == THEATER_OK ? &box->post->counts.done
                                       : &box->post->counts.died,
        1);
    th_free(box->post->env, box->open);
    box->open = NULL;
}

static void restart(void *instance, const theater_end_t *end)
{
    struct box *box = instance;
    TH_CHECK(end->restart && box->open == NULL);
    add(&box->post->counts.restarts, 1);
}

static void stop(void *instance, const theater_end_t *end)
{
    struct box *box = instance;
    struct post *post = box->post;
    TH_CHECK(!end->restart && end->reason != NULL);
    th_lock(post->env, &post->lock);
    struct box **at = &post->boxes;
    while (*at != box) {
        at = &(*at)->next;
    }
    *at = box->next;
    box->registered = false;
    atomic_fetch_sub_explicit(&post->counts.names, 1, memory_order_relaxed);
    th_unlock(post->env, &post->lock);
    while (box->first != NULL) {
        struct letter *letter = box->first;
        box->first = letter->next;
        th_free(post->env, letter);
        add(&post->counts.unopened, 1);
    }
}

static void destroy(void *instance)
{
    struct box *box = instance;
    TH_CHECK(!box->registered && box->open == NULL);
    atomic_fetch_sub_explicit(&box->post->counts.instances, 1,
                              memory_order_relaxed);
    th_free(box->post->env, box);
}

static const theater_guest_export_t exports[] = {
    {"handle-send", {THEATER_TYPE_BYTES}, THEATER_TYPE_NONE},
};

const theater_handler_ops_t post_ops = {
    .size = sizeof post_ops,
    .exports = exports,
    .exports_len = 1,
    .create_instance = create_instance,
    .setup_host_functions = set_up,
    .next = next,
    .done = done,
    .restart = restart,
    .stop = stop,
    .destroy = destroy,
};
