#include "provision/code.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PIN "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff"
#define PIN64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv8"
#define SECRET "aaaqeayeaudaocajbifqydiob4"
#define CODE "edge-a@192.0.2.1:2222/" PIN64 "/" SECRET

/* RFC 4648 10 has no example of this length; base64.b32encode(bytes(range(16))) agrees. */
static void a_secret_is_base32(void **state)
{
	unsigned char random[CODE_SECRET_BYTES];
	char secret[CODE_SECRET_CHARS + 1];

	for (unsigned char i = 0; i < sizeof(random); i++)
		random[i] = i;
	code_secret(random, secret);
	assert_string_equal(secret, SECRET);
}

static void what_is_written_reads_the_same(void **state)
{
	static const char *const addresses[] = { "192.0.2.1:2222", "[2001:db8::1]:65535" };

	for (size_t i = 0; i < nitems(addresses); i++) {
		struct pairing_code code = { "edge-a", "", PIN, SECRET }, read;
		char text[CODE_TEXT_BYTES];
		const char *why;

		strcpy(code.address, addresses[i]);
		code_write(&code, text);
		if (i == 0)
			assert_string_equal(text, CODE);
		assert_true(code_read(text, &read, &why));
		assert_string_equal(read.node, code.node);
		assert_string_equal(read.address, code.address);
		assert_string_equal(read.pin, PIN);
		assert_string_equal(read.secret, SECRET);
	}
}

static void a_code_that_is_cut_off_anywhere_is_refused(void **state)
{
	for (size_t len = 0; len < strlen(CODE); len++) {
		char text[CODE_TEXT_BYTES] = "";
		struct pairing_code code;
		const char *why = NULL;

		memcpy(text, CODE, len);
		assert_false(code_read(text, &code, &why));
		assert_non_null(why);
	}
}

static void what_is_not_a_code_is_refused_with_the_part_that_is_wrong(void **state)
{
	static const char *const rows[][2] = {
		{ "", "node's name" },
		{ "ed ge@192.0.2.1:2222/" PIN64 "/" SECRET, "node's name" },
		{ "-e@192.0.2.1:2222/" PIN64 "/" SECRET, "node's name" },
		{ "e@example.net:2222/" PIN64 "/" SECRET, "address" },
		{ "e@192.0.2.1/" PIN64 "/" SECRET, "address" },
		{ "e@192.0.2.1:0/" PIN64 "/" SECRET, "address" },
		{ "e@192.0.2.1:65536/" PIN64 "/" SECRET, "address" },
		{ "e@2001:db8::1:22/" PIN64 "/" SECRET, "address" },
		{ "e@[192.0.2.1]:22/" PIN64 "/" SECRET, "address" },
		{ "e@192.0.2.1:22/" PIN64 "A/" SECRET, "fingerprint" },
		{ "e@192.0.2.1:22/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHv9/" SECRET,
		  "fingerprint" }, /* bits left over */
		{ "e@192.0.2.1:22/" PIN64 "/" SECRET "a", "secret" },
		{ "e@192.0.2.1:22/" PIN64 "/AAAQEAYEAUDAOCAJBIFQYDIOB4", "secret" },
		{ "e@192.0.2.1:22/" PIN64 "/aaaqeayeaudaocajbifqydiob5", "secret" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct pairing_code code;
		const char *why = NULL;

		assert_false(code_read(rows[i][0], &code, &why));
		assert_non_null(strstr(why, rows[i][1]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_base32),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(a_code_that_is_cut_off_anywhere_is_refused),
		cmocka_unit_test(what_is_not_a_code_is_refused_with_the_part_that_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
