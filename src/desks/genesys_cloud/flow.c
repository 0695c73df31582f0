/* The sample inbound message flow, 6: a file for Architect's import, with the queue's name filled in where the link says it. */
#include "desks/genesys_cloud/wire.h"

/* A JSON string is a YAML string, too. */
static slice gc_quoted(struct arena *a, slice s)
{
    struct jw w = jw_new(a, GC_BODY_MAX);
    jw_str(&w, NULL, s);
    return jw_done(&w);
}

bool gc_receive_flow(struct call *c, const struct request *rq, struct inbox *in)
{
    slice queue = slice_or(request_query(c->a, rq, "queue"), SL("Write the name of your queue here"));
    slice name = slice_or(request_query(c->a, rq, "name"), SL("Dragoman inbound messages"));
    /* clang-format off */
    slice flow = arena_printf(c->a,
        "# Inbound message flow for Dragoman. Architect: Inbound Message, Add, Save menu, Import; then check the queue and publish.\n"
        "# Every message of a guest goes straight to the queue. What Dragoman knows about the guest is participant data:\n"
        "# read it with the action Get Participant Data (attribute \"media\" is the network's name).\n"
        "inboundShortMessage:\n"
        "  name: " SLF "\n"
        "  description: \"Brings guests of messaging networks to agents\"\n"
        "  startUpRef: \"/inboundShortMessage/states/state[Initial State_10]\"\n"
        "  defaultLanguage: en-us\n"
        "  supportedLanguages:\n"
        "    en-us:\n"
        "      defaultLanguageSkill:\n"
        "        noValue: true\n"
        "  settingsErrorHandling:\n"
        "    errorHandling:\n"
        "      disconnect:\n"
        "        none: true\n"
        "  states:\n"
        "    - state:\n"
        "        name: Initial State\n"
        "        refId: Initial State_10\n"
        "        variables:\n"
        "          - stringVariable:\n"
        "              name: State.Media\n"
        "              initialValue:\n"
        "                noValue: true\n"
        "        actions:\n"
        "          - getParticipantData:\n"
        "              name: Which network\n"
        "              attributes:\n"
        "                - attribute:\n"
        "                    name:\n"
        "                      lit: media\n"
        "                    variable: State.Media\n"
        "          - transferToAcd:\n"
        "              name: To the queue\n"
        "              targetQueue:\n"
        "                lit:\n"
        "                  name: " SLF "\n"
        "              priority:\n"
        "                lit: 0\n"
        "              preferredAgents:\n"
        "                noValue: true\n"
        "              languageSkill:\n"
        "                noValue: true\n"
        "          - disconnect:\n"
        "              name: Disconnect\n",
        SLA(gc_quoted(c->a, name)), SLA(gc_quoted(c->a, queue)));
    /* clang-format on */
    inbox_answer(in, 200, SL("application/yaml"), flow);
    inbox_header(in, "Content-Disposition", SL("attachment; filename=\"dragoman-inbound-messages.yaml\""));
    return true;
}
