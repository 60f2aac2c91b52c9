#include "policy/domain.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"

static void domains_are_prepared(void **state)
{
	static const struct {
		const char *text, *domain;
	} rows[] = {
		{ "example.net", "example.net" },
		{ "EXAMPLE.Net", "example.net" },
		{ "example.net.", "example.net" },
		{ "localhost", "localhost" },
		{ "a", "a" },
		{ "3com.example", "3com.example" },
		{ "4.3.2.1.example", "4.3.2.1.example" },
		{ "r3---sn-x.example", "r3---sn-x.example" },
		{ "xmpp_1._tcp.example", "xmpp_1._tcp.example" },
		/* U-labels, A-labels and their spellings (RFC 5895, RFC 7622 3.2.2) */
		{ "bücher.example", "xn--bcher-kva.example" },
		{ "BÜCHER.Example.", "xn--bcher-kva.example" },
		{ "bu\xcc\x88\x63her.example",
		  "xn--bcher-kva.example" }, /* u and a combining diaeresis */
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" },
		{ "XN--Bcher-KVA.example", "xn--bcher-kva.example" },
		{ "www.xn--bcher-kva.example.", "www.xn--bcher-kva.example" },
		{ "\xe5\x85\xac\xe7\x9b\x8a.\xe5\x92\x8c\xe6\xad\x8c\xe5\xb1\xb1",
		  "xn--55qw42g.xn--0trq7p7nn" },
		{ "\xef\xbc\xa1\xef\xbd\x82.example", "ab.example" }, /* fullwidth A, b */
		{ "a\xe3\x80\x82\x62\xef\xbc\x8e\x65xample\xef\xbd\xa1",
		  "a.b.example" }, /* the other full stops */
		{ "xn--fa-hia.example", "xn--fa-hia.example" },
		{ "_x.bücher", "_x.xn--bcher-kva" },
		/* addresses (RFC 7622 3.2) */
		{ "192.0.2.1", "192.0.2.1" },
		{ "\xef\xbc\x91\xef\xbc\x99\xef\xbc\x92.0.2.1", "192.0.2.1" },
		{ "[2001:db8::1]", "[2001:db8::1]" },
		{ "[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]" },
		{ "[::FFFF:192.0.2.1].", "[::ffff:192.0.2.1]" },
		{ "[0000:0000:0000:0000:0000:ffff:192.168.100.100]", "[::ffff:192.168.100.100]" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char domain[DOMAIN_BYTES + 1] = "", again[DOMAIN_BYTES + 1];

		if (!domain_prepare(slice_of(rows[i].text), domain))
			fail_msg("%s is refused", rows[i].text);
		assert_string_equal(domain, rows[i].domain);
		assert_true(domain_prepare(slice_of(domain), again));
		assert_string_equal(again, domain);
	}
}

static void what_is_no_domain_is_refused_and_touches_nothing(void **state)
{
	static const char *const rows[] = {
		"",
		".",
		"..",
		".example",
		"a..example",
		"a.example..",
		"a.example.\xe3\x80\x82",
		"\xe3\x80\x82",
		"a..bücher",
		"-a.example",
		"a-.example",
		"a.-",
		"*.example",
		"a b.example",
		" example",
		"example\n",
		"example:5269",
		"user@example",
		"bü@example",
		"example/x",
		"bü\xef\xbc\x8f\x65xample", /* fullwidth solidus */
		"bü\xef\xbc\xa0\x65xample", /* fullwidth commercial at */
		"bü_cher.example",
		"xn--b_cher-3ya.example",
		"xn--.example",
		"xn--a.example",
		"xn--abc-.example",
		"xn--0000h.example",
		"\xe2\x98\x83.example", /* a snowman: not in IDNA2008 */
		"xn--n3h.example",
		"\xff.example",
		"\xc0\xaf.example",
		"\xed\xa0\x80.example",
		"\xd9\xa1\xd9\xa2.example", /* Arabic digits break the bidi rule */
		"\xc2\xad.example",	    /* nothing but a soft hyphen */
		/* read differently by servers of RFC 6122 */
		"faß.example",
		"\xce\xb2\xcf\x8c\xce\xbb\xce\xbf\xcf\x82.example",
		"\xe0\xb6\x81\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb.example",
		/* almost addresses */
		"1",
		"127.1",
		"2130706433",
		"0x7f000001",
		"0x7f.1",
		"a.0x",
		"192.0.2.256",
		"192.0.2.01",
		"1.2.3.4.5",
		"example.1",
		"::1",
		"[]",
		"[",
		"]",
		"[::1",
		"::1]",
		"[::1]]",
		"[[::1]]",
		"[::1]a",
		"[::1]..",
		"[192.0.2.1]",
		"[fe80::1%eth0]",
		"[v1.x]",
		"[::\xef\xbc\x91]",
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char domain[DOMAIN_BYTES + 1] = "untouched";

		if (domain_prepare(slice_of(rows[i]), domain))
			fail_msg("'%s' is taken as '%s'", rows[i], domain);
		assert_string_equal(domain, "untouched");
	}
	assert_false(domain_prepare((struct slice){ NULL, 0 }, NULL));
	assert_false(domain_prepare((struct slice){ "a\0b.example", 11 }, NULL));
	assert_false(domain_prepare((struct slice){ "bü\0.example", 12 }, NULL));
}

static void a_label_has_at_most_63_bytes_and_a_domain_253(void **state)
{
	char text[] = L63 "." L63 "." L63 "." L63;
	char domain[DOMAIN_BYTES + 1], again[DOMAIN_BYTES + 1];
	static char line[10000];

	assert_true(domain_prepare(slice_of(L63 ".example"), domain));
	assert_false(domain_prepare(slice_of(L63 "4.example"), domain));
	assert_false(domain_prepare((struct slice){ text, 254 }, domain));
	assert_true(domain_prepare((struct slice){ text, 253 }, domain));
	assert_int_equal(strlen(domain), DOMAIN_BYTES);
	text[253] = '.';
	assert_true(domain_prepare((struct slice){ text, 254 }, again)); /* the dot doesn't count */
	assert_string_equal(domain, again);

	memset(line, 'a', sizeof(line));
	for (size_t i = 50; i < sizeof(line); i += 50)
		line[i] = '.';
	assert_false(domain_prepare((struct slice){ line, sizeof(line) }, domain));
	line[0] = '\xc3'; /* a u with diaeresis */
	line[1] = '\xbc';
	for (size_t len = 200; len <= sizeof(line); len += len < 1100 ? 1 : 997) {
		if (domain_prepare((struct slice){ line, len }, domain))
			assert_true(strlen(domain) <= DOMAIN_BYTES);
	}
}

/* Eleven hiragana a: 33 bytes become an A-label of 16. */
#define KANA3 "\xe3\x81\x82\xe3\x81\x82\xe3\x81\x82"
#define KANA11 KANA3 KANA3 KANA3 "\xe3\x81\x82\xe3\x81\x82"

static void a_u_label_may_take_more_bytes_than_its_a_label(void **state)
{
	static const char text[] = KANA11 "." KANA11 "." KANA11 "." KANA11 "." KANA11 "." KANA11
					  "." KANA11 "." KANA11 "." KANA11;
	char domain[DOMAIN_BYTES + 1];

	assert_true(strlen(text) > DOMAIN_BYTES);
	assert_true(domain_prepare(slice_of(text), domain));
	assert_true(strlen(domain) < strlen(text));
}

static void only_a_literal_is_an_address(void **state)
{
	assert_true(domain_is_address("192.0.2.1"));
	assert_true(domain_is_address("[2001:db8::1]"));
	assert_false(domain_is_address("example.net"));
	assert_false(domain_is_address("4.3.2.1.example"));
	assert_false(domain_is_address("1.2.3.4a"));
}

static void a_domain_lies_below_whole_labels_only(void **state)
{
	static const struct {
		const char *domain, *parent;
		bool below;
	} rows[] = {
		{ "a.example", "example", true },     { "b.a.example", "example", true },
		{ "b.a.example", "a.example", true }, { "example", "example", false },
		{ "badexample", "example", false },   { "example", "a.example", false },
		{ "a.example", "b.example", false },  { "example.a", "example", false },
		{ "a.example", "", false },	      { "", "", false },
		{ ".example", "example", false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		if (domain_is_below(rows[i].domain, rows[i].parent) != rows[i].below)
			fail_msg("%s below %s", rows[i].domain, rows[i].parent);
	}
}

static struct slice part(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

/* RFC 7622 3.5, then ours. */
static void jids_are_split_at_the_first_slash_and_the_first_at(void **state)
{
	static const struct {
		const char *text, *local, *domain, *resource;
	} rows[] = {
		{ "juliet@example.com", "juliet", "example.com", NULL },
		{ "juliet@example.com/foo", "juliet", "example.com", "foo" },
		{ "juliet@example.com/foo bar", "juliet", "example.com", "foo bar" },
		{ "juliet@example.com/foo@bar", "juliet", "example.com", "foo@bar" },
		{ "foo\\20bar@example.com", "foo\\20bar", "example.com", NULL },
		{ "fussball@example.com", "fussball", "example.com", NULL },
		{ "fußball@example.com", "fußball", "example.com", NULL },
		{ "king@example.com/\xe2\x99\x9a", "king", "example.com", "\xe2\x99\x9a" },
		{ "example.com", NULL, "example.com", NULL },
		{ "example.com/foobar", NULL, "example.com", "foobar" },
		{ "a.example.com/b@example.net", NULL, "a.example.com", "b@example.net" },
		{ "a@b/c/d@e/f", "a", "b", "c/d@e/f" },
		{ "a@[::1]/x", "a", "[::1]", "x" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct jid jid;

		assert_true(jid_split(slice_of(rows[i].text), &jid));
		assert_true(slice_equals(jid.local, part(rows[i].local)));
		assert_true(slice_equals(jid.domain, part(rows[i].domain)));
		assert_true(slice_equals(jid.resource, part(rows[i].resource)));
		assert_true((jid.local.data == NULL) == (rows[i].local == NULL));
		assert_true((jid.resource.data == NULL) == (rows[i].resource == NULL));
	}
}

static void what_is_no_jid_is_not_split(void **state)
{
	static const char *const rows[] = {
		"",	"@",	    "/",       "@example.com",
		"foo@", "foo@/bar", "/foobar", "example.com/",
		"a@b/", "a@b@c",    "a@@c",    "@/",
	};
	struct jid jid = { .domain = { "untouched", 9 } };

	for (size_t i = 0; i < nitems(rows); i++) {
		if (jid_split(slice_of(rows[i]), &jid))
			fail_msg("'%s' is split", rows[i]);
	}
	assert_false(jid_split((struct slice){ NULL, 0 }, &jid));
	assert_true(slice_is(jid.domain, "untouched"));
}

static void a_part_of_a_jid_has_at_most_1023_bytes(void **state)
{
	static const char *const forms[] = { "%s", "%s@b", "a@%s", "a@b/%s" };
	char long_part[JID_PART_BYTES + 2], text[JID_PART_BYTES + 10];
	struct jid jid;

	memset(long_part, 'x', sizeof(long_part));
	long_part[JID_PART_BYTES + 1] = '\0';
	for (size_t i = 0; i < nitems(forms); i++) {
		const char *cut = strstr(forms[i], "%s");

		for (size_t len = JID_PART_BYTES; len <= JID_PART_BYTES + 1; len++) {
			snprintf(text, sizeof(text), "%.*s%.*s%s", (int)(cut - forms[i]), forms[i],
				 (int)len, long_part, cut + 2);
			assert_int_equal(jid_split(slice_of(text), &jid), len == JID_PART_BYTES);
		}
	}
}

/* SEC-20a: what a peer that is authenticated as evil.example may put into 'from'. */
static void only_prepared_equality_makes_a_sender(void **state)
{
	static const struct {
		const char *from;
		bool same;
	} rows[] = {
		{ "evil.example", true },
		{ "a@evil.example/x", true },
		{ "a@EVIL.example", true },
		{ "a@evil.example./x", true },
		{ "victim.example", false },
		{ "evil.example@victim.example", false },
		{ "a@victim.example/a@evil.example", false },
		{ "victim.example/evil.example", false },
		{ "evil.example@x", false },
		{ "sub.evil.example", false },
		{ "evil.example..", false },
		{ "evïl.example", false },
		{ "a@victim.example@evil.example", false },
		{ "", false },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char domain[DOMAIN_BYTES + 1];
		bool same = jid_domain(slice_of(rows[i].from), domain) &&
			    strcmp(domain, "evil.example") == 0;

		if (same != rows[i].same)
			fail_msg("%s", rows[i].from);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_prepared),
		cmocka_unit_test(what_is_no_domain_is_refused_and_touches_nothing),
		cmocka_unit_test(a_label_has_at_most_63_bytes_and_a_domain_253),
		cmocka_unit_test(a_u_label_may_take_more_bytes_than_its_a_label),
		cmocka_unit_test(only_a_literal_is_an_address),
		cmocka_unit_test(a_domain_lies_below_whole_labels_only),
		cmocka_unit_test(jids_are_split_at_the_first_slash_and_the_first_at),
		cmocka_unit_test(what_is_no_jid_is_not_split),
		cmocka_unit_test(a_part_of_a_jid_has_at_most_1023_bytes),
		cmocka_unit_test(only_prepared_equality_makes_a_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
