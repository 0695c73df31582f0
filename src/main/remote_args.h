/* remote_args.h - the command line of commands that ask a hub over its API: backup, restore, plan, apply, and gum-cli.
 *
 * Options win over the environment (DRAGOMAN_HOST, DRAGOMAN_USER, DRAGOMAN_PASSWORD, DRAGOMAN_PASSPHRASE), the environment over the file
 * $HOME/.config/gum-cli/config or $HOME/.gum-cli (YAML: host, user, password, passphrase, ca).
 */
#ifndef MAIN_REMOTE_ARGS_H
#define MAIN_REMOTE_ARGS_H
#include "base/log.h"
#include "main/remote.h"

struct remote_args {
    const char *host, *user, *password, *passphrase, *ca;
    const char *output, *input, *file, *log;
    bool replace, dry_run, prune, yes, help;
    const char *verb;      /* first word */
    struct logger *logger; /* of --log, or NULL */
    struct log root;
};
/* False: used wrongly; it was said. */
bool remote_args(struct arena *a, int argc, char **argv, struct remote_args *ret);
void remote_args_done(struct remote_args *ra);
/* Logs in; NULL: it was said why not. */
struct remote *remote_of(struct arena *a, const struct remote_args *ra);
/* Says it on the terminal, and in the log of --log. */
void remote_say(const struct remote_args *ra, enum level level, const char *fmt, ...) PRINTF(3, 4);
#endif
