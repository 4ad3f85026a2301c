/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message server alone, in a C program: no runtime, no WebAssembly. Two
 * threads talk through a router: the main thread as `asker`, another one as
 * `clerk`. Links theater::messaging and nothing else of Theater.
 */
#include <theater/channel.h>
#include <theater/router.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static theater_bytes_t text(const char *from)
{
    return (theater_bytes_t){(const uint8_t *)from, strlen(from)};
}

/* Ends the program when something that cannot fail here did. */
static void must(theater_status_t status, const char *what)
{
    if (status != THEATER_OK) {
        fprintf(stderr, "%s: %s\n", what, theater_status_text(status));
        exit(1);
    }
}

#define SAY(who, bytes)                                                        \
    printf("%s: %.*s\n", who, (int)(bytes).len, (const char *)(bytes).data)

/* --- The clerk: handles what comes until it is told to go home ----------- */

struct clerk {
    theater_endpoint_t *endpoint;
    bool working;
};

static void handle(struct clerk *clerk, const theater_message_t *message)
{
    switch ((theater_message_kind_t)message->kind) {
    case THEATER_MESSAGE_SEND:
        SAY("clerk was told", message->data);
        clerk->working = strncmp((const char *)message->data.data, "go home",
                                 message->data.len) != 0;
        break;
    case THEATER_MESSAGE_REQUEST:
        SAY("clerk was asked", message->data);
        must(theater_endpoint_respond(clerk->endpoint, message->request,
                                      text("forty-two")),
             "respond");
        break;
    case THEATER_MESSAGE_CHANNEL_OPEN:
        SAY("clerk is offered a channel by", message->sender);
        must(theater_channel_accept(clerk->endpoint), "accept");
        break;
    case THEATER_MESSAGE_CHANNEL_DATA:
        SAY("clerk reads", message->data);
        must(theater_channel_send(clerk->endpoint, message->channel,
                                  text("noted")),
             "answer on the channel");
        break;
    case THEATER_MESSAGE_CHANNEL_CLOSE:
        printf("clerk's channel was closed\n");
        break;
    }
}

static void *clerk_thread(void *arg)
{
    struct clerk *clerk = arg;
    clerk->working = true;
    while (clerk->working) {
        const theater_message_t *message;
        must(theater_endpoint_wait(clerk->endpoint, UINT64_MAX, &message),
             "wait");
        handle(clerk, message);
        theater_endpoint_done(clerk->endpoint, THEATER_OK);
    }
    theater_endpoint_unregister(clerk->endpoint, THEATER_OK);
    return NULL;
}

/* --- The asker ----------------------------------------------------------- */

/* A request whose answer calls back: on the thread that answers. */
struct later {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool done;
};

static void answered(void *user, theater_status_t status,
                     theater_answer_t *answer)
{
    struct later *later = user;
    if (status == THEATER_OK) {
        SAY("a callback heard", *answer);
    } else {
        printf("a callback heard: %s\n", theater_status_name(status));
    }
    theater_answer_delete(answer);
    pthread_mutex_lock(&later->lock);
    later->done = true;
    pthread_cond_signal(&later->came);
    pthread_mutex_unlock(&later->lock);
}

static void ask_with_callback(theater_router_t *router,
                              theater_endpoint_t *asker)
{
    struct later later = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER,
                          false};
    theater_status_t status = theater_router_request_start(
        router, asker, text("clerk"), text("and now?"), 1000, answered, &later,
        NULL);
    must(status == THEATER_PENDING ? THEATER_OK : status, "request_start");
    pthread_mutex_lock(&later.lock);
    while (!later.done) {
        pthread_cond_wait(&later.came, &later.lock);
    }
    pthread_mutex_unlock(&later.lock);
}

static void ask_and_wait(theater_router_t *router, theater_endpoint_t *asker)
{
    theater_answer_t *answer = NULL;
    must(theater_router_request(router, asker, text("clerk"),
                                text("what is six times seven?"), 1000,
                                &answer),
         "request");
    SAY("asker heard", *answer);
    theater_answer_delete(answer);

    theater_status_t status = theater_router_request(
        router, asker, text("nobody"), text("hello?"), 1000, &answer);
    printf("asker asked nobody: %s\n", theater_status_name(status));
}

static void talk_on_a_channel(theater_endpoint_t *asker)
{
    theater_channel_id_t channel;
    const theater_message_t *message;
    must(theater_channel_open(asker, text("clerk"), text("notes"), 1000,
                              &channel),
         "open");
    for (int i = 1; i <= 3; i++) {
        char line[16];
        snprintf(line, sizeof(line), "note %d", i);
        must(theater_channel_send(asker, channel, text(line)), "send");
        must(theater_endpoint_wait(asker, 1000, &message), "read");
        SAY("asker reads", message->data);
        theater_endpoint_done(asker, THEATER_OK);
    }
    must(theater_channel_close(asker, channel, THEATER_OK), "close");
}

int main(void)
{
    theater_router_t *router;
    theater_endpoint_t *asker;
    struct clerk clerk;
    pthread_t thread;

    setvbuf(stdout, NULL, _IOLBF, 0);
    must(theater_router_new(NULL, &router), "router");
    must(theater_router_register(router, "asker", 5, NULL, &asker), "asker");
    must(theater_router_register(router, "clerk", 5, NULL, &clerk.endpoint),
         "clerk");
    if (pthread_create(&thread, NULL, clerk_thread, &clerk) != 0) {
        return 1;
    }

    must(theater_router_send(router, asker, text("clerk"), text("good day")),
         "send");
    ask_and_wait(router, asker);
    ask_with_callback(router, asker);
    talk_on_a_channel(asker);
    must(theater_router_send(router, asker, text("clerk"), text("go home")),
         "send");
    pthread_join(thread, NULL);

    theater_counters_t counters;
    theater_router_counters(router, &counters);
    printf("accepted %llu, delivered %llu, dead letters %llu\n",
           (unsigned long long)counters.accepted,
           (unsigned long long)counters.delivered,
           (unsigned long long)counters.dead_total);
    theater_endpoint_unregister(asker, THEATER_OK);
    theater_router_release(router);
    return 0;
}
