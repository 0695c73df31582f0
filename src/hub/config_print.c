#include "hub/config.h"

void config_problems_print(FILE *out, const struct config_problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct config_problem *q = &p->items[i];
        if (q->line)
            fprintf(out, SLF ":%d:%d: ", SLA(slice_or(p->file, SL("configuration"))), q->line, q->column);
        else if (!q->path.n)
            fprintf(out, SLF ": ", SLA(slice_or(p->file, SL("configuration"))));
        fprintf(out, SLF "%s" SLF "\n", SLA(q->path), q->path.n ? ": " : "", SLA(q->text));
    }
    if (p->more)
        fprintf(out, "… and %zu more\n", p->more);
}

static void print_storage(FILE *out, const struct config_storage *st)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    fprintf(out, "storage " SLF " (%s), purge_delay_seconds: %lld (" SLF ")\n", SLA(st->name), st->type->title, (long long)(st->purge_ms / 1000),
            SLA(seconds_in_words(a, st->purge_ms / 1000)));
    for (size_t i = 0; i < st->type->n_settings; i++) {
        const struct setting *s = &st->type->settings[i];
        if (st->settings[i].n && !slice_eq(st->settings[i], slice_of(s->otherwise)))
            fprintf(out, "    %s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : st->settings[i]));
    }
}

static void print_account(FILE *out, const char *side, const struct account *acc)
{
    fprintf(out, "  %s " SLF " (%s)", side, SLA(acc->id), acc->type->title);
    if (acc->hook_url.n)
        fprintf(out, ", webhook " SLF, SLA(acc->hook_url));
    if (!slice_eq(acc->storage, SL(STORAGE_LOCAL)))
        fprintf(out, ", storage " SLF, SLA(acc->storage));
    fputc('\n', out);
    for (size_t i = 0; i < acc->type->n_settings; i++) {
        const struct setting *s = &acc->type->settings[i];
        if (acc->settings[i].n && !slice_eq(acc->settings[i], slice_of(s->otherwise)))
            fprintf(out, "    %s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : acc->settings[i]));
    }
}

static void print_commander(FILE *out, const struct config_commander *c, const char *before)
{
    if (!c->language)
        return;
    fprintf(out, "%scommander with %s\n", before, c->language->type.title);
    for (size_t i = 0; i < c->language->type.n_settings; i++) {
        const struct setting *s = &c->language->type.settings[i];
        if (c->settings[i].n && !slice_eq(c->settings[i], slice_of(s->otherwise)))
            fprintf(out, "%s  %s: " SLF "\n", before, s->name, SLA(s->secret ? SL("(secret)") : c->settings[i]));
    }
}

void config_print(FILE *out, const struct config *c)
{
    for (int id = 0; id < CFG_MAX; id++) {
        const struct setting *s = &config_settings[id];
        if (c->values[id].n && !slice_eq(c->values[id], slice_of(s->otherwise)))
            fprintf(out, "%s: " SLF "\n", s->name, SLA(s->secret ? SL("(secret)") : c->values[id]));
    }
    for (size_t i = 0; i < c->n_storages; i++)
        print_storage(out, &c->storages[i]);
    print_commander(out, &c->commander, "");
    for (size_t i = 0; i < c->n_tenants; i++) {
        const struct config_tenant *t = &c->tenants[i];
        fprintf(out, "tenant " SLF " (" SLF ")\n", SLA(t->name), SLA(t->slug));
        print_account(out, "desk", t->desk);
        for (size_t k = 0; k < t->n_channels; k++)
            print_account(out, "channel", &t->channels[k]);
        print_commander(out, &t->commander, "  ");
    }
    for (size_t i = 0; i < c->n_notifiers; i++) {
        const struct notice_target *t = &c->notifiers[i];
        bool both = t->topics[NOTICE_DEFAULT] && t->topics[NOTICE_SUBSCRIPTIONS];
        fprintf(out, "notifier " SLF " (%s): %s%s%s\n", SLA(t->name), t->type->title, t->topics[NOTICE_DEFAULT] ? "Default" : "", both ? ", " : "",
                t->topics[NOTICE_SUBSCRIPTIONS] ? "Subscriptions" : "");
    }
    fprintf(out, "%zu tenant%s: the configuration is good\n", c->n_tenants, c->n_tenants == 1 ? "" : "s");
}
