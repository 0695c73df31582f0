#include "net/guard.h"
#include "tests/harness/test.h"
#include <arpa/inet.h>

static const struct {
    const char *address;
    bool ok;
} rows[] = {
    { "8.8.8.8", true },
    { "1.1.1.1", true },
    { "147.92.128.1", true },
    { "0.0.0.0", false },
    { "0.1.2.3", false },
    { "9.255.255.255", true },
    { "10.0.0.1", false },
    { "11.0.0.0", true },
    { "100.63.255.255", true },
    { "100.64.0.0", false },
    { "100.127.255.255", false },
    { "100.128.0.0", true },
    { "127.0.0.1", false },
    { "127.255.255.254", false },
    { "169.254.169.254", false },
    { "172.15.255.255", true },
    { "172.16.0.1", false },
    { "172.31.255.255", false },
    { "172.32.0.0", true },
    { "192.0.0.1", false },
    { "192.0.2.1", false },
    { "192.168.1.1", false },
    { "192.169.0.0", true },
    { "198.17.255.255", true },
    { "198.18.0.1", false },
    { "198.19.255.255", false },
    { "198.20.0.0", true },
    { "198.51.100.7", false },
    { "203.0.113.7", false },
    { "223.255.255.255", true },
    { "224.0.0.1", false },
    { "239.255.255.250", false },
    { "240.0.0.1", false },
    { "255.255.255.255", false },
    { "2606:4700:4700::1111", true },
    { "2001:4860:4860::8888", true },
    { "::", false },
    { "::1", false },
    { "::127.0.0.1", false },
    { "::8.8.8.8", false },
    { "::ffff:127.0.0.1", false },
    { "::ffff:10.0.0.1", false },
    { "::ffff:8.8.8.8", true },
    { "64:ff9b::7f00:1", false },
    { "64:ff9b::808:808", true },
    { "64:ff9b:1::1", false },
    { "100::1", false },
    { "2001::1", false },
    { "2001:db8::1", false },
    { "2002:7f00:1::", false },
    { "2002:a00:1::", false },
    { "2002:808:808::1", true },
    { "2606:4700::5efe:7f00:1", false },
    { "2606:4700::200:5efe:a00:1", false },
    { "3fff::1", false },
    { "4000::1", false },
    { "fc00::1", false },
    { "fd12:3456::1", false },
    { "fe80::1", false },
    { "fec0::1", false },
    { "ff02::1", false },
};

TEST(guard_lets_only_public_addresses_pass)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        bool is4 = inet_pton(AF_INET, rows[i].address, &v4.sin_addr) == 1;
        CHECK_ROW(i, is4 || inet_pton(AF_INET6, rows[i].address, &v6.sin6_addr) == 1);
        CHECK_ROW(i, guard_address_ok(is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6) == rows[i].ok);
        CHECK_ROW(i, guard_host_ok(slice_of(rows[i].address)) == rows[i].ok);
    }
    CHECK(!guard_address_ok(&(struct sockaddr){ .sa_family = AF_UNIX }));
}

TEST(guard_reads_hosts_of_urls)
{
    CHECK(guard_host_ok(SL("example.com")));
    CHECK(guard_host_ok(SL("localhost.example.com")));
    CHECK(!guard_host_ok(SL("localhost")));
    CHECK(!guard_host_ok(SL("LOCALHOST.")));
    CHECK(!guard_host_ok(SL("a.localhost")));
    CHECK(!guard_host_ok(SL("[::1]")));
    CHECK(!guard_host_ok(SL("[fe80::1%25eth0]")));
    CHECK(!guard_host_ok(SL("")));
    /* Whoever resolves it may read a number at its end as an address. */
    CHECK(guard_host_ok(SL("example.com.")));
    CHECK(guard_host_ok(SL("8.8.8.8.")));
    CHECK(guard_host_ok(SL("1e100.net")));
    CHECK(guard_host_ok(SL("7.x1")));
    CHECK(guard_host_ok(SL("0xfeed.example")));
    CHECK(!guard_host_ok(SL("10.0.0.1.")));
    CHECK(!guard_host_ok(SL("167772161")));
    CHECK(!guard_host_ok(SL("0xa000001.")));
    CHECK(!guard_host_ok(SL("10.0x1")));
    CHECK(!guard_host_ok(SL("012.0.0.1")));
    CHECK(!guard_host_ok(SL("1.2.3.4.5")));
    CHECK(!guard_host_ok(SL(".")));
}
