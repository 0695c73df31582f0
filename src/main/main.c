/* main.c - the command line: which command, and where the data are. */
#include "hub/config.h"
#include "main/commands.h"
#include "sim/sim.h"
#include <curl/curl.h>
#include <sodium.h>

static const char usage[] =
    "dragoman " DRAGOMAN_VERSION " - the hub between messaging networks and contact-centre desks\n"
    "\n"
    "  dragoman serve  --config hub.yaml      run the hub\n"
    "  dragoman check  --config hub.yaml      check a configuration, change nothing\n"
    "  dragoman sim    NAME [options]         play a vendor: apple, line, slack, teams, telegram, genesys-cloud, box, dropbox, gcs, notifiers (dragoman sim NAME --help)\n"
    "  dragoman journal [list [STATE] | count | show ID | replay ID... | discard ID...]\n"
    "  dragoman trace  ID                     every hop of a message\n"
    "  dragoman storage [check [NAME] | put NAME FILE | get NAME HANDLE | url NAME HANDLE | delete NAME HANDLE]   try storages\n"
    "  dragoman record [on | off]             keep the webhooks a running hub takes, redacted; without a word: how it stands\n"
    "  dragoman notify [list | test NAME]     destinations of notifications of a running hub; send one a test\n"
    "  dragoman contact export | erase ID     all that a running hub keeps of a guest, by contact or conversation: print it, or erase it\n"
    "  dragoman replay FILE [--to URL] [--speed X | --rate N] [--fresh-ids]   play such a recording again\n"
    "  dragoman manifest NAME [setting=value…]   what a vendor makes our app from: manifest slack --public-url https://…\n"
    "  dragoman backup | restore              what was configured over the API, as one file (dragoman backup --help); gum-cli is another name of it\n"
    "  dragoman parcels [list | replay [ACCOUNT] | discard [ACCOUNT]]   several hubs: webhooks that none could use and the broker keeps\n"
    "  dragoman move in | out                 a stopped installation from its folder into PostgreSQL, or back (--data, --store)\n"
    "  dragoman plan | apply -f hub.yaml      make a hub's tenants as a file says, the difference shown first\n"
    "  dragoman help tables                   settings of the hub and of every connector, and metrics, as Markdown\n"
    "  dragoman render                        render templates: a JSON object a line in, an answer a line out\n"
    "  dragoman version\n"
    "\n"
    "journal, trace, record, contact and notify find the data by --config FILE or --data DIR. Settings of serve, also as flags and environment:\n\n";

const struct config *options_config(struct arena *a, const struct options *o, struct config_problems *p)
{
    struct config_flag *flags = ARENA_ARRAY(a, struct config_flag, (size_t)o->argc + 1);
    size_t n = 0;
    for (int i = 0; i < o->argc;) {
        int took = config_flag_parse(o->argc, o->argv, i, &flags[n]);
        n += took > 0;
        i += MAX(took, 1);
    }
    return config_load(a, o->config, getenv, flags, n, connector_find, p);
}

/* Where the data are: a flag, else what the configuration says. */
static void find_data(struct arena *a, struct options *o)
{
    struct config_problems p = { .a = a };
    const struct config *c = options_config(a, o, &p);
    if (!c) {
        config_problems_print(stderr, &p);
        exit(2);
    }
    o->data = config_text(c, CFG_DATA).p;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "help";
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        fprintf(stderr, "dragoman: libsodium or libcurl cannot be used on this machine\n");
        return 1;
    }
    const char *base = strrchr(argv[0], '/');
    if (strcmp(base ? base + 1 : argv[0], "gum-cli") == 0)
        return command_backup("gum-cli", argc - 1, argv + 1);
    if (strcmp(command, "backup") == 0 || strcmp(command, "restore") == 0)
        return command_backup("dragoman", argc - 1, argv + 1);
    if (strcmp(command, "plan") == 0 || strcmp(command, "apply") == 0)
        return command_apply(argc - 1, argv + 1);
    if (strcmp(command, "sim") == 0)
        return sim_main(argc - 2, argv + 2);
    if (strcmp(command, "render") == 0 && argc == 2)
        return command_render();
    if (strcmp(command, "version") == 0) {
        puts("dragoman " DRAGOMAN_VERSION);
        return 0;
    }
    if (strcmp(command, "help") == 0 && argc > 2 && strcmp(argv[2], "tables") == 0)
        return command_tables();
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct options o = { .argc = argc - 2, .argv = argv + 2, .all = argv };
    char **words = ARENA_ARRAY(a, char *, (size_t)argc + 1);
    int n_words = 0;
    for (int i = 2; i < argc; i++) {
        struct config_flag flag;
        int took = config_flag_parse(argc, argv, i, &flag);
        if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            o.config = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            o.config = argv[i] + 9;
        else if (took > 0)
            i += took - 1;
        else
            words[n_words++] = argv[i];
    }
    if (strcmp(command, "serve") == 0 && !n_words)
        return command_serve(&o);
    if (strcmp(command, "worker") == 0 && !n_words)
        return command_worker(&o);
    if (strcmp(command, "check") == 0 && !n_words)
        return command_check(&o);
    if (strcmp(command, "journal") == 0 || strcmp(command, "trace") == 0) {
        find_data(a, &o);
        return command[0] == 'j' ? command_journal(&o, n_words, words) : command_trace(&o, n_words, words);
    }
    if (strcmp(command, "record") == 0) {
        find_data(a, &o);
        return command_record(&o, n_words, words);
    }
    if (strcmp(command, "contact") == 0) {
        find_data(a, &o);
        return command_contact(&o, n_words, words);
    }
    if (strcmp(command, "notify") == 0) {
        find_data(a, &o);
        return command_notify(&o, n_words, words);
    }
    if (strcmp(command, "parcels") == 0)
        return command_parcels(&o, n_words, words);
    if (strcmp(command, "move") == 0)
        return command_move(&o, n_words, words);
    if (strcmp(command, "manifest") == 0)
        return command_manifest(&o, n_words, words);
    if (strcmp(command, "storage") == 0)
        return command_storage(&o, n_words, words);
    if (strcmp(command, "replay") == 0)
        return command_replay(&o, n_words, words);
    bool help = strcmp(command, "help") == 0 || strcmp(command, "--help") == 0;
    FILE *out = help ? stdout : stderr;
    fputs(usage, out);
    config_help(out);
    return help ? 0 : 2;
}
