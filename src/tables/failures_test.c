#include "tables/failures.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

/* RFC 6120 8.3.3: the defined conditions that we use, each with the type it should have; two where
 * the RFC leaves the choice. */
static const struct {
	const char *condition, *type, *or_type;
} conditions[] = {
	{ "internal-server-error", "cancel", NULL }, { "item-not-found", "cancel", NULL },
	{ "not-acceptable", "modify", "cancel" },    { "not-allowed", "cancel", NULL },
	{ "policy-violation", "modify", "wait" },    { "remote-server-not-found", "cancel", NULL },
	{ "remote-server-timeout", "wait", NULL },   { "resource-constraint", "wait", NULL },
};

static bool condition_has_type(const char *condition, const char *type)
{
	for (size_t i = 0; i < nitems(conditions); i++) {
		if (strcmp(conditions[i].condition, condition) == 0)
			return strcmp(conditions[i].type, type) == 0 ||
			       (conditions[i].or_type && strcmp(conditions[i].or_type, type) == 0);
	}
	return false;
}

static void every_row_is_an_error_of_the_rfc(void **state)
{
	for (size_t i = 1; i < FAILURE_COUNT; i++) {
		const struct failure_row *row = &failure_rows[i];

		if (!condition_has_type(row->condition, row->type))
			fail_msg("%s: %s, %s", row->name, row->condition, row->type);
	}
}

/* "wait" tells the sender to try again, so what we try again ourselves is never another type. */
static void what_is_retried_says_wait(void **state)
{
	for (size_t i = 1; i < FAILURE_COUNT; i++) {
		if (failure_rows[i].retry)
			assert_string_equal(failure_rows[i].type, "wait");
	}
}

static void names_are_read_back_and_told_apart(void **state)
{
	static const char *const none[] = {
		"", "none", "los", "connection-los", "connection-lostx", "Connection-lost", "lost"
	};

	for (size_t i = 1; i < FAILURE_COUNT; i++) {
		const char *name = failure_name((enum failure)i);

		assert_true(strlen(name) > 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
		assert_int_equal(failure_read(name, strlen(name)), i); /* and so no name twice */
	}
	for (size_t i = 0; i < nitems(none); i++)
		assert_int_equal(failure_read(none[i], strlen(none[i])), FAILURE_NONE);
	assert_int_equal(failure_read("timeout-and-more", strlen("timeout")), FAILURE_TIMEOUT);
	assert_string_equal(failure_name(FAILURE_NONE), "none");
}

/* SEC-28: settings, log lines and hosts are the operator's; their names have a dot in them. */
static void the_sender_is_told_something_and_nothing_from_inside(void **state)
{
	static const char *const ours[] = { ".", ":", "5269", "edge", "core", "secret", "list" };

	for (size_t i = 1; i < FAILURE_COUNT; i++) {
		assert_true(strlen(failure_rows[i].text) > 0);
		assert_true(strlen(failure_rows[i].advice) > 0);
		for (size_t j = 0; j < nitems(ours); j++) {
			if (strstr(failure_rows[i].text, ours[j]))
				fail_msg("%s tells: %s", failure_rows[i].name,
					 failure_rows[i].text);
		}
	}
}

/* Which list a domain is on is nobody's business outside. */
static void both_lists_look_alike_from_outside(void **state)
{
	const struct failure_row *allow = &failure_rows[FAILURE_NOT_ON_ALLOW_LIST];
	const struct failure_row *deny = &failure_rows[FAILURE_ON_DENY_LIST];

	assert_string_equal(allow->text, deny->text);
	assert_string_equal(allow->condition, deny->condition);
	assert_string_equal(allow->type, deny->type);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_an_error_of_the_rfc),
		cmocka_unit_test(what_is_retried_says_wait),
		cmocka_unit_test(names_are_read_back_and_told_apart),
		cmocka_unit_test(the_sender_is_told_something_and_nothing_from_inside),
		cmocka_unit_test(both_lists_look_alike_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
