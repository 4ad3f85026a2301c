/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: any text is read or refused with an error that says what. */
#include "fuzz.h"

#include "base/base.h"

#include <theater/manifest.h>

void th_fuzz_one(const uint8_t *data, size_t size)
{
    theater_manifest_options_t options = THEATER_MANIFEST_OPTIONS_INIT;
    theater_manifest_t *manifest = NULL;
    theater_error_t err = {0};
    options.native = true; /* no file is looked for */
    theater_status_t status = theater_manifest_parse(
        (const char *)data, size, "fuzz.toml", &options, &manifest, &err);
    if (status != THEATER_OK) {
        FUZZ_CHECK(status == THEATER_BAD_MANIFEST);
        FUZZ_CHECK(manifest == NULL);
        FUZZ_CHECK(memchr(err.text, 0, sizeof err.text) != NULL);
        FUZZ_CHECK(err.text[0] != '\0');
        return;
    }
    const char *name = theater_manifest_name(manifest);
    FUZZ_CHECK(th_name_ok(name, strlen(name)));
    status = theater_manifest_check(manifest, NULL, 0, &err);
    FUZZ_CHECK(status == THEATER_OK || status == THEATER_BAD_MANIFEST);
    FUZZ_CHECK(theater_manifest_version(manifest) != NULL);
    FUZZ_CHECK(theater_manifest_description(manifest) != NULL);
    theater_manifest_release(manifest);
}
