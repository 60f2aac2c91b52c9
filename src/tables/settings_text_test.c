#include "tables/settings_text.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void fingerprint(const char *secret, char digits[SETTINGS_TEXT_DIGITS + 1])
{
	snprintf(digits, SETTINGS_TEXT_DIGITS + 1, "%08x", (unsigned)strlen(secret));
}

/* What is read, written again; or why it cannot be read. */
static char *again(const char *bytes)
{
	struct buffer out = { 0 };
	char *why = NULL;
	struct settings_text *text = settings_text_read(slice_of(bytes), &why);

	if (!text)
		return why;
	for (size_t i = 0; i < settings_count; i++) {
		unsigned line;
		const struct setting_value *value = settings_text_value(text, &settings[i], &line);

		if (value)
			settings_text_write(&out, &settings[i], value, fingerprint);
	}
	settings_text_destroy(&text);
	return buffer_take_text(&out);
}

static void assert_again(const char *bytes, const char *expected)
{
	char *got = again(bytes);

	assert_string_equal(got, expected);
	free(got);
}

static void a_text_is_written_as_it_was_read(void **state)
{
	static const char text[] = "federation.enabled = on\n"
				   "federation.allow_list = a.example\n"
				   "federation.allow_list = b.example\n"
				   "federation.deny_list =\n"
				   "federation.static_routes = a.example 192.0.2.1 5269 1\n"
				   "tls.certificate = <<END\n"
				   "-----BEGIN CERTIFICATE-----\n"
				   "AAAA\n"
				   "-----END CERTIFICATE-----\n"
				   "END\n";

	assert_again(text, text);
}

static void layout_does_not_matter(void **state)
{
	assert_again("# all of it\r\n\n  federation.enabled=on  \r\n\tlimits.depth  =  60",
		     "federation.enabled = on\nlimits.depth = 60\n");
	assert_again("", "");
	assert_again("tls.certificate = <<X\nline\n  X  \n", "tls.certificate = line\n");
}

static void what_looks_like_syntax_is_written_so_that_it_is_none(void **state)
{
	static const char *const rows[] = {
		"axl.users = <<END\n<<x (secret 00000006) axl\nEND\n",
		"axl.users = (secret (secret 00000006) axl\n",
		"tls.trust = <<END1\nAAAA\nEND\nBBBB\nEND1\n",
		"tls.trust = <<END2\nEND1\n END\t\nEND2\n",
		"tls.trust = <<END\n\n\nEND\n",
		"tls.trust = <<END\nEND\n",
	};
	char here[] = "<<x secret axl", bracket[] = "(secret secret axl";
	char *users[] = { here, bracket };
	struct buffer out = { 0 };
	char *text;

	for (size_t i = 2; i < nitems(rows); i++)
		assert_again(rows[i], rows[i]);
	for (size_t i = 0; i < nitems(users); i++) {
		settings_text_write(&out, setting_find("axl.users"),
				    &(struct setting_value){ &users[i], 1 }, fingerprint);
		text = buffer_take_text(&out);
		assert_string_equal(text, rows[i]);
		free(text);
	}
}

static void a_here_document_of_one_line_is_that_line(void **state)
{
	char *why = NULL;
	struct settings_text *text =
		settings_text_read(slice_of("axl.users = <<E\n<<x (secret 0a0b0c0d) axl\nE"), &why);
	unsigned line;

	assert_non_null(text);
	assert_string_equal(settings_text_value(text, setting_find("axl.users"), &line)->entries[0],
			    "<<x (secret:0a0b0c0d) axl");
	settings_text_destroy(&text);
}

static void a_nul_byte_is_refused(void **state)
{
	static const char bytes[] = "# x\ntls.trust = <<END\nAA\0A\nEND\n";
	char *why = NULL;

	assert_null(settings_text_read((struct slice){ bytes, sizeof(bytes) - 1 }, &why));
	assert_string_equal(why, "line 3: a NUL byte");
	free(why);
}

static void secrets_are_written_as_fingerprints(void **state)
{
	char *entry = xstrdup("sesame-open-yourself"),
	     *row = xstrdup("users prosody 192.0.2.1 5347 "
			    "g.example sesame h.example");
	const struct setting_value secret = { &entry, 1 }, rows = { &row, 1 };
	struct buffer out = { 0 };
	char *text;

	settings_text_write(&out, setting_find("federation.dialback_secret"), &secret, fingerprint);
	settings_text_write(&out, setting_find("attachments"), &rows, fingerprint);
	text = buffer_take_text(&out);
	assert_string_equal(text, "federation.dialback_secret = (secret 00000014)\n"
				  "attachments = users prosody 192.0.2.1 5347 g.example "
				  "(secret 00000006) h.example\n");
	free(text);
	free(entry);
	free(row);
}

static void fingerprints_are_read_as_one_field(void **state)
{
	char *why = NULL, digits[SETTINGS_TEXT_DIGITS + 1];
	struct settings_text *text = settings_text_read(
		slice_of("attachments = users prosody 192.0.2.1 5347 g.example (secret 0a0b0c0d) "
			 "h.example\n"),
		&why);
	const struct setting *setting = setting_find("attachments");
	struct slice fields[SETTING_FIELDS_MAX];
	unsigned line;

	assert_int_equal(setting_split(setting,
				       settings_text_value(text, setting, &line)->entries[0],
				       fields),
			 7);
	assert_int_equal(line, 1);
	assert_true(settings_text_is_secret(fields[5], digits));
	assert_string_equal(digits, "0a0b0c0d");
	assert_false(settings_text_is_secret(fields[4], digits));
	assert_false(settings_text_is_secret(slice_of("(secret:0a0b0c0)"), digits));
	assert_false(settings_text_is_secret(slice_of("(secret:0a0b0c0g)"), digits));
	settings_text_destroy(&text);
}

static void what_cannot_be_read_is_named_with_its_line(void **state)
{
	static const char *const rows[][2] = {
		{ "federation.enabled", "line 1: not `name = value`" },
		{ "\n# x\nfederation.nonsense = on",
		  "line 3: federation.nonsense: no such setting" },
		{ "federation.enabled = on\nfederation.enabled = off",
		  "line 2: federation.enabled: it is there already, in line 1" },
		{ "federation.deny_list =\nfederation.deny_list = a.example",
		  "line 2: federation.deny_list: it is there already, in line 1" },
		{ "tls.certificate = <<END\nAAAA\n",
		  "line 1: no line 'END' ends what begins here" },
		{ "= on", "line 1: what is before =: no such setting" },
		{ "tls.private_key = -----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==",
		  "line 2: what is before =: no such setting" },
	};

	for (size_t i = 0; i < nitems(rows); i++)
		assert_again(rows[i][0], rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_written_as_it_was_read),
		cmocka_unit_test(layout_does_not_matter),
		cmocka_unit_test(what_looks_like_syntax_is_written_so_that_it_is_none),
		cmocka_unit_test(a_here_document_of_one_line_is_that_line),
		cmocka_unit_test(a_nul_byte_is_refused),
		cmocka_unit_test(secrets_are_written_as_fingerprints),
		cmocka_unit_test(fingerprints_are_read_as_one_field),
		cmocka_unit_test(what_cannot_be_read_is_named_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
