/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: spawning 10,000 actors of one manifest must not read and hash
 * its package 10,000 times, so the runtime remembers the plans of the last
 * manifests used. Manifests are immutable and a remembered plan retains its
 * own, so the pointer is a sound key.
 *
 * Threads: the memory of plans is guarded by the runtime's `plans_lock`; the
 * load itself happens outside (two threads may load the same package at once:
 * the engine compiles once, and the later plan replaces the earlier).
 * May fail: the file, the module, the handlers that the manifest lists. */
#include "runtime/plan.h"

#include "runtime/runtime.h"

enum { PACKAGE_LIMIT = 256 << 20 };

struct th_plan *th_plan_retain(struct th_plan *plan)
{
    /* relaxed: the caller has a reference that keeps it */
    atomic_fetch_add_explicit(&plan->count, 1, memory_order_relaxed);
    return plan;
}

void th_plan_release(struct th_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    /* acq_rel; pairs with itself: every user's last look is before the free */
    if (atomic_fetch_sub_explicit(&plan->count, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (plan->module != NULL) {
        th_module_release(plan->module);
    }
    theater_manifest_release((theater_manifest_t *)(uintptr_t)plan->manifest);
    th_free(plan->env, plan);
}

/* Finds the handler of each section. */
static theater_status_t resolve(struct theater_runtime *runtime,
                                struct th_plan *plan, theater_error_t *err)
{
    const theater_manifest_t *manifest = plan->manifest;
    theater_status_t status = theater_manifest_check(
        manifest, runtime->registry->keys, runtime->registry->len, err);
    if (status != THEATER_OK) {
        return status;
    }
    size_t len = theater_manifest_handlers_len(manifest);
    if (len > TH_MAX_GRANTS) {
        return th_error(
            err, THEATER_BAD_MANIFEST, theater_manifest_origin(manifest),
            "it lists %zu handlers; at most %d can be had", len, TH_MAX_GRANTS);
    }
    for (size_t i = 0; i < len; i++) {
        const theater_section_t *section =
            theater_manifest_handler(manifest, i);
        const char *type = theater_section_type(section);
        const struct th_registered *handler =
            th_registry_find(runtime->registry, type);
        if (handler == NULL) {
            return th_error(err, THEATER_BAD_MANIFEST,
                            theater_manifest_origin(manifest),
                            "there is no handler \"%s\"", type);
        }
        for (size_t k = 0; k < i; k++) {
            if (plan->handlers[k] == handler) {
                return th_error(err, THEATER_BAD_MANIFEST,
                                theater_manifest_origin(manifest),
                                "the handler \"%s\" is listed twice", type);
            }
        }
        plan->handlers[i] = handler;
        plan->sections[i] = section;
        plan->grants[i] = (struct th_grant){handler->type, handler->ops};
        plan->next[i] = handler->ops->next;
        plan->done[i] = handler->ops->done;
        if (handler->ops->next != NULL) {
            plan->sources[plan->sources_len++] = (uint8_t)i;
        }
    }
    plan->grants_len = (uint8_t)len;
    return THEATER_OK;
}

/* Reads and loads the package. */
static theater_status_t load(struct theater_runtime *runtime,
                             struct th_plan *plan, theater_error_t *err)
{
    const theater_env_t *env = runtime->env;
    const char *path = theater_manifest_package(plan->manifest);
    if (path == NULL) {
        return th_error(err, THEATER_BAD_MANIFEST,
                        theater_manifest_origin(plan->manifest),
                        "it names no package to run");
    }
    uint8_t *data = NULL;
    size_t len = 0;
    theater_status_t status =
        env->file_read(env->ctx, path, PACKAGE_LIMIT, &data, &len);
    if (status != THEATER_OK) {
        return th_error(err, status, path, "the package can't be read: %s",
                        theater_status_text(status));
    }
    const theater_limits_t *limits = theater_manifest_limits(plan->manifest);
    status = th_engine_load(
        runtime->engine, path, (theater_bytes_t){data, len},
        limits->stack == THEATER_STACK_LARGE ? TH_STACK_LARGE : TH_STACK_SMALL,
        plan->grants, plan->grants_len, &plan->module, err);
    th_free(env, data);
    if (status == THEATER_OK) {
        /* relaxed: statistics */
        atomic_fetch_add_explicit(th_module_was_cached(plan->module)
                                      ? &runtime->cache_hits
                                      : &runtime->compiled,
                                  1, memory_order_relaxed);
    }
    return status;
}

static theater_status_t make(struct theater_runtime *runtime,
                             const theater_manifest_t *manifest, bool native,
                             struct th_plan **out_plan, theater_error_t *err)
{
    struct th_plan *plan = th_calloc(runtime->env, sizeof *plan);
    if (plan == NULL) {
        return th_error(err, THEATER_OUT_OF_MEMORY, "spawn",
                        "no memory for the actor's plan");
    }
    plan->env = runtime->env;
    atomic_init(&plan->count, 1);
    plan->manifest = theater_manifest_retain(manifest);
    theater_status_t status = resolve(runtime, plan, err);
    if (status == THEATER_OK && !native) {
        status = load(runtime, plan, err);
    }
    if (status != THEATER_OK) {
        th_plan_release(plan);
        return status;
    }
    *out_plan = plan;
    return THEATER_OK;
}

/* The remembered plan, retained; NULL when there is none. */
static struct th_plan *remembered(struct theater_runtime *runtime,
                                  const theater_manifest_t *manifest,
                                  bool native)
{
    struct th_plan *found = NULL;
    th_lock(runtime->env, &runtime->plans_lock);
    for (size_t i = 0; i < TH_PLANS && found == NULL; i++) {
        struct th_plan *plan = runtime->plans[i];
        if (plan != NULL && plan->manifest == manifest &&
            (plan->module == NULL) == native) {
            found = th_plan_retain(plan);
        }
    }
    th_unlock(runtime->env, &runtime->plans_lock);
    return found;
}

static void remember(struct theater_runtime *runtime, struct th_plan *plan)
{
    th_lock(runtime->env, &runtime->plans_lock);
    size_t at = runtime->plans_next++ % TH_PLANS;
    struct th_plan *old = runtime->plans[at];
    runtime->plans[at] = th_plan_retain(plan);
    th_unlock(runtime->env, &runtime->plans_lock);
    th_plan_release(old);
}

theater_status_t th_plan_get(struct theater_runtime *runtime,
                             const theater_manifest_t *manifest, bool native,
                             struct th_plan **out_plan, theater_error_t *err)
{
    struct th_plan *plan = remembered(runtime, manifest, native);
    if (plan == NULL) {
        theater_status_t status = make(runtime, manifest, native, &plan, err);
        if (status != THEATER_OK) {
            return status;
        }
        remember(runtime, plan);
    } else if (!native) {
        /* relaxed: statistics */
        atomic_fetch_add_explicit(&runtime->cache_hits, 1,
                                  memory_order_relaxed);
    }
    *out_plan = plan;
    return THEATER_OK;
}

void th_plans_forget(struct theater_runtime *runtime)
{
    for (size_t i = 0; i < TH_PLANS; i++) {
        th_plan_release(runtime->plans[i]);
        runtime->plans[i] = NULL;
    }
}
