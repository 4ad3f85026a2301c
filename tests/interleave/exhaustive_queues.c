/* SPDX-License-Identifier: Apache-2.0 */
/* All schedules of small cases of the queues: list, ring, mailbox, deque,
 * injector, slab, lock. What a thread finds is kept in its own row and looked
 * at when all have ended, so that threads share atomic words alone. */
#include "exhaustive.h"

#include "messaging/mailbox.h"
#include "queue/deque.h"
#include "queue/injector.h"
#include "queue/slab.h"

enum { ROWS = 3, ITEMS = 8 };

struct node {
    struct th_mpsc_node link;
    unsigned who, seq;
};

/* What one thread took, in order. */
struct row {
    struct node *got[ITEMS];
    struct th_mpsc_node *link; /* of the last pop */
    unsigned len;
    unsigned empty, retry; /* how often it got nothing, and why */
};

static struct node nodes[ROWS][ITEMS];
static struct row rows[ROWS];
static unsigned retries, empties; /* over all schedules */

static void clear(void)
{
    memset(nodes, 0, sizeof nodes);
    memset(rows, 0, sizeof rows);
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned k = 0; k < ITEMS; k++) {
            nodes[i][k].who = i;
            nodes[i][k].seq = k;
        }
    }
}

static void got(unsigned who, struct node *node)
{
    rows[who].got[rows[who].len++] = node;
}

/* Each of `per` nodes of `producers` came out once, and each row has each
 * producer's in order. */
static void all_came_out(unsigned producers, unsigned per)
{
    unsigned seen[ROWS] = {0};
    for (unsigned i = 0; i < ROWS; i++) {
        unsigned next[ROWS] = {0};
        retries += rows[i].retry;
        empties += rows[i].empty;
        for (unsigned k = 0; k < rows[i].len; k++) {
            const struct node *node = rows[i].got[k];
            TH_CHECK(node->seq >= next[node->who]);
            next[node->who] = node->seq + 1;
            seen[node->who] |= 1U << node->seq;
        }
    }
    unsigned total = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        TH_CHECK(seen[i] == (i < producers ? (1U << per) - 1 : 0));
        total += rows[i].len;
    }
    TH_CHECK(total == producers * per);
}

/* --- The list ------------------------------------------------------------ */

static struct th_mpsc list;
static _Atomic unsigned pushed; /* pushes that have ended */

static void list_take(unsigned who)
{
    struct th_mpsc_node *link = NULL;
    /* acquire; pairs with list_run: those pushes come before this pop */
    unsigned before = atomic_load_explicit(&pushed, memory_order_acquire);
    enum th_mpsc_result result = th_mpsc_pop(&list, &link);
    TH_CHECK(result != TH_MPSC_EMPTY || before <= rows[who].len);
    rows[who].retry += result == TH_MPSC_RETRY;
    rows[who].empty += result == TH_MPSC_EMPTY;
    if (result == TH_MPSC_OK) {
        got(who, TH_CONTAINER_OF(link, struct node, link));
        /* Popped: the list must not look at it again. */
        atomic_store_explicit(&link->next, link, memory_order_relaxed);
    }
}

static void list_prepare(void *world)
{
    (void)world;
    clear();
    th_mpsc_init(&list);
    atomic_init(&pushed, 0);
}

static void list_run(void *world, unsigned who)
{
    unsigned each = *(unsigned *)world;
    for (unsigned i = 0; i < each; i++) {
        if (who < 2) {
            th_mpsc_push(&list, &nodes[who][i].link);
            /* release; pairs with list_take */
            atomic_fetch_add_explicit(&pushed, 1, memory_order_release);
        } else {
            list_take(who);
        }
    }
}

static void list_check(void *world)
{
    for (unsigned before = 0; before < rows[2].len + 1;) {
        before = rows[2].len + 1;
        list_take(2);
    }
    struct th_mpsc_node *none = NULL;
    TH_CHECK(th_mpsc_pop(&list, &none) == TH_MPSC_EMPTY);
    all_came_out(2, *(unsigned *)world);
}

static void a_list_keeps_what_two_push_while_one_pops(void **state)
{
    static unsigned two = 2, three = 3;
    (void)state;
    retries = empties = 0;
    explore_all("list: two push 2, one pops 2", 3, list_prepare, list_run,
                list_check, &two);
    assert_true(retries > 0 && empties > 0);
    explore("list: two push 3, one pops 3", 3, deep() ? 3 : 2, list_prepare,
            list_run, list_check, &three);
}

/* --- The mailbox --------------------------------------------------------- */

static struct th_mailbox box;
static struct th_message messages[2];
static struct {
    bool reserved[2];
    unsigned woken[2];
    unsigned taken;
    bool flight; /* the owner saw a reservation without a message */
    uint64_t word;
} mail;
static unsigned flights, refusals;

static void box_prepare(void *world)
{
    (void)world;
    memset(&mail, 0, sizeof mail);
    memset(messages, 0, sizeof messages);
    TH_CHECK(th_mailbox_open(th_interleave_env(), &box, 7, 1, 100, 0) ==
             THEATER_OK);
}

static void box_send(unsigned who)
{
    enum th_reserve reserved = th_mailbox_reserve(&box, 7, 10, false);
    mail.reserved[who] = reserved <= TH_RESERVE_OK;
    mail.woken[who] = reserved == TH_RESERVE_WAKE;
    if (mail.reserved[who]) {
        th_mailbox_push(&box, &messages[who]);
    }
}

static void box_take(void)
{
    struct th_message *message = NULL;
    if (th_mailbox_pop(&box, &message) == TH_MPSC_OK) {
        mail.taken++;
        mail.word = th_mailbox_release(&box, 1, 10);
        return;
    }
    /* acquire; pairs with [M1] of the mailbox */
    mail.flight = th_box_count(atomic_load_explicit(&box.bounded,
                                                    memory_order_acquire)) != 0;
}

static void box_run(void *world, unsigned who)
{
    bool closes = *(bool *)world;
    if (who < 2) {
        box_send(who);
        return;
    }
    box_take();
    if (closes) {
        th_mailbox_close(&box);
    } else {
        box_take();
    }
}

static void box_check(void *world)
{
    unsigned reserved = mail.reserved[0] + mail.reserved[1];
    (void)world;
    flights += mail.flight;
    refusals += 2 - reserved;
    while (mail.taken < reserved) {
        box_take();
    }
    /* relaxed: all have ended */
    uint64_t word = atomic_load_explicit(&box.bounded, memory_order_relaxed);
    TH_CHECK(th_box_count(word) == 0 && th_box_bytes(word) == 0);
    /* Whoever found it empty woke the owner. */
    TH_CHECK(reserved == 0 || mail.woken[0] + mail.woken[1] > 0);
    struct th_message *none = NULL;
    TH_CHECK(th_mailbox_pop(&box, &none) == TH_MPSC_EMPTY);
    th_mailbox_fini(th_interleave_env(), &box);
}

static void a_mailbox_of_one_place_keeps_its_bound_and_what_it_took(void **s)
{
    static bool closes = true, stays = false;
    (void)s;
    flights = refusals = 0;
    explore_all("mailbox: two reserve and push, the owner takes 2", 3,
                box_prepare, box_run, box_check, &stays);
    assert_true(flights > 0 && refusals > 0);
    explore_all("mailbox: two reserve and push, the owner takes and closes", 3,
                box_prepare, box_run, box_check, &closes);
}

/* --- The ring ------------------------------------------------------------ */

static _Alignas(TH_LINE) uint8_t
    ring_memory[sizeof(struct th_ring) + 4 * sizeof(struct th_ring_cell)];
static struct th_message ringed[4];
static struct th_message *ring_got[3][4];
static unsigned ring_taken[3];
static unsigned ring_drops;

static struct th_ring *the_ring(void)
{
    return (struct th_ring *)(void *)ring_memory;
}

static void ring_take(unsigned who)
{
    struct th_message *message = NULL;
    if (th_ring_pop(the_ring(), who != 2, &message) == TH_MPSC_OK) {
        ring_got[who][ring_taken[who]++] = message;
    }
}

/* One that may be dropped, one that may not, from the beginning. */
static void ring_prepare(void *world)
{
    (void)world;
    memset(ring_memory, 0, sizeof ring_memory);
    memset(ringed, 0, sizeof ringed);
    memset(ring_taken, 0, sizeof ring_taken);
    the_ring()->mask = 3;
    ringed[1].flags = TH_MESSAGE_EXEMPT;
    th_ring_push(the_ring(), &ringed[0]);
    th_ring_push(the_ring(), &ringed[1]);
}

static void ring_run(void *world, unsigned who)
{
    (void)world;
    ring_take(who); /* two drop the head for their own, the owner takes it */
    if (who < 2) {
        th_ring_push(the_ring(), &ringed[2 + who]);
    } else {
        ring_take(who);
    }
}

static void ring_check(void *world)
{
    unsigned seen = 0, total = 0;
    (void)world;
    for (unsigned before = ~0U; before != ring_taken[2];) {
        before = ring_taken[2];
        ring_take(2);
    }
    for (unsigned who = 0; who < 3; who++) {
        total += ring_taken[who];
        for (unsigned i = 0; i < ring_taken[who]; i++) {
            long at = ring_got[who][i] - ringed;
            TH_CHECK(who == 2 || at != 1); /* that one is never dropped */
            seen |= 1U << at;
        }
    }
    ring_drops += ring_taken[0] + ring_taken[1];
    TH_CHECK(seen == 15 && total == 4);
}

static void a_ring_gives_each_message_once_while_two_drop_its_head(void **s)
{
    (void)s;
    ring_drops = 0;
    explore_all("ring: two drop and push, the owner takes 2", 3, ring_prepare,
                ring_run, ring_check, NULL);
    assert_true(ring_drops > 0);
}

/* --- The deque ----------------------------------------------------------- */

static struct th_deque deque;

static void deque_prepare(void *world)
{
    (void)world;
    clear();
    th_deque_init(&deque);
    TH_CHECK(th_deque_push(&deque, &nodes[0][0]));
}

static void deque_steal(unsigned who, unsigned most, bool half)
{
    void *items[ITEMS];
    size_t count = th_deque_take(&deque, items, most, half);
    for (size_t i = 0; i < count; i++) {
        got(who, items[i]);
    }
}

static void deque_pop(unsigned who)
{
    struct node *node = th_deque_pop(&deque);
    if (node != NULL) {
        got(who, node);
    }
}

static void deque_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        TH_CHECK(th_deque_push(&deque, &nodes[0][1]));
        deque_pop(0);
        TH_CHECK(th_deque_push(&deque, &nodes[0][2]));
        deque_pop(0);
    } else {
        deque_steal(who, 4, who == 1);
    }
}

static void deque_check(void *world)
{
    (void)world;
    deque_pop(0);
    deque_pop(0);
    all_came_out(1, 3);
}

static void a_deque_gives_each_item_once_to_its_owner_and_two_thieves(void **s)
{
    (void)s;
    explore_all("deque: the owner pushes and pops 2, two steal", 3,
                deque_prepare, deque_run, deque_check, NULL);
}

/* --- The injector -------------------------------------------------------- */

static struct th_injector injector;

static void injector_take(unsigned who)
{
    if (!th_injector_try_begin(&injector)) {
        rows[who].retry++;
        return;
    }
    if (th_injector_pop(&injector, &rows[who].link) == TH_MPSC_OK) {
        got(who, TH_CONTAINER_OF(rows[who].link, struct node, link));
    }
    th_injector_end(&injector);
}

static void injector_prepare(void *world)
{
    (void)world;
    clear();
    th_injector_init(&injector);
    th_injector_push(&injector, &nodes[0][0].link, &nodes[0][0].link, 1);
}

static void injector_run(void *world, unsigned who)
{
    (void)world;
    if (who == 0) {
        /* relaxed: the push publishes it */
        atomic_store_explicit(&nodes[0][1].link.next, &nodes[0][2].link,
                              memory_order_relaxed);
        th_injector_push(&injector, &nodes[0][1].link, &nodes[0][2].link, 2);
    } else {
        injector_take(who);
    }
}

static void injector_check(void *world)
{
    (void)world;
    for (unsigned i = 0; i < 4; i++) {
        injector_take(1);
    }
    TH_CHECK(th_injector_size(&injector) == 0);
    all_came_out(1, 3);
}

static void an_injector_gives_each_item_once_while_two_want_to_take(void **s)
{
    (void)s;
    explore_all("injector: one pushes 2 of 3, two take", 3, injector_prepare,
                injector_run, injector_check, NULL);
}

/* --- The slab ------------------------------------------------------------ */

struct slot {
    struct th_slab_item item;
    _Atomic uint32_t users;
};

static struct th_slab slab;

static void slab_prepare(void *world)
{
    bool full = false;
    (void)world;
    TH_CHECK(th_slab_init(&slab, th_interleave_env(), sizeof(struct slot), 2) ==
             THEATER_OK);
    struct slot *first = th_slab_get(&slab, &full);
    struct slot *second = th_slab_get(&slab, &full);
    th_slab_put(&slab, &first->item);
    th_slab_put(&slab, &second->item);
}

static struct slot *slab_take(void)
{
    bool full = false;
    struct slot *slot = th_slab_get(&slab, &full);
    TH_CHECK(slot != NULL || full);
    /* relaxed: who has it alone counts to one */
    TH_CHECK(slot == NULL || atomic_fetch_add_explicit(
                                 &slot->users, 1, memory_order_relaxed) == 0);
    return slot;
}

static void slab_give(struct slot *slot)
{
    if (slot != NULL) {
        /* relaxed: as above */
        atomic_fetch_sub_explicit(&slot->users, 1, memory_order_relaxed);
        th_slab_put(&slab, &slot->item);
    }
}

/* Two slots for as many as want: who gets one has it alone. The first has two
 * at once and gives them back in the same order: the list's head is then what
 * another may have seen before, and what follows it is not. */
static void slab_run(void *world, unsigned who)
{
    (void)world;
    struct slot *slot = slab_take();
    struct slot *other = who == 0 ? slab_take() : NULL;
    slab_give(slot);
    if (who == 0) {
        struct slot *again = slab_take();
        slab_give(other);
        slab_give(again);
    }
}

static void slab_check(void *world)
{
    bool full = false;
    (void)world;
    struct slot *first = th_slab_get(&slab, &full);
    struct slot *second = th_slab_get(&slab, &full);
    TH_CHECK(first != NULL && second != NULL && first != second);
    TH_CHECK(th_slab_get(&slab, &full) == NULL && full);
    th_slab_fini(&slab);
}

static void a_slot_of_a_slab_has_one_user_at_a_time(void **s)
{
    (void)s;
    explore("slab: one has two at once, one gets and puts", 2, all_or(3),
            slab_prepare, slab_run, slab_check, NULL);
    explore("slab: one has two at once, two get and put", 3, 2, slab_prepare,
            slab_run, slab_check, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_keeps_what_two_push_while_one_pops),
        cmocka_unit_test(
            a_mailbox_of_one_place_keeps_its_bound_and_what_it_took),
        cmocka_unit_test(
            a_ring_gives_each_message_once_while_two_drop_its_head),
        cmocka_unit_test(
            a_deque_gives_each_item_once_to_its_owner_and_two_thieves),
        cmocka_unit_test(
            an_injector_gives_each_item_once_while_two_want_to_take),
        cmocka_unit_test(a_slot_of_a_slab_has_one_user_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
