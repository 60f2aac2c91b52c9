#include "admin/accounts.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define RIGHT "correct horse battery"

static struct loop *loop;
static struct accounts *accounts;
static char hash[crypto_pwhash_STRBYTES]; /* of RIGHT */

/* Answers in the order in which they came. */
static struct {
	bool right;
	char hash[ACCOUNT_HASH_BYTES];
	uint64_t took_us;
} answers[8];
static size_t answered, expected;
static uint64_t since_us;

static void on_answer(void *arg, bool right, const char *hashed)
{
	answers[answered].right = right;
	answers[answered].took_us = loop_clock_us() - since_us;
	snprintf(answers[answered].hash, sizeof(answers[answered].hash), "%s",
		 hashed ? hashed : "");
	since_us = loop_clock_us();
	if (++answered == expected)
		loop_stop(loop);
}

static void wait_for(size_t count)
{
	expected = count;
	since_us = loop_clock_us();
	loop_run(loop);
	assert_int_equal(answered, count);
	answered = 0;
}

static void apply(const char *name, const char *role, const char *password)
{
	struct buffer out = { 0 };
	struct snapshot *snapshot;
	const char *why;

	snapshot_begin(&out, 1, 1);
	snapshot_add(&out, &(struct snapshot_record){ 4,
						      { slice_of("admin.accounts"), slice_of(name),
							slice_of(role), slice_of(password) } });
	snapshot_add(&out, &(struct snapshot_record){ 4,
						      { slice_of("admin.accounts"), slice_of("new"),
							slice_of("viewer"), slice_of("unset") } });
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(snapshot);
	accounts_apply(accounts, snapshot);
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
}

static int set_up(void **state)
{
	loop = loop_create();
	accounts = accounts_create(loop);
	apply("anna", "operator", hash);
	return 0;
}

static int tear_down(void **state)
{
	accounts_destroy(&accounts);
	loop_destroy(&loop);
	answered = 0;
	return 0;
}

static bool is_right(const char *name, const char *password)
{
	assert_true(accounts_check(accounts, name, password, on_answer, NULL));
	wait_for(1);
	return answers[0].right;
}

static void roles_are_what_they_may(void **state)
{
	static const struct {
		const char *role;
		enum access access;
	} rows[] = { { "viewer", ACCESS_VIEW },
		     { "operator", ACCESS_OPERATE },
		     { "admin", ACCESS_ADMIN } };

	for (size_t i = 0; i < nitems(rows); i++) {
		apply("anna", rows[i].role, hash);
		assert_int_equal(accounts_find(accounts, "anna")->access, rows[i].access);
	}
	assert_null(accounts_find(accounts, "berta"));
	assert_null(accounts_find(accounts, ""));
}

static void only_the_right_password_is_right(void **state)
{
	assert_true(is_right("anna", RIGHT));
	assert_false(is_right("anna", RIGHT "y"));
	assert_false(is_right("anna", ""));
	assert_false(is_right("berta", RIGHT));
	assert_false(is_right("new", RIGHT));
	assert_false(is_right("new", "unset"));
	apply("anna", "admin", "plain-text");
	assert_false(is_right("anna", "plain-text"));
}

static void who_is_nobody_takes_as_long(void **state)
{
	static const char *const names[] = { "anna", "nobody", "new" };
	uint64_t least[3] = { UINT64_MAX, UINT64_MAX, UINT64_MAX };

	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < nitems(names); i++) {
			is_right(names[i], "wrong");
			if (answers[0].took_us < least[i])
				least[i] = answers[0].took_us;
		}
	}
	assert_in_range(least[1], least[0] / 2, least[0] * 2);
	assert_in_range(least[2], least[0] / 2, least[0] * 2);
}

static void a_password_that_is_changed_while_it_waits_is_right_no_more(void **state)
{
	char newer[ACCOUNT_HASH_BYTES];

	assert_true(accounts_hash(accounts, "another password", on_answer, NULL));
	wait_for(1);
	memcpy(newer, answers[0].hash, sizeof(newer));
	assert_true(accounts_check(accounts, "anna", RIGHT, on_answer, NULL));
	apply("anna", "operator", newer);
	wait_for(1);
	assert_false(answers[0].right);
	assert_true(is_right("anna", "another password"));
}

static void passwords_wait_in_a_line_that_ends(void **state)
{
	for (int i = 0; i < ACCOUNTS_WAITING_MAX; i++)
		assert_true(
			accounts_check(accounts, "anna", i == 2 ? RIGHT : "no", on_answer, NULL));
	assert_false(accounts_check(accounts, "anna", RIGHT, on_answer, NULL));
	assert_false(accounts_hash(accounts, RIGHT, on_answer, NULL));
	wait_for(ACCOUNTS_WAITING_MAX);
	for (int i = 0; i < ACCOUNTS_WAITING_MAX; i++)
		assert_int_equal(answers[i].right, i == 2);
	assert_true(is_right("anna", RIGHT));
}

static void what_was_hashed_is_right_afterwards(void **state)
{
	assert_true(accounts_hash(accounts, "another password", on_answer, NULL));
	wait_for(1);
	assert_true(answers[0].right);
	assert_int_equal(strncmp(answers[0].hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
	apply("anna", "viewer", answers[0].hash);
	assert_true(is_right("anna", "another password"));
	assert_false(is_right("anna", RIGHT));
}

static void ten_characters_are_a_password(void **state)
{
	const char *why;
	char *longest = memset(xcalloc(1, PASSWORD_BYTES_MAX + 2), 'x', PASSWORD_BYTES_MAX + 1);

	assert_true(accounts_password_is_good("0123456789", &why));
	assert_false(accounts_password_is_good("012345678", &why));
	assert_false(accounts_password_is_good("\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", &why));
	assert_false(accounts_password_is_good(longest, &why));
	longest[PASSWORD_BYTES_MAX] = '\0';
	assert_true(accounts_password_is_good(longest, &why));
	free(longest);
}

static void what_is_in_line_at_the_end_is_not_answered(void **state)
{
	assert_true(accounts_check(accounts, "anna", RIGHT, on_answer, NULL));
	accounts_destroy(&accounts);
	assert_int_equal(answered, 0);
}

static int prepare(void **state)
{
	return accounts_prepare() && crypto_pwhash_str(hash, RIGHT, strlen(RIGHT),
						       crypto_pwhash_OPSLIMIT_INTERACTIVE,
						       crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0
		       ? 0
		       : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(roles_are_what_they_may),
		TEST(only_the_right_password_is_right),
		TEST(who_is_nobody_takes_as_long),
		TEST(a_password_that_is_changed_while_it_waits_is_right_no_more),
		TEST(passwords_wait_in_a_line_that_ends),
		TEST(what_was_hashed_is_right_afterwards),
		TEST(ten_characters_are_a_password),
		TEST(what_is_in_line_at_the_end_is_not_answered),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
