// SPDX-License-Identifier: Apache-2.0
// The workloads of `theater bench` between actors of the C++ Actor Framework
// (0.17): event-based actors, one scheduler thread for each core. A sender has
// credit: each hundredth message is acknowledged, so that no mailbox grows
// beyond it. bench/peers/README.md says what is measured.
// Usage: bench WORKLOAD N SECONDS
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "caf/all.hpp"

using namespace caf;
using steady = std::chrono::steady_clock;

namespace {

constexpr uint64_t ack_every = 100; // messages between two acknowledgements
constexpr uint64_t pair_credit = 1000;
constexpr uint64_t flood_credit = 100;
constexpr uint64_t sampled = 8; // one request in so many is timed

struct payload {
    uint64_t seq;
    uint8_t rest[56];
};

using ack = atom_constant<atom("ack")>;
using go = atom_constant<atom("go")>;
using halt = atom_constant<atom("halt")>;
using done = atom_constant<atom("done")>;

} // namespace

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(payload)

namespace {

// A count that its actor alone writes, on a cache line of its own.
struct alignas(64) count {
    std::atomic<uint64_t> told{0};
    void tell(uint64_t n) { told.store(n, std::memory_order_relaxed); }
};

std::atomic<int64_t> lost{0};
std::atomic<bool> disordered{false};

uint64_t total(const std::vector<count> &counts)
{
    uint64_t sum = 0;
    for (auto &one : counts) {
        sum += one.told.load(std::memory_order_relaxed);
    }
    return sum;
}

// What the counts grow by in the window, a second.
double measure(const std::vector<count> &counts, double seconds)
{
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds / 5));
    auto begin = steady::now();
    auto before = total(counts);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    std::chrono::duration<double> elapsed = steady::now() - begin;
    auto after = total(counts);
    return static_cast<double>(after - before) / elapsed.count();
}

// --- pairs, flood ----------------------------------------------------------

struct tally {
    uint64_t n = 0;
};

behavior sender(stateful_actor<tally> *self, actor to, uint64_t credit)
{
    auto burst = [self, to](uint64_t size) {
        for (uint64_t i = 0; i < size; i++) {
            self->send(to, payload{self->state.n++, {}});
        }
    };
    return {
        [=](go) { burst(credit); },
        [=](ack) { burst(ack_every); },
        [=](halt) {
            lost += static_cast<int64_t>(self->state.n);
            self->send(to, done::value);
            self->quit();
        },
    };
}

behavior receiver(stateful_actor<tally> *self, count *told, uint64_t senders)
{
    return {
        [=](const payload &data) {
            if (senders == 1 && data.seq != self->state.n) {
                disordered = true;
            }
            told->tell(++self->state.n);
            if (data.seq % ack_every == ack_every - 1) {
                self->send(actor_cast<actor>(self->current_sender()),
                           ack::value);
            }
        },
        [=, left = senders](done) mutable {
            if (--left == 0) {
                lost -= static_cast<int64_t>(self->state.n);
                self->quit();
            }
        },
    };
}

double one_way(actor_system &system, size_t n, bool flood, double seconds)
{
    std::vector<count> counts(flood ? 1 : n);
    std::vector<actor> senders;
    actor to;
    for (size_t i = 0; i < n; i++) {
        if (!flood || i == 0) {
            to = system.spawn(receiver, &counts[i], flood ? n : 1);
        }
        senders.push_back(
            system.spawn(sender, to, flood ? flood_credit : pair_credit));
    }
    for (auto &one : senders) {
        anon_send(one, go::value);
    }
    auto rate = measure(counts, seconds);
    for (auto &one : senders) {
        anon_send(one, halt::value);
    }
    system.await_all_actors_done();
    return rate;
}

// --- ping-pong, ring -------------------------------------------------------

struct place {
    actor next;
    uint64_t laps = 0;
    bool halted = false;
};

// Each hands the message on; the first checks it and counts laps.
behavior member(stateful_actor<place> *self, count *told, uint64_t n)
{
    auto pass = [self](payload data) {
        data.seq++;
        self->send(self->state.next, data);
    };
    auto plain = [=](const payload &data) { pass(data); };
    auto first = [=](const payload &data) {
        auto &state = self->state;
        told->tell(++state.laps);
        if (data.seq != state.laps * n) {
            disordered = true;
        }
        if (!state.halted) {
            pass(data);
            return;
        }
        lost -= 1;
        self->send(state.next, done::value);
    };
    auto take = [=](const actor &to) { self->state.next = to; };
    auto end = [=](done) {
        // Round to the first, which has said it.
        if (told == nullptr) {
            self->send(self->state.next, done::value);
        }
        self->state.next = nullptr;
        self->quit();
    };
    if (told == nullptr) {
        return {plain, take, end};
    }
    return {first, take, end, [=](halt) { self->state.halted = true; }};
}

double ring(actor_system &system, size_t n, double seconds)
{
    std::vector<count> counts(1);
    std::vector<actor> members;
    for (size_t i = 0; i < n; i++) {
        members.push_back(
            system.spawn(member, i == 0 ? &counts[0] : nullptr, n));
    }
    for (size_t i = 0; i < n; i++) {
        anon_send(members[i], members[(i + 1) % n]);
    }
    lost += 1;
    anon_send(members[1 % n], payload{1, {}});
    auto rate = measure(counts, seconds);
    anon_send(members[0], halt::value);
    system.await_all_actors_done();
    return rate;
}

// --- request ---------------------------------------------------------------

behavior responder(event_based_actor *)
{
    return {[](const payload &data) { return data; }};
}

struct questions {
    uint64_t seq = 0;
    bool halted = false;
    std::vector<int64_t> latencies;
};

struct window {
    steady::time_point begin;
    steady::time_point end;
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    std::vector<int64_t> latencies;
};

void ask(stateful_actor<questions> *self, const actor &to, count *told,
         window *span)
{
    auto &state = self->state;
    auto seq = state.seq++;
    auto timed = seq % sampled == 0;
    auto asked = timed ? steady::now() : steady::time_point{};
    self->request(to, infinite, payload{seq, {}})
        .then([=](const payload &data) {
            auto &state = self->state;
            if (data.seq != seq) {
                disordered = true;
            }
            told->tell(seq + 1);
            if (timed && asked >= span->begin && asked < span->end) {
                std::chrono::nanoseconds took = steady::now() - asked;
                state.latencies.push_back(took.count());
            }
            if (!state.halted) {
                ask(self, to, told, span);
                return;
            }
            while (span->busy.test_and_set(std::memory_order_acquire)) {
            }
            span->latencies.insert(span->latencies.end(),
                                   state.latencies.begin(),
                                   state.latencies.end());
            span->busy.clear(std::memory_order_release);
            self->send_exit(to, exit_reason::user_shutdown);
            self->quit();
        });
}

behavior requester(stateful_actor<questions> *self, count *told, window *span)
{
    auto to = self->spawn(responder);
    return {
        [=](go) { ask(self, to, told, span); },
        [=](halt) { self->state.halted = true; },
    };
}

double requests(actor_system &system, size_t n, double seconds, window &span)
{
    std::vector<count> counts(n);
    std::vector<actor> requesters;
    std::chrono::duration<double> warm(seconds / 5);
    std::chrono::duration<double> whole(seconds);
    span.begin =
        steady::now() + std::chrono::duration_cast<steady::duration>(warm);
    span.end =
        span.begin + std::chrono::duration_cast<steady::duration>(whole);
    for (size_t i = 0; i < n; i++) {
        requesters.push_back(system.spawn(requester, &counts[i], &span));
    }
    for (auto &one : requesters) {
        anon_send(one, go::value);
    }
    auto rate = measure(counts, seconds);
    for (auto &one : requesters) {
        anon_send(one, halt::value);
    }
    system.await_all_actors_done();
    return rate;
}

// --- spawn, memory ---------------------------------------------------------

struct crew {
    std::vector<actor> made;
    size_t answered = 0;
};

// Makes `size` actors and sends each its first message; tells when all have
// answered. The actors end when it is told to halt.
behavior spawner(stateful_actor<crew> *self, size_t size, actor boss)
{
    return {
        [=](go) {
            auto &state = self->state;
            state.made.reserve(size);
            for (size_t i = 0; i < size; i++) {
                state.made.push_back(self->spawn(responder));
                self->send(state.made.back(), payload{i, {}});
            }
        },
        [=](const payload &) {
            if (++self->state.answered == size) {
                self->send(boss, done::value);
            }
        },
        [=](halt) {
            for (auto &one : self->state.made) {
                self->send_exit(one, exit_reason::user_shutdown);
            }
            self->state.made.clear();
            self->quit();
        },
    };
}

struct crowd {
    scoped_actor self;
    std::vector<actor> spawners;
    std::chrono::duration<double> took;

    crowd(actor_system &system, size_t n) : self(system)
    {
        auto begin = steady::now();
        for (size_t size : {n / 2, n - n / 2}) {
            spawners.push_back(system.spawn(spawner, size, actor(self)));
            anon_send(spawners.back(), go::value);
            lost += static_cast<int64_t>(size);
        }
        auto left = spawners.size();
        self->receive_while([&] { return left > 0; })([&](done) { left--; });
        lost -= static_cast<int64_t>(n);
        took = steady::now() - begin;
    }

    ~crowd()
    {
        for (auto &one : spawners) {
            anon_send(one, halt::value);
        }
    }
};

double spawn(actor_system &system, size_t n, double seconds)
{
    double spent = -1;
    size_t made = 0;
    while (spent < seconds) {
        {
            crowd one(system, n);
            if (spent < 0) {
                spent = 0; // the first round is warming up
            } else {
                spent += one.took.count();
                made += n;
            }
        }
        system.await_all_actors_done();
    }
    return static_cast<double>(made) / spent;
}

double resident()
{
    std::ifstream file("/proc/self/statm");
    long size = 0;
    long pages = 0;
    file >> size >> pages;
    return static_cast<double>(pages) *
           static_cast<double>(sysconf(_SC_PAGESIZE));
}

// Bytes of memory that an idle actor takes.
double memory(actor_system &system, size_t n)
{
    auto before = resident();
    crowd one(system, n);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return (resident() - before) / static_cast<double>(n);
}

int run(const std::string &workload, size_t n, double seconds)
{
    window span;
    double rate = 0;
    {
        actor_system_config config;
        config.set("scheduler.max-threads",
                   static_cast<size_t>(std::thread::hardware_concurrency()));
        actor_system system{config};
        if (workload == "pairs" || workload == "flood") {
            rate = one_way(system, n, workload == "flood", seconds);
        } else if (workload == "ping-pong") {
            rate = ring(system, 2, seconds);
        } else if (workload == "ring") {
            rate = ring(system, n, seconds) * static_cast<double>(n);
        } else if (workload == "request") {
            rate = requests(system, n, seconds, span);
        } else if (workload == "spawn") {
            rate = spawn(system, n, seconds);
        } else if (workload == "memory") {
            rate = memory(system, n);
        } else {
            std::fprintf(stderr, "bench: no workload %s\n", workload.c_str());
            return 2;
        }
    }
    std::printf("%.0f", rate);
    auto &all = span.latencies;
    std::sort(all.begin(), all.end());
    for (double share : {0.5, 0.99, 0.999}) {
        if (!all.empty()) {
            auto last = static_cast<double>(all.size() - 1);
            std::printf(" %lld", static_cast<long long>(
                                     all[static_cast<size_t>(share * last)]));
        }
    }
    std::printf(" %lld\n", static_cast<long long>(lost.load()));
    if (disordered) {
        std::fprintf(stderr, "bench: out of order\n");
    }
    return lost != 0 || disordered ? 1 : 0;
}

} // namespace

int main(int argc, char **argv)
{
    long n = argc == 4 ? std::atol(argv[2]) : 0;
    double seconds = argc == 4 ? std::atof(argv[3]) : 0;
    if (n < 1 || seconds <= 0) {
        std::fprintf(stderr, "usage: bench WORKLOAD N SECONDS\n");
        return 2;
    }
    return run(argv[1], static_cast<size_t>(n), seconds);
}
