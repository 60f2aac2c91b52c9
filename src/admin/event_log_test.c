#include "admin/event_log.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "ipc/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON 1795521600 /* 2026-11-24T12:00:00Z */

static struct event_log *log_;

static int create(void **state)
{
	log_ = event_log_create(5);
	return 0;
}

static int destroy(void **state)
{
	event_log_destroy(&log_);
	assert_null(log_);
	return 0;
}

/* A line as many seconds after noon as its number. */
static void add_line(struct buffer *body, unsigned number, const char *module, const char *level,
		     const char *detail)
{
	buffer_printf(body,
		      "2026-11-24T12:00:%02u.000000+00:00 edge-a sallyport-traffic[1]: "
		      "Module=\"%s\" Level=\"%s\" CodeLocation=\"x.y\" Detail=\"%s\"\n",
		      number, module, level, detail);
}

static bool take(struct buffer *body)
{
	bool taken = event_log_take(log_, (struct slice){ buffer_data(body), buffer_len(body) });

	buffer_finish(body);
	return taken;
}

static bool tell(unsigned number, const char *module, const char *level, const char *detail)
{
	struct buffer body = { 0 };

	wire_put_u64(&body, number);
	add_line(&body, number, module, level, detail);
	return take(&body);
}

static void tell_some(void)
{
	tell(1, "network.dns", "INFO", "xcoder=A1 domain=a.example");
	tell(2, "network.dns", "DEBUG", "xcoder=A1 domain=a.example");
	tell(3, "XMPPFederation", "WARN", "xcoder=B2 local=h.example peer=b.example why=lost");
	tell(4, "XMPPFederation", "ERROR", "Something broke");
}

/* The numbers of what is found, as text. */
static const char *found(const char *const *keys, uint64_t before, size_t limit)
{
	static char text[200];
	struct event_filter filter = EVENT_FILTER_ALL;
	json_t *answer, *event;
	const char *why;
	size_t i;

	for (; keys && *keys; keys += 2)
		assert_true(event_filter_set(&filter, keys[0], keys[1], NOON + 10, &why));
	answer = event_log_query(log_, &filter, before, limit);
	text[0] = '\0';
	json_array_foreach(json_object_get(answer, "events"), i, event)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ",
			 (int)json_integer_value(json_object_get(event, "seq")));
	json_decref(answer);
	return text;
}

#define KEYS(...)                                                                                  \
	(const char *const[])                                                                      \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static void each_key_chooses(void **state)
{
	tell_some();
	assert_string_equal(found(NULL, 0, 10), "1 2 3 4 ");
	assert_string_equal(found(KEYS("domain", "A.example"), 0, 10), "1 2 ");
	assert_string_equal(found(KEYS("domain", "h.example"), 0, 10), "3 ");
	assert_string_equal(found(KEYS("stream", "b2"), 0, 10), "3 ");
	assert_string_equal(found(KEYS("module", "network.dns"), 0, 10), "1 2 ");
	assert_string_equal(found(KEYS("module", "network"), 0, 10), "");
	assert_string_equal(found(KEYS("level", "warn"), 0, 10), "3 4 ");
	assert_string_equal(found(KEYS("text", "SOMETHING BROKE"), 0, 10), "4 ");
	assert_string_equal(found(KEYS("since", "7"), 0, 10), "3 4 ");
	assert_string_equal(found(KEYS("module", "network.dns", "level", "info"), 0, 10), "1 ");
}

static void the_newest_are_given_and_one_can_go_back(void **state)
{
	tell_some();
	assert_string_equal(found(NULL, 0, 2), "3 4 ");
	assert_string_equal(found(NULL, 3, 2), "1 2 ");
	assert_string_equal(found(NULL, 1, 2), "");
	assert_string_equal(found(NULL, 99, 1), "4 ");
	assert_string_equal(found(NULL, 0, 0), "");
}

static void first_and_last_say_what_there_is(void **state)
{
	const struct event_filter all = EVENT_FILTER_ALL;
	json_t *answer = event_log_query(log_, &all, 0, 1);

	assert_int_equal(json_integer_value(json_object_get(answer, "first")), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "last")), 0);
	json_decref(answer);
	tell_some();
	tell(5, "m", "INFO", "");
	tell(6, "m", "INFO", "");
	answer = event_log_query(log_, &all, 0, 1);
	assert_int_equal(json_integer_value(json_object_get(answer, "first")), 2);
	assert_int_equal(json_integer_value(json_object_get(answer, "last")), 6);
	json_decref(answer);
}

static void what_cannot_be_a_filter_is_refused_with_why(void **state)
{
	static const char *const wrong[][3] = {
		{ "colour", "red", "no such key" },
		{ "level", "loud", "not error, warn, info or debug" },
		{ "since", "yesterday", "not a number of seconds" },
		{ "since", "-5", "not a number of seconds" },
		{ "since", "", "not a number of seconds" },
		{ "since", "9999999999999", "not a number of seconds" },
	};
	struct event_filter filter = EVENT_FILTER_ALL;
	char longest[EVENT_LOG_FILTER_BYTES + 1] = { 0 };
	const char *why;

	for (size_t i = 0; i < nitems(wrong); i++) {
		assert_false(event_filter_set(&filter, wrong[i][0], wrong[i][1], NOON, &why));
		assert_string_equal(why, wrong[i][2]);
	}
	memset(longest, 'x', EVENT_LOG_FILTER_BYTES);
	assert_false(event_filter_set(&filter, "text", longest, NOON, &why));
	assert_string_equal(why, "it is too long");
}

static void the_text_is_the_lines_as_they_were(void **state)
{
	const struct event_filter all = EVENT_FILTER_ALL;
	char *text;

	tell(1, "m", "INFO", "why=\\\"a\\u202eb\\\"");
	text = event_log_text(log_, &all, 0, 10);
	assert_string_equal(text, "2026-11-24T12:00:01.000000+00:00 edge-a sallyport-traffic[1]: "
				  "Module=\"m\" Level=\"INFO\" CodeLocation=\"x.y\" "
				  "Detail=\"why=\\\"a\\u202eb\\\"\"\n");
	free(text);
}

/* SEC-24: nobody writes so but a process that was taken over. */
static void what_is_no_event_is_never_shown(void **state)
{
	const struct event_filter all = EVENT_FILTER_ALL;
	struct buffer body = { 0 };
	char *text;

	wire_put_u64(&body, 1);
	buffer_append_text(&body, "\033[2J\nno line of ours\n");
	assert_true(take(&body));
	text = event_log_text(log_, &all, 0, 10);
	assert_string_equal(text, "");
	free(text);
	assert_string_equal(found(NULL, 0, 10), "");
}

static void numbers_go_on_and_a_gap_is_a_gap(void **state)
{
	struct buffer body = { 0 };

	assert_true(tell(40, "m", "INFO", ""));
	assert_true(tell(43, "m", "INFO", ""));
	assert_string_equal(found(NULL, 0, 10), "40 43 ");
	assert_false(tell(43, "m", "INFO", "")); /* told already */
	buffer_append_text(&body, "short");
	assert_false(take(&body));
	assert_string_equal(found(NULL, 0, 10), "40 43 ");
}

static void fewer_are_kept_when_asked(void **state)
{
	tell_some();
	event_log_keep(log_, 2);
	assert_string_equal(found(NULL, 0, 10), "3 4 ");
}

struct listener {
	struct event_follower *me, *other;
	unsigned heard;
};

static void hear(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	struct listener *listener = arg;

	assert_true(event->xcoder.data >= line.data && event->xcoder.data < line.data + line.len);
	listener->heard = listener->heard * 10 + (unsigned)seq;
}

static void leave(void *arg, uint64_t seq, struct slice line, const struct event_line *event)
{
	struct listener *listener = arg;

	listener->heard++;
	event_log_unfollow(&listener->me);
	event_log_unfollow(&listener->other);
}

static void who_follows_hears_what_the_filter_wants(void **state)
{
	struct event_filter filter = EVENT_FILTER_ALL;
	struct listener listener = { 0 };
	const char *why;

	assert_true(event_filter_set(&filter, "stream", "A1", NOON, &why));
	listener.me = event_log_follow(log_, &filter, hear, &listener);
	tell_some();
	event_log_unfollow(&listener.me);
	tell(5, "m", "INFO", "xcoder=A1");
	assert_int_equal(listener.heard, 12);
}

static void one_may_leave_while_one_is_told_others_too(void **state)
{
	const struct event_filter all = EVENT_FILTER_ALL;
	struct listener one = { 0 }, other = { 0 };

	one.other = event_log_follow(log_, &all, leave, &other);
	one.me = event_log_follow(log_, &all, leave, &one);
	tell_some();
	assert_int_equal(one.heard, 1);
	assert_int_equal(other.heard, 0);
}

static void followers_are_bounded(void **state)
{
	struct event_follower *followers[EVENT_LOG_FOLLOWERS_MAX];
	const struct event_filter all = EVENT_FILTER_ALL;

	for (size_t i = 0; i < nitems(followers); i++)
		assert_non_null(followers[i] = event_log_follow(log_, &all, hear, NULL));
	assert_null(event_log_follow(log_, &all, hear, NULL));
	for (size_t i = 0; i < nitems(followers); i++)
		event_log_unfollow(&followers[i]);
	followers[0] = event_log_follow(log_, &all, hear, NULL);
	assert_non_null(followers[0]);
	event_log_unfollow(&followers[0]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, create, destroy)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_key_chooses),
		TEST(the_newest_are_given_and_one_can_go_back),
		TEST(first_and_last_say_what_there_is),
		TEST(what_cannot_be_a_filter_is_refused_with_why),
		TEST(the_text_is_the_lines_as_they_were),
		TEST(what_is_no_event_is_never_shown),
		TEST(numbers_go_on_and_a_gap_is_a_gap),
		TEST(fewer_are_kept_when_asked),
		TEST(who_follows_hears_what_the_filter_wants),
		TEST(one_may_leave_while_one_is_told_others_too),
		TEST(followers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
