/* notifiers.h - what the files of the simulated notification services share. notifiers.c holds the options and the manual of the control API. */
#ifndef SIM_NOTIFIERS_H
#define SIM_NOTIFIERS_H
#include "sim/sim.h"
#include "wire/js.h"

enum {
    SNO_KEPT = 500,               /* calls remembered */
    SNO_ALERTS_MAX = 500,
    SNO_BODY_MAX = 512 << 10,     /* of PagerDuty; the others take less anyway */
    SNO_SLACK_TEXT_MAX = 3000, SNO_SLACK_FIELD_MAX = 2000, SNO_SLACK_FIELDS_MAX = 10, SNO_SLACK_BLOCKS_MAX = 50, SNO_SLACK_ATTACHMENTS_MAX = 100,
    SNO_DISCORD_EMBEDS_MAX = 10, SNO_DISCORD_SUM_MAX = 6000, SNO_DISCORD_CONTENT_MAX = 2000, SNO_DISCORD_NAME_MAX = 80, SNO_DISCORD_FIELDS_MAX = 25,
    SNO_DUTY_SUMMARY_MAX = 1024, SNO_DUTY_KEY_MAX = 255,
};

enum sno_vendor { SNO_SLACK, SNO_DISCORD, SNO_DUTY, SNO_GENESYS, SNO_VENDORS };
extern const char *const sno_names[SNO_VENDORS];

struct sno_kept { /* one call */
    struct sno_kept *next;
    int64_t n, at_ms;
    enum sno_vendor vendor;
    int status;
    char *json; /* what /sim/notices shows of it */
};
struct sno_alert { /* PagerDuty's */
    struct sno_alert *next;
    char key[SNO_DUTY_KEY_MAX + 1];
    bool open;
    int64_t triggers, resolves, opened; /* opened: how often a new one began */
};
struct sno_window { /* calls of the present window */
    int64_t began_ms, calls;
};
struct sno {
    struct sim_env *env;
    slice secrets[SNO_VENDORS]; /* what stands in the path, or the routing key */
    int64_t limits[SNO_VENDORS]; /* calls in a window; 0: any */
    struct sno_window windows[SNO_VENDORS];
    struct sno_kept *first, **last;
    size_t n_kept;
    struct sno_alert *alerts;
    size_t n_alerts;
    int64_t calls[SNO_VENDORS], taken[SNO_VENDORS];
};

/* What one call says, for people. */
struct sno_said {
    slice title, text, action, key; /* action, key: PagerDuty */
    int64_t colour;                 /* -1: none */
    bool hidden;                    /* Genesys Cloud: no mapping takes it */
};
void sno_keep(struct sno *s, struct sim_call *c, enum sno_vendor vendor, int status, const struct sno_said *said);
/* False: too many; it is answered. */
bool sno_within(struct sno *s, struct sim_call *c, enum sno_vendor vendor);

/* notifiers_vendors.c */
void sno_vendor_routes(struct sno *s);
void sno_refuse(struct sim_call *c, int status);
#endif
