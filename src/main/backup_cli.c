/* backup_cli.c - `dragoman backup`, `dragoman restore`, and both under the name gum-cli. */
#include "main/commands.h"
#include "main/remote_args.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { BACKUP_MAX = 64 << 20 };

static const char usage[] =
    "usage: %s backup  --host HOST --password PASSWORD [--output FILE]      everything that was configured over the API, as JSON\n"
    "       %s restore --host HOST --password PASSWORD [--input FILE] [--dry-run] [--replace]\n"
    "\n"
    "  --host HOST            the hub: hub.example.com (https), or http://127.0.0.1:8080\n"
    "  --user, -u USER        admin when left out\n"
    "  --password, -p PASSWORD\n"
    "  --output, -o FILE      of backup; otherwise it is printed, to be piped on:  … backup | gzip >backup.json.gz\n"
    "  --input, -i FILE       of restore; otherwise it is read:  zcat backup.json.gz | … restore\n"
    "  --passphrase TEXT      backup: secrets are in it, encrypted with this; restore: they are put back. Without it secrets are left out of the\n"
    "                         backup, and a restore leaves those of tenants that are there as they are\n"
    "  --dry-run              restore: only tell what would be done\n"
    "  --replace              restore: remove tenants, queues and canned responses that the backup does not have\n"
    "  --ca FILE              PEM file of a private certificate authority\n"
    "  --log FILE             a log for bunyan; with DEBUG=1 in the environment a talkative one\n"
    "  --help, -h\n"
    "\n"
    "What is left out is taken from DRAGOMAN_HOST, DRAGOMAN_USER, DRAGOMAN_PASSWORD, DRAGOMAN_PASSPHRASE, then from $HOME/.config/gum-cli/config or\n"
    "$HOME/.gum-cli, in YAML:\n"
    "\n"
    "  host: hub.example.com\n"
    "  password: xxx\n";

static slice passphrase_body(struct arena *a, const char *passphrase)
{
    struct jw w = jw_new(a, 8192);
    jw_open(&w, NULL, '{');
    jw_str(&w, "passphrase", slice_of(passphrase));
    jw_close(&w, '}');
    return jw_done(&w);
}

/* Beside the file, then in its place: a backup that was there stays until the new one is whole. */
static bool write_file(struct arena *a, const char *path, slice text, struct fault *f)
{
    slice part = arena_printf(a, "%s.part", path);
    int fd = open(part.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;
    while (fd >= 0 && done < text.n) {
        ssize_t n = write(fd, text.p + done, text.n - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bool ok = fd >= 0 && done == text.n && fsync(fd) == 0;
    if (!ok)
        fault(f, "storage", "output", "cannot write %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok && (rename(part.p, path) == 0 || fault(f, "storage", "output", "cannot write %s: %s", path, strerror(errno)));
}

/* Indented, for people: our own answers are one line. */
static slice pretty(struct arena *a, slice json)
{
    struct text t = text_new(a, BACKUP_MAX * 2);
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (in_text) {
            text_char(&t, c);
            if (c == '\\' && i + 1 < json.n)
                text_char(&t, json.p[++i]);
            in_text = c != '"';
            continue;
        }
        bool empty = (c == '{' || c == '[') && i + 1 < json.n && (json.p[i + 1] == '}' || json.p[i + 1] == ']');
        if ((c == '}' || c == ']'))
            text_add(&t, "\n%*s", --depth * 2, "");
        text_char(&t, c);
        in_text = c == '"';
        if (empty)
            text_char(&t, json.p[++i]);
        else if (c == '{' || c == '[')
            text_add(&t, "\n%*s", ++depth * 2, "");
        else if (c == ',')
            text_add(&t, "\n%*s", depth * 2, "");
        else if (c == ':')
            text_char(&t, ' ');
    }
    text_char(&t, '\n');
    return text_slice(&t);
}

static int backup(struct arena *a, struct remote *r, const struct remote_args *ra)
{
    struct remote_answer got;
    struct fault f = { 0 };
    slice body = ra->passphrase ? passphrase_body(a, ra->passphrase) : SLICE_NONE;
    if (!remote_ask(r, body.p ? "POST" : "GET", "/backup", body, &got, &f)) {
        remote_say(ra, LEVEL_ERROR, "%s", f.text);
        return 1;
    }
    slice text = pretty(a, got.body);
    if (ra->output ? !write_file(a, ra->output, text, &f) : fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0) {
        remote_say(ra, LEVEL_ERROR, "%s", ra->output ? f.text : "the backup cannot be written");
        return 1;
    }
    remote_say(ra, LEVEL_INFO, "%zu tenants, %zu logins%s%s", js_len(js_get(got.json, SL("tenants"))), js_len(js_get(got.json, SL("logins"))),
               ra->output ? " in " : "", ra->output ? ra->output : "");
    return 0;
}

static slice read_all(struct arena *a, const char *path, struct fault *f)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    struct text t = text_new(a, BACKUP_MAX);
    ssize_t n = -1;
    while (fd >= 0) {
        char block[16384];
        n = read(fd, block, sizeof(block));
        if (n <= 0)
            break;
        text_put(&t, slice_mem(block, (size_t)n));
    }
    if (n < 0)
        fault(f, "storage", "input", "cannot read %s: %s", path ? path : "the backup", strerror(errno));
    else if (t.over)
        fault(f, "too_large", "input", "the backup is larger than %d bytes", BACKUP_MAX);
    if (fd > STDIN_FILENO)
        close(fd);
    return n == 0 && !t.over ? text_slice(&t) : SLICE_NONE;
}

/* False: one was skipped. */
static bool say_fates(const struct remote_args *ra, const struct js *list, const char *what)
{
    bool all = true;
    for (size_t i = 0; i < js_len(list); i++) {
        const struct js *t = js_item(list, i);
        slice fate = js_text(js_get(t, SL("fate"))), why = js_text(js_get(t, SL("why")));
        bool skipped = slice_eq(fate, SL("skipped"));
        all &= !skipped;
        remote_say(ra, skipped ? LEVEL_WARN : LEVEL_INFO, SLF ": %s" SLF "%s" SLF, SLA(fate), what, SLA(js_text(js_get(t, SL("name")))), why.n ? ": " : "", SLA(why));
    }
    return all;
}

static int restore(struct arena *a, struct remote *r, const struct remote_args *ra)
{
    struct fault f = { 0 };
    struct remote_answer got;
    slice text = read_all(a, ra->input, &f);
    const struct js *doc = text.p ? js_parse(a, text, &f) : NULL;
    if (!doc) {
        remote_say(ra, LEVEL_ERROR, "%s", f.text);
        return 1;
    }
    struct jw w = jw_new(a, BACKUP_MAX * 2);
    jw_open(&w, NULL, '{');
    jw_value(&w, "backup", doc);
    jw_opt(&w, "passphrase", slice_of(ra->passphrase));
    jw_bool(&w, "dry_run", ra->dry_run);
    jw_bool(&w, "replace", ra->replace);
    jw_close(&w, '}');
    if (!remote_ask(r, "POST", "/restore", jw_done(&w), &got, &f)) {
        remote_say(ra, LEVEL_ERROR, "%s", f.text);
        return 1;
    }
    bool all = say_fates(ra, js_get(got.json, SL("tenants")), "");
    all &= say_fates(ra, js_get(got.json, SL("responses")), "canned response ");
    slice settings = js_text(js_get(got.json, SL("settings")));
    if (settings.n && !slice_eq(settings, SL("same"))) {
        bool skipped = slice_eq(settings, SL("skipped"));
        all &= !skipped;
        remote_say(ra, skipped ? LEVEL_WARN : LEVEL_INFO, SLF ": the settings%s" SLF, SLA(settings), skipped ? ": " : "", SLA(js_text(js_get(got.json, SL("settings_why")))));
    }
    int64_t logins = 0;
    if (js_int(js_get(got.json, SL("logins")), &logins) && logins)
        remote_say(ra, LEVEL_INFO, "%lld logins", (long long)logins);
    if (ra->dry_run)
        remote_say(ra, LEVEL_INFO, "nothing was changed (--dry-run)");
    return all ? 0 : 1;
}

int command_backup(const char *name, int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct remote_args ra;
    if (!remote_args(a, argc, argv, &ra))
        return 2;
    bool is_backup = ra.verb && strcmp(ra.verb, "backup") == 0, is_restore = ra.verb && strcmp(ra.verb, "restore") == 0;
    int rc = 2;
    if (ra.help || (ra.verb && strcmp(ra.verb, "help") == 0)) {
        printf(usage, name, name);
        rc = 0;
    } else if (!is_backup && !is_restore) {
        fprintf(stderr, usage, name, name);
    } else {
        struct remote *r = remote_of(a, &ra);
        rc = !r ? 1 : is_backup ? backup(a, r, &ra) : restore(a, r, &ra);
        remote_close(r);
    }
    remote_args_done(&ra);
    return rc;
}
