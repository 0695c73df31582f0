#include "hub/token.h"
#include "hub/rig_test.h"
#include "hub/run.h"
#include "hub/state.h"

static struct rig *token_rig(void)
{
    struct rig *r = rig_new();
    r->token = SL("T1");
    return r;
}

static void say(struct rig *r, const char *id, unsigned n)
{
    rig_say(r, id, arena_printf(r->a, "U%u@tother", n).p, arena_printf(r->a, "m%u", n).p);
}

struct asked {
    struct token_wait w;
    size_t *n;
    char header[64];
};

static void got(void *arg, slice header, const struct fault *f)
{
    struct asked *as = arg;
    CHECK((header.p != NULL) == (f == NULL));
    snprintf(as->header, sizeof(as->header), SLF, SLA(header));
    ++*as->n;
}

TEST(token_is_asked_for_once_however_many_wait)
{
    enum { WAITERS = 100 };
    struct rig *r = token_rig();
    static struct asked all[WAITERS];
    size_t n = 0;
    for (size_t i = 0; i < WAITERS; i++) {
        all[i] = (struct asked){ .n = &n };
        all[i].w = (struct token_wait){ .done = got, .arg = &all[i] };
        token_get(r->other, &all[i].w);
    }
    UNTIL(r, n == WAITERS);
    CHECK_INT(r->n_tokens, 1);
    for (size_t i = 0; i < WAITERS; i++)
        CHECK_ROW(i, strcmp(all[i].header, "Bearer T1") == 0);
    n = 0;
    token_get(r->other, &all[0].w); /* at hand: at once */
    CHECK_INT(n, 1);
    token_drop(r->other, SL("Bearer of another time"));
    token_get(r->other, &all[0].w);
    CHECK_INT(n, 2);
    token_drop(r->other, SL("Bearer T1"));
    token_get(r->other, &all[0].w);
    CHECK_INT(n, 2);
    UNTIL(r, n == 3);
    CHECK_INT(r->n_tokens, 2);
    rig_free(r);
}

TEST(token_that_cannot_be_had_is_told_to_all_who_wait)
{
    struct rig *r = token_rig();
    static struct asked all[5];
    size_t n = 0;
    r->token_status = 400;
    for (size_t i = 0; i < COUNT(all); i++) {
        all[i] = (struct asked){ .n = &n };
        all[i].w = (struct token_wait){ .done = got, .arg = &all[i] };
        token_get(r->other, &all[i].w);
    }
    UNTIL(r, n == COUNT(all));
    CHECK_INT(r->n_tokens, 1);
    CHECK_INT(strlen(all[0].header), 0);
    rig_free(r);
}

TEST(token_is_asked_for_early_while_the_old_one_still_serves)
{
    struct rig *r = token_rig();
    say(r, "1", 1);
    UNTIL(r, rig_seen(r, "m1") == 1);
    struct token *t = &r->other->token;
    CHECK(t->refresh_ms > time_mono_ms() && t->refresh_ms < t->expires_ms);
    t->refresh_ms = time_mono_ms();
    static struct asked one;
    size_t n = 0;
    one = (struct asked){ .n = &n };
    one.w = (struct token_wait){ .done = got, .arg = &one };
    token_get(r->other, &one.w);
    CHECK_INT(n, 1); /* did not wait */
    UNTIL(r, r->n_tokens == 2 && !t->asking);
    CHECK(t->refresh_ms > time_mono_ms());
    rig_free(r);
}

TEST(token_is_renewed_once_after_a_401)
{
    struct rig *r = token_rig();
    say(r, "1", 1);
    UNTIL(r, rig_seen(r, "m1") == 1);
    r->token = SL("T2"); /* the vendor took the old one back */
    say(r, "2", 2);
    UNTIL(r, rig_seen(r, "m2") == 2 && rig_count(r, J_DELIVERED) >= 2);
    CHECK_INT(r->n_tokens, 2);
    UNTIL(r, slice_eq(r->seen[r->n_seen - 1].path, SL("/vendor/tdesk"))); /* the status: it was delivered */
    rig_free(r);
}

static int never_authorised(struct rig *r, const struct seen *s)
{
    (void)r;
    return slice_ends(s->path, SL("/tother")) ? 401 : 200;
}

TEST(token_that_is_refused_again_and_again_is_not_asked_for_in_a_circle)
{
    struct rig *r = token_rig();
    r->answer = never_authorised;
    say(r, "1", 1);
    UNTIL(r, rig_count(r, J_DEAD) == 1);
    CHECK_INT(rig_seen(r, "m1"), 2);
    CHECK_INT(r->n_tokens, 2);
    rig_free(r);
}

TEST(token_refresh_is_sealed_and_stored_before_the_token_is_used)
{
    struct rig *r = token_rig();
    say(r, "1", 1);
    UNTIL(r, rig_seen(r, "m1") == 1);
    /* The call has been made: what a crash leaves now must hold the rotated refresh token. */
    rig_crash(r);
    CHECK_SLICE(memory_get(r->other->memory, "refresh_token", time_now_ms()), SL("rotated-1-of-first"));
    say(r, "2", 2);
    UNTIL(r, rig_seen(r, "m2") == 1);
    CHECK_SLICE(memory_get(r->other->memory, "refresh_token", time_now_ms()), SL("rotated-2-of-rotated-1-of-first"));
    CHECK(rig_on_disk(r, "m2")); /* the search finds what is there … */
    CHECK(!rig_on_disk(r, "rotated-2-of"));
    rig_stop(r);
    CHECK(rig_on_disk(r, "a:t/tother"));
    CHECK(!rig_on_disk(r, "rotated-2-of") && !rig_on_disk(r, "rotated-1-of")); /* … neither in the journal nor in the store */
    rig_start(r);
    CHECK_SLICE(memory_get(r->other->memory, "refresh_token", time_now_ms()), SL("rotated-2-of-rotated-1-of-first"));
    rig_free(r);
}

TEST(token_is_not_used_when_its_refresh_token_could_not_be_stored)
{
    struct rig *r = token_rig();
    static struct asked one;
    size_t n = 0;
    one = (struct asked){ .n = &n };
    one.w = (struct token_wait){ .done = got, .arg = &one };
    rig_disk_full(true);
    token_get(r->other, &one.w);
    for (int i = 0; i < 600 && !n; i++)
        rig_turn(r, 5);
    rig_disk_full(false);
    CHECK_INT(n, 1);
    CHECK_INT(strlen(one.header), 0);
    CHECK(memory_dirty(r->other->memory)); /* it is the only one that works now: stored with the next commit */
    CHECK_SLICE(memory_get(r->other->memory, "refresh_token", time_now_ms()), SL("rotated-1-of-first"));
    token_get(r->other, &one.w);
    UNTIL(r, n == 2);
    CHECK(strcmp(one.header, "Bearer T1") == 0 && !memory_dirty(r->other->memory));
    rig_free(r);
}
