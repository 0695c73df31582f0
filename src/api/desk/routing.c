#include "api/desk/routing.h"
#include "api/desk/interaction.h"
#include "hub/message.h"

bool route_serves(const struct login_profile *is, slice queue)
{
    for (size_t i = 0; i < is->queues.n; i++)
        if (slice_eq(*LIST_AT(is->queues, slice, i), queue))
            return true;
    return is->queues.n == 0;
}

static int64_t level_of(const struct login_profile *is, slice skill)
{
    for (size_t i = 0; i < is->skills.n; i++)
        if (slice_eq(LIST_AT(is->skills, struct login_skill, i)->name, skill))
            return LIST_AT(is->skills, struct login_skill, i)->level;
    return 0;
}

/* Of all skills together; -1: one is missing. */
static int64_t levels(const struct login_profile *is, const struct js_list *skills)
{
    int64_t sum = 0;
    for (size_t i = 0; i < skills->n; i++) {
        int64_t level = level_of(is, *LIST_AT(*skills, slice, i));
        if (!level)
            return -1;
        sum += level;
    }
    return sum;
}

bool route_fits(const struct route_agent *who, const struct interaction *it, const struct js_list *skills, int64_t now_ms)
{
    if (!who->ready || who->open >= who->is->capacity || interaction_refused(it, who->user, now_ms))
        return false;
    if (it->last_agent.n && now_ms < it->last_until_ms)
        return slice_eq(it->last_agent, who->user); /* known to the guest: whatever the queue asks for */
    return route_serves(who->is, it->queue) && levels(who->is, skills) >= 0;
}

static bool better(const struct route_agent *x, const struct route_agent *y, const struct js_list *skills)
{
    int64_t a = levels(x->is, skills), b = levels(y->is, skills);
    if (a != b)
        return a > b;
    a = x->open * y->is->capacity;
    b = y->open * x->is->capacity;
    if (a != b)
        return a < b;
    return x->idle_since_ms < y->idle_since_ms;
}

size_t route_choose(const struct route_agent *agents, size_t n, const struct interaction *it, const struct js_list *skills, int64_t now_ms)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (route_fits(&agents[i], it, skills, now_ms) && (best == SIZE_MAX || better(&agents[i], &agents[best], skills)))
            best = i;
    return best;
}
