/* net_test.h - a peer for tests: sends bytes over a plain socket from a thread of its own while the loop runs. */
#ifndef NET_NET_TEST_H
#define NET_NET_TEST_H
#include "net/loop.h"
#include "tests/harness/test.h"

struct peer {
    struct loop *loop;
    unsigned port;
    slice send;
    bool bytewise;   /* one byte per segment */
    int drip_ms;     /* with bytewise: between two bytes */
    bool half_close; /* say that nothing more follows */
    bool hang_up;    /* close without reading */
    int wait_ms;     /* give up waiting for more after this; default 2000 */
    size_t stop_after; /* stop reading after so many bytes; 0: until the peer closes or wait_ms */
    /* results */
    char got[1 << 16];
    size_t n, sent;
    bool closed; /* the peer closed */
    bool reset;  /* and not in an orderly way */
    int status;  /* of the first answer; 0: none */
};
/* Connects, sends, reads to the end; the loop runs meanwhile. */
void peer_talk(struct peer *p);
slice peer_text(const struct peer *p);
/* Runs the loop for so long. */
void run_for(struct loop *l, int64_t ms);
#endif
