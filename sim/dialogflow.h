/* dialogflow.h - the inside of the simulator of Google Dialogflow. */
#ifndef SIM_DIALOGFLOW_H
#define SIM_DIALOGFLOW_H
#include "sim/service_account.h"
#include "sim/sim.h"
#include "wire/js.h"

enum { SDF_ASKED_KEPT = 200, SDF_SESSIONS = 1000, SDF_SESSION_MS = 20 * 60000 /* contexts live so long */, SDF_TEXT_CHARS = 256, SDF_SESSION_CHARS = 36, SDF_JSON_MAX = 65536 };
enum sdf_shape { SDF_STRING, SDF_OBJECT, SDF_PERIOD, SDF_LIST, SDF_SHAPES }; /* how ES writes a time */
extern const char *const sdf_shape_names[SDF_SHAPES];

struct sdf_kept {
    struct sdf_kept *next;
    char *json;
};
struct sdf {
    struct sim_env *env;
    struct sim_account account;
    slice location, cx_location, agent, environments;
    struct shelf *waiting; /* sessions whose "continue" lacks its time */
    struct sdf_kept *asked, **asked_last;
    size_t n_asked;
    uint64_t detected;
    enum sdf_shape shape;
    char *script;          /* the queryResult of the next answer */
    bool forbidden;
};
/* What was asked, as far as an answer depends on it. */
struct sdf_asked {
    bool cx;
    slice text, language, zone, session;
};
slice sdf_answer(struct sdf *s, struct sim_call *c, const struct sdf_asked *asked) MUST_USE;
#endif
