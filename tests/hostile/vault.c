/* SPDX-License-Identifier: Apache-2.0 */
/* Has what others would like to have: a request that it keeps, a channel, a
 * timed send. It tells their ids to whoever asks ("ids"), since an id is no
 * secret: that it is of no use to others is what the test is about. "back"
 * asks its requester back; "check" says whether all three are still there and
 * answers the request that was kept. */
#include <theater/actor.h>

static char kept_text[64], channel_text[64], timer_text[64];
static theater_text_t kept = {kept_text, sizeof kept_text, 0};
static theater_text_t channel = {channel_text, sizeof channel_text, 0};
static theater_text_t timer = {timer_text, sizeof timer_text, 0};

THEATER_RUN()
{
    theater_bytes_t id;
    if (theater_send_after(theater_str("vault"), theater_str("x"), 3600000, &id,
                           NULL) == THEATER_OK) {
        theater_add_bytes(&timer, id);
    }
}

THEATER_HANDLE_SEND(data)
{
    (void)data;
}

THEATER_HANDLE_CHANNEL_OPEN(initiator, data)
{
    theater_bytes_t id;
    (void)data;
    if (theater_equal(initiator, theater_str("prober")) && channel.len == 0 &&
        theater_current_channel(&id)) {
        theater_add_bytes(&channel, id);
    }
    return true;
}

THEATER_HANDLE_CHANNEL_MESSAGE(id, data)
{
    (void)id;
    (void)data;
}

static theater_answer_t all_there(void)
{
    bool ok =
        theater_cancel_send(theater_text_bytes(&timer), NULL) == THEATER_OK &&
        theater_send_on_channel(theater_text_bytes(&channel),
                                theater_str("still open"),
                                NULL) == THEATER_OK &&
        theater_respond_to_request(theater_text_bytes(&kept),
                                   theater_str("kept"), NULL) == THEATER_OK;
    return theater_answer(theater_str(ok ? "all there" : "something is gone"));
}

THEATER_HANDLE_REQUEST(data)
{
    theater_bytes_t id, answer, who;
    if (theater_equal(data, theater_str("hold"))) {
        if (theater_defer_response(&id, NULL) == THEATER_OK) {
            theater_add_bytes(&kept, id);
        }
    } else if (theater_equal(data, theater_str("back"))) {
        if (!theater_sender(&who)) {
            return theater_fail(theater_str("nobody"));
        }
        return theater_answer(theater_str(theater_code_name(
            theater_request(who, theater_str("x"), &answer, NULL))));
    } else if (theater_equal(data, theater_str("check"))) {
        return all_there();
    } else {
        char *room = theater_scratch(192);
        theater_text_t ids = theater_text(room, 192);
        theater_add_bytes(&ids, theater_text_bytes(&kept));
        theater_add_bytes(&ids, theater_text_bytes(&channel));
        theater_add_bytes(&ids, theater_text_bytes(&timer));
        return theater_answer(theater_text_bytes(&ids));
    }
    return theater_answer(theater_str(""));
}
