/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever runtime, handlers, engine and manifests ask for may be refused
 * them.
 *   faults.actors            every scenario, then every place
 *   faults.actors TEXT...    those whose name has the text in it */
#include "acts_actors.h"

static void every_place_was_refused(void **state)
{
    static const char *const folders[] = {"src/sched/", "src/wasm/",
                                          "src/runtime/", "src/handlers/",
                                          "src/base/toml"};
    (void)state;
    sites_check(folders, sizeof folders / sizeof folders[0]);
}

int main(int argc, char **argv)
{
    const struct scenario *const tables[] = {
        acts_manifest, acts_runtime,   acts_native,
        acts_spawn,    acts_component, acts_host,
    };
    const size_t lens[] = {
        acts_manifest_len, acts_runtime_len,   acts_native_len,
        acts_spawn_len,    acts_component_len, acts_host_len,
    };
    const struct CMUnitTest places[] = {
        cmocka_unit_test(every_place_was_refused),
    };
    int failed = acts_run("faults.actors", tables, lens,
                          sizeof lens / sizeof lens[0], argc, argv);
    if (argc == 1) {
        failed += cmocka_run_group_tests(places, NULL, NULL);
    }
    return failed;
}
