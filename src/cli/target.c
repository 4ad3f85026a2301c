/* SPDX-License-Identifier: Apache-2.0 */
/* Design notes: whom `send` and `request` address, and why it could not be
 * done: a name that no actor has, an actor without a mailbox, a module without
 * that export. All is asked before the actors start: at the end they and
 * their manifests are gone. */
#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_LISTED = 8 };

/* --- Its name ------------------------------------------------------------ */

static int no_such_actor(const struct cli_session *session,
                         const char *const *names, size_t len)
{
    const char *near = cli_nearest(session->target, names, len);
    if (near != NULL) {
        return cli_fail_text(session->context, THEATER_NOT_FOUND,
                             session->target,
                             "there is no actor of that name; did you mean "
                             "'%s'?",
                             near);
    }
    struct cli_text list;
    cli_text_init(&list, session->context->env);
    for (size_t i = 0; i < len && i < NAMES_LISTED; i++) {
        cli_add(&list, i > 0 ? ", " : "");
        cli_add_name(&list, names[i], strlen(names[i]));
    }
    if (len > NAMES_LISTED) {
        cli_add_format(&list, " and %zu more", len - NAMES_LISTED);
    }
    int code =
        cli_fail_text(session->context, THEATER_NOT_FOUND, session->target,
                      "there is no actor of that name; there are: %s",
                      list.data != NULL ? list.data : "none");
    cli_text_fini(&list);
    return code;
}

/* Nobody can address an actor without a mailbox. */
static bool is_deaf(const theater_manifest_t *manifest)
{
    size_t len = theater_manifest_handlers_len(manifest);
    for (size_t i = 0; i < len; i++) {
        const char *type =
            theater_section_type(theater_manifest_handler(manifest, i));
        if (strcmp(type, "message-server") == 0) {
            return false;
        }
    }
    return true;
}

int cli_target_find(struct cli_session *session, const char *name,
                    const theater_system_t *system)
{
    size_t len = theater_system_actors_len(system);
    const char **names = calloc(len + 1, sizeof *names);
    int code = CLI_OK;
    session->target = name;
    if (names == NULL) {
        return cli_fail(session->context, THEATER_OUT_OF_MEMORY, NULL);
    }
    for (size_t i = 0; i < len && session->target_manifest == NULL; i++) {
        const theater_system_actor_t *actor = theater_system_actor(system, i);
        names[i] = actor->name;
        if (strcmp(actor->name, name) == 0) {
            session->target_manifest = theater_manifest_retain(actor->manifest);
            session->target_is_deaf = is_deaf(actor->manifest);
        }
    }
    /* What can't be a name at all is the router's to refuse. */
    if (session->target_manifest == NULL && name[0] != '\0' &&
        strlen(name) <= CLI_NAME_MAX) {
        code = no_such_actor(session, names, len);
    }
    free(names);
    return code;
}

/* --- Its exports --------------------------------------------------------- */

static void on_item(void *user, const theater_check_item_t *item)
{
    struct cli_session *session = user;
    if (strcmp(item->kind, "export") == 0) {
        session->target_sends |= strcmp(item->name, "handle-send") == 0;
        session->target_requests |= strcmp(item->name, "handle-request") == 0;
    }
}

void cli_target_look(struct cli_session *session, theater_status_t status)
{
    if (status == THEATER_UNSUPPORTED && session->target_manifest != NULL) {
        theater_status_t looked = theater_runtime_check(
            session->runtime, session->target_manifest, on_item, session, NULL);
        (void)looked; /* then neither is known, and less is said */
    }
}

static int lacks_export(const struct cli_session *session)
{
    bool sends = strcmp(session->context->command->name, "send") == 0;
    const char *lacks = sends ? "handle-send" : "handle-request";
    const char *other = sends ? "handle-request" : "handle-send";
    const char *command = sends ? "request" : "send";
    if (sends ? session->target_requests : session->target_sends) {
        char next[120];
        snprintf(next, sizeof next,
                 "use `theater %s`, or export %s in its source", command,
                 lacks);
        return cli_fail_advice(session->context, THEATER_UNSUPPORTED,
                               session->target, next,
                               "its module exports no %s; it exports %s, which "
                               "`theater %s` calls",
                               lacks, other, command);
    }
    return cli_fail_text(session->context, THEATER_UNSUPPORTED, session->target,
                         "its module exports no %s", lacks);
}

/* --- Why not ------------------------------------------------------------- */

int cli_target_refused(const struct cli_session *session,
                       theater_status_t status)
{
    const struct cli_context *context = session->context;
    if (status == THEATER_NOT_FOUND && session->target_is_deaf) {
        return cli_fail_text(context, status, session->target,
                             "it is an actor of this file, but has no "
                             "mailbox: add [[handler]] type = "
                             "\"message-server\" to its manifest");
    }
    if (status == THEATER_UNSUPPORTED) {
        return lacks_export(session);
    }
    if (session->target_failure[0] != '\0') {
        return cli_fail_text(context, status, session->target,
                             "%s It failed: %s", theater_status_text(status),
                             session->target_failure);
    }
    return cli_fail_text(context, status, session->target, "%s",
                         theater_status_text(status));
}
