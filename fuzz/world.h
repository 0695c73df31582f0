/* world.h - an account of some connector with plausible settings, for targets that call connectors.
 *
 *   struct world w;
 *   world_begin(&w, a, connectors[data[0] % n_connectors]);
 *   …  w.c is the call; w.account.type the connector  …
 *   world_end(&w, NULL);
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H
#include "fuzz/fuzz.h"
#include "hub/hub.h"

struct world {
    struct arena *a;
    struct account account;
    struct conversation conversation;
    struct fault f;
    struct call c;
    const struct media *media; /* of media_find */
};

static inline slice some_value(const struct setting *s)
{
    if (s->otherwise)
        return slice_of(s->otherwise);
    if (!s->required)
        return SLICE_NONE;
    switch (s->type) {
    case SETTING_URL:
        return SL("http://127.0.0.1:9");
    case SETTING_NUMBER:
        return SL("1");
    case SETTING_BOOL:
        return SL("true");
    case SETTING_CHOICE:
        return slice_of(s->choices[0]);
    case SETTING_PAIRS:
        return SL("{}");
    case SETTING_TEXT:
        break;
    }
    return SL("@secret-of-enough-characters");
}

static inline void world_begin(struct world *w, struct arena *a, const struct connector *k)
{
    slice *settings = ARENA_ARRAY(a, slice, k->n_settings);
    for (size_t i = 0; i < k->n_settings; i++)
        settings[i] = some_value(&k->settings[i]);
    if (strcmp(k->name, "slack") == 0) /* the app of its cases: a body for another goes no further */
        settings[0] = SL("A0HUB0001");
    *w = (struct world){
        .a = a,
        .account = { .id = SL("acme/x"),
                     .name = SL("x"),
                     .tenant = SL("acme"),
                     .type = k,
                     .settings = settings,
                     .public_url = SL("https://hub.example.com"),
                     .hook_url = SL("https://hub.example.com/x") },
        .conversation = { .id = SL("acme/x:g"),
                          .guest = SL("g"),
                          .address = SL("g@x"),
                          .network = SL("X"),
                          .open = true,
                          .desk_conversation = SL("d"),
                          .tenant = SL("acme") },
    };
    w->c = (struct call){
        .a = a, .account = &w->account, .memory = memory_new(), .now_ms = 1772600767890, .f = &w->f
    };
    memory_set(w->c.memory, "install:T0ACME001", /* … and its workspace */
               SL("{\"token\":\"x\",\"refresh\":\"y\",\"until\":1772700000000,\"bot_user\":\"U0BOT0001\",\"team\":\"T0ACME001\"}"), 0);
}

static inline void world_end(struct world *w, struct memory *guest)
{
    memory_free(w->c.memory);
    memory_free(guest);
}
#endif
