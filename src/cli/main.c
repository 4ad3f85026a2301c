/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/project.h"

int main(int argc, char **argv)
{
    cli_keep_absolute_path();
    return cli_main(theater_env_default(), argc, argv);
}
