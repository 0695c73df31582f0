/* apply_cli.c - `dragoman plan|apply -f hub.yaml`: a hub's tenants made as a file says, the difference shown first. */
#include "hub/tenant_doc.h"
#include "main/commands.h"
#include "main/remote_args.h"
#include "wire/url.h"
#include <unistd.h>

enum { DOC_MAX = 2 << 20, SETUP_LOOKS = 40, SETUP_LOOK_US = 500000 };

static const char usage[] =
    "usage: dragoman plan  -f hub.yaml --host HOST --password PASSWORD      shows what apply would change\n"
    "       dragoman apply -f hub.yaml --host HOST --password PASSWORD [--yes] [--prune]\n"
    "\n"
    "The tenants of the file are made, or changed, over the API of the hub, which asks each vendor who it is; other settings of the file are for\n"
    "`dragoman serve`. Tenants that the file does not have are left alone, or removed with --prune. Options as in `dragoman backup --help`.\n";

enum fate { SAME, MAKE, CHANGE, REMOVE, BAD };
struct planned {
    slice name, id, doc;
    enum fate fate;
    int64_t rev;
};
struct planning {
    struct arena *a;
    struct remote *r;
    const struct remote_args *ra;
    struct js_list tenants; /* struct planned */
    size_t todo;
    bool bad;
};

static slice document(struct arena *a, const struct config_tenant *t)
{
    struct jw w = jw_new(a, DOC_MAX);
    jw_open(&w, NULL, '{');
    tenant_doc_write(&w, t, DOC_SECRETS_SHOWN);
    jw_close(&w, '}');
    return jw_done(&w);
}

/* ---- the difference ------------------------------------------------------------------------------------------------------ */

static void show_change(struct arena *a, const struct js *ch)
{
    const struct js *from = js_get(ch, SL("from")), *to = js_get(ch, SL("to"));
    char sign = from && to ? '~' : to ? '+' : '-';
    slice path = js_text(js_get(ch, SL("path")));
    if (js_true(js_get(ch, SL("secret"))))
        printf("    ~ " SLF ": (secret)\n", SLA(path));
    else if (from && to)
        printf("    ~ " SLF ": " SLF " -> " SLF "\n", SLA(path), SLA(js_print(a, from)), SLA(js_print(a, to)));
    else
        printf("    %c " SLF ": " SLF "\n", sign, SLA(path), SLA(js_print(a, to ? to : from)));
}

/* Where a name is taken, the tenant is at that address. */
static bool find(struct planning *p, struct planned *t, struct fault *f)
{
    struct remote_answer got;
    slice path = arena_printf(p->a, "/tenants/" SLF, SLA(url_encode(p->a, t->name)));
    if (!remote_ask(p->r, "GET", path.p, SLICE_NONE, &got, f))
        return got.status == 404;
    t->id = js_text(js_get(got.json, SL("id")));
    if (js_true(js_get(got.json, SL("read_only"))))
        return fault(f, "read_only", "", "it stands in the hub's own configuration file");
    return js_int(js_get(got.json, SL("rev")), &t->rev) || fault(f, "refused", "", "the hub tells no revision");
}

static bool plan_one(struct planning *p, struct planned *t, struct fault *f)
{
    struct remote_answer got;
    if (!find(p, t, f))
        return false;
    slice path = t->id.n ? arena_printf(p->a, "/tenants/check?tenant=" SLF, SLA(url_encode(p->a, t->id))) : SL("/tenants/check");
    if (!remote_ask(p->r, "POST", path.p, t->doc, &got, f))
        return false;
    const struct js *problems = js_get(got.json, SL("problems")), *changes = js_get(got.json, SL("changes"));
    bool good = js_true(js_get(got.json, SL("good")));
    t->fate = !good ? BAD : !t->id.n ? MAKE : js_len(changes) ? CHANGE : SAME;
    static const char *const words[] = { [SAME] = "=", [MAKE] = "+", [CHANGE] = "~", [BAD] = "!" };
    printf("%s " SLF "%s\n", words[t->fate], SLA(t->name), t->fate == SAME ? ": as it is" : "");
    for (size_t i = 0; i < js_len(changes); i++)
        show_change(p->a, js_item(changes, i));
    for (size_t i = 0; i < js_len(problems); i++)
        printf("    ! " SLF ": " SLF "\n", SLA(js_text(js_get(js_item(problems, i), SL("field")))), SLA(js_text(js_get(js_item(problems, i), SL("message")))));
    p->todo += t->fate == MAKE || t->fate == CHANGE;
    p->bad |= t->fate == BAD;
    return true;
}

static bool is_planned(const struct planning *p, slice id)
{
    for (size_t i = 0; i < p->tenants.n; i++)
        if (slice_eq(LIST_AT(p->tenants, struct planned, i)->id, id))
            return true;
    return false;
}

/* Tenants of the hub that the file does not have. */
static bool plan_others(struct planning *p, struct fault *f)
{
    slice after = SLICE_NONE;
    do {
        struct remote_answer got;
        slice path = after.n ? arena_printf(p->a, "/tenants?limit=500&after=" SLF, SLA(url_encode(p->a, after))) : SL("/tenants?limit=500");
        if (!remote_ask(p->r, "GET", path.p, SLICE_NONE, &got, f))
            return false;
        const struct js *items = js_get(got.json, SL("items"));
        for (size_t i = 0; i < js_len(items); i++) {
            const struct js *t = js_item(items, i);
            slice id = js_text(js_get(t, SL("id"))), name = js_text(js_get(t, SL("name")));
            if (js_true(js_get(t, SL("read_only"))) || is_planned(p, id))
                continue;
            printf("%s " SLF ": not in the file%s\n", p->ra->prune ? "-" : " ", SLA(name), p->ra->prune ? "" : ", left alone");
            if (!p->ra->prune)
                continue;
            *LIST_ADD(p->a, &p->tenants, struct planned) = (struct planned){ .name = name, .id = id, .fate = REMOVE };
            p->todo++;
        }
        after = js_text(js_get(got.json, SL("next")));
    } while (after.n);
    return true;
}

/* ---- doing it -------------------------------------------------------------------------------------------------------------- */

static bool apply_one(struct planning *p, struct planned *t, struct fault *f)
{
    struct remote_answer got;
    slice path = t->id.n ? arena_printf(p->a, "/tenants/" SLF, SLA(url_encode(p->a, t->id))) : SL("/tenants");
    const char *method = t->fate == MAKE ? "POST" : t->fate == REMOVE ? "DELETE" : "PUT";
    if (t->fate == SAME)
        return true;
    int64_t rev = t->fate == CHANGE ? t->rev : -1; /* what was shown is what is done: not over somebody's change since */
    if (!remote_change(p->r, method, path.p, t->fate == REMOVE ? SLICE_NONE : t->doc, rev, &got, f))
        return false;
    if (t->fate == MAKE)
        t->id = js_text(js_get(got.json, SL("id")));
    remote_say(p->ra, LEVEL_INFO, SLF ": %s", SLA(t->name), t->fate == MAKE ? "made" : t->fate == REMOVE ? "removed" : "changed");
    return true;
}

/* What each vendor said to "who am I": waited for, some seconds. True: all are set up. */
static bool tell_vendors(struct planning *p, const struct planned *t)
{
    struct remote_answer got;
    struct fault f = { 0 };
    slice path = arena_printf(p->a, "/channels?tenant=" SLF, SLA(url_encode(p->a, t->id)));
    bool settled = false;
    for (int i = 0; i < SETUP_LOOKS && !settled; i++) {
        if (i)
            usleep(SETUP_LOOK_US);
        if (!remote_ask(p->r, "GET", path.p, SLICE_NONE, &got, &f))
            return false;
        const struct js *items = js_get(got.json, SL("items"));
        settled = js_len(items) > 0;
        for (size_t k = 0; k < js_len(items); k++)
            settled &= js_true(js_get(js_item(items, k), SL("set_up"))) || js_true(js_get(js_item(items, k), SL("refused")));
    }
    bool good = true;
    const struct js *items = js_get(got.json, SL("items"));
    for (size_t k = 0; k < js_len(items); k++) {
        const struct js *ch = js_item(items, k);
        bool set_up = js_true(js_get(ch, SL("set_up")));
        slice why = js_text(js_get(ch, SL("why")));
        good &= set_up;
        remote_say(p->ra, set_up ? LEVEL_INFO : LEVEL_WARN, "    " SLF " (" SLF "): %s" SLF, SLA(js_text(js_get(ch, SL("id")))),
                   SLA(js_text(js_get(ch, SL("title")))), set_up ? "knows us" : "not set up: ", SLA(set_up ? SLICE_NONE : slice_or(why, SL("no answer yet"))));
    }
    return good;
}

static bool confirmed(const struct planning *p)
{
    char answer[16] = "";
    if (p->ra->yes)
        return true;
    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "nobody is there to ask: give --yes\n");
        return false;
    }
    printf("\nDo it? (yes/no) ");
    fflush(stdout);
    return fgets(answer, sizeof(answer), stdin) && slice_eq(slice_trim(slice_of(answer)), SL("yes"));
}

static int carry_out(struct planning *p)
{
    struct fault f = { 0 };
    int rc = 0;
    if (!p->todo) {
        printf("\nNothing to do\n");
        return 0;
    }
    if (p->bad || !confirmed(p))
        return 1;
    for (int round = 0; round < 2; round++) /* what is removed goes first: others may have its bots and apps from now on */
        for (size_t i = 0; i < p->tenants.n; i++) {
            struct planned *t = LIST_AT(p->tenants, struct planned, i);
            if ((t->fate == REMOVE) != (round == 0))
                continue;
            if (!apply_one(p, t, &f)) {
                remote_say(p->ra, LEVEL_ERROR, SLF ": %s", SLA(t->name), f.text);
                rc = 1;
            } else if (t->fate == MAKE || t->fate == CHANGE) {
                (void)tell_vendors(p, t); /* told; what a vendor does not like is for its operator */
            }
        }
    return rc;
}

int command_apply(int argc, char **argv)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct remote_args ra;
    struct fault f = { 0 };
    struct config_problems problems = { .a = a };
    if (!remote_args(a, argc, argv, &ra))
        return 2;
    if (ra.help || !ra.file) {
        fputs(usage, ra.help ? stdout : stderr);
        remote_args_done(&ra);
        return ra.help ? 0 : 2;
    }
    const struct config *c = config_load(a, ra.file, getenv, NULL, 0, connector_find, &problems);
    if (!c) {
        config_problems_print(stderr, &problems);
        remote_args_done(&ra);
        return 1;
    }
    int rc = 1;
    struct planning p = { .a = a, .ra = &ra, .r = remote_of(a, &ra) };
    bool ok = p.r != NULL;
    for (size_t i = 0; i < c->n_tenants && ok; i++) {
        struct planned *t = LIST_ADD(a, &p.tenants, struct planned);
        *t = (struct planned){ .name = c->tenants[i].name, .doc = document(a, &c->tenants[i]) };
        ok = plan_one(&p, t, &f);
        if (!ok)
            remote_say(&ra, LEVEL_ERROR, SLF ": %s", SLA(t->name), f.text);
    }
    if (ok && !(ok = plan_others(&p, &f)))
        remote_say(&ra, LEVEL_ERROR, "%s", f.text);
    bool plan = strcmp(ra.verb ? ra.verb : "", "plan") == 0;
    if (ok && plan)
        printf("\n%zu to do\n", p.todo);
    if (ok)
        rc = plan ? p.bad : carry_out(&p);
    remote_close(p.r);
    remote_args_done(&ra);
    return rc;
}
