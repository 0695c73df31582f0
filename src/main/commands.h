/* commands.h - the commands of the program, one file each. Each returns the exit status: 0 done, 1 failed, 2 used wrongly. */
#ifndef MAIN_COMMANDS_H
#define MAIN_COMMANDS_H
#include "hub/config.h"

struct options {
    const char *config; /* --config; NULL: none */
    const char *data;   /* the data directory, from --data or the configuration */
    int argc;           /* the whole command line, for what a command reads itself */
    char **argv;
    char **all;         /* with the program and the command, NULL-terminated */
};

/* How a command is used: on standard output, with status 0, where it was asked for (--help is its only word); else an error. */
int command_usage(const char *text, int argc, char **argv);

int command_serve(const struct options *o);
/* The work of a replica, in a process of its own: started by serve where there is a broker (door.h). */
int command_worker(const struct options *o);
int command_check(const struct options *o);
int command_journal(const struct options *o, int argc, char **argv);
int command_trace(const struct options *o, int argc, char **argv);
/* All that is kept of one guest: printed, or erased. */
int command_contact(const struct options *o, int argc, char **argv);
/* What no worker could use and the broker keeps. */
int command_parcels(const struct options *o, int argc, char **argv);
int command_notify(const struct options *o, int argc, char **argv);
int command_record(const struct options *o, int argc, char **argv);
/* Tries configured storages: check [NAME], put, get, url, delete. */
int command_storage(const struct options *o, int argc, char **argv);
/* The settings and metrics as Markdown tables, for the docs (tools/docs-settings). */
int command_tables(void);
int command_replay(const struct options *o, int argc, char **argv);

/* argv begins with the verb: backup, restore. name: what the program was called, for its help. */
int command_backup(const char *name, int argc, char **argv);
int command_apply(int argc, char **argv); /* plan, apply */

/* The configuration that the command line names, with its flags; NULL: what is wrong with it was said on standard error. */
const struct config *options_config(struct arena *a, const struct options *o) MUST_USE;
/* Says what failed and why, with the setting that the fault names, on standard error. The status: 1. */
int command_failed(const char *what, const struct fault *f);
/* One JSON object a line on standard input, a line of answer for each. */
int command_render(int argc, char **argv);
/* A stopped installation into PostgreSQL, or back. */
int command_move(const struct options *o, int argc, char **argv);
/* The document from which a vendor makes an app (connector.manifest): manifest slack app_name="ACME Care" */
int command_manifest(const struct options *o, int argc, char **argv);
#endif
