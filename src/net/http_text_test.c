#include "net/http_text.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void percent_signs_are_undone_or_refused(void **state)
{
	static const struct {
		const char *text, *read; /* NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "example.net", "example.net" },
		{ "%41%7a", "Az" },
		{ "b%C3%BCcher.example", "b\xc3\xbc"
					 "cher.example" },
		{ "a+b", "a+b" },
		{ "%", NULL },
		{ "%4", NULL },
		{ "%4g", NULL },
		{ "a%00b", NULL },
		{ "%2e%2E", ".." },
		{ "%+1", NULL },
		{ "1234567890123456789012345678901", NULL },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char out[31] = "untouched";

		assert_int_equal(http_decode(slice_of(rows[i].text), out, sizeof(out)),
				 rows[i].read != NULL);
		assert_string_equal(out, rows[i].read ? rows[i].read : "untouched");
	}
}

static void a_query_is_read_by_name(void **state)
{
	static const struct {
		const char *query, *name, *read;
	} rows[] = {
		{ "last=200&text=a+b%2Bc", "last", "200" },
		{ "last=200&text=a+b%2Bc", "text", "a b+c" },
		{ "last=200&text=a+b%2Bc", "ext", NULL },
		{ "last=200&text=a+b%2Bc", "las", NULL },
		{ "a=1&a=2", "a", "1" },
		{ "a=", "a", "" },
		{ "a", "a", NULL },
		{ "&&a=1&", "a", "1" },
		{ "a=%zz", "a", NULL },
		{ "", "a", NULL },
		{ NULL, "a", NULL },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char out[32] = "untouched";

		assert_int_equal(http_query(rows[i].query, rows[i].name, out, sizeof(out)),
				 rows[i].read != NULL);
		assert_string_equal(out, rows[i].read ? rows[i].read : "untouched");
	}
}

static void a_cookie_is_found_among_others(void **state)
{
	static const struct {
		const char *header, *value;
	} rows[] = {
		{ "__Host-sallyport=abc", "abc" },
		{ "a=1; __Host-sallyport=abc; b=2", "abc" },
		{ "a=1;__Host-sallyport=abc ;b=2", "abc" },
		{ "x__Host-sallyport=abc", NULL },
		{ "a=__Host-sallyport=abc", NULL },
		{ "__Host-sallyport", NULL },
		{ "__Host-sallyport=", "" },
		{ "__Host-sallyport=one; __Host-sallyport=two", "one" },
		{ ";;; ", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		const char *expected = rows[i].value;
		struct slice value;
		bool found = http_cookie(rows[i].header, "__Host-sallyport", &value);

		assert_int_equal(found, expected != NULL);
		if (found && expected)
			assert_true(slice_is(value, expected));
	}
}

static void a_list_has_its_words_and_no_parts_of_them(void **state)
{
	assert_true(http_list_has("\"abc\"", "\"abc\""));
	assert_true(http_list_has("W/\"x\", W/\"abc\"", "\"abc\""));
	assert_true(http_list_has("br;q=1.0, gzip;q=0.8", "gzip"));
	assert_false(http_list_has("\"abcd\"", "\"abc\""));
	assert_false(http_list_has("x-gzip", "gzip"));
	assert_false(http_list_has("", "gzip"));
	assert_false(http_list_has(NULL, "gzip"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(percent_signs_are_undone_or_refused),
		cmocka_unit_test(a_query_is_read_by_name),
		cmocka_unit_test(a_cookie_is_found_among_others),
		cmocka_unit_test(a_list_has_its_words_and_no_parts_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
