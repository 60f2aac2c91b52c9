#include "store/store.h"

#include "base/alloc.h"
#include "store/database.h"
#include "store/notification.h"
#include "store/seal.h"
#include "tables/events.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sallyport-store-XXXXXX";
static char path[64], key[64];

static int make_folder(void **state)
{
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/store.db", folder);
	snprintf(key, sizeof(key), "%s/secrets.key", folder);
	return 0;
}

static int remove_entry(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int remove_folder(void **state)
{
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static struct store *open_store(void)
{
	char *why = NULL;
	struct store *store = store_open(path, key, &why);

	if (!store)
		fail_msg("%s", why);
	return store;
}

static struct store_change change_of(const char *name, const char *word)
{
	struct store_change change = { .setting = setting_find(name), .reset = !word };
	char *why = NULL;

	assert_non_null(change.setting);
	if (word)
		assert_true(setting_read(change.setting, &word, 1, &change.value, &why));
	return change;
}

static void change(struct store *store, const char *name, const char *word)
{
	struct store_change one = change_of(name, word);
	char *why = NULL;

	assert_true(store_change(store, "root", &one, 1, &why));
	setting_value_finish(&one.value);
}

static void a_new_store_holds_the_defaults(void **state)
{
	struct store *store = open_store();

	assert_int_equal(store_revision(store), 0);
	assert_string_equal(store_text(store, "federation.enabled"), "off");
	assert_string_equal(store_text(store, "limits.stanza_bytes"), "524288");
	assert_null(store_text(store, "tls.certificate"));
	assert_int_equal(store_value(store, setting_find("nodes"))->count, 0);
	store_close(&store);
}

static void a_change_is_there_when_the_store_is_opened_again(void **state)
{
	const char *const domains[] = { "a.example", "b.example" };
	struct store_change list = { .setting = setting_find("federation.allow_list") };
	struct store *store = open_store();
	char *why = NULL;

	assert_true(setting_read(list.setting, domains, 2, &list.value, &why));
	assert_true(store_change(store, "root", &list, 1, &why));
	change(store, "federation.enabled", "on");
	store_close(&store);
	store = open_store();
	assert_int_equal(store_revision(store), 2);
	assert_string_equal(store_text(store, "federation.enabled"), "on");
	assert_true(setting_value_equals(store_value(store, list.setting), &list.value));
	setting_value_finish(&list.value);
	store_close(&store);
}

static void a_reset_brings_back_the_default(void **state)
{
	struct store *store = open_store();

	change(store, "limits.depth", "32");
	change(store, "limits.depth", NULL);
	assert_string_equal(store_text(store, "limits.depth"), "64");
	store_close(&store);
	store = open_store();
	assert_int_equal(store_revision(store), 2);
	assert_string_equal(store_text(store, "limits.depth"), "64");
	store_close(&store);
}

static void what_is_changed_together_is_one_revision(void **state)
{
	struct store_change both[] = { change_of("limits.depth", "32"),
				       change_of("federation.enabled", "on") };
	struct store_past_change *past;
	struct store *store = open_store();
	char *why = NULL;
	size_t count;

	assert_true(store_change(store, "uid 1000", both, 2, &why));
	change(store, "limits.depth", "48");
	assert_int_equal(store_revision(store), 2);
	assert_true(store_history(store, 10, &past, &count, &why));
	assert_int_equal(count, 3);
	assert_int_equal(past[0].revision, 2);
	assert_string_equal(past[0].before.entries[0], "32");
	assert_string_equal(past[0].after.entries[0], "48");
	assert_string_equal(past[1].name, "federation.enabled");
	assert_string_equal(past[2].name, "limits.depth");
	assert_int_equal(past[1].revision, 1);
	assert_string_equal(past[1].author, "uid 1000");
	assert_true(past[1].time_s > 1700000000);
	store_forget(past, count);
	assert_true(store_history(store, 2, &past, &count, &why));
	assert_int_equal(count, 2);
	store_forget(past, count);
	setting_value_finish(&both[0].value);
	setting_value_finish(&both[1].value);
	store_close(&store);
}

static void its_files_are_the_owners_alone(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	mode_t before = umask(0);
	struct store *store = open_store();

	change(store, "limits.depth", "32");
	for (size_t i = 0; i < nitems(ends); i++) {
		char *name = xasprintf("%s%s", path, ends[i]);
		struct stat st;

		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		free(name);
	}
	store_close(&store);
	umask(before);
}

static void run_sql(const char *sql)
{
	sqlite3 *database;

	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(database);
}

static void assert_refused(const char *reason)
{
	char *expected = xasprintf("%s: %s", path, reason), *why = NULL;

	assert_null(store_open(path, key, &why));
	assert_string_equal(why, expected);
	free(why);
	why = NULL;
	assert_false(store_verify(path, key, &why));
	assert_string_equal(why, expected);
	free(why);
	free(expected);
}

static void what_is_not_our_file_is_left_alone(void **state)
{
	FILE *file = fopen(path, "w");

	fputs("This is somebody's letter, which happens to lie where the store should be.\n", file);
	fclose(file);
	assert_refused("file is not a database");
	assert_int_equal(unlink(path), 0);
	run_sql("PRAGMA application_id = 7; CREATE TABLE letter(text)");
	assert_refused("not a store of Sallyport");
}

static void a_file_of_a_later_release_is_left_alone(void **state)
{
	struct store *store = open_store();

	store_close(&store);
	run_sql("PRAGMA user_version = 3");
	assert_refused("made by a later release (schema 3)");
}

static void a_file_of_the_first_release_is_brought_up_to_date(void **state)
{
	struct notification *list;
	struct store *store = open_store();
	char *why = NULL;
	size_t count;

	change(store, "limits.depth", "32");
	store_close(&store);
	run_sql("DROP TABLE notification; PRAGMA user_version = 1");
	store = open_store();
	assert_string_equal(store_text(store, "limits.depth"), "32");
	assert_true(notification_add(store, "restart", &why));
	assert_true(notification_list(store, &list, &count, &why));
	assert_int_equal(count, 1);
	notification_forget(list, count);
	store_close(&store);
}

static void a_notification_lasts_until_it_is_deleted(void **state)
{
	struct store *store = open_store();
	struct notification *list;
	char *why = NULL;
	int64_t number;
	size_t count;
	bool found;

	assert_true(notification_add(store, "restart 'it'", &why));
	assert_true(notification_list(store, &list, &count, &why));
	assert_int_equal(count, 1);
	assert_string_equal(list[0].description, "restart 'it'");
	assert_int_equal(list[0].count, 1);
	assert_true(list[0].created_s > 0);
	number = list[0].number;
	notification_forget(list, count);
	assert_true(notification_count_up(store, number, &why));
	store_close(&store);

	store = open_store();
	assert_true(notification_list(store, &list, &count, &why));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].count, 2);
	notification_forget(list, count);
	assert_true(notification_delete(store, number, &found, &why));
	assert_true(found);
	assert_true(notification_delete(store, number, &found, &why));
	assert_false(found);
	assert_true(notification_add(store, "again", &why));
	assert_true(notification_list(store, &list, &count, &why));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].number, number + 1);
	notification_forget(list, count);
	store_close(&store);
}

static void a_value_that_does_not_fit_is_named(void **state)
{
	struct store *store = open_store();

	change(store, "limits.depth", "32");
	store_close(&store);
	run_sql("UPDATE value SET entries = '1000'");
	assert_refused("limits.depth: '1000' is not a number between 4 and 256");
}

static void a_setting_of_another_release_is_left_in_place(void **state)
{
	struct store *store = open_store();
	char *why = NULL;

	change(store, "limits.depth", "32");
	store_close(&store);
	run_sql("INSERT INTO value VALUES('limits.future', '1', 1)");
	store = open_store();
	assert_string_equal(store_text(store, "limits.depth"), "32");
	store_close(&store);
	assert_true(store_verify(path, key, &why));
}

static void a_store_that_is_not_there_yet_is_sound_and_stays_so(void **state)
{
	char *why = NULL;

	assert_true(store_verify(path, key, &why));
	assert_int_equal(access(path, F_OK), -1);
}

static bool file_has(const char *name, const char *text)
{
	char bytes[1 << 17];
	FILE *file = fopen(name, "r");
	size_t len;

	if (!file)
		return false;
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return memmem(bytes, len, text, strlen(text)) != NULL;
}

static void secrets_are_not_in_the_file_in_clear(void **state)
{
	struct store *store = open_store();
	struct store_past_change *past;
	char *wal = xasprintf("%s-wal", path), *why = NULL;
	size_t count;

	change(store, "federation.dialback_secret", "sesame-open-yourself");
	change(store, "federation.dialback_secret", "sesame-close-yourself");
	change(store, "federation.allow_list", "plain.example");
	assert_true(file_has(wal, "plain.example"));
	assert_false(file_has(wal, "sesame"));
	store_close(&store);
	assert_true(file_has(path, "plain.example"));
	assert_false(file_has(path, "sesame"));
	store = open_store();
	assert_string_equal(store_text(store, "federation.dialback_secret"),
			    "sesame-close-yourself");
	assert_true(store_history(store, 10, &past, &count, &why));
	assert_int_equal(count, 3);
	assert_string_equal(past[1].before.entries[0], "sesame-open-yourself");
	store_forget(past, count);
	store_close(&store);
	free(wal);
}

static void a_store_whose_key_is_lost_says_so(void **state)
{
	struct store *store = open_store();
	char *expected, *why = NULL;

	change(store, "federation.dialback_secret", "sesame-open-yourself");
	store_close(&store);
	assert_int_equal(unlink(key), 0);
	expected = xasprintf("%s: No such file or directory; it holds the key of the secrets in "
			     "the store",
			     key);
	assert_refused(expected);
	free(expected);
	assert_int_equal(access(key, F_OK), -1); /* none is made in its place */
	seal_close(&(struct seal *){ seal_open(key, true, &why) });
	assert_refused("federation.dialback_secret: sealed with another key");
}

/* Changes one setting again and again, and tells each revision when it is acknowledged. */
static void write_until_killed(int acknowledged)
{
	struct store *store = open_store();

	for (;;) {
		uint64_t next = store_revision(store) + 1;
		char word[24];

		snprintf(word, sizeof(word), "%u", (unsigned)(next % 1000000 + 1));
		change(store, "limits.queue_stanzas", word);
		if (write(acknowledged, &next, sizeof(next)) != sizeof(next))
			_exit(1);
	}
}

static uint64_t kill_a_writer_after(unsigned changes)
{
	uint64_t revision = 0, read_now;
	int ends[2], status;
	pid_t writer;

	assert_int_equal(pipe(ends), 0);
	writer = fork();
	if (writer == 0) {
		close(ends[0]);
		write_until_killed(ends[1]);
	}
	close(ends[1]);
	for (unsigned i = 0; i < changes; i++)
		assert_int_equal(read(ends[0], &revision, sizeof(revision)), sizeof(revision));
	usleep(changes * 97 % 1900); /* so that it is hit at different points of a change */
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], &read_now, sizeof(read_now)) == sizeof(read_now))
		revision = read_now;
	close(ends[0]);
	return revision;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
	for (unsigned round = 1; round <= 40; round++) {
		uint64_t acknowledged = kill_a_writer_after(round % 20 + 1), found;
		struct store *store;
		char expected[24], *why = NULL;

		assert_true(store_verify(path, key, &why));
		store = open_store();
		found = store_revision(store);
		assert_in_range(found, acknowledged, acknowledged + 1);
		snprintf(expected, sizeof(expected), "%u", (unsigned)(found % 1000000 + 1));
		assert_string_equal(store_text(store, "limits.queue_stanzas"), expected);
		store_close(&store);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_store_holds_the_defaults),
		TEST(a_change_is_there_when_the_store_is_opened_again),
		TEST(a_reset_brings_back_the_default),
		TEST(what_is_changed_together_is_one_revision),
		TEST(its_files_are_the_owners_alone),
		TEST(what_is_not_our_file_is_left_alone),
		TEST(a_file_of_a_later_release_is_left_alone),
		TEST(a_file_of_the_first_release_is_brought_up_to_date),
		TEST(a_notification_lasts_until_it_is_deleted),
		TEST(a_value_that_does_not_fit_is_named),
		TEST(a_setting_of_another_release_is_left_in_place),
		TEST(secrets_are_not_in_the_file_in_clear),
		TEST(a_store_whose_key_is_lost_says_so),
		TEST(a_store_that_is_not_there_yet_is_sound_and_stays_so),
		TEST(what_was_acknowledged_survives_a_kill),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
