/* commands.h - the commands of the program, one file each. Each returns the exit status: 0 done, 1 failed, 2 used wrongly. */
#ifndef MAIN_COMMANDS_H
#define MAIN_COMMANDS_H
#include "base/base.h"

struct options {
    const char *config; /* --config; NULL: none */
    const char *data;   /* the data directory, from --data or the configuration */
    const char *listen; /* where a running hub answers */
    int argc;           /* the whole command line, for what a command reads itself */
    char **argv;
};

int command_serve(const struct options *o);
int command_check(const struct options *o);
int command_journal(const struct options *o, int argc, char **argv);
int command_trace(const struct options *o, int argc, char **argv);
int command_render(void);
#endif
