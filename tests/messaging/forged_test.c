/* SPDX-License-Identifier: Apache-2.0 */
/* A million ids of each kind that are not one's own: random ones, neighbours of
 * those in use, those that have ended, and those of others as they are. None
 * is of any use to anybody, while the true ones come and go; whoever owns one
 * can use it all the while. THEATER_TEST_SEED: of the ids (1). */
#include "world.h"

enum { TRIES = 1000000, HELD = 8, OLD = 256, EACH = 250 };

struct thing {
    theater_endpoint_t *owner;
    uint64_t id;
    uint64_t other; /* of a channel's other end, which is `peer`'s; 0: none */
    struct outcome outcome;
};

struct scene {
    struct world world;
    struct th_rng rng;
    theater_endpoint_t *alice, *bob, *mallory;
    const struct kind *kind;
    struct thing held[HELD];
    uint64_t old[OLD]; /* have ended */
    uint64_t ended;
};

struct kind {
    const char *name;
    void (*begin)(struct scene *scene, struct thing *thing);
    /* By its owner; must succeed. */
    void (*end)(struct scene *scene, struct thing *thing);
    /* All that can be done with an id; answers whether any of it was. */
    bool (*use)(struct scene *scene, theater_endpoint_t *by, uint64_t id);
};

static bool works(theater_status_t status)
{
    return status != THEATER_INVALID_ARGUMENT && status != THEATER_CLOSED;
}

/* --- Requests whose answer was deferred ----------------------------------- */

static void request_begin(struct scene *scene, struct thing *thing)
{
    theater_request_id_t id;
    assert_status(
        ask(&scene->world, NULL, "bob", "q", 3600000, &thing->outcome, NULL),
        THEATER_PENDING);
    (void)take(scene->bob, THEATER_MESSAGE_REQUEST, "q");
    assert_status(theater_endpoint_defer(scene->bob, &id), THEATER_OK);
    theater_endpoint_done(scene->bob, THEATER_OK);
    thing->owner = scene->bob;
    thing->id = id.value;
    thing->other = 0;
}

static void request_end(struct scene *scene, struct thing *thing)
{
    theater_request_id_t id = {thing->id};
    (void)scene;
    assert_int_equal(thing->outcome.calls, 0);
    assert_status(theater_endpoint_respond(thing->owner, id, text("a")),
                  THEATER_OK);
    assert_ended(thing->outcome, THEATER_OK);
}

static bool request_use(struct scene *scene, theater_endpoint_t *by,
                        uint64_t value)
{
    theater_request_id_t id = {value};
    (void)scene;
    return works(theater_endpoint_respond(by, id, text("forged"))) ||
           works(theater_endpoint_fail(by, id, text("forged"))) ||
           works(theater_endpoint_cancel_request(by, id));
}

/* --- A request that is being handled, one at a time ----------------------- */

static void handled_begin(struct scene *scene, struct thing *thing)
{
    thing->owner = scene->bob;
    thing->other = 0;
    if (thing != &scene->held[0]) {
        thing->id = 0; /* an endpoint handles one */
        return;
    }
    assert_status(
        ask(&scene->world, NULL, "bob", "q", 3600000, &thing->outcome, NULL),
        THEATER_PENDING);
    thing->id = take(scene->bob, THEATER_MESSAGE_REQUEST, "q")->request.value;
}

static void handled_end(struct scene *scene, struct thing *thing)
{
    if (thing->id != 0) {
        request_end(scene, thing);
        theater_endpoint_done(scene->bob, THEATER_OK);
    }
}

/* --- Channels ------------------------------------------------------------- */

static void channel_begin(struct scene *scene, struct thing *thing)
{
    theater_channel_id_t at_bob;
    thing->owner = scene->alice;
    thing->id = connect(scene->alice, scene->bob, "bob", &at_bob).value;
    thing->other = at_bob.value;
}

static void channel_end(struct scene *scene, struct thing *thing)
{
    theater_channel_id_t here = {thing->id};
    theater_channel_id_t there = {thing->other};
    assert_status(theater_channel_send(scene->alice, here, text("x")),
                  THEATER_OK);
    handle(scene->bob, THEATER_MESSAGE_CHANNEL_DATA, "x");
    assert_true(theater_channel_is_open(scene->bob, there));
    assert_status(theater_channel_close(scene->alice, here, THEATER_OK),
                  THEATER_OK);
    handle(scene->bob, THEATER_MESSAGE_CHANNEL_CLOSE, NULL);
}

static bool channel_use(struct scene *scene, theater_endpoint_t *by,
                        uint64_t value)
{
    theater_channel_id_t id = {value};
    (void)scene;
    return theater_channel_is_open(by, id) ||
           works(theater_channel_send(by, id, text("forged"))) ||
           works(theater_channel_close(by, id, THEATER_OK));
}

/* --- Timed sends ---------------------------------------------------------- */

static void timer_begin(struct scene *scene, struct thing *thing)
{
    theater_timer_id_t id;
    thing->owner = scene->alice;
    thing->other = 0;
    assert_status(theater_router_send_after(scene->world.router, scene->alice,
                                            text("bob"), text("later"), 3600000,
                                            &id),
                  THEATER_OK);
    thing->id = id.value;
}

static void timer_end(struct scene *scene, struct thing *thing)
{
    theater_timer_id_t id = {thing->id};
    (void)scene;
    assert_status(theater_router_cancel_send(thing->owner, id), THEATER_OK);
}

static bool timer_use(struct scene *scene, theater_endpoint_t *by,
                      uint64_t value)
{
    theater_timer_id_t id = {value};
    (void)scene;
    return works(theater_router_cancel_send(by, id));
}

static const struct kind kinds[] = {
    {"deferred", request_begin, request_end, request_use},
    {"handled", handled_begin, handled_end, request_use},
    {"channel", channel_begin, channel_end, channel_use},
    {"timer", timer_begin, timer_end, timer_use},
};

/* --- Forging -------------------------------------------------------------- */

static uint64_t true_id(struct scene *scene)
{
    const struct thing *thing = &scene->held[th_rng_below(&scene->rng, HELD)];
    bool far = thing->other != 0 && th_rng_below(&scene->rng, 2) == 0;
    uint64_t id = far ? thing->other : thing->id;
    return id != 0 ? id : scene->held[0].id;
}

static uint64_t old_id(struct scene *scene)
{
    uint64_t len = scene->ended < OLD ? scene->ended : OLD;
    return len == 0 ? 0 : scene->old[th_rng_below(&scene->rng, len)];
}

static uint64_t neighbour(struct scene *scene, uint64_t id)
{
    switch (th_rng_below(&scene->rng, 6)) {
    case 0:
        return id + 1;
    case 1:
        return id - 1;
    case 2:
        return id + (UINT64_C(1) << 32);
    case 3:
        return id - (UINT64_C(1) << 32);
    case 4:
        return id ^ UINT64_C(1) << 63;
    default:
        return id ^ UINT64_C(1) << th_rng_below(&scene->rng, 64);
    }
}

static uint64_t forge(struct scene *scene, unsigned how)
{
    switch (how) {
    case 0:
        return th_rng_next(&scene->rng) >> th_rng_below(&scene->rng, 64);
    case 1:
        return neighbour(scene, true_id(scene));
    case 2:
        return neighbour(scene, old_id(scene));
    case 3:
        return old_id(scene);
    default:
        return true_id(scene);
    }
}

/* Is it in use by somebody at this moment? */
static bool is_true(const struct scene *scene, uint64_t id)
{
    for (unsigned i = 0; i < HELD; i++) {
        if (id != 0 &&
            (id == scene->held[i].id || id == scene->held[i].other)) {
            return true;
        }
    }
    return false;
}

static void renew(struct scene *scene, struct thing *thing)
{
    scene->kind->end(scene, thing);
    if (thing->id != 0) {
        scene->old[scene->ended++ % OLD] = thing->id;
    }
    if (thing->other != 0) {
        scene->old[scene->ended++ % OLD] = thing->other;
    }
    scene->kind->begin(scene, thing);
}

static void try_all(struct scene *scene)
{
    for (uint64_t i = 0; i < TRIES; i++) {
        uint64_t id = forge(scene, (unsigned)(i % 5));
        bool used = scene->kind->use(scene, scene->mallory, id);
        /* Who may use the true ones can't use the others either. */
        if (!used && !is_true(scene, id)) {
            used = scene->kind->use(scene, scene->bob, id) ||
                   scene->kind->use(scene, scene->alice, id);
        }
        if (used) {
            fail_msg("%s: try %llu: %016llx was of use", scene->kind->name,
                     (unsigned long long)i, (unsigned long long)id);
        }
        if (i % EACH == 0) {
            renew(scene, &scene->held[i / EACH % HELD]);
        }
    }
}

static void no_forged_id_is_of_use(void **state)
{
    const char *seed = getenv("THEATER_TEST_SEED");
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        static struct scene scene;
        scene = (struct scene){.kind = &kinds[k]};
        th_rng_init(&scene.rng, seed != NULL ? strtoull(seed, NULL, 10) : 1);
        world_init(&scene.world);
        scene.alice = join(&scene.world, "alice");
        scene.bob = join(&scene.world, "bob");
        scene.mallory = join(&scene.world, "mallory");
        for (unsigned i = 0; i < HELD; i++) {
            scene.kind->begin(&scene, &scene.held[i]);
        }
        try_all(&scene);
        for (unsigned i = 0; i < HELD; i++) {
            scene.kind->end(&scene, &scene.held[i]);
        }
        nothing(scene.alice);
        nothing(scene.bob);
        nothing(scene.mallory);
        assert_true(scene.ended >= OLD);
        leave(scene.alice);
        leave(scene.bob);
        leave(scene.mallory);
        world_fini(&scene.world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_forged_id_is_of_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
