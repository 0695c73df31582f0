#include "sim/feed.h"

struct seat {
    struct events *events; /* NULL: free */
};
struct feed {
    struct seat seats[FEED_PAGES_MAX];
};

struct feed *feed_new(void)
{
    return must_calloc(1, sizeof(struct feed));
}

void feed_free(struct feed *f)
{
    free(f);
}

static void gone(void *arg)
{
    struct seat *s = arg;
    s->events = NULL;
}

void feed_add(struct feed *f, struct sim_call *c)
{
    for (size_t i = 0; i < FEED_PAGES_MAX; i++)
        if (!f->seats[i].events) {
            f->seats[i].events = sim_events(c, gone, &f->seats[i]);
            if (f->seats[i].events)
                events_send(f->seats[i].events, "hello", SL("{}"));
            return;
        }
    struct fault full = { 0 };
    fault(&full, "too_many", "", "at most %d pages at a time", FEED_PAGES_MAX);
    sim_fault(c, 503, &full);
}

bool feed_watched(const struct feed *f)
{
    for (size_t i = 0; i < FEED_PAGES_MAX; i++)
        if (f->seats[i].events)
            return true;
    return false;
}

void feed_send(struct feed *f, const char *name, slice json)
{
    for (size_t i = 0; i < FEED_PAGES_MAX; i++)
        if (f->seats[i].events)
            events_send(f->seats[i].events, name, json);
}
