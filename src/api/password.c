#include "api/password.h"
#include "net/loop.h"
#include <sodium.h>
#include <zxcvbn.h>

enum { MADE_CHARS = 20 };

struct job {
    struct job *next;
    struct passwords *p;
    char password[PASSWORD_MAX + 1], hash[crypto_pwhash_STRBYTES];
    bool check, same;
    slice (*hash_of)(void *arg);
    void (*checked)(void *arg, bool same);
    void (*hashed)(void *arg, slice hash);
    void *arg;
};
struct passwords {
    struct loop *loop;
    struct job *first, **last; /* the first is at work */
    size_t n;
    bool stopped;
    bool busy; /* the first is with the helper thread */
};

struct passwords *passwords_new(struct loop *l)
{
    struct passwords *p = must_calloc(1, sizeof(*p));
    p->loop = l;
    p->last = &p->first;
    return p;
}

static void job_free(struct job *j)
{
    bytes_wipe(j, sizeof(*j));
    free(j);
}

void passwords_free(struct passwords *p)
{
    if (!p)
        return;
    for (struct job *j = p->first, *next; j; j = next) {
        next = j->next;
        job_free(j);
    }
    free(p);
}

/* On a helper thread. */
static void work(void *arg)
{
    struct job *j = arg;
    size_t n = strlen(j->password);
    if (j->check) {
        /* A login that is not there, or has no password (oidc.c), takes as long as one that has. */
        char none[crypto_pwhash_STRBYTES];
        bool there = slice_starts(slice_of(j->hash), SL("$argon2id$"));
        if (there)
            j->same = crypto_pwhash_str_verify(j->hash, j->password, n) == 0;
        else if (crypto_pwhash_str_alg(none, j->password, n, PASSWORD_PASSES, PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0)
            j->same = false;
        return;
    }
    int rc = crypto_pwhash_str_alg(j->hash, j->password, n, PASSWORD_PASSES, PASSWORD_MEMORY, crypto_pwhash_ALG_ARGON2ID13);
    if (rc != 0)
        j->hash[0] = 0; /* no memory */
}

static void begin(struct passwords *p);

static void worked(void *arg)
{
    struct job *j = arg;
    struct passwords *p = j->p;
    p->busy = false;
    p->first = j->next;
    if (!p->first)
        p->last = &p->first;
    p->n--;
    if (j->check)
        j->checked(j->arg, j->same && !p->stopped && slice_eq(j->hash_of(j->arg), slice_of(j->hash))); /* there may be another one by now */
    else
        j->hashed(j->arg, j->hash[0] ? slice_of(j->hash) : SLICE_NONE);
    job_free(j);
    begin(p);
}

static void begin(struct passwords *p)
{
    struct job *j = p->first;
    if (p->busy || !j || p->stopped)
        return;
    p->busy = true;
    slice hash = j->check ? j->hash_of(j->arg) : SLICE_NONE;
    memcpy(j->hash, hash.p ? hash.p : "", MIN(hash.n, sizeof(j->hash) - 1));
    loop_work(p->loop, work, worked, j);
}

void passwords_stop(struct passwords *p)
{
    p->stopped = true;
    struct job **at = p->busy ? &p->first->next : &p->first;
    for (struct job *j = *at, *next; j; j = next) {
        next = j->next;
        if (j->check)
            j->checked(j->arg, false);
        else
            j->hashed(j->arg, SLICE_NONE);
        job_free(j);
        p->n--;
    }
    *at = NULL;
    p->last = at;
}

static struct job *job_new(struct passwords *p, slice password, void *arg)
{
    if (p->stopped || p->n >= PASSWORDS_WAITING || password.n > PASSWORD_MAX)
        return NULL;
    struct job *j = must_calloc(1, sizeof(*j));
    j->p = p;
    j->arg = arg;
    memcpy(j->password, password.p, password.n);
    return j;
}

static void job_add(struct passwords *p, struct job *j)
{
    *p->last = j;
    p->last = &j->next;
    p->n++;
    begin(p);
}

bool passwords_check(struct passwords *p, slice password, slice (*hash_of)(void *arg), void (*done)(void *arg, bool same), void *arg)
{
    struct job *j = job_new(p, password, arg);
    if (!j)
        return false;
    j->check = true;
    j->checked = done;
    j->hash_of = hash_of;
    job_add(p, j);
    return true;
}

bool passwords_hash(struct passwords *p, slice password, void (*done)(void *arg, slice hash), void *arg)
{
    struct job *j = job_new(p, password, arg);
    if (!j)
        return false;
    j->hashed = done;
    job_add(p, j);
    return true;
}

/* ---- is it good? ----------------------------------------------------------------------------------------------------- */

/* zxcvbn's score out of the bits an attacker must guess: 10^6, 10^8 and 10^10 guesses are the borders of 1, 2 and 3 in its paper. */
static int score_of(double bits)
{
    static const double borders[] = { 9.965784, 19.931569, 26.575425, 33.219281 }; /* log2 of 10^3, 10^6, 10^8, 10^10 */
    int score = 0;
    for (size_t i = 0; i < COUNT(borders); i++)
        score += bits >= borders[i];
    return score;
}

static const char *suggestion(const ZxcMatch_t *list)
{
    for (const ZxcMatch_t *m = list; m; m = m->Next) {
        switch ((int)m->Type & ~MULTIPLE_MATCH) {
        case DICTIONARY_MATCH: return "a common word is easy to guess";
        case DICT_LEET_MATCH: return "replacing letters with digits (a common word with 3 for e) helps little";
        case USER_MATCH:
        case USER_LEET_MATCH: return "it holds the login's name";
        case REPEATS_MATCH: return "repeated characters are easy to guess";
        case SEQUENCE_MATCH: return "sequences such as abc or 6543 are easy to guess";
        case SPATIAL_MATCH: return "rows of keys such as qwerty are easy to guess";
        case DATE_MATCH: return "dates are easy to guess";
        default: break;
        }
    }
    return "it is too short";
}

bool password_good(slice password, slice user, struct fault *f)
{
    char text[PASSWORD_MAX + 1], name[PASSWORD_MAX + 1];
    if (password.n > PASSWORD_MAX)
        return fault(f, "out_of_range", "password", "must have at most %d bytes", PASSWORD_MAX);
    if (memchr(password.p, 0, password.n) || !utf8_valid(password))
        return fault(f, "wrong_type", "password", "must be text in UTF-8");
    memcpy(text, password.p, password.n);
    text[password.n] = 0;
    user = slice_sub(user, 0, PASSWORD_MAX);
    memcpy(name, user.p ? user.p : "", user.n);
    name[user.n] = 0;
    const char *words[] = { name, "dragoman", NULL };
    ZxcMatch_t *list = NULL;
    int score = score_of(ZxcvbnMatch(text, words, &list));
    const char *why = suggestion(list);
    ZxcvbnFreeInfo(list);
    bytes_wipe(text, sizeof(text));
    if (score >= PASSWORD_SCORE)
        return true;
    return fault(f, "weak_password", "password", "is too easy to guess (zxcvbn score %d of 4, %d is needed): %s; a few words that do not belong together are good",
                 score, PASSWORD_SCORE, why);
}

slice password_make(struct arena *a)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"; /* none that look alike */
    char *p = arena_alloc(a, MADE_CHARS + 1);
    for (size_t i = 0; i < MADE_CHARS; i++)
        p[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
    p[MADE_CHARS] = 0;
    return (slice){ p, MADE_CHARS };
}
