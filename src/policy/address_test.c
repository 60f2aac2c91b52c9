#include "policy/address.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct address address_of(const char *text)
{
	struct address address;

	if (!address_read(slice_of(text), &address))
		fail_msg("%s is no address", text);
	return address;
}

static struct network network_of(const char *text)
{
	struct network network;

	if (!network_read(slice_of(text), &network))
		fail_msg("%s is no network", text);
	return network;
}

static void addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *written;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::", "::" },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "0000:0000:0000:0000:0000:ffff:255.255.255.255", "::ffff:255.255.255.255" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct address address = address_of(rows[i].text);
		char text[ADDRESS_TEXT];

		address_text(&address, text);
		assert_string_equal(text, rows[i].written);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"1",
		"127.1",
		"192.0.2.256",
		"192.0.2.01",
		"0x7f.0.0.1",
		"192.0.2.1 ",
		" 192.0.2.1",
		"192.0.2.1/32",
		"[::1]",
		"::1%lo",
		":::",
		"1:2:3:4:5:6:7:8:9",
		"::g",
		"example.net",
		"0000:0000:0000:0000:0000:ffff:255.255.255.2555",
	};
	struct address address = { .bytes = { 42 } };

	for (size_t i = 0; i < nitems(rows); i++) {
		if (address_read(slice_of(rows[i]), &address))
			fail_msg("'%s' is taken", rows[i]);
	}
	assert_false(address_read((struct slice){ NULL, 0 }, &address));
	assert_false(address_read((struct slice){ "1.2.3.4\0", 8 }, &address));
	assert_int_equal(address.bytes[0], 42);
}

static void equal_addresses_are_of_one_family(void **state)
{
	struct address a = address_of("192.0.2.1"), b = address_of("192.0.2.1");
	struct address other = address_of("192.0.2.2"), v6 = address_of("c000:201::");

	b.bytes[4] = 1; /* not part of an IPv4 address */
	assert_true(address_equals(&a, &b));
	assert_false(address_equals(&a, &other));
	assert_false(address_equals(&a, &v6));
	a = address_of("2001:db8::1");
	b = address_of("2001:db8:0::1");
	assert_true(address_equals(&a, &b));
	b = address_of("2001:db8::2");
	assert_false(address_equals(&a, &b));
}

static void networks_have_their_addresses_and_no_others(void **state)
{
	static const struct {
		const char *network, *address;
		bool has;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "172.16.0.0/12", "172.31.255.255", true },
		{ "172.16.0.0/12", "172.32.0.0", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },
		{ "192.0.2.1/32", "192.0.2.1", true },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/32", "2001:db8:ffff::", true },
		{ "2001:db8::/32", "2001:db9::", false },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::2", false },
		{ "10.0.0.0/8", "::ffff:10.0.0.1", false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct network network = network_of(rows[i].network);
		struct address address = address_of(rows[i].address);

		if (network_has(&network, &address) != rows[i].has)
			fail_msg("%s in %s", rows[i].address, rows[i].network);
	}
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		"/8",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.1/24",
		"192.0.2.0/024",
		"192.0.2.0/-1",
		"192.0.2.0/+1",
		"192.0.2.0/ 24",
		"192.0.2.0/24 ",
		"192.0.2.0/2x",
		"192.0.2.0/24/24",
		"10.0.0.0/7x",
		"10/8",
		"2001:db8::1/64",
		"2001:db8::/129",
		"2001:db8::/0128",
		"::/1000",
		"128.0.0.0/0",
		"192.0.2.0/255.255.255.0",
		"example.net/24",
		"*",
	};
	struct network network;

	for (size_t i = 0; i < nitems(rows); i++) {
		if (network_read(slice_of(rows[i]), &network))
			fail_msg("'%s' is taken", rows[i]);
	}
	assert_false(network_read((struct slice){ NULL, 0 }, &network));
}

static void assert_verdict(const char *text, uint16_t port, const char *expected,
			   const struct network *allowed, size_t allowed_count)
{
	struct address address = address_of(text);
	const char *why = address_refused(&address, port, allowed, allowed_count);

	if (why == expected || (why && expected && strcmp(why, expected) == 0))
		return;
	fail_msg("%s port %u: %s, not %s", text, port, why ? why : "dialled",
		 expected ? expected : "dialled");
}

/* SEC-21b; both ends of each network. NULL: may be dialled. */
static void a_public_record_reaches_no_network_of_ours(void **state)
{
	static const struct {
		const char *address, *why;
	} rows[] = {
		{ "0.0.0.0", "this network" },
		{ "0.255.255.255", "this network" },
		{ "1.0.0.0", NULL },
		{ "9.255.255.255", NULL },
		{ "10.0.0.0", "private" },
		{ "10.255.255.255", "private" },
		{ "11.0.0.0", NULL },
		{ "100.63.255.255", NULL },
		{ "100.64.0.0", "shared" },
		{ "100.127.255.255", "shared" },
		{ "100.128.0.0", NULL },
		{ "127.0.0.1", "loopback" },
		{ "127.255.255.255", "loopback" },
		{ "128.0.0.0", NULL },
		{ "169.253.255.255", NULL },
		{ "169.254.169.254", "link-local" },
		{ "169.255.0.0", NULL },
		{ "172.15.255.255", NULL },
		{ "172.16.0.0", "private" },
		{ "172.31.255.255", "private" },
		{ "172.32.0.0", NULL },
		{ "192.0.0.0", "reserved" },
		{ "192.0.0.255", "reserved" },
		{ "192.0.1.0", NULL },
		{ "192.0.2.1", "documentation" },
		{ "192.0.3.0", NULL },
		{ "192.88.99.1", "reserved" },
		{ "192.167.255.255", NULL },
		{ "192.168.0.0", "private" },
		{ "192.168.255.255", "private" },
		{ "192.169.0.0", NULL },
		{ "198.17.255.255", NULL },
		{ "198.18.0.0", "reserved" },
		{ "198.19.255.255", "reserved" },
		{ "198.20.0.0", NULL },
		{ "198.51.100.7", "documentation" },
		{ "203.0.113.7", "documentation" },
		{ "223.255.255.255", NULL },
		{ "224.0.0.1", "multicast" },
		{ "239.255.255.255", "multicast" },
		{ "240.0.0.0", "reserved" },
		{ "255.255.255.254", "reserved" },
		{ "255.255.255.255", "broadcast" },
		{ "::", "this network" },
		{ "::1", "loopback" },
		{ "::2", "reserved" },
		{ "::127.0.0.1", "reserved" }, /* IPv4-compatible, long deprecated */
		{ "::ffff:0:127.0.0.1", "reserved" },
		{ "100::1", "reserved" },
		{ "1fff:ffff::", "reserved" },
		{ "2000::1", NULL },
		{ "2001:2::1", "reserved" },
		{ "2001:2:1::1", NULL },
		{ "2001:10::1", "reserved" },
		{ "2001:2f:ffff::1", "reserved" },
		{ "2001:db7:ffff::1", NULL },
		{ "2001:db8::1", "documentation" },
		{ "2001:db9::1", NULL },
		{ "2a00:1450::1", NULL },
		{ "3fff::1", "documentation" },
		{ "3fff:fff:ffff::1", "documentation" },
		{ "3fff:1000::1", NULL },
		{ "4000::1", "reserved" },
		{ "fbff::1", "reserved" },
		{ "fc00::1", "private" },
		{ "fdff:ffff::1", "private" },
		{ "fe00::1", "reserved" },
		{ "fe80::1", "link-local" },
		{ "febf::1", "link-local" },
		{ "fec0::1", "private" },
		{ "ff02::1", "multicast" },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		assert_verdict(rows[i].address, 5269, rows[i].why, NULL, 0);
}

static void an_ipv4_address_inside_ipv6_counts(void **state)
{
	static const struct {
		const char *address, *why;
	} rows[] = {
		{ "::ffff:9.9.9.9", NULL },
		{ "::ffff:10.0.0.1", "private" },
		{ "::ffff:127.0.0.1", "loopback" },
		{ "::ffff:0.0.0.0", "this network" },
		{ "::ffff:255.255.255.255", "broadcast" },
		{ "64:ff9b::9.9.9.9", NULL },
		{ "64:ff9b::192.168.1.1", "private" },
		{ "64:ff9b::169.254.169.254", "link-local" },
		{ "64:ff9b:0:0:0:1:909:909", "reserved" },
		{ "64:ff9b:1::9.9.9.9", "private" },
		{ "2002:909:909::1", NULL },
		{ "2002:7f00:1::1", "loopback" },
		{ "2002:a00:1::1", "private" },
		{ "2002:c0a8:101:ffff::", "private" },
		{ "2001:0:909:909::f6f6:f6f6", NULL },	     /* server and client 9.9.9.9 */
		{ "2001:0:909:909::f5ff:fffe", "private" },  /* client 10.0.0.1 */
		{ "2001:0:a00:1::f6f6:f6f6", "private" },    /* server 10.0.0.1 */
		{ "2001:0:909:909::80ff:fffe", "loopback" }, /* client 127.0.0.1 */
	};

	for (size_t i = 0; i < nitems(rows); i++)
		assert_verdict(rows[i].address, 5269, rows[i].why, NULL, 0);
}

static void ports_below_1024_are_refused_but_443(void **state)
{
	static const uint16_t refused[] = { 0, 1, 22, 25, 53, 80, 442, 444, 1023 };
	static const uint16_t dialled[] = { 443, 1024, 5222, 5269, 5270, 65535 };
	struct network all[] = { network_of("0.0.0.0/0"), network_of("::/0") };

	for (size_t i = 0; i < nitems(refused); i++) {
		assert_verdict("9.9.9.9", refused[i], "port below 1024", NULL, 0);
		assert_verdict("2a00::1", refused[i], "port below 1024", NULL, 0);
		assert_verdict("9.9.9.9", refused[i], "port below 1024", all, nitems(all));
	}
	for (size_t i = 0; i < nitems(dialled); i++)
		assert_verdict("9.9.9.9", dialled[i], NULL, NULL, 0);
	assert_verdict("127.0.0.1", 22, "loopback", NULL, 0);
}

static void allowed_networks_are_exempt_in_every_form(void **state)
{
	struct network allowed[] = { network_of("10.1.0.0/16"), network_of("fd00::/16"),
				     network_of("192.0.2.7") };
	static const struct {
		const char *address, *why;
	} rows[] = {
		{ "10.1.2.3", NULL },
		{ "10.2.2.3", "private" },
		{ "fd00::1", NULL },
		{ "fd01::1", "private" },
		{ "192.0.2.7", NULL },
		{ "192.0.2.8", "documentation" },
		{ "::ffff:10.1.2.3", NULL },
		{ "::ffff:10.2.2.3", "private" },
		{ "64:ff9b::10.1.2.3", NULL },
		{ "2002:a01:203::1", NULL },
		{ "2002:a02:203::1", "private" },
		{ "2001:0:909:909::f5fe:fdfc", NULL },	  /* client 10.1.2.3 */
		{ "2001:0:a02:1::f5fe:fdfc", "private" }, /* its server 10.2.0.1 is not */
	};

	for (size_t i = 0; i < nitems(rows); i++)
		assert_verdict(rows[i].address, 5269, rows[i].why, allowed, nitems(allowed));
}

static void an_allowed_ipv6_network_exempts_what_it_carries(void **state)
{
	struct network allowed = network_of("64:ff9b::10.0.0.0/104");

	assert_verdict("64:ff9b::10.0.0.1", 5269, NULL, &allowed, 1);
	assert_verdict("64:ff9b::192.168.0.1", 5269, "private", &allowed, 1);
	assert_verdict("10.0.0.1", 5269, "private", &allowed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(equal_addresses_are_of_one_family),
		cmocka_unit_test(networks_have_their_addresses_and_no_others),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_public_record_reaches_no_network_of_ours),
		cmocka_unit_test(an_ipv4_address_inside_ipv6_counts),
		cmocka_unit_test(ports_below_1024_are_refused_but_443),
		cmocka_unit_test(allowed_networks_are_exempt_in_every_form),
		cmocka_unit_test(an_allowed_ipv6_network_exempts_what_it_carries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
