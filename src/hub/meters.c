#include "hub/meters.h"

static slice name_of(const struct connector *type)
{
    return slice_of(type->name);
}

void meter_call(struct actor *actor, int status, int64_t took_us)
{
    slice class = metric_status(status);
    METRIC_ADD(actor->hub->metrics, METRIC_CALLS, 1, name_of(actor->account.type), class);
    METRIC_OBSERVE(actor->hub->metrics, METRIC_CALL_SECONDS, (double)took_us / 1e6, name_of(actor->account.type), class);
}

void meter_webhook(struct hub *h, const struct connector *type, const char *result)
{
    METRIC_ADD(h->metrics, METRIC_WEBHOOKS, 1, name_of(type), slice_of(result));
}

void meter_ignored(struct hub *h, const struct connector *type, const char *rule)
{
    METRIC_ADD(h->metrics, METRIC_IGNORED, 1, name_of(type), slice_of(rule));
}

void meter_accepted(struct actor *from)
{
    METRIC_ADD(from->hub->metrics, METRIC_MESSAGES, 1, name_of(from->account.type), from->account.type->desk ? SL("out") : SL("in"));
}

void meter_outcome(struct actor *target, const char *outcome, int64_t took_ms)
{
    struct metrics *m = target->hub->metrics;
    slice name = name_of(target->account.type);
    if (strcmp(outcome, "retry") == 0)
        METRIC_ADD(m, METRIC_RETRIES, 1, name);
    else
        METRIC_ADD(m, METRIC_OUTCOMES, 1, name, slice_of(outcome));
    if (took_ms >= 0)
        METRIC_OBSERVE(m, METRIC_END_TO_END_SECONDS, (double)took_ms / 1000, name);
}
