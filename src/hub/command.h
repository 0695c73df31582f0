/* command.h - lines of agents and bots that are meant for us, not for the guest.
 *
 *   > send "My Response" with name="John" total="12"     a canned response (responses.h) goes to the guest
 *   > continue tomorrow at 10                            the conversation comes back to the desk then (later.h)
 *   > continue never                                     … and no more
 *   > help
 *
 * What is none of these is asked of the language behind the commander (language.h), where there is one. A response may itself be a command (depth COMMAND_DEPTH_MAX).
 *
 * The road   accept stores the line as it came, in the lane of its guest. When it has its turn, deliver.c asks command_is and calls command_run. COMMAND_SEND: the
 *            delivery goes on with these messages in the place of the line, so that what was written before and after keeps its order; they are stored first
 *            (state "x:"), so that another attempt, in this process or the next, sends the same. Everything else ends there and answers the agent alone.
 * Agent      gets a line of the hub's (ORIGIN_HUB) at the desk; a bot would take it for the guest's, it only gets the news that its message failed.
 * Language   is asked beside the lane: the line is parked meanwhile (COMMAND_ASK), and resumed with the answer.
 * Threads    loop thread.
 */
#ifndef HUB_COMMAND_H
#define HUB_COMMAND_H
#include "hub/config.h"
#include "hub/hub.h"

enum { COMMAND_DEPTH_MAX = 5, COMMAND_TRIES = 3, COMMAND_AGAIN_MS = 2000, COMMAND_ASK_MS = 10000, COMMAND_ASK_AGAIN_MS = 60000 };

enum command_end {
    COMMAND_SEND,    /* .messages, to the guest */
    COMMAND_DONE,    /* .say, to the agent; .later */
    COMMAND_REFUSED, /* .say why */
    COMMAND_AGAIN,   /* something could not be reached: .say what */
    COMMAND_ASK,     /* of the language */
};
struct command_result {
    enum command_end end;
    struct js_list messages; /* struct message: kind and content */
    slice say;
    slice note;              /* for the trace: {"command","response"…} */
    bool plan;               /* .later_ms is meant: 0: no more */
    int64_t later_ms;
};
/* What a tenant's commander is: its own settings over the default's. False: it has none. */
struct commander {
    slice prefix, zone;
    const struct language *language; /* NULL: none */
    const slice *settings;
};
bool commander_of(const struct tenant *t, struct commander *ret);

bool command_is(const struct tenant *t, const struct message *m);
/* done once, now or later; what *r refers to lives in a. resumed: the answer of the language, absent: not asked yet. tries: how often this was tried before. */
void command_run(struct arena *a, struct conv *conv, const struct message *m, slice resumed, unsigned tries,
                 void (*done)(void *arg, const struct command_result *r), void *arg);
/* Asks the language about this line: done(arg, answer), a text for command_run's resumed. */
void command_ask(struct conv *conv, slice text, void (*done)(void *arg, slice answer), void *arg);
void command_tenant_done(struct tenant *t); /* frees what it asks its language with (stop) */

slice messages_print(struct arena *a, const struct js_list *messages) MUST_USE; /* struct message, in their stored form */
bool messages_read(struct arena *a, slice json, struct js_list *ret) MUST_USE;
#endif
