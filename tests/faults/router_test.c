/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the message server asks for may be refused it.
 *   faults.router            every scenario, then every place
 *   faults.router TEXT...    those whose name has the text in it */
#include "acts_router.h"

static void every_place_was_refused(void **state)
{
    static const char *const folders[] = {"src/messaging/", "src/queue/",
                                          "src/base/env_"};
    (void)state;
    sites_check(folders, sizeof folders / sizeof folders[0]);
}

int main(int argc, char **argv)
{
    const struct scenario *const tables[] = {
        acts_file, acts_name, acts_send, acts_request, acts_channel,
    };
    const size_t lens[] = {
        acts_file_len,    acts_name_len,    acts_send_len,
        acts_request_len, acts_channel_len,
    };
    const struct CMUnitTest places[] = {
        cmocka_unit_test(every_place_was_refused),
    };
    int failed = acts_run("faults.router", tables, lens,
                          sizeof lens / sizeof lens[0], argc, argv);
    if (argc == 1) {
        failed += cmocka_run_group_tests(places, NULL, NULL);
    }
    return failed;
}
