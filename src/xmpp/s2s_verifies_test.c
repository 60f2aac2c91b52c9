#include "xmpp/s2s_verifies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void only_what_was_sent_is_found_the_oldest_first(void **state)
{
	struct s2s_verifies verifies = { 0 };
	struct s2s_verify *first = s2s_verifies_add(&verifies, "1", slice_of("key"));
	struct s2s_verify *second = s2s_verifies_add(&verifies, "1", slice_of(""));

	assert_null(s2s_verifies_find(&verifies, slice_of("1")));
	second->sent = true;
	assert_ptr_equal(s2s_verifies_find(&verifies, slice_of("1")), second);
	first->sent = true;
	assert_ptr_equal(s2s_verifies_find(&verifies, slice_of("1")), first);
	assert_null(s2s_verifies_find(&verifies, slice_of("")));
	assert_null(s2s_verifies_find(&verifies, (struct slice){ 0 }));
	assert_true(slice_is(first->key, "key"));
	s2s_verifies_remove(&verifies, first);
	assert_ptr_equal(s2s_verifies_find(&verifies, slice_of("1")), second);
	s2s_verifies_remove(&verifies, second);
	assert_int_equal(verifies.count, 0);
}

static void the_next_due_is_the_earliest(void **state)
{
	static const uint64_t dues[] = { 30, 10, 20 };
	struct s2s_verifies verifies = { 0 };

	assert_int_equal(s2s_verifies_next_due(&verifies), 0);
	for (size_t i = 0; i < 3; i++)
		s2s_verifies_add(&verifies, "1", slice_of("k"))->due_ms = dues[i];
	assert_int_equal(s2s_verifies_next_due(&verifies), 10);
	while (verifies.first)
		s2s_verifies_remove(&verifies, verifies.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_was_sent_is_found_the_oldest_first),
		cmocka_unit_test(the_next_due_is_the_earliest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
