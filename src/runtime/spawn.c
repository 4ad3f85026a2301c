/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: the public ways to make actors. Each finds the plan of the
 * manifest, makes the actors on the calling thread and releases them to their
 * activations when all are there; a system is released only as a whole.
 * Threads: any but workers. May fail: see theater_runtime_spawn. */
#include "runtime/runtime.h"

static theater_status_t refuse(theater_error_t *err, const char *origin)
{
    return th_error(err, THEATER_WRONG_THREAD, origin,
                    "this blocks, so it can't be called on a worker");
}

/* What every spawn checks first. */
static theater_status_t guard(const char *name,
                              const theater_manifest_t *manifest,
                              const theater_spawn_options_t *options,
                              theater_error_t *err)
{
    if (manifest == NULL ||
        (options != NULL && options->size != sizeof *options)) {
        return th_error(err, THEATER_INVALID_ARGUMENT, "spawn",
                        manifest == NULL ? "there is no manifest"
                                         : "options of an unknown size");
    }
    if (th_on_worker()) {
        return refuse(err, name);
    }
    if (!th_name_ok(name, strlen(name))) {
        return th_error(err, THEATER_INVALID_ARGUMENT, "spawn",
                        "a name has 1 to 255 bytes of UTF-8 and no control "
                        "characters");
    }
    return THEATER_OK;
}

/* The spawn's state goes before the manifest's. */
static theater_bytes_t state_of(const theater_manifest_t *manifest,
                                const theater_spawn_options_t *options)
{
    if (options != NULL && options->initial_state.data != NULL) {
        return options->initial_state;
    }
    theater_bytes_t state = {NULL, 0};
    state.data = theater_manifest_initial_state(manifest, &state.len);
    return state;
}

static theater_status_t spawn(theater_runtime_t *runtime, const char *name,
                              const theater_manifest_t *manifest,
                              const theater_spawn_options_t *options,
                              const theater_native_ops_t *ops, void *self,
                              theater_error_t *err)
{
    if (name == NULL && manifest != NULL) {
        name = theater_manifest_name(manifest);
    }
    theater_status_t status = guard(name, manifest, options, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_plan *plan = NULL;
    status = th_plan_get(runtime, manifest, ops != NULL, &plan, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_make make = {
        .plan = plan,
        .name = name,
        .initial_state = state_of(manifest, options),
        .native = ops,
        .self = self,
    };
    struct theater_actor *actor = NULL;
    status = th_actor_make(runtime, &make, &actor, err);
    th_plan_release(plan);
    if (status == THEATER_OK) {
        th_actor_release(actor, options != NULL && options->paused);
    }
    return status;
}

theater_status_t theater_runtime_spawn(theater_runtime_t *runtime,
                                       const char *name,
                                       const theater_manifest_t *manifest,
                                       const theater_spawn_options_t *options,
                                       theater_error_t *err)
{
    return spawn(runtime, name, manifest, options, NULL, NULL, err);
}

theater_status_t theater_runtime_spawn_native(
    theater_runtime_t *runtime, const char *name,
    const theater_manifest_t *manifest, const theater_spawn_options_t *options,
    const theater_native_ops_t *ops, void *self, theater_error_t *err)
{
    if (ops == NULL || ops->size != sizeof *ops || ops->deliver == NULL) {
        return th_error(err, THEATER_INVALID_ARGUMENT, "spawn",
                        "the operations of the native actor are incomplete");
    }
    return spawn(runtime, name, manifest, options, ops, self, err);
}

static theater_status_t make_one(theater_runtime_t *runtime,
                                 const theater_system_actor_t *entry,
                                 struct theater_actor **out_actor,
                                 theater_error_t *err)
{
    struct th_plan *plan = NULL;
    theater_status_t status =
        th_plan_get(runtime, entry->manifest, false, &plan, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_make make = {
        .plan = plan,
        .name = entry->name,
        .initial_state = {entry->initial_state, entry->initial_state_len},
    };
    status = th_actor_make(runtime, &make, out_actor, err);
    th_plan_release(plan);
    return status;
}

theater_status_t theater_runtime_spawn_system(theater_runtime_t *runtime,
                                              const theater_system_t *system,
                                              theater_error_t *err)
{
    if (th_on_worker()) {
        return refuse(err, "spawn");
    }
    size_t len = theater_system_actors_len(system);
    struct theater_actor **actors =
        th_calloc(runtime->env, (len + 1) * sizeof(struct theater_actor *));
    if (actors == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "spawn",
                        "no memory for %zu actors", len);
    }
    theater_status_t status = THEATER_OK;
    size_t made = 0;
    while (made < len && status == THEATER_OK) {
        status = make_one(runtime, theater_system_actor(system, made),
                          &actors[made], err);
        made += status == THEATER_OK;
    }
    if (status == THEATER_OK) {
        for (size_t i = 0; i < made; i++) {
            th_actor_release(actors[i], false);
        }
    } else {
        while (made-- > 0) {
            th_actor_unmake(actors[made]);
        }
    }
    th_free(runtime->env, actors);
    return status;
}

static bool start_paused(void *user, struct theater_actor *actor)
{
    (void)user;
    /* relaxed: one that is still being made is not meant */
    if (atomic_load_explicit(&actor->state, memory_order_relaxed) ==
        TH_ACTOR_PAUSED) {
        th_actor_ask(actor, TH_ASK_START);
    }
    return true;
}

void theater_runtime_start_all(theater_runtime_t *runtime)
{
    th_table_each(runtime, start_paused, NULL);
}

theater_status_t theater_runtime_check(
    theater_runtime_t *runtime, const theater_manifest_t *manifest,
    void (*each)(void *user, const theater_check_item_t *item), void *user,
    theater_error_t *err)
{
    theater_status_t status =
        guard(manifest != NULL ? theater_manifest_name(manifest) : NULL,
              manifest, NULL, err);
    if (status != THEATER_OK) {
        return status;
    }
    struct th_plan *plan = NULL;
    bool native = theater_manifest_package(manifest) == NULL;
    status = th_plan_get(runtime, manifest, native, &plan, err);
    if (status != THEATER_OK) {
        return status;
    }
    status = th_actor_check(runtime, plan, err);
    if (status == THEATER_OK && plan->module != NULL && each != NULL) {
        th_module_describe(plan->module, each, user);
    }
    th_plan_release(plan);
    return status;
}
