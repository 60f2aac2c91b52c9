#include "policy/majority.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void most_count_and_then_the_first(void **state)
{
	static const struct {
		const char *letters;
		char expected;
	} rows[] = { { "a", 'a' },   { "ab", 'a' },  { "abb", 'b' },
		     { "bba", 'b' }, { "abc", 'a' }, { "abcbca", 'a' } };

	for (size_t i = 0; i < nitems(rows); i++) {
		struct slice fingerprints[8];
		size_t count = 0;

		for (const char *c = rows[i].letters; *c; c++)
			fingerprints[count++] = (struct slice){ c, 1 };
		assert_int_equal(majority(fingerprints, count).data[0], rows[i].expected);
	}
	assert_null(majority(NULL, 0).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(most_count_and_then_the_first) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
