/* SPDX-License-Identifier: Apache-2.0 */
/* The files of new projects, which the command carries: made at build from
 * sdk/ by cmake/templates.cmake. */
#ifndef TH_CLI_TEMPLATE_H
#define TH_CLI_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_template_file {
    const char *language; /* "c", as its folder in sdk/ */
    const char *path;     /* in a project; may hold @NAME@ where `named` */
    const uint8_t *data;  /* a zero follows */
    size_t len;           /* bytes */
    bool named;           /* @NAME@ is replaced in it */
};

/* Those of a language stand behind each other. */
extern const struct cli_template_file cli_template_files[];
extern const size_t cli_template_files_len;

#endif
