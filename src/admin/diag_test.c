#include "admin/diag.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "ipc/snapshot.h"
#include "tables/events.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CAPTURE_BYTES 2500000

static const struct visitor root = { .access = ACCESS_ADMIN, .name = "root", .from = "pid 1" };
static const struct visitor anna = { .access = ACCESS_OPERATE,
				     .name = "anna",
				     .from = "192.0.2.9" };
static const struct visitor core = {
	.access = ACCESS_ADMIN, .is_node = true, .name = "node core-a", .from = "tunnel"
};

struct stage {
	struct loop *loop;
	struct watch *watch;
	struct desk *desk;
	struct tunnels *tunnels;
	struct diag *diag;
	char *asked;	 /* of control last: words with | between */
	char author[80]; /* in whose name */
	struct buffer saved;
	unsigned pieces;
	char answer[600]; /* "STATUS TEXT" */
	json_t *data;
	size_t behind;
	bool breaks; /* after the first piece of the log */
	bool leaves; /* with the first piece that it is told */
	struct timer deadline;
};

/* Control: has a capture "big" of CAPTURE_BYTES, and a short log. */
static void answer_part(struct stage *stage, uint64_t tag, const char *what, const char *offset)
{
	size_t size = strcmp(what, "big") == 0 || stage->breaks ? CAPTURE_BYTES : 5,
	       from = strtoul(offset, NULL, 10);
	size_t len = from < size ? size - from : 0;
	struct buffer text = { 0 };
	char *bytes, *all;

	if (strcmp(what, "big") != 0 && strcmp(what, "log") != 0) {
		diag_answer(stage->diag, tag, false, "there is none");
		return;
	}
	if (stage->breaks && from) {
		diag_answer(stage->diag, tag, false, "the tunnel broke");
		return;
	}
	len = len > 1 << 20 ? 1 << 20 : len;
	bytes = xcalloc(1, len + 1);
	memset(bytes, 'p', len);
	if (len)
		bytes[len - 1] = '\n';
	buffer_printf(&text, "%zu ", size);
	base64_encode(&text, (struct slice){ bytes, len });
	all = buffer_take_text(&text);
	diag_answer(stage->diag, tag, true, all);
	free(all);
	free(bytes);
}

static void ask_control(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct stage *stage = arg;
	struct buffer text = { 0 };

	if (!words[0])
		return; /* and the asker waits in vain */
	for (size_t i = 0; words[i]; i++)
		buffer_printf(&text, "%s%s", i ? "|" : "", words[i]);
	free(stage->asked);
	stage->asked = buffer_take_text(&text);
	snprintf(stage->author, sizeof(stage->author), "%s", author);
	if (strstr(words[0], "-part") && words[1] && words[2])
		answer_part(stage, tag, words[1], words[2]);
	else if (strcmp(words[0], "diag-status") == 0)
		diag_answer(stage->diag, tag, true,
			    "running 1800000000 1800000600 7 99 yes no uid 7");
	else
		diag_answer(stage->diag, tag, true, "done");
}

static void on_piece(void *arg, uint64_t session, struct slice text, json_t *data)
{
	struct stage *stage = arg;
	const json_t *base64 = json_object_get(data, "base64");

	if (!data)
		return;
	stage->pieces++;
	assert_true(base64_decode(&stage->saved, (struct slice){ json_string_value(base64),
								 json_string_length(base64) }));
	stage->behind = stage->pieces == 1 ? 2 << 20 : 0; /* the first waits to be taken */
	if (stage->leaves)
		desk_leave(stage->desk, stage, 1);
}

static size_t behind(void *arg, uint64_t session)
{
	struct stage *stage = arg;
	size_t was = stage->behind;

	stage->behind = 0;
	return was;
}

static void on_answer(void *arg, uint64_t session, enum reply_status status, struct slice text,
		      json_t *data)
{
	struct stage *stage = arg;

	snprintf(stage->answer, sizeof(stage->answer), "%d %.*s", (int)status, SLICE_ARGS(text));
	json_decref(stage->data);
	stage->data = json_incref(data);
	loop_stop(stage->loop);
}

static void on_deadline(struct timer *timer)
{
	fail_msg("no answer");
}

static void open_stage(struct stage *stage)
{
	struct buffer bytes = { 0 };
	struct snapshot *snapshot;
	const char *why;

	*stage = (struct stage){ .loop = loop_create(), .deadline.fire = on_deadline };
	loop_arm(stage->loop, &stage->deadline, 10000);
	stage->watch = watch_create(
		&(struct watch_config){ .loop = stage->loop, .release = "0", .arg = stage });
	stage->desk = desk_create(&(struct desk_config){ stage->loop, stage->watch });
	stage->tunnels =
		tunnels_create(&(struct tunnels_config){ .loop = stage->loop, .release = "0" });
	stage->diag = diag_create(&(struct diag_config){ stage->loop, stage->desk, stage->tunnels,
							 "0.1", ask_control, stage });
	snapshot_begin(&bytes, 1, 1);
	snapshot_add_text(&bytes, "node.name", "edge-a");
	snapshot = snapshot_read((struct slice){ buffer_data(&bytes), buffer_len(&bytes) }, &why);
	diag_apply(stage->diag, snapshot);
	snapshot_destroy(&snapshot);
	buffer_finish(&bytes);
}

static void close_stage(struct stage *stage)
{
	diag_destroy(&stage->diag);
	tunnels_destroy(&stage->tunnels);
	desk_destroy(&stage->desk);
	watch_destroy(&stage->watch);
	loop_disarm(stage->loop, &stage->deadline);
	loop_destroy(&stage->loop);
	buffer_finish(&stage->saved);
	json_decref(stage->data);
	free(stage->asked);
}

static void ask_in_part(struct stage *stage, const struct visitor *visitor, const char *line)
{
	char *copy = xstrdup(line), *rest = NULL;
	const char *words[16];
	struct request request = { .words = words, .json_wanted = true };
	struct desk_asker asker = { on_piece, on_answer, stage, 1, behind };

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		words[request.count++] = word;
	stage->answer[0] = '\0';
	desk_ask(stage->desk, &asker, visitor, &request);
	free(copy);
}

static void ask(struct stage *stage, const struct visitor *visitor, const char *line)
{
	ask_in_part(stage, visitor, line);
	if (!stage->answer[0])
		loop_run(stage->loop);
}

static void who_may_ask_for_what(void **state)
{
	static const struct {
		const struct visitor *who;
		const char *line, *asked; /* of control; NULL: nothing */
		const char *answer;	  /* begins so */
	} rows[] = {
		{ &anna, "diag start capture for=60", "diag-start|capture|for=60", "0 done" },
		{ &anna, "diag start capture secrets", NULL, "1 only root" },
		{ &anna, "diag mark now", "diag-mark|now", "0 done" },
		{ &anna, "diag stop", "diag-stop", "0 done" },
		{ &anna, "diag bundle x", NULL, "1 only root" },
		{ &anna, "capture start eth0", NULL, "1 only root" },
		{ &anna, "capture get big x", NULL, "1 only root" },
		{ &root, "diag start capture secrets here", "diag-start|capture|secrets",
		  "0 done" },
		{ &root, "capture start eth0 file a count 5", "capture-start|eth0|file|a|count|5",
		  "0 done" },
		{ &root, "capture stop", "capture-stop", "0 done" },
		{ &core, "diag start capture secrets here", "diag-start|capture|secrets",
		  "0 done" },
		{ &core, "capture start eth0", NULL, "1 another node may not" },
		{ &core, "diag bundle x", NULL, "1 another node may not" },
		{ &root, "diag part passwords 0", NULL, "1 there is no such part" },
		{ &root, "diag part log -1", NULL, "1 there is no such part" },
	};

	for (size_t i = 0; i < nitems(rows); i++) {
		struct stage stage;

		open_stage(&stage);
		ask(&stage, rows[i].who, rows[i].line);
		if (strncmp(stage.answer, rows[i].answer, strlen(rows[i].answer)) != 0)
			fail_msg("%s: %s", rows[i].line, stage.answer);
		assert_int_equal(rows[i].asked != NULL, stage.asked != NULL);
		if (rows[i].asked) {
			assert_string_equal(stage.asked, rows[i].asked);
			assert_string_equal(stage.author, rows[i].who->name);
		}
		close_stage(&stage);
	}
}

static void the_status_is_data_and_text(void **state)
{
	struct stage stage;
	const json_t *node;

	open_stage(&stage);
	ask(&stage, &anna, "diag status");
	assert_non_null(strstr(stage.answer, "0 running since 2027-01-15T08:00:00Z, until"));
	node = json_array_get(json_object_get(stage.data, "nodes"), 0);
	assert_string_equal(json_string_value(json_object_get(node, "node")), "edge-a");
	assert_int_equal(json_integer_value(json_object_get(node, "lines")), 7);
	assert_true(json_is_true(json_object_get(node, "capture")));
	assert_true(json_is_false(json_object_get(node, "secrets")));
	assert_string_equal(json_string_value(json_object_get(node, "author")), "uid 7");
	close_stage(&stage);
}

static void a_capture_comes_in_pieces_that_wait_for_the_taker(void **state)
{
	struct stage stage;

	open_stage(&stage);
	ask(&stage, &root, "capture get big FILE");
	assert_string_equal(stage.answer, "0 2500000 bytes");
	assert_int_equal(stage.pieces, 3);
	assert_int_equal(buffer_len(&stage.saved), CAPTURE_BYTES);
	close_stage(&stage);
}

static void what_is_not_there_is_refused_in_controls_words(void **state)
{
	struct stage stage;

	open_stage(&stage);
	ask(&stage, &root, "capture get small FILE");
	assert_string_equal(stage.answer, "1 there is none");
	assert_int_equal(stage.pieces, 0);
	close_stage(&stage);
}

/* Whoever leaves in the middle is asked for no further piece, and nothing is left behind. */
static void who_leaves_ends_it(void **state)
{
	struct stage stage;

	open_stage(&stage);
	ask_in_part(&stage, &root, "capture get big FILE");
	desk_leave(stage.desk, &stage, 1);
	ask_in_part(&stage, &root, "diag bundle FILE");
	desk_leave(stage.desk, &stage, 1);
	ask(&stage, &root, "diag bundle FILE"); /* another one can be made */
	assert_int_equal(stage.answer[0], '0');
	close_stage(&stage);
}

static void on_end(struct timer *timer)
{
	struct stage *stage = (void *)((char *)timer - offsetof(struct stage, deadline));

	loop_stop(stage->loop);
}

/* As one does who has not taken what he was told before. */
static void who_leaves_while_he_is_told_a_piece_is_told_no_more(void **state)
{
	static const char *const lines[] = { "capture get big FILE", "diag bundle FILE" };

	for (size_t i = 0; i < nitems(lines); i++) {
		struct stage stage;

		open_stage(&stage);
		stage.leaves = true;
		ask_in_part(&stage, &root, lines[i]);
		stage.deadline.fire = on_end;
		loop_arm(stage.loop, &stage.deadline, 500);
		loop_run(stage.loop);
		assert_int_equal(stage.pieces, 1);
		assert_string_equal(stage.answer, "");
		close_stage(&stage);
	}
}

static void a_document_stays_as_it_was_at_its_first_piece(void **state)
{
	struct stage stage;

	open_stage(&stage);
	ask(&stage, &core, "diag part versions 3");
	assert_string_equal(stage.answer, "1 ask for its beginning first");
	ask(&stage, &core, "diag part versions 0");
	assert_true(base64_decode(
		&stage.saved, slice_of(json_string_value(json_object_get(stage.data, "base64")))));
	assert_int_equal(json_integer_value(json_object_get(stage.data, "size")),
			 buffer_len(&stage.saved));
	assert_non_null(memmem(buffer_data(&stage.saved), buffer_len(&stage.saved),
			       "sallyport 0.1\nnode edge-a\n", 26));
	ask(&stage, &core, "diag part versions 3");
	assert_int_equal(stage.answer[0], '0');
	ask(&stage, &root, "diag part versions 3"); /* another's place is no place of ours */
	assert_int_equal(stage.answer[0], '1');
	close_stage(&stage);
}

/* The names of its files, in their order. */
static char *names_in(const struct buffer *packed)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	struct buffer names = { 0 };

	archive_read_support_filter_gzip(archive);
	archive_read_support_format_tar(archive);
	assert_int_equal(archive_read_open_memory(archive, buffer_data(packed), buffer_len(packed)),
			 ARCHIVE_OK);
	while (archive_read_next_header(archive, &entry) == ARCHIVE_OK)
		buffer_printf(&names, "%s ", strchr(archive_entry_pathname(entry), '/') + 1);
	archive_read_free(archive);
	return buffer_take_text(&names);
}

static void a_bundle_has_what_there_is_and_says_what_there_is_not(void **state)
{
	struct stage stage;
	char *names;

	open_stage(&stage);
	ask(&stage, &root, "diag bundle FILE");
	assert_int_equal(stage.answer[0], '0');
	assert_non_null(strstr(stage.answer, "bytes of 1 node; not in it:\n"));
	assert_non_null(strstr(stage.answer, "edge-a: capture: there is none\n"));
	assert_non_null(strstr(stage.answer, "edge-a: config: control is not running"));
	names = names_in(&stage.saved);
	assert_string_equal(names, "README.txt merged.log edge-a/log.txt edge-a/status.json "
				   "edge-a/alarms.json edge-a/versions.txt ");
	free(names);
	close_stage(&stage);
}

static void a_bundle_says_what_of_it_is_cut_short(void **state)
{
	struct stage stage;
	char *names;

	open_stage(&stage);
	stage.breaks = true;
	ask(&stage, &root, "diag bundle FILE");
	assert_non_null(strstr(stage.answer, "edge-a: log: cut short after 1048576 of 2500000 "
					     "bytes: the tunnel broke\n"));
	names = names_in(&stage.saved);
	assert_non_null(strstr(names, "edge-a/log.txt"));
	free(names);
	close_stage(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_ask_for_what),
		cmocka_unit_test(the_status_is_data_and_text),
		cmocka_unit_test(a_capture_comes_in_pieces_that_wait_for_the_taker),
		cmocka_unit_test(what_is_not_there_is_refused_in_controls_words),
		cmocka_unit_test(who_leaves_ends_it),
		cmocka_unit_test(who_leaves_while_he_is_told_a_piece_is_told_no_more),
		cmocka_unit_test(a_document_stays_as_it_was_at_its_first_piece),
		cmocka_unit_test(a_bundle_has_what_there_is_and_says_what_there_is_not),
		cmocka_unit_test(a_bundle_says_what_of_it_is_cut_short),
	};

	log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
