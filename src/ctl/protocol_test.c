#include "ctl/protocol.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *line;
	const char *words; /* joined by |, or NULL: refused */
	const char *why;
} requests[] = {
	{ "{\"command\":[\"status\"]}", "status", NULL },
	{ " { \"command\" : [ \"config\", \"set\", \"a.b\", \"\" ] } ", "config|set|a.b|", NULL },
	{ "{\"command\":[\"config\",\"\\u00e9\\n\"]}", "config|\xc3\xa9\n", NULL },
	{ "{\"command\":[\"]]]]]]]]]]\",\"[[[[[[[[[\\\"[\"]}", "]]]]]]]]]]|[[[[[[[[[\"[", NULL },
	{ "", NULL, "not JSON" },
	{ "status", NULL, "not JSON" },
	{ "{\"command\":[\"status\"]", NULL, "not JSON" },
	{ "{\"command\":[\"status\"]} x", NULL, "not JSON" },
	{ "{\"command\":[\"a\"],\"command\":[\"b\"]}", NULL, "not JSON" },
	{ "{\"command\":[\"\xff\"]}", NULL, "not JSON" },
	{ "{\"command\":[\"a\\u0000b\"]}", NULL, "not JSON" },
	{ "[\"status\"]", NULL, "not an object" },
	{ "{\"command\":[[[[[[[[[[\"a\"]]]]]]]]]]}", NULL, "nested too deeply" },
	{ "{}", NULL, "\"command\" is missing, or there is more than that and \"json\"" },
	{ "{\"comand\":[\"a\"]}", NULL,
	  "\"command\" is missing, or there is more than that and \"json\"" },
	{ "{\"command\":[\"a\"],\"uid\":0}", NULL,
	  "\"command\" is missing, or there is more than that and \"json\"" },
	{ "{\"command\":[\"a\"],\"json\":true}", "a", NULL },
	{ "{\"command\":[\"a\"],\"json\":1}", NULL,
	  "\"command\" is missing, or there is more than that and \"json\"" },
	{ "{\"command\":[]}", NULL, "\"command\" is not a list of words" },
	{ "{\"command\":\"status\"}", NULL, "\"command\" is not a list of words" },
	{ "{\"command\":[\"status\",1]}", NULL, "a word is not a string" },
};

static void a_request_is_read_strictly(void **state)
{
	for (size_t i = 0; i < nitems(requests); i++) {
		struct request request = { 0 };
		struct buffer words = { 0 };
		const char *why = NULL;
		bool read = request_read(&request, slice_of(requests[i].line), &why);
		char *joined;

		assert_int_equal(read, requests[i].words != NULL);
		if (!read) {
			assert_string_equal(why, requests[i].why);
			continue;
		}
		for (size_t w = 0; w < request.count; w++)
			buffer_printf(&words, "%s%s", w ? "|" : "", request.words[w]);
		joined = buffer_take_text(&words);
		assert_string_equal(joined, requests[i].words);
		free(joined);
		request_finish(&request);
	}
}

static void too_many_words_are_refused(void **state)
{
	struct buffer line = { 0 };
	struct request request;
	const char *why;

	buffer_append_text(&line, "{\"command\":[\"x\"");
	for (int i = 0; i < PROTOCOL_WORDS_MAX; i++)
		buffer_append_text(&line, ",\"x\"");
	buffer_append_text(&line, "]}");
	assert_false(request_read(&request, (struct slice){ buffer_data(&line), buffer_len(&line) },
				  &why));
	assert_string_equal(why, "too many words");
	buffer_finish(&line);
}

static void what_is_written_is_one_line_that_reads_the_same(void **state)
{
	const char *words[] = { "config", "set", "a\n\"b\"\\", "\xc3\xa9", "" };
	struct lines lines = { 0 };
	struct request request;
	struct slice line;
	const char *why;

	assert_true(request_write(&lines.bytes, words, nitems(words), false));
	assert_int_equal(lines_next(&lines, 1000, &line), LINES_LINE);
	assert_true(request_read(&request, line, &why));
	assert_int_equal(request.count, nitems(words));
	for (size_t i = 0; i < nitems(words); i++)
		assert_string_equal(request.words[i], words[i]);
	request_finish(&request);
	assert_int_equal(lines_next(&lines, 1000, &line), LINES_MORE);
	lines_finish(&lines);
}

static void a_word_that_is_not_utf8_is_not_written(void **state)
{
	const char *words[] = { "config", "\xff" };
	struct buffer out = { 0 };

	assert_false(request_write(&out, words, nitems(words), false));
	assert_int_equal(buffer_len(&out), 0);
}

static void a_reply_with_text_and_data_comes_through(void **state)
{
	json_t *data = json_pack("{s:i}", "revision", 7);
	struct lines lines = { 0 };
	struct reply reply;
	struct slice line;
	const char *why;

	reply_write(&lines.bytes, REPLY_FAILED, slice_of("no\nnot so\n"), data);
	json_decref(data);
	assert_int_equal(lines_next(&lines, 1000, &line), LINES_LINE);
	assert_true(reply_read(&reply, line, &why));
	assert_int_equal(reply.status, REPLY_FAILED);
	assert_true(slice_is(reply.text, "no\nnot so\n"));
	assert_int_equal(json_integer_value(json_object_get(reply.data, "revision")), 7);
	reply_finish(&reply);
	lines_finish(&lines);
}

static void text_that_is_not_utf8_is_made_readable(void **state)
{
	struct lines lines = { 0 };
	struct reply reply;
	struct slice line;
	const char *why;

	reply_write(&lines.bytes, REPLY_DONE, (struct slice){ "a\xff\0b", 4 }, NULL);
	assert_int_equal(lines_next(&lines, 1000, &line), LINES_LINE);
	assert_true(reply_read(&reply, line, &why));
	assert_true(slice_is(reply.text, "a??b"));
	reply_finish(&reply);
	lines_finish(&lines);
}

static void what_is_no_reply_is_refused(void **state)
{
	static const char *const rows[] = {
		"{\"status\":0}",
		"{\"text\":\"\"}",
		"{\"status\":3,\"text\":\"\"}",
		"{\"status\":-1,\"text\":\"\"}",
		"{\"status\":\"0\",\"text\":\"\"}",
		"{\"status\":0,\"text\":\"\",\"data\":1}",
		"{\"more\":true,\"status\":0,\"text\":\"\"}",
		"{\"more\":false,\"text\":\"\"}",
	};
	struct reply reply;
	const char *why;

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_false(reply_read(&reply, slice_of(rows[i]), &why));
		assert_string_equal(why, "not a reply");
	}
}

static void lines_do_not_depend_on_how_bytes_arrive(void **state)
{
	static const char bytes[] = "one\n\nthree\nfour";

	for (size_t piece = 1; piece < sizeof(bytes); piece++) {
		struct lines lines = { 0 };
		char *text;
		struct buffer seen = { 0 };
		struct slice line;

		for (size_t at = 0; at < sizeof(bytes) - 1; at += piece) {
			size_t left = sizeof(bytes) - 1 - at;

			buffer_append(&lines.bytes, bytes + at, left < piece ? left : piece);
			while (lines_next(&lines, 5, &line) == LINES_LINE) {
				buffer_append_slice(&seen, line);
				buffer_append_text(&seen, ";");
			}
		}
		text = buffer_take_text(&seen);
		assert_string_equal(text, "one;;three;");
		free(text);
		lines_finish(&lines);
	}
}

static void a_line_over_the_limit_is_noticed_with_and_without_its_end(void **state)
{
	struct lines lines = { 0 };
	struct slice line;

	buffer_append_text(&lines.bytes, "12345");
	assert_int_equal(lines_next(&lines, 5, &line), LINES_MORE);
	buffer_append_text(&lines.bytes, "6");
	assert_int_equal(lines_next(&lines, 5, &line), LINES_TOO_LONG);
	lines_finish(&lines);
	buffer_append_text(&lines.bytes, "123456\n");
	assert_int_equal(lines_next(&lines, 5, &line), LINES_TOO_LONG);
	lines_finish(&lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read_strictly),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(what_is_written_is_one_line_that_reads_the_same),
		cmocka_unit_test(a_word_that_is_not_utf8_is_not_written),
		cmocka_unit_test(a_reply_with_text_and_data_comes_through),
		cmocka_unit_test(text_that_is_not_utf8_is_made_readable),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(lines_do_not_depend_on_how_bytes_arrive),
		cmocka_unit_test(a_line_over_the_limit_is_noticed_with_and_without_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
