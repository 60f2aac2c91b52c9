#include "base/base64.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* RFC 4648, section 10. */
static void the_examples_of_the_rfc(void **state)
{
	static const char *const rows[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer out = { 0 };
		char *text;

		base64_encode(&out, slice_of(rows[i][0]));
		text = buffer_take_text(&out);
		assert_string_equal(text, rows[i][1]);
		assert_true(base64_decode(&out, slice_of(text)));
		free(text);
		text = buffer_take_text(&out);
		assert_string_equal(text, rows[i][0]);
		free(text);
	}
}

static void what_is_not_base64_is_refused_and_appends_nothing(void **state)
{
	static const char *const rows[] = { "Z",    "Zg",	"Zg=",	    "Zg==Zg==", "Zm8=x",
					    "Zh==", "Zm9=",	"====",	    "=m9v",	"Zm9v\n",
					    "Zm 9", "Zm9vZ===", "Zm9v-_aa", "Zm9vZg=a" };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct buffer out = { 0 };

		buffer_append_text(&out, "kept");
		if (base64_decode(&out, slice_of(rows[i])))
			fail_msg("taken: %s", rows[i]);
		assert_int_equal(buffer_len(&out), 4);
		buffer_finish(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc),
		cmocka_unit_test(what_is_not_base64_is_refused_and_appends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
