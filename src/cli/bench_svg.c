/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes. One file without anything from outside: no font, no script, no
 * picture. Colours are classes, given twice: for light, and for who prefers
 * dark; the ground is drawn, too, so that a viewer that knows no preference
 * shows dark on light. A line is told from the others by its dashes and by
 * where its figures stand, not by its colour alone. */
#include "cli/bench_svg.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 860,
    HEIGHT = 560,
    LEFT = 92,
    RIGHT = 30,
    TOP = 132,
    BOTTOM = 84,
    FIRST_DECADE = 3, /* of rates: 1,000 */
    LAST_DECADE = 8,  /* 100,000,000 */
    ACTOR_DECADES = 4,
};

static const char style[] =
    "<style>\n"
    "text { font: 13px system-ui, sans-serif; fill: #24292f }\n"
    ".title { font-size: 18px; font-weight: 600 }\n"
    ".small { font-size: 11px; fill: #57606a }\n"
    ".figure { font-size: 12px }\n"
    ".ground { fill: #ffffff }\n"
    ".grid { stroke: #d0d7de; stroke-width: 1 }\n"
    ".frame { stroke: #57606a; stroke-width: 1; fill: none }\n"
    ".line { fill: none; stroke-width: 2.5; stroke-linejoin: round }\n"
    ".dashed { stroke-dasharray: 7 5 }\n"
    ".range { stroke-width: 1.5 }\n"
    ".s0 { stroke: #0969da } .f0 { fill: #0969da }\n"
    ".s1 { stroke: #1a7f37 } .f1 { fill: #1a7f37 }\n"
    ".s2 { stroke: #bc4c00 } .f2 { fill: #bc4c00 }\n"
    ".s3 { stroke: #8250df } .f3 { fill: #8250df }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "text { fill: #e6edf3 }\n"
    ".small { fill: #9198a1 }\n"
    ".ground { fill: #0d1117 }\n"
    ".grid { stroke: #30363d }\n"
    ".frame { stroke: #9198a1 }\n"
    ".s0 { stroke: #58a6ff } .f0 { fill: #58a6ff }\n"
    ".s1 { stroke: #3fb950 } .f1 { fill: #3fb950 }\n"
    ".s2 { stroke: #f0883e } .f2 { fill: #f0883e }\n"
    ".s3 { stroke: #bc8cff } .f3 { fill: #bc8cff }\n"
    "}\n"
    "</style>\n";

static double x_of(double actors)
{
    double width = WIDTH - LEFT - RIGHT;
    return LEFT + 24 + log10(actors) / (double)ACTOR_DECADES * (width - 48);
}

/* What lies beyond the axis stands at its end, with its figure beside it. */
static double y_of(double rate)
{
    rate = fmax(pow(10, FIRST_DECADE), fmin(rate, pow(10, LAST_DECADE)));
    double height = HEIGHT - TOP - BOTTOM;
    double decades = LAST_DECADE - FIRST_DECADE;
    return HEIGHT - BOTTOM -
           (log10(rate) - (double)FIRST_DECADE) / decades * height;
}

/* What XML would take for its own; control characters become spaces. */
static void add_escaped(struct cli_text *text, const char *words)
{
    for (; *words != '\0'; words++) {
        switch (*words) {
        case '<':
            cli_add(text, "&lt;");
            break;
        case '&':
            cli_add(text, "&amp;");
            break;
        default:
            cli_add_bytes(text, (unsigned char)*words < ' ' ? " " : words, 1);
            break;
        }
    }
}

/* "7.64 M", "500 k", "80 k" */
static const char *brief(double rate, char out[static 32])
{
    bool millions = rate >= 999500;
    double value = rate / (millions ? 1e6 : 1e3);
    int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    char digits[24];
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    if (strchr(digits, '.') != NULL) {
        size_t len = strlen(digits);
        while (digits[len - 1] == '0') {
            digits[--len] = '\0';
        }
        if (digits[len - 1] == '.') {
            digits[--len] = '\0';
        }
    }
    snprintf(out, 32, "%s %c", digits, millions ? 'M' : 'k');
    return out;
}

static void add_axes(struct cli_text *text)
{
    static const char *const rates[] = {"1 k", "10 k", "100 k",
                                        "1 M", "10 M", "100 M"};
    static const char *const actors[] = {"1", "10", "100", "1,000", "10,000"};
    for (int i = 0; i <= LAST_DECADE - FIRST_DECADE; i++) {
        double y = y_of(pow(10, FIRST_DECADE + i));
        cli_add_format(text,
                       "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" "
                       "y2=\"%.1f\"/>\n"
                       "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s"
                       "</text>\n",
                       LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 4, rates[i]);
    }
    for (int i = 0; i <= ACTOR_DECADES; i++) {
        double x = x_of(pow(10, i));
        cli_add_format(text,
                       "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" "
                       "y2=\"%d\"/>\n"
                       "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s"
                       "</text>\n",
                       x, x, TOP, HEIGHT - BOTTOM, x, HEIGHT - BOTTOM + 20,
                       actors[i]);
    }
    cli_add_format(text,
                   "<rect class=\"frame\" x=\"%d\" y=\"%d\" width=\"%d\" "
                   "height=\"%d\"/>\n"
                   "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">senders, "
                   "each with a receiver of its own; the reference&#8217;s "
                   "table counts actors</text>\n"
                   "<text transform=\"translate(24 %d) rotate(-90)\" "
                   "text-anchor=\"middle\">messages a second</text>\n",
                   LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM,
                   (WIDTH + LEFT - RIGHT) / 2, HEIGHT - BOTTOM + 42,
                   (HEIGHT + TOP - BOTTOM) / 2);
}

/* Its figure stands away from a line that is above it there, or below. */
static bool stands_below(const struct bench_svg *svg, unsigned i, unsigned k)
{
    const struct bench_svg_point *point = &svg->lines[i].points[k];
    for (unsigned n = 0; n < svg->len && !svg->lines[i].dashed; n++) {
        const struct bench_svg_line *other = &svg->lines[n];
        if (n != i && !other->dashed && k < other->len &&
            other->points[k].actors == point->actors) {
            return other->points[k].rate > point->rate;
        }
    }
    return svg->lines[i].below;
}

static void add_line(struct cli_text *text, const struct bench_svg *svg,
                     unsigned i)
{
    const struct bench_svg_line *line = &svg->lines[i];
    char figure[32];
    cli_add_format(text, "<polyline class=\"line s%u%s\" points=\"", i,
                   line->dashed ? " dashed" : "");
    for (unsigned k = 0; k < line->len; k++) {
        cli_add_format(text, "%s%.1f,%.1f", k > 0 ? " " : "",
                       x_of(line->points[k].actors),
                       y_of(line->points[k].rate));
    }
    cli_add(text, "\"/>\n");
    for (unsigned k = 0; k < line->len; k++) {
        const struct bench_svg_point *point = &line->points[k];
        double x = x_of(point->actors);
        double y = y_of(point->rate);
        double top = y;
        double bottom = y;
        if (point->least > 0) {
            top = y_of(point->greatest);
            bottom = y_of(point->least);
            cli_add_format(text,
                           "<line class=\"range s%u\" x1=\"%.1f\" x2=\"%.1f\" "
                           "y1=\"%.1f\" y2=\"%.1f\"/>\n",
                           i, x, x, top, bottom);
        }
        cli_add_format(text,
                       "<circle class=\"f%u\" cx=\"%.1f\" cy=\"%.1f\" "
                       "r=\"4\"/>\n"
                       "<text class=\"figure\" x=\"%.1f\" y=\"%.1f\" "
                       "text-anchor=\"middle\">%s</text>\n",
                       i, x, y, x,
                       stands_below(svg, i, k) ? bottom + 18 : top - 9,
                       brief(point->rate, figure));
    }
}

static void add_legend(struct cli_text *text, const struct bench_svg *svg)
{
    for (unsigned i = 0; i < svg->len; i++) {
        const struct bench_svg_line *line = &svg->lines[i];
        unsigned x = LEFT + i % 2 * 370;
        unsigned y = 66 + i / 2 * 26;
        cli_add_format(text,
                       "<polyline class=\"line s%u%s\" points=\"%u,%u %u,%u\"/>"
                       "\n<circle class=\"f%u\" cx=\"%u\" cy=\"%u\" r=\"4\"/>\n"
                       "<text x=\"%u\" y=\"%u\">",
                       i, line->dashed ? " dashed" : "", x, y, x + 40, y, i,
                       x + 20, y, x + 50, y + 4);
        add_escaped(text, line->name);
        cli_add(text, " <tspan class=\"small\">");
        add_escaped(text, line->note);
        cli_add(text, "</tspan></text>\n");
    }
}

void bench_svg_draw(struct cli_text *text, const struct bench_svg *svg)
{
    cli_add_format(text,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" "
                   "viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                   "role=\"img\" aria-labelledby=\"title\">\n",
                   WIDTH, HEIGHT, WIDTH, HEIGHT);
    cli_add(text, "<title id=\"title\">");
    add_escaped(text, svg->title);
    cli_add(text, "</title>\n");
    cli_add(text, style);
    cli_add_format(text,
                   "<rect class=\"ground\" width=\"%d\" height=\"%d\"/>\n"
                   "<text class=\"title\" x=\"%d\" y=\"36\">",
                   WIDTH, HEIGHT, LEFT);
    add_escaped(text, svg->title);
    cli_add(text, "</text>\n");
    add_axes(text);
    for (unsigned i = svg->len; i-- > 0;) {
        add_line(text, svg, i);
    }
    add_legend(text, svg);
    cli_add_format(text, "<text class=\"small\" x=\"%d\" y=\"%d\">", LEFT,
                   HEIGHT - 16);
    add_escaped(text, svg->caption);
    cli_add(text, "</text>\n</svg>\n");
}
