/* SPDX-License-Identifier: Apache-2.0 */
/* An actor with wasi-libc: a request's text says what to do.
 *   "print"   a line on stdout and one on stderr; half a line stays open
 *   "clock"   whether the monotonic clock goes on and the wall clock is set
 *   "random"  16 bytes in hexadecimal
 *   "env"     how many environment variables and whether a file opens
 *   "malloc"  takes, fills and frees 32 MiB in pieces
 *   "exit"    ends by exit(3)
 *   "abort"   ends by abort()
 * Anything else is answered as it came. */
#include <theater/actor.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static char answer[256];

static void do_print(void)
{
    printf("out %d %s\n", 42, "forty-two");
    fprintf(stderr, "err %.2f\n", 1.5);
    printf("half ");
    fflush(stdout);
    printf("line\n");
    fflush(stdout);
    snprintf(answer, sizeof answer, "printed");
}

static void do_clock(void)
{
    struct timespec first;
    struct timespec second;
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &first);
    clock_gettime(CLOCK_MONOTONIC, &second);
    clock_gettime(CLOCK_REALTIME, &wall);
    bool back =
        second.tv_sec < first.tv_sec ||
        (second.tv_sec == first.tv_sec && second.tv_nsec < first.tv_nsec);
    snprintf(answer, sizeof answer, "%s %s", back ? "back" : "forward",
             wall.tv_sec > 0 ? "set" : "unset");
}

static void do_random(void)
{
    uint8_t bytes[16];
    if (getentropy(bytes, sizeof bytes) != 0) {
        snprintf(answer, sizeof answer, "none");
        return;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(answer + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void do_env(void)
{
    int count = 0;
    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    FILE *file = fopen("/etc/passwd", "r");
    snprintf(answer, sizeof answer, "%d %s", count,
             file == NULL ? "closed" : "open");
    if (file != NULL) {
        fclose(file);
    }
}

static void do_malloc(void)
{
    size_t taken = 0;
    for (int i = 0; i < 32; i++) {
        char *piece = malloc(1 << 20);
        if (piece == NULL) {
            break;
        }
        memset(piece, i, 1 << 20);
        taken += (size_t)piece[12345] == (size_t)i ? 1 : 0;
        free(piece);
    }
    snprintf(answer, sizeof answer, "%zu", taken);
}

static const struct {
    const char *name;  /* the request's text */
    void (*run)(void); /* fills `answer` */
} commands[] = {
    {"print", do_print}, {"clock", do_clock},   {"random", do_random},
    {"env", do_env},     {"malloc", do_malloc}, {"abort", abort},
};

THEATER_HANDLE_REQUEST(data)
{
    if (theater_equal(data, theater_str("exit"))) {
        exit(3);
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (theater_equal(data, theater_str(commands[i].name))) {
            commands[i].run();
            return theater_answer(theater_str(answer));
        }
    }
    return theater_answer(data);
}

THEATER_HANDLE_SEND(data)
{
    printf("%.*s\n", (int)data.len, (const char *)data.data);
    fflush(stdout);
}
