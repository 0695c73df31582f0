/* main.c - the command line: which command, and where the data are. */
#include "hub/config.h"
#include "main/commands.h"
#include "sim/sim.h"
#include <curl/curl.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

static const char usage[] =
    "dragoman " DRAGOMAN_VERSION " - the hub between messaging networks and contact-centre desks\n"
    "\n"
    "  dragoman serve  --config hub.yaml      run the hub\n"
    "  dragoman check  --config hub.yaml      check a configuration, change nothing\n"
    "  dragoman sim    NAME [options]         play a vendor; dragoman sim lists them, dragoman sim NAME --help says how\n"
    "  dragoman journal [list [STATE] | count | show ID | replay ID... | discard ID...]\n"
    "  dragoman trace  ID                     every hop of a message\n"
    "  dragoman storage [check [NAME] | put NAME FILE [TYPE] | get NAME HANDLE | url NAME HANDLE | delete NAME HANDLE]   try storages\n"
    "  dragoman record [on | off]             keep the webhooks a running hub takes, redacted; without a word: how it stands\n"
    "  dragoman notify [list | test NAME]     destinations of notifications of a running hub; send one a test\n"
    "  dragoman contact export | erase ID     all that a running hub keeps of a guest, by contact or conversation: print it, or erase it\n"
    "  dragoman replay FILE [--to URL] [--speed X | --rate N] [--fresh-ids]   play such a recording again\n"
    "  dragoman manifest NAME [setting=value…]   what a vendor makes our app from: manifest slack --public-url https://…\n"
    "  dragoman backup | restore              what was configured over the API, as one file (dragoman backup --help); gum-cli is another name of it\n"
    "  dragoman parcels [list | replay [ACCOUNT] | discard [ACCOUNT]]   several hubs: webhooks that none could use and the broker keeps\n"
    "  dragoman move in | out                 a stopped installation from its folder into PostgreSQL, or back (--data, --store)\n"
    "  dragoman plan | apply -f hub.yaml      make a hub's tenants as a file says, the difference shown first\n"
    "  dragoman help [COMMAND]                this; more about one command\n"
    "  dragoman help tables                   settings of the hub and of every connector, and metrics, as Markdown\n"
    "  dragoman render                        render templates: a JSON object a line in, an answer a line out\n"
    "  dragoman version\n"
    "\n"
    "journal, trace, record, contact and notify find the data by --config FILE or --data DIR. Settings of serve, also as flags and environment:\n\n";

const struct config *options_config(struct arena *a, const struct options *o)
{
    struct config_problems p = { .a = a };
    struct config_flag *flags = ARENA_ARRAY(a, struct config_flag, (size_t)o->argc + 1);
    size_t n = 0;
    for (int i = 0; i < o->argc;) {
        int took = config_flag_parse(o->argc, o->argv, i, &flags[n]);
        n += took > 0;
        i += MAX(took, 1);
    }
    const struct config *c = config_load(a, o->config, getenv, flags, n, connector_find, &p);
    if (!c)
        config_problems_print(stderr, &p);
    return c;
}

int command_failed(const char *what, const struct fault *f)
{
    fprintf(stderr, "dragoman: %s: %s%s%s\n", what, f->field, f->field[0] ? ": " : "", f->text);
    return 1;
}

/* Where the data are: a flag, else what the configuration says. */
static void find_data(struct arena *a, struct options *o)
{
    const struct config *c = options_config(a, o);
    if (!c)
        exit(2);
    o->data = config_text(c, CFG_DATA).p;
}

static int serve(const struct options *o, int argc, char **argv)
{
    (void)argc, (void)argv;
    return command_serve(o);
}
static int worker(const struct options *o, int argc, char **argv)
{
    (void)argc, (void)argv;
    return command_worker(o);
}
static int check(const struct options *o, int argc, char **argv)
{
    (void)argc, (void)argv;
    return command_check(o);
}

/* clang-format off */
static const struct command {
    const char *name;
    int (*run)(const struct options *o, int argc, char **argv);
    bool wordless;   /* it takes settings only, and is told by `dragoman help` */
    bool data;       /* it works on the data of a hub */
    bool options;    /* it reads options of its own */
} commands[] = {
    { "serve",    serve,            true,  false, false },
    { "worker",   worker,           true,  false, false },
    { "check",    check,            true,  false, false },
    { "journal",  command_journal,  false, true,  false },
    { "trace",    command_trace,    false, true,  false },
    { "record",   command_record,   false, true,  false },
    { "contact",  command_contact,  false, true,  false },
    { "notify",   command_notify,   false, true,  false },
    { "parcels",  command_parcels,  false, false, false },
    { "move",     command_move,     false, false, false },
    { "manifest", command_manifest, false, false, false },
    { "storage",  command_storage,  false, false, false },
    { "replay",   command_replay,   false, false, true  },
};
/* clang-format on */

static int help(void)
{
    fputs(usage, stdout);
    config_help(stdout);
    return 0;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int command_usage(const char *text, int argc, char **argv)
{
    bool asked = argc == 1 && strcmp(argv[0], "--help") == 0;
    fputs(text, asked ? stdout : stderr);
    return asked ? 0 : 2;
}

static int used_wrongly(const char *command, const char *word)
{
    if (word && word[0] != '-' && strchr(word, '.'))
        fprintf(stderr, "dragoman %s: a configuration is named by --config %s\n", command, word);
    else if (word)
        fprintf(stderr, "dragoman %s: \"%s\" is no %s of it; dragoman %s --help says more\n", command, word, word[0] == '-' ? "option" : "word", command);
    else
        fprintf(stderr, "dragoman: there is no command \"%s\"; dragoman help lists them\n", command);
    return 2;
}

/* argv begins with the command. The settings among the words are taken out; what remains is the command's own. */
static int run(const struct command *c, int argc, char **argv, char **all)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct options o = { .argc = argc - 1, .argv = argv + 1, .all = all };
    char **words = ARENA_ARRAY(a, char *, (size_t)argc + 1), asked[] = "--help";
    int n = 0;
    for (int i = 1; i < argc; i++) {
        struct config_flag flag;
        int took = config_flag_parse(argc, argv, i, &flag);
        bool config = strcmp(argv[i], "--config") == 0;
        if (took < 0 || (config && i + 1 == argc)) {
            fprintf(stderr, "dragoman %s: the value of %s is missing\n", c->name, argv[i]);
            return 2;
        }
        if (config)
            o.config = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            o.config = argv[i] + 9;
        else if (took > 0)
            i += took - 1;
        else
            words[n++] = argv[i];
    }
    for (int i = 0; i < n; i++)
        if (is_help(words[i]))
            return c->wordless ? help() : c->run(&o, 1, (char *[]){ asked, NULL });
    for (int i = 0; i < n; i++)
        if (c->wordless || (!c->options && strncmp(words[i], "--", 2) == 0))
            return used_wrongly(c->name, words[i]);
    if (c->data)
        find_data(a, &o);
    return c->run(&o, n, words);
}

/* Where one of the three streams is closed, the first file that is opened would take its place, and what is printed would go into it. */
static bool streams_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!streams_open())
        return 1; /* nobody could be told */
    char dash_help[] = "--help", *asked[] = { argv[0], NULL, dash_help, NULL }, **all = argv;
    if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        fprintf(stderr, "dragoman: libsodium or libcurl cannot be used on this machine\n");
        return 1;
    }
    const char *base = strrchr(argv[0], '/');
    if (strcmp(base ? base + 1 : argv[0], "gum-cli") == 0)
        return command_backup("gum-cli", argc - 1, argv + 1);
    const char *command = argc > 1 ? argv[1] : "help";
    if (is_help(command) || strcmp(command, "help") == 0) {
        if (argc < 3 || is_help(argv[2]) || strcmp(argv[2], "help") == 0)
            return help();
        command = argv[2];
        if (strcmp(command, "tables") == 0)
            return command_tables();
        asked[1] = argv[2]; /* as if it stood behind the command */
        argv = asked;
        argc = 3;
    }
    argc--, argv++;
    if (argc == 2 && is_help(argv[1]))
        argv[1] = dash_help;
    if (strcmp(command, "backup") == 0 || strcmp(command, "restore") == 0)
        return command_backup("dragoman", argc, argv);
    if (strcmp(command, "plan") == 0 || strcmp(command, "apply") == 0)
        return command_apply(argc, argv);
    if (strcmp(command, "sim") == 0)
        return sim_main(argc - 1, argv + 1);
    if (strcmp(command, "render") == 0)
        return command_render(argc - 1, argv + 1);
    if (strcmp(command, "version") == 0 || strcmp(command, "--version") == 0) {
        puts("dragoman " DRAGOMAN_VERSION);
        return 0;
    }
    for (size_t i = 0; i < COUNT(commands); i++)
        if (strcmp(command, commands[i].name) == 0)
            return run(&commands[i], argc, argv, all);
    return used_wrongly(command, NULL);
}
