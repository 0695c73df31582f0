#include "main/internal.h"
#include "base/durable.h"
#include "net/client.h"
#include "net/loop.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TOKEN_BYTES = 24, TOKEN_TEXT_MAX = 128, INTERNAL_ANSWER_MAX = 64 << 20 };

slice internal_token(struct arena *a, const char *data, struct fault *f)
{
    slice path = arena_printf(a, "%s/admin.token", data);
    char text[TOKEN_TEXT_MAX];
    int fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        random_hex(text, TOKEN_BYTES);
        int e = durable_new_file(path.p, slice_mem(text, 2 * TOKEN_BYTES));
        if (e && e != EEXIST) {
            fault(f, "storage", "data", "cannot write %s: %s", path.p, strerror(e));
            return SLICE_NONE;
        }
        fd = open(path.p, O_RDONLY | O_CLOEXEC);
    }
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    if (fd >= 0)
        close(fd);
    if (n <= 0) {
        fault(f, "storage", "data", "cannot read %s: %s", path.p, n == 0 ? "it is empty" : strerror(errno));
        return SLICE_NONE;
    }
    return arena_dup(a, slice_trim(slice_mem(text, (size_t)n)));
}

struct asking {
    struct loop *loop;
    int rc;
};

static void answered(void *arg, const struct answer *r)
{
    struct asking *ask = arg;
    if (r->status == 0)
        fprintf(stderr, "dragoman: the hub does not answer: " SLF "\n", SLA(r->error));
    else
        printf(SLF "\n", SLA(r->body));
    ask->rc = r->status == 200 ? 0 : 1;
    loop_stop(ask->loop);
}

int internal_post(const struct options *o, const char *path, slice body)
{
    CLEANUP(arena_freep) struct arena *a = arena_new();
    struct fault f = { 0 };
    struct client_limits limits;
    client_limits_default(&limits);
    limits.unix_socket = arena_printf(a, "%s/" CONTROL_SOCKET, o->data).p;
    if (access(limits.unix_socket, F_OK) != 0) {
        fprintf(stderr, "dragoman: no hub that runs can be asked at %s: %s. Name the folder of one with --config FILE or --data DIR\n", limits.unix_socket, strerror(errno));
        return 1;
    }
    struct loop *loop = loop_new();
    struct client *client = client_new(loop, &limits, &f);
    if (!client) {
        fprintf(stderr, "dragoman: %s\n", f.text);
        loop_free(loop);
        return 1;
    }
    struct asking ask = { loop, 1 };
    struct header headers[] = { { SL("Content-Type"), SL("application/json") } };
    struct client_call call = { .a = a, .method = "POST", .url = arena_printf(a, "http://hub%s", path), .headers = headers,
                                .n_headers = COUNT(headers), .body = body, .answer_bytes = INTERNAL_ANSWER_MAX, .done = answered, .arg = &ask };
    client_send(client, &call);
    loop_run(loop);
    client_free(client);
    loop_free(loop);
    return ask.rc;
}
