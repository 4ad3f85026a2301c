/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. Samples are taken between two rounds, when nothing of a world
 * is left: so what differs has leaked. Memory that an allocator keeps grows to
 * a level in the first rounds; hence the first tenth is not looked at. A slope
 * by least squares says little about a short run; below an hour the medians of
 * the two halves are compared instead. How long an answer takes is asked in a
 * small world of its own, and says nothing in less than ten minutes. */
#include "soak.h"

#include "probe.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SAMPLES_MAX = 65536, EVERY_S = 10, HOUR_S = 3600 };
enum { DRIFT_S = 600, DRIFT_MOST = 10 }; /* judged from then on; percent */

#define MIB (1024.0 * 1024.0)

struct sample {
    double seconds;
    double resident; /* bytes */
    double p99;      /* ns of an answer */
    unsigned descriptors;
    unsigned threads;
};

static double resident(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%*u %llu", &pages) != 1) {
        pages = 0;
    }
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

/* A joined thread's entry may be there a moment longer. */
static unsigned thread_count(void)
{
    struct timespec pause = {0, 10000000};
    unsigned least = entries("/proc/self/task");
    for (unsigned i = 0; i < 20; i++) {
        nanosleep(&pause, NULL);
        unsigned now = entries("/proc/self/task");
        least = now < least ? now : least;
    }
    return least;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double resident_of(const struct sample *sample)
{
    return sample->resident;
}

static double p99_of(const struct sample *sample)
{
    return sample->p99;
}

static double median(const struct sample *samples, size_t len,
                     double (*of)(const struct sample *sample))
{
    double *values = malloc(len * sizeof *values);
    if (values == NULL) {
        return 0;
    }
    for (size_t i = 0; i < len; i++) {
        values[i] = of(&samples[i]);
    }
    qsort(values, len, sizeof *values, compare);
    double result = values[len / 2];
    free(values);
    return result;
}

/* Bytes a second, by least squares. */
static double slope(const struct sample *samples, size_t len)
{
    double x = 0, y = 0, xy = 0, xx = 0, n = (double)len;
    for (size_t i = 0; i < len; i++) {
        x += samples[i].seconds;
        y += samples[i].resident;
        xy += samples[i].seconds * samples[i].resident;
        xx += samples[i].seconds * samples[i].seconds;
    }
    double below = n * xx - x * x;
    return below > 0 ? (n * xy - x * y) / below : 0;
}

static bool memory_is_level(const struct sample *samples, size_t len,
                            uint64_t seconds)
{
    size_t first = len / 10 + 1;
    if (len < first + 4) {
        fprintf(stderr, "conserve: %zu samples are too few to judge\n", len);
        return false;
    }
    const struct sample *from = samples + first;
    size_t count = len - first;
    double per_hour = slope(from, count) * (double)HOUR_S / MIB;
    double step = (median(from + count / 2, count - count / 2, resident_of) -
                   median(from, count / 2, resident_of)) /
                  MIB;
    printf("memory: %.1f MiB, %+.2f MiB an hour, %+.2f MiB from half to half\n",
           samples[len - 1].resident / MIB, per_hour, step);
    bool level = seconds >= HOUR_S ? per_hour <= 1 : step <= 2;
    if (!level) {
        fprintf(stderr, "conserve: memory grows\n");
    }
    return level;
}

static bool handles_are_level(const struct sample *samples, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        if (samples[i].descriptors != samples[0].descriptors ||
            samples[i].threads != samples[0].threads) {
            fprintf(stderr,
                    "conserve: after %.0f s %u descriptors and %u threads, "
                    "%u and %u at first\n",
                    samples[i].seconds, samples[i].descriptors,
                    samples[i].threads, samples[0].descriptors,
                    samples[0].threads);
            return false;
        }
    }
    printf("descriptors and threads: %u and %u in all %zu samples\n",
           samples[0].descriptors - 2, samples[0].threads - 2, len);
    return true;
}

static bool answers_are_level(const struct sample *samples, size_t len,
                              uint64_t seconds)
{
    size_t half = len / 2;
    if (half == 0) {
        return false; /* said by memory_is_level */
    }
    double first = median(samples, half, p99_of);
    double last = median(samples + half, len - half, p99_of);
    double drift = 100 * (last / first - 1);
    printf("an answer: p99 %.1f us, %+.1f %% from half to half\n", last / 1e3,
           drift);
    if (seconds >= DRIFT_S && drift > (double)DRIFT_MOST) {
        fprintf(stderr, "conserve: answers take longer and longer\n");
        return false;
    }
    return true;
}

static struct sample take(uint64_t start)
{
    struct sample sample;
    sample.p99 = probe_p99();
    sample.threads = thread_count();
    sample.descriptors = entries("/proc/self/fd");
    sample.resident = resident();
    sample.seconds = (double)(seconds_now() - start);
    return sample;
}

bool soak_run(uint64_t seed, uint64_t seconds, enum plant plant,
              struct total *total)
{
    static struct sample samples[SAMPLES_MAX];
    size_t len = 0;
    uint64_t start = seconds_now();
    uint64_t every = seconds / 40 < EVERY_S ? seconds / 40 + 1 : EVERY_S;
    uint64_t due = start;
    struct timespec rest = {0, 100000000};
    for (uint64_t i = 0; seconds_now() - start < seconds; i++) {
        enum workload work = i < WORKLOADS ? (enum workload)i : WORKLOADS;
        if (!round_run(seed + i, work, plant, total)) {
            return false;
        }
        nanosleep(&rest, NULL);
        if (i + 1 >= WORKLOADS && seconds_now() >= due && len < SAMPLES_MAX) {
            samples[len++] = take(start);
            due = seconds_now() + every;
        }
    }
    bool level = memory_is_level(samples, len, seconds);
    level = handles_are_level(samples, len) && level;
    return answers_are_level(samples, len, seconds) && level;
}
