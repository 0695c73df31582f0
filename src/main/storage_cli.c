/* storage_cli.c - a configured storage tried by hand: does it work, and what becomes of a file. No hub needs to run. */
#include "hub/storage.h"
#include "main/commands.h"
#include "net/client.h"
#include "net/loop.h"
#include "storages/local/local.h"
#include "wire/js.h"
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

enum { PIECE = 16384, LINK_S = 3600 };

struct trial {
    struct arena *a;
    const struct config *config;
    struct loop *loop;
    struct client *client;
    struct storage *s;
    FILE *file; /* being stored */
    struct storage_put *put;
    struct storage_get *get;
    int rc;
};

static void over(struct trial *t, const struct fault *f)
{
    t->rc = f ? 1 : 0;
    if (f)
        fprintf(stderr, SLF ": %s\n", SLA(t->s->name), f->text);
    loop_stop(t->loop);
}

static void open_client(struct trial *t, struct fault *f)
{
    struct client_limits cl;
    client_limits_default(&cl);
    slice proxy = config_text(t->config, CFG_PROXY), ca = config_text(t->config, CFG_CA_FILE);
    cl.proxy = proxy.n ? proxy.p : NULL;
    cl.ca_file = ca.n ? ca.p : NULL;
    cl.connect_ms = config_number(t->config, CFG_CONNECT_MS);
    t->loop = loop_new();
    t->client = client_new(t->loop, &cl, f);
}

/* The local disk: its links are signed and served by a running hub, so none is asked for here. */
static struct storage *open_local(const struct storage_setup *setup, struct fault *f)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct local_setup local = { .root = arena_printf(a, "%s/attachments", setup->data).p, .loop = setup->loop };
    return local_open(&local, f);
}

/* cs NULL: the local disk. */
static bool open_storage(struct trial *t, const struct config_storage *cs, struct fault *f)
{
    struct storage_setup setup = { .loop = t->loop, .client = &t->client, .data = config_text(t->config, CFG_DATA).p };
    if (mkdir(setup.data, 0700) != 0 && errno != EEXIST)
        return fault(f, "storage_failed", "data", "cannot make %s: %s", setup.data, strerror(errno));
    if (!cs) {
        t->s = open_local(&setup, f);
        return t->s != NULL;
    }
    setup.name = cs->name;
    setup.settings = cs->settings;
    t->s = cs->type->open(&setup, f);
    if (t->s)
        t->s->purge_ms = cs->purge_ms;
    return t->s != NULL;
}

/* ---- what can be tried ------------------------------------------------------------------------------------------------------ */

static void checked(void *arg, const struct fault *f)
{
    struct trial *t = arg;
    if (!f)
        printf(SLF ": works%s%s\n", SLA(t->s->name), t->s->remark ? "; " : "", t->s->remark ? t->s->remark : "");
    over(t, f);
}

/* The most this program had resident. (getrusage also counts what its parent had when it forked.) */
static int64_t peak_memory_bytes(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmHWM: %ld kB", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return (int64_t)kib * 1024;
}

static void stored(void *arg, const struct storage_stored *st, const struct fault *f)
{
    struct trial *t = arg;
    t->put = NULL;
    if (st) {
        struct jw w = jw_new(t->a, 65536);
        jw_open(&w, NULL, '{');
        jw_str(&w, "handle", st->handle);
        jw_str(&w, "sha256", st->sha256);
        jw_int(&w, "size", st->size);
        jw_int(&w, "peak_memory_bytes", peak_memory_bytes());
        jw_close(&w, '}');
        slice line = jw_done(&w);
        printf(SLF "\n", SLA(line));
    }
    over(t, f);
}

static void push(void *arg)
{
    struct trial *t = arg;
    char piece[PIECE];
    for (;;) {
        size_t n = fread(piece, 1, sizeof(piece), t->file);
        if (n == 0) {
            storage_put_end(t->s, t->put);
            return;
        }
        if (!storage_put_write(t->s, t->put, slice_mem(piece, n)))
            return; /* push is called again */
    }
}

static void put(struct trial *t, const char *path, const char *type)
{
    char id[STORAGE_ID_BYTES];
    storage_id(id);
    slice name = slice_of(strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    struct storage_file file = { SL("trial"), SL("trial"), slice_of(id), name, slice_of(type), -1, INT64_MAX };
    struct storage_put_events to = { push, stored, t };
    t->put = storage_put(t->s, &file, &to);
    push(t);
}

static void pull(void *arg)
{
    struct trial *t = arg;
    char piece[PIECE];
    for (;;) {
        ssize_t n = storage_get_read(t->s, t->get, piece, sizeof(piece));
        if (n == STORAGE_WAIT)
            return;
        struct fault f;
        if (n > 0 && fwrite(piece, 1, (size_t)n, stdout) == (size_t)n)
            continue;
        if (n != 0)
            fault(&f, "storage_failed", "", "the file cannot be read");
        storage_get_close(t->s, t->get);
        over(t, n == 0 ? NULL : &f);
        return;
    }
}

static void linked(void *arg, slice url, const struct fault *f)
{
    struct trial *t = arg;
    if (url.n)
        printf(SLF "\n", SLA(url));
    over(t, f);
}

static void deleted(void *arg, enum storage_end end, const struct fault *f)
{
    bool gone = end == STORAGE_OK || end == STORAGE_GONE;
    if (gone)
        puts(end == STORAGE_OK ? "deleted" : "was not there");
    over(arg, gone ? NULL : f);
}

struct beginning {
    struct trial *t;
    const char *what, *arg, *more;
    bool local;
};

static void begin(void *arg)
{
    struct beginning *b = arg;
    struct trial *t = b->t;
    slice handle = slice_of(b->arg);
    struct storage_link link = { .name = SL("file"), .expires_s = time_now_ms() / 1000 + LINK_S };
    if (strcmp(b->what, "check") == 0) {
        storage_probe(t->s, b->local ? NULL : t->client, checked, t);
    } else if (strcmp(b->what, "put") == 0) {
        put(t, b->arg, b->more);
    } else if (strcmp(b->what, "get") == 0) {
        t->get = storage_get(t->s, handle, 0, -1, pull, t);
        pull(t);
    } else if (strcmp(b->what, "url") == 0) {
        storage_ask(t->s, handle, &link, linked, t);
    } else {
        storage_delete(t->s, handle, deleted, t);
    }
}

static int try_one(struct trial *t, const struct config_storage *cs, struct beginning *b)
{
    struct fault f = { 0 };
    t->rc = 1;
    open_client(t, &f);
    if (!t->client || !open_storage(t, cs, &f)) {
        fprintf(stderr, "dragoman: %s\n", f.text);
    } else {
        b->t = t;
        loop_defer(t->loop, begin, b);
        loop_run(t->loop);
    }
    client_free(t->client);
    t->client = NULL;
    storage_close(t->s);
    t->s = NULL;
    loop_free(t->loop);
    return t->rc;
}

int command_storage(const struct options *o, int argc, char **argv)
{
    static const char *const words[] = { "check", "put", "get", "url", "delete" };
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct beginning b = { .what = argc ? argv[0] : "check", .arg = argc > 2 ? argv[2] : NULL, .more = argc > 3 ? argv[3] : NULL };
    struct trial t = { .a = a };
    bool known = false, check = strcmp(b.what, "check") == 0;
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < COUNT(words); i++)
        known |= strcmp(b.what, words[i]) == 0;
    if (!known || (!check && argc < 3))
        return command_usage("usage: dragoman storage check [NAME] | put NAME FILE [TYPE] | get NAME HANDLE | url NAME HANDLE | delete NAME HANDLE  --config FILE\n", argc, argv);
    t.config = options_config(a, o);
    if (!t.config)
        return 2;
    if (strcmp(b.what, "put") == 0 && !(t.file = fopen(b.arg, "re"))) {
        fprintf(stderr, "dragoman: %s: %s\n", b.arg, strerror(errno));
        return 1;
    }
    int rc = 0, tried = 0;
    for (size_t i = 0; i < t.config->n_storages; i++) {
        const struct config_storage *cs = &t.config->storages[i];
        if (argc > 1 && !slice_eq(cs->name, slice_of(argv[1])))
            continue;
        tried++;
        rc |= try_one(&t, cs, &b);
    }
    if (!tried && check && argc > 1 && strcmp(argv[1], STORAGE_LOCAL) == 0) {
        tried++;
        b.local = true;
        rc = try_one(&t, NULL, &b);
    }
    if (t.file)
        fclose(t.file);
    if (!tried && argc > 1 && strcmp(argv[1], STORAGE_LOCAL) == 0) {
        fprintf(stderr, "dragoman: of the local disk there is only the check: its files are in the data folder, its links are those of a running hub\n");
        return 2;
    }
    if (!tried && argc > 1) {
        fprintf(stderr, "dragoman: there is no storage %s in the configuration\n", argv[1]);
        return 2;
    }
    if (!tried)
        puts("The configuration has no storages: attachments are kept on the local disk. Those made in the console are checked there");
    return rc;
}
