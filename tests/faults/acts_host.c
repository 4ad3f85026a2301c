/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: what a guest asks of its handlers. The guest is told an error, or
 * its call or it ends, as the actor that it is; the host goes on. */
#include "acts_actors.h"

enum { LINE_BYTES = 128 };

/* What may become of a command after a refusal. */
static bool in_order(const char *got)
{
    static const char *const begins[] = {
        "ok",
        "error ",
        "x",
        "closed", /* it ended, ... */
        "failed", /* ... or could not answer */
        "out-of-memory",
        "not-found",
    };
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
        if (strncmp(got, begins[i], strlen(begins[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* One line, COMMAND => WHAT: the driver "a" does it, and its answer, or the
 * name of the status that came in its place, begins with that. */
static void command(struct act *act, const char *line, size_t len)
{
    char copy[LINE_BYTES];
    assert_true(len < sizeof copy);
    memcpy(copy, line, len);
    copy[len] = '\0';
    char *wanted = strstr(copy, " => ");
    assert_non_null(wanted);
    *wanted = '\0';
    wanted += 4;
    theater_status_t status = request(act, "a", copy);
    const char *got =
        status == THEATER_OK ? act->world->answer : theater_status_name(status);
    if (strncmp(got, wanted, strlen(wanted)) != 0 &&
        !(act_hit(act) && in_order(got))) {
        fail_msg("%s: '%.100s' instead of '%s'", copy, got, wanted);
    }
}

static void commands(struct act *act)
{
    const char *line = act->text;
    while (*line != '\0') {
        size_t len = strcspn(line, "\n");
        command(act, line, len);
        line += len + (line[len] == '\n');
    }
}

/* Answers to requests of others that "a" has deferred. */
static void defer_and_answer(struct act *act)
{
    theater_status_t started[3];
    struct outcome *outcomes[3];
    for (int i = 0; i < 3; i++) {
        outcomes[i] = act_outcome(act);
        started[i] = theater_router_request_start(act->router, NULL, text("a"),
                                                  text("defer later"), 50,
                                                  note_done, outcomes[i], NULL);
        outcomes[i]->started = started[i];
    }
    (void)request(act, "a", "outstanding");
    (void)request(act, "a", "respond-all now");
    /* What could not be answered ends by its deadline. */
    const theater_env_t *env = theater_env_default();
    uint64_t end = th_now(env) + (uint64_t)WORLD_WAIT_MS * 1000000;
    static const uint32_t never = 0;
    for (int i = 0; i < 3; i++) {
        while (started[i] == THEATER_PENDING && th_now(env) < end &&
               act_told(outcomes[i]) == 0) {
            theater_router_advance(act->router, th_now(env));
            env->park(env->ctx, &never, 0, th_now(env) + 100000);
        }
    }
}

#define TELL(name, lines) {name, commands, &stage_guests, lines}
const struct scenario acts_host[] = {
    TELL("a guest sends", "send b hello => ok"),
    TELL("a guest sends to nobody", "send nobody x => error not-found"),
    TELL("a guest sends 100 KiB", "send-size b 102400 => ok"),
    TELL("a guest sends what is too large",
         "send-size b 1048577 => error too-large"),
    TELL("a guest floods, and waits", "flood b 60 x => ok "),
    TELL("a guest floods itself", "flood a 24 x => ok "),
    TELL("a guest sends a batch", "batch b 5 m => ok 5"),
    TELL("a guest sends a batch that waits", "batch a 40 m => ok "),
    TELL("a guest sends a batch of one thing", "batch-same b 4 1000 => ok 4"),
    TELL("a guest sends a large batch that waits",
         "batch-same a 24 1000 => ok "),
    TELL("a guest broadcasts", "broadcast a,b,c x => ok ok,ok,not-found"),
    TELL("a guest broadcasts to 40", "broadcast-many b 40 x => ok ok,ok"),
    TELL("a guest sends later", "after b 1 x => ok t"),
    TELL("a guest cancels no timed send",
         "cancel-send t0 => error invalid-argument"),
    TELL("a guest asks", "request b echo hi => ok ok hi"),
    TELL("a guest asks and is told an error",
         "request b fail hi => error failed: hi"),
    TELL("a guest asks nobody", "request nobody x => error not-found"),
    TELL("a guest asks for long",
         "request-with b 20 sleep 40 => error timeout"),
    TELL("a guest asks for 50 KiB", "request b answer-size 51200 => ok xxx"),
    TELL("a guest asks itself", "request a echo x => error deadlock"),
    TELL("a guest asks one that logs", "request b log 2 a line => ok ok"),
    TELL("a guest lists what is outstanding", "outstanding => ok 1 "),
    TELL("a guest answers what it has not got",
         "respond x y => error invalid-argument"),
    TELL("a guest cancels what it has not got",
         "cancel-request x => error invalid-argument"),
    {"a guest defers", defer_and_answer, &stage_guests, NULL},
    TELL("a guest opens a channel", "open b hello => ok c"),
    TELL("a guest opens a channel that is rejected",
         "open b no => error rejected"),
    TELL("a guest opens a channel to itself", "open a x => error deadlock"),
    TELL("a guest opens a channel that sends", "open b !send a early => ok c"),
    TELL("a guest sends on no channel",
         "channel c0 x => error invalid-argument"),
    TELL("a guest closes no channel", "close c0 => error invalid-argument"),
    TELL("a guest asks who it is", "name => ok a"),
    TELL("a guest asks for its state", "state => ok"),
    TELL("a guest asks for its sender", "sender => ok"),
    TELL("a guest asks for its channel", "current => ok"),
    TELL("a guest asks for the time", "now => ok "),
    TELL("a guest sleeps", "sleep 1 => ok "),
    TELL("a guest logs", "log 2 a line => ok"),
    TELL("a guest logs 20 KiB", "log-size 20480 => ok"),
    TELL("a guest's journal", "heard => ok "),
    TELL("a guest answers 50 KiB", "answer-size 51200 => xxx"),
    TELL("a guest traps", "trap => closed"),
    TELL("a guest stops", "stop because => ok"),
    TELL("a guest whose answer is an error", "fail because => failed"),
    TELL("a guest does one thing after the other",
         "send b 1 => ok\nbatch b 3 m => ok 3\nbroadcast a,b x => ok ok,ok\n"
         "request b echo x => ok ok x\nopen b x => ok c\n"
         "after b 0 x => ok t\nlog 2 x => ok\nheard => ok"),
};
const size_t acts_host_len = sizeof acts_host / sizeof acts_host[0];
