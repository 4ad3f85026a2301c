/* SPDX-License-Identifier: Apache-2.0 */
/* A picture of rates against numbers of actors, both logarithmic, as SVG. */
#ifndef TH_CLI_BENCH_SVG_H
#define TH_CLI_BENCH_SVG_H

#include "cli/cli.h"

enum { BENCH_SVG_POINTS = 8, BENCH_SVG_LINES = 4 };

struct bench_svg_point {
    double actors;   /* 1 to 10,000 */
    double rate;     /* a second, 1,000 to 100,000,000 */
    double least;    /* of the repeats; 0: there is no range */
    double greatest; /* of the repeats */
};

struct bench_svg_line {
    const char *name; /* in the legend */
    const char *note; /* behind it, smaller; "" */
    bool dashed;      /* not measured here */
    bool below;       /* its figures stand below the points */
    unsigned len;
    struct bench_svg_point points[BENCH_SVG_POINTS];
};

struct bench_svg {
    const char *title;
    const char *caption; /* below: when, where, how */
    unsigned len;
    struct bench_svg_line lines[BENCH_SVG_LINES];
};

/* The whole file. Names and texts may hold anything; they are escaped. */
void bench_svg_draw(struct cli_text *text, const struct bench_svg *svg);

#endif
