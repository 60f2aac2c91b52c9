#include "admin/http_links.h"
#include "admin/http_session.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define IDLE_MS 60000
#define MAX 3

static struct loop *loop;
static struct sessions *sessions;
static struct accounts *accounts;
static char ended[256]; /* "anna: why|..." */

static void on_ended(void *arg, const struct session *session, const char *why)
{
	size_t len = strlen(ended);

	snprintf(ended + len, sizeof(ended) - len, "%s: %s|", session->name, why);
}

/* Accounts anna and berta; NULL: there is no anna. */
static void apply(const char *role, const char *hash)
{
	struct buffer out = { 0 };
	struct snapshot *snapshot;
	const char *why;

	snapshot_begin(&out, 1, 1);
	if (role)
		snapshot_add(&out, &(struct snapshot_record){ 4,
							      { slice_of("admin.accounts"),
								slice_of("anna"), slice_of(role),
								slice_of(hash) } });
	snapshot_add(&out,
		     &(struct snapshot_record){ 4,
						{ slice_of("admin.accounts"), slice_of("berta"),
						  slice_of("admin"), slice_of("b") } });
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(snapshot);
	accounts_apply(accounts, snapshot);
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
}

static const struct session *log_in(const char *name, uint64_t now_ms,
				    char token[SESSION_TOKEN_BYTES])
{
	return sessions_open(sessions, accounts_find(accounts, name), "192.0.2.1", now_ms, token);
}

static bool goes_on(const char *token, uint64_t now_ms)
{
	return sessions_find(sessions, slice_of(token), false, now_ms) != NULL;
}

static int set_up(void **state)
{
	loop = loop_create();
	accounts = accounts_create(loop);
	sessions = sessions_create(on_ended, NULL);
	sessions_bound(sessions, MAX, IDLE_MS, 0);
	apply("operator", "a");
	*ended = '\0';
	return 0;
}

static int tear_down(void **state)
{
	sessions_destroy(&sessions);
	accounts_destroy(&accounts);
	loop_destroy(&loop);
	return 0;
}

static void a_session_is_found_by_its_token_alone(void **state)
{
	char token[SESSION_TOKEN_BYTES], other[SESSION_TOKEN_BYTES];
	const struct session *session = log_in("anna", 0, token);

	log_in("berta", 0, other);
	assert_string_not_equal(token, other);
	assert_string_not_equal(token, session->csrf);
	assert_ptr_equal(sessions_find(sessions, slice_of(token), true, 1), session);
	assert_string_equal(session->name, "anna");
	assert_int_equal(session->access, ACCESS_OPERATE);
	assert_string_equal(session->from, "192.0.2.1");
	token[5] ^= 1;
	assert_null(sessions_find(sessions, slice_of(token), true, 1));
	assert_null(sessions_find(sessions, slice_of(""), true, 1));
	assert_null(sessions_find(sessions, (struct slice){ 0 }, true, 1));
	assert_null(sessions_find(sessions, slice_of(session->csrf), true, 1));
}

static void silence_ends_it_and_looking_on_is_silence(void **state)
{
	char token[SESSION_TOKEN_BYTES];

	log_in("anna", 0, token);
	assert_non_null(sessions_find(sessions, slice_of(token), true, 30000));
	assert_true(goes_on(token, 89999));
	assert_false(goes_on(token, 90000));
	assert_null(sessions_find(sessions, slice_of(token), true, 90000));
	assert_string_equal(ended, "");
	sessions_sweep(sessions, accounts, 90000);
	assert_string_equal(ended, "anna: silence|");
}

static void logging_out_ends_it(void **state)
{
	char token[SESSION_TOKEN_BYTES];
	uint64_t number = log_in("anna", 0, token)->number;

	sessions_end(sessions, number, "logged out");
	assert_false(goes_on(token, 0));
	sessions_end(sessions, number, "again");
	assert_string_equal(ended, "anna: logged out|");
}

static void it_ends_with_what_its_account_was(void **state)
{
	static const struct {
		const char *role, *hash, *ended;
	} rows[] = {
		{ "operator", "a", "" },
		{ "admin", "a", "anna: the account has another role|" },
		{ "viewer", "a", "anna: the account has another role|" },
		{ "operator", "x", "anna: the account has another password|" },
		{ NULL, NULL, "anna: the account was removed|" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		char token[SESSION_TOKEN_BYTES], other[SESSION_TOKEN_BYTES];

		tear_down(state);
		set_up(state);
		log_in("anna", 0, token);
		log_in("berta", 0, other);
		apply(rows[i].role, rows[i].hash);
		sessions_sweep(sessions, accounts, 0);
		assert_string_equal(ended, rows[i].ended);
		assert_int_equal(goes_on(token, 0), !*rows[i].ended);
		assert_true(goes_on(other, 0));
	}
}

static void who_changes_the_password_goes_on_and_the_others_end(void **state)
{
	char mine[SESSION_TOKEN_BYTES], other[SESSION_TOKEN_BYTES];
	uint64_t number;

	log_in("anna", 0, other);
	number = log_in("anna", 0, mine)->number;
	sessions_expect(sessions, number, "new");
	sessions_sweep(sessions, accounts, 0);
	assert_true(goes_on(mine, 0) && goes_on(other, 0));
	apply("operator", "new");
	sessions_sweep(sessions, accounts, 0);
	assert_true(goes_on(mine, 0));
	assert_false(goes_on(other, 0));
	apply("operator", "a");
	sessions_sweep(sessions, accounts, 0);
	assert_false(goes_on(mine, 0));
}

static void the_account_that_logs_in_makes_room_itself(void **state)
{
	char first[SESSION_TOKEN_BYTES], second[SESSION_TOKEN_BYTES], token[SESSION_TOKEN_BYTES],
		bertas[SESSION_TOKEN_BYTES];

	log_in("berta", 0, bertas);
	log_in("anna", 1, first);
	log_in("anna", 2, second);
	assert_non_null(sessions_find(sessions, slice_of(first), true, 3));
	log_in("anna", 4, token);
	assert_true(goes_on(bertas, 4) && goes_on(first, 4) && goes_on(token, 4));
	assert_false(goes_on(second, 4));
	sessions_end(sessions, sessions_find(sessions, slice_of(bertas), false, 4)->number, "out");
	log_in("anna", 5, second);
	log_in("berta", 6, bertas);
	assert_false(goes_on(first, 6));
	assert_true(goes_on(bertas, 6));
	sessions_bound(sessions, 1, IDLE_MS, 6);
	assert_true(goes_on(bertas, 6));
	assert_false(goes_on(token, 6) || goes_on(second, 6));
}

static void a_link_is_good_once_and_for_a_quarter_of_an_hour(void **state)
{
	struct links *links = links_create();
	char token[LINK_TOKEN_BYTES], newer[LINK_TOKEN_BYTES], name[ACCOUNT_NAME_BYTES];

	links_make(links, "anna", 0, token);
	assert_int_equal(strlen(token), 22);
	assert_false(links_take(links, "", 0, name));
	assert_false(links_take(links, "anna", 0, name));
	assert_true(links_take(links, token, 899999, name));
	assert_string_equal(name, "anna");
	assert_false(links_take(links, token, 899999, name));

	links_make(links, "anna", 0, token);
	assert_false(links_take(links, token, 900000, name));

	links_make(links, "anna", 0, token);
	links_make(links, "anna", 0, newer);
	assert_false(links_take(links, token, 1, name));
	assert_true(links_take(links, newer, 1, name));
	links_destroy(&links);
}

static void a_link_goes_with_its_account_and_is_not_its_namesakes(void **state)
{
	struct links *links = links_create();
	char annas[LINK_TOKEN_BYTES], bertas[LINK_TOKEN_BYTES], name[ACCOUNT_NAME_BYTES];

	links_make(links, "anna", 0, annas);
	links_make(links, "berta", 0, bertas);
	apply(NULL, NULL);
	links_keep(links, accounts);
	apply("operator", "a");
	links_keep(links, accounts);
	assert_false(links_take(links, annas, 1, name));
	links_make(links, "anna", 0, annas);
	links_keep(links, accounts);
	assert_true(links_take(links, annas, 1, name) && links_take(links, bertas, 1, name));
	links_destroy(&links);
}

static void links_are_bounded_and_the_oldest_goes(void **state)
{
	struct links *links = links_create();
	char tokens[LINKS_MAX + 1][LINK_TOKEN_BYTES], name[ACCOUNT_NAME_BYTES];

	for (int i = 0; i <= LINKS_MAX; i++) {
		snprintf(name, sizeof(name), "account%d", i);
		links_make(links, name, (uint64_t)i, tokens[i]);
	}
	assert_false(links_take(links, tokens[0], 100, name));
	for (int i = 1; i <= LINKS_MAX; i++)
		assert_true(links_take(links, tokens[i], 100, name));
	links_destroy(&links);
}

static int prepare(void **state)
{
	return accounts_prepare() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_session_is_found_by_its_token_alone),
		TEST(silence_ends_it_and_looking_on_is_silence),
		TEST(logging_out_ends_it),
		TEST(it_ends_with_what_its_account_was),
		TEST(who_changes_the_password_goes_on_and_the_others_end),
		TEST(the_account_that_logs_in_makes_room_itself),
		TEST(a_link_is_good_once_and_for_a_quarter_of_an_hour),
		TEST(links_are_bounded_and_the_oldest_goes),
		TEST(a_link_goes_with_its_account_and_is_not_its_namesakes),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
