/* chat.c - guests who poll their web chats and agents who answer them, and how long it takes until the other side has seen what was said.
 *
 *   bench-chat --port 8080 --key API-KEY --guests 2000 --agents 100 --seconds 60 --every 30 --poll-ms 3000 --out sent.i64
 *   bench-chat … --agents 0 --seen seen.i64          others answer (agents.py): FILE has for each of their messages when it was seen, and when that poll was due
 *
 * Guests     each on a connection of its own: makes a chat, then polls so long after the last answer as --poll-ms says, and says something every --every s.
 * Agents     each on a connection of its own, for a share of the guests: says something to each of them every --every s, as Genesys Cloud's outbound webhooks.
 * Times      from when something was due. "seen": an agent's message until it is in the answer of the guest's poll; "over": the same without the wait for the
 *            poll, which began at most --poll-ms after the answer before; "poll": a poll's answer. A guest's message is seen at the desk: --out FILE as bench-load.
 * Result     one JSON object. lost, doubled and disordered count agents' messages on the guests' pages.
 */
#include "bench/http.h"
#include "bench/work.h"
#include "wire/base64.h"
#include "wire/crypto.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { READ_BYTES = 65536, EVENTS = 256, STEP_US = 1000, TOKEN_MAX = 1200, UUID_CHARS = 36, OPENING = 64, DRAIN_S = 8, START_S = 60 };
enum doing { IDLE, STARTS, POLLS, SAYS, ANSWERS };

struct chatter { /* a guest, or an agent */
    int fd;
    enum doing doing;
    struct buffer in, out;
    size_t out_at;
    bool writing, agent;
    size_t number;                      /* among its kind */
    int64_t poll_due_us, asked_us, due_us, waited_us; /* waited_us: from when its poll would have begun */
    size_t message;                     /* what is being said */
    size_t *queue, queue_n, queue_at;   /* messages that are due */
    char token[TOKEN_MAX], sid[UUID_CHARS + 1];
    unsigned said, seen_k;
};
struct samples {
    int64_t *us;
    size_t n, room;
};
struct said {
    int64_t due_us, sent_us, seen_us;
    unsigned k;
};
struct chat {
    unsigned port;
    const char *key;
    size_t n_guests, n_agents, in_count, out_count, next_in, next_out, opened, opening;
    double seconds;
    int64_t poll_us, began_us;
    int epoll;
    struct chatter *guests, *agents;
    struct said *in, *out; /* of guests, of agents */
    struct samples polls, seen, over, says, answers;
    size_t refused, doubled, disordered, polled;
};

static void sample(struct samples *s, int64_t us)
{
    if (s->n == s->room) {
        s->room = MAX(s->room * 2, (size_t)4096);
        s->us = must_realloc(s->us, s->room * sizeof(*s->us));
    }
    s->us[s->n++] = us;
}

/* ---- connections ------------------------------------------------------------------------------------------------------------ */

static void watch(struct chat *ch, struct chatter *c, int op, bool writing)
{
    struct epoll_event e = { .events = EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0), .data.ptr = c };
    c->writing = writing;
    if (epoll_ctl(ch->epoll, op, c->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void flush(struct chat *ch, struct chatter *c)
{
    while (c->out_at < c->out.n) {
        ssize_t n = write(c->fd, c->out.p + c->out_at, c->out.n - c->out_at);
        if (n < 0 && errno == EAGAIN) {
            if (!c->writing)
                watch(ch, c, EPOLL_CTL_MOD, true);
            return;
        }
        if (n <= 0)
            die("a connection was closed: %s", strerror(errno));
        c->out_at += (size_t)n;
    }
    c->out.n = c->out_at = 0;
    if (c->writing)
        watch(ch, c, EPOLL_CTL_MOD, false);
}

static void ask(struct chat *ch, struct chatter *c, enum doing doing, const char *method, const char *path, const char *body)
{
    c->doing = doing;
    c->asked_us = time_mono_us();
    buffer_printf(&c->out, "%s /nexus/v3/chat/sessions%s%s%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nx-api-key: %s\r\n", method, c->sid[0] ? "/" : "", c->sid, path, ch->port, ch->key);
    if (c->token[0])
        buffer_printf(&c->out, "x-nexus-client-key: %s\r\n", c->token);
    if (body)
        buffer_printf(&c->out, "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: %zu\r\n", strlen(body));
    buffer_printf(&c->out, "\r\n%s", body ? body : "");
    flush(ch, c);
}

/* ---- guests -------------------------------------------------------------------------------------------------------------------- */

static void take_token(struct chatter *c, slice body)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    size_t at = slice_find(body, SL("\"clientToken\":\""));
    if (at == SIZE_MAX)
        die("no token in " SLF, SLA(body));
    slice rest = slice_from(body, at + 15), token = slice_cut(&rest, '"'), parts = token;
    (void)slice_cut(&parts, '.');
    slice claims = base64url_decode(a, slice_cut(&parts, '.'));
    if (token.n >= TOKEN_MAX || !claims.p)
        die("not a token: " SLF, SLA(token));
    at = slice_find(claims, SL("\"sessionId\":\""));
    slice sid = slice_sub(claims, at + 13, UUID_CHARS);
    memcpy(c->token, token.p, token.n);
    memcpy(c->sid, sid.p, sid.n);
}

static void see(struct chat *ch, struct chatter *c, unsigned n, unsigned k, int64_t now_us)
{
    if (n >= ch->out_count)
        die("a message %u that nobody sent", n);
    struct said *m = &ch->out[n];
    if (m->seen_us) {
        ch->doubled++;
        return;
    }
    ch->disordered += k < c->seen_k;
    c->seen_k = k + 1;
    m->seen_us = now_us;
    m->sent_us = c->waited_us;
    if (!m->due_us) /* of others: they know when */
        return;
    sample(&ch->seen, now_us - m->due_us);
    /* The page could not have seen it before its poll: what is left is ours. A poll that was under way when it was said is not waited for. */
    sample(&ch->over, now_us - MAX(m->due_us, c->waited_us));
}

static void read_lines(struct chat *ch, struct chatter *c, slice body, int64_t now_us)
{
    static const slice mark = SLI("\"text\":\"a=");
    for (size_t at; (at = slice_find(body, mark)) != SIZE_MAX; body = slice_from(body, at + mark.n)) {
        char copy[24] = "";
        unsigned n, k;
        slice rest = slice_sub(body, at + mark.n, sizeof(copy) - 1);
        memcpy(copy, rest.p, rest.n);
        if (sscanf(copy, "%7u k=%6u", &n, &k) == 2)
            see(ch, c, n, k, now_us);
    }
}

static void guest_answer(struct chat *ch, struct chatter *c, const struct http_message *m)
{
    int64_t now_us = time_mono_us();
    int status = http_status(m);
    if (status != 200)
        ch->refused++;
    if (c->doing == STARTS) {
        if (status != 200)
            die("a chat was refused: %d " SLF, status, SLA(m->body));
        take_token(c, m->body);
        ch->opened++;
        ch->opening--;
        c->poll_due_us = INT64_MAX;
    } else if (c->doing == POLLS) {
        sample(&ch->polls, now_us - c->waited_us);
        ch->polled++;
        if (status == 200)
            read_lines(ch, c, m->body, now_us);
        c->poll_due_us = now_us + ch->poll_us;
    } else if (status == 200) {
        ch->in[c->message].seen_us = now_us; /* of the 200 */
        sample(&ch->says, now_us - ch->in[c->message].due_us);
    }
    c->doing = IDLE;
}

static void guest_does(struct chat *ch, struct chatter *c, int64_t now_us)
{
    char body[400];
    if (c->doing != IDLE)
        return;
    if (c->queue_at < c->queue_n) {
        c->message = c->queue[c->queue_at++];
        struct said *m = &ch->in[c->message];
        m->k = c->said++;
        m->sent_us = now_us;
        snprintf(body, sizeof(body), "data%%5Btype%%5D=Text&data%%5Btext%%5D=n%%3D%07u+g%%3D%06u+k%%3D%06u+where+is+my+parcel&operationId=%07u-%06u", (unsigned)c->message,
                 (unsigned)c->number, m->k, (unsigned)c->message, (unsigned)c->number);
        ask(ch, c, SAYS, "POST", "/messages", body);
    } else if (c->poll_due_us <= now_us) {
        c->waited_us = c->poll_due_us;
        ask(ch, c, POLLS, "GET", "/messages", NULL);
    }
}

/* ---- agents -------------------------------------------------------------------------------------------------------------------- */

static void agent_answer(struct chat *ch, struct chatter *c, const struct http_message *m)
{
    if (http_status(m) == 200)
        sample(&ch->answers, time_mono_us() - ch->out[c->message].due_us);
    else
        ch->refused++;
    c->doing = IDLE;
}

static void agent_does(struct chat *ch, struct chatter *c, int64_t now_us)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    if (c->doing != IDLE || c->queue_at == c->queue_n)
        return;
    size_t n = c->message = c->queue[c->queue_at++];
    struct chatter *guest = &ch->guests[n % ch->n_guests];
    struct said *m = &ch->out[n];
    char now[TIME_RFC3339_BYTES];
    time_rfc3339_buf(time_now_ms(), now);
    m->sent_us = now_us;
    slice body = arena_printf(a, "{\"id\":\"%032zx\",\"channel\":{\"id\":\"" WORK_INTEGRATION "\",\"platform\":\"Open\",\"type\":\"Private\",\"messageId\":\"%032zx\","
                              "\"to\":{\"id\":\"%s@webchat\",\"idType\":\"Opaque\"},\"from\":{\"nickname\":\"Agent %zu\",\"id\":\"" WORK_INTEGRATION "\",\"idType\":\"Opaque\"},"
                              "\"time\":\"%s\"},\"type\":\"Text\",\"text\":\"a=%07u k=%06u it is on its way\",\"originatingEntity\":\"Human\",\"direction\":\"Outbound\","
                              "\"conversationId\":\"c0000000-0000-4000-8000-%012zx\"}",
                              n + 1, n + 1, guest->sid, c->number, now, (unsigned)n, m->k, guest->number);
    struct sha256 mac = hmac_sha256(SL(WORK_DESK_SECRET), body);
    slice signature = base64_encode(a, slice_mem(mac.b, sizeof(mac.b)));
    c->doing = ANSWERS;
    buffer_printf(&c->out, "POST /openmessaging HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json; charset=utf-8\r\nX-Hub-Signature-256: sha256=" SLF
                  "\r\nContent-Length: %zu\r\n\r\n", ch->port, SLA(signature), body.n);
    buffer_add(&c->out, body);
    flush(ch, c);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------- */

static void readable(struct chat *ch, struct chatter *c)
{
    struct http_message m;
    ssize_t n;
    while ((n = read(c->fd, buffer_room(&c->in, READ_BYTES), READ_BYTES)) > 0)
        c->in.n += (size_t)n;
    if (n == 0 || errno != EAGAIN)
        die("a connection was closed");
    while (http_read(buffer_slice(&c->in), &m)) {
        if (c->agent)
            agent_answer(ch, c, &m);
        else
            guest_answer(ch, c, &m);
        buffer_drop(&c->in, m.size);
    }
}

static void turn(struct chat *ch)
{
    struct epoll_event events[EVENTS];
    struct timespec wait = { .tv_nsec = STEP_US * 1000 };
    int n = epoll_pwait2(ch->epoll, events, EVENTS, &wait, NULL);
    for (int i = 0; i < n; i++) {
        struct chatter *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT)
            flush(ch, c);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            readable(ch, c);
    }
}

static void opens(struct chat *ch)
{
    int64_t until_us = time_mono_us() + START_S * INT64_C(1000000);
    for (size_t i = 0; ch->opened < ch->n_guests;) {
        for (; i < ch->n_guests && ch->opening < OPENING; i++, ch->opening++) {
            char body[120];
            snprintf(body, sizeof(body), "data%%5Bnickname%%5D=Guest+%zu&operationId=start-%zu", i, i);
            ask(ch, &ch->guests[i], STARTS, "POST", "", body);
        }
        turn(ch);
        if (time_mono_us() > until_us)
            die("only %zu chats were opened", ch->opened);
    }
}

static void put_due(struct chat *ch, int64_t now_us)
{
    double us_in = ch->seconds * 1e6 / (double)MAX(ch->in_count, (size_t)1), us_out = ch->seconds * 1e6 / (double)MAX(ch->out_count, (size_t)1);
    for (; ch->next_in < ch->in_count; ch->next_in++) {
        int64_t due = ch->began_us + (int64_t)(us_in * (double)ch->next_in);
        struct chatter *c = &ch->guests[ch->next_in % ch->n_guests];
        if (due > now_us)
            break;
        ch->in[ch->next_in].due_us = due;
        c->queue[c->queue_n++] = ch->next_in;
    }
    for (; ch->n_agents && ch->next_out < ch->out_count; ch->next_out++) {
        int64_t due = ch->began_us + (int64_t)(us_out * ((double)ch->next_out + 0.5));
        struct chatter *guest = &ch->guests[ch->next_out % ch->n_guests], *c = &ch->agents[guest->number % ch->n_agents];
        if (due > now_us)
            break;
        ch->out[ch->next_out] = (struct said){ .due_us = due, .k = (unsigned)(ch->next_out / ch->n_guests) };
        c->queue[c->queue_n++] = ch->next_out;
    }
}

static void talk(struct chat *ch)
{
    ch->began_us = time_mono_us();
    for (size_t i = 0; i < ch->n_guests; i++) /* their polls are spread evenly */
        ch->guests[i].poll_due_us = ch->began_us + ch->poll_us * (int64_t)i / (int64_t)ch->n_guests;
    int64_t end_us = ch->began_us + (int64_t)(ch->seconds * 1e6) + DRAIN_S * INT64_C(1000000);
    for (int64_t now_us = ch->began_us; now_us < end_us; now_us = time_mono_us()) {
        put_due(ch, now_us);
        for (size_t i = 0; i < ch->n_guests; i++)
            guest_does(ch, &ch->guests[i], now_us);
        for (size_t i = 0; i < ch->n_agents; i++)
            agent_does(ch, &ch->agents[i], now_us);
        turn(ch);
    }
}

static void people(struct chat *ch, struct chatter *all, size_t n, bool agents, size_t messages)
{
    for (size_t i = 0; i < n; i++) {
        struct chatter *c = &all[i];
        c->agent = agents;
        c->number = i;
        c->poll_due_us = INT64_MAX;
        c->queue = must_calloc(messages / MAX(n, (size_t)1) + ch->n_guests / MAX(ch->n_agents, (size_t)1) + messages / MAX(ch->n_agents, (size_t)1) + 2, sizeof(size_t));
        c->fd = http_connect(ch->port);
        if (c->fd < 0)
            die("nothing listens on port %u", ch->port);
        watch(ch, c, EPOLL_CTL_ADD, false);
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void percentiles(const char *name, struct samples *s)
{
    qsort(s->us, s->n, sizeof(*s->us), by_value);
    printf(",\"%s_p50_ms\":%.3f,\"%s_p99_ms\":%.3f,\"%s_max_ms\":%.3f", name, s->n ? (double)s->us[s->n / 2] / 1e3 : 0.0, name,
           s->n ? (double)s->us[MIN(s->n - 1, s->n * 99 / 100)] / 1e3 : 0.0, name, s->n ? (double)s->us[s->n - 1] / 1e3 : 0.0);
}

static void write_seen(const struct chat *ch, const char *path)
{
    FILE *f = fopen(path, "wb");
    for (size_t i = 0; f && i < ch->out_count; i++) {
        int64_t row[2] = { ch->out[i].seen_us, ch->out[i].seen_us ? ch->out[i].sent_us : 0 };
        if (fwrite(row, sizeof(row), 1, f) != 1)
            die("cannot write %s: %s", path, strerror(errno));
    }
    if (!f || fclose(f) != 0)
        die("cannot write %s: %s", path, strerror(errno));
}

static void report(struct chat *ch, const char *out)
{
    size_t accepted = 0, lost = 0;
    int64_t *sent = must_calloc(ch->in_count + 1, sizeof(*sent));
    for (size_t i = 0; i < ch->in_count; i++) {
        accepted += ch->in[i].seen_us != 0;
        sent[i] = ch->in[i].seen_us ? ch->in[i].due_us : 0;
    }
    for (size_t i = 0; ch->n_agents && i < ch->out_count; i++)
        lost += !ch->out[i].seen_us;
    printf("{\"guests\":%zu,\"agents\":%zu,\"count\":%zu,\"accepted\":%zu,\"refused\":%zu,\"out_count\":%zu,\"polls\":%zu,\"lost\":%zu,\"doubled\":%zu,\"disordered\":%zu,\"began_us\":%lld",
           ch->n_guests, ch->n_agents, ch->in_count, accepted, ch->refused, ch->out_count, ch->polled, lost, ch->doubled, ch->disordered, (long long)ch->began_us);
    percentiles("seen", &ch->seen);
    percentiles("over", &ch->over);
    percentiles("poll", &ch->polls);
    percentiles("answer", &ch->says);
    percentiles("webhook", &ch->answers);
    puts("}");
    FILE *f = out ? fopen(out, "wb") : NULL;
    if (out && (!f || fwrite(sent, sizeof(*sent), ch->in_count, f) != ch->in_count || fclose(f) != 0))
        die("cannot write %s: %s", out, strerror(errno));
    free(sent);
}

int main(int argc, char **argv)
{
    static struct chat ch;
    ch.port = (unsigned)option_int(argc, argv, "port", 8080);
    ch.key = option(argc, argv, "key", "");
    ch.n_guests = (size_t)option_int(argc, argv, "guests", 2000);
    ch.n_agents = (size_t)option_int(argc, argv, "agents", 100);
    ch.seconds = option_double(argc, argv, "seconds", 60);
    ch.poll_us = option_int(argc, argv, "poll-ms", 3000) * 1000;
    double every = option_double(argc, argv, "every", 30);
    ch.in_count = ch.out_count = (size_t)((double)ch.n_guests * ch.seconds / every);
    signal(SIGPIPE, SIG_IGN);
    files_max();
    ch.epoll = epoll_create1(EPOLL_CLOEXEC);
    ch.in = must_calloc(ch.in_count + 1, sizeof(*ch.in));
    ch.out = must_calloc(ch.out_count + 1, sizeof(*ch.out));
    ch.guests = must_calloc(ch.n_guests, sizeof(*ch.guests));
    ch.agents = must_calloc(ch.n_agents, sizeof(*ch.agents));
    people(&ch, ch.guests, ch.n_guests, false, ch.in_count);
    people(&ch, ch.agents, ch.n_agents, true, ch.out_count);
    opens(&ch);
    talk(&ch);
    report(&ch, option(argc, argv, "out", NULL));
    if (option(argc, argv, "seen", NULL))
        write_seen(&ch, option(argc, argv, "seen", NULL));
    return 0;
}
