#include "admin/diag_internal.h"

#include "base/alloc.h"
#include "base/utc.h"

#include <stdlib.h>

#define WORDS_MAX 32

/* A question to this node and, on a core, to all that can be asked; answered when all have. */
struct diag_round {
	struct diag_round *next;
	uint64_t number; /* of the errand */
	unsigned waits;
	bool failed, is_status, alone;
	struct buffer text;
	json_t *nodes;
};

void diag_rounds_finish(struct diag *diag)
{
	while (diag->rounds) {
		struct diag_round *round = diag->rounds;

		diag->rounds = round->next;
		buffer_finish(&round->text);
		json_decref(round->nodes);
		free(round);
	}
}

static struct diag_round *find_round(const struct diag *diag, uint64_t number)
{
	struct diag_round *round = diag->rounds;

	while (round && round->number != number)
		round = round->next;
	return round;
}

static void close_round(struct diag *diag, struct diag_round *round)
{
	struct diag_round **at = &diag->rounds;
	json_t *data = round->is_status ? json_pack("{s:O}", "nodes", round->nodes) : NULL;
	char *text = buffer_take_text(&round->text);

	while (*at != round)
		at = &(*at)->next;
	*at = round->next;
	desk_answer(diag->config.desk, round->number, round->failed ? REPLY_FAILED : REPLY_DONE,
		    text, data);
	json_decref(data);
	json_decref(round->nodes);
	free(text);
	free(round);
}

static void add_line(struct diag *diag, struct diag_round *round, const char *node,
		     const char *text)
{
	if (buffer_len(&round->text))
		buffer_append_text(&round->text, "\n");
	if (!round->alone)
		buffer_printf(&round->text, "%s: ", *node ? node : diag->node);
	buffer_append_text(&round->text, text);
}

/* diag status */

/* "STATE BEGAN ENDS LINES BYTES CAPTURE SECRETS AUTHOR"; the last may have spaces in it. */
static json_t *read_status(const char *node, const char *text)
{
	static const char *const keys[] = { "state", "began",	"ends",	  "lines",
					    "bytes", "capture", "secrets" };
	json_t *status = json_pack("{s:s}", "node", node);

	for (size_t i = 0; i < nitems(keys); i++) {
		size_t len = strcspn(text, " ");
		char *word = xstrndup(text, len);

		if (i == 0)
			json_object_set_new(status, keys[i], json_string(word));
		else if (i < 5)
			json_object_set_new(status, keys[i], json_integer(strtoll(word, NULL, 10)));
		else
			json_object_set_new(status, keys[i],
					    json_boolean(strcmp(word, "yes") == 0));
		free(word);
		text += len + (text[len] ? 1 : 0);
	}
	json_object_set_new(status, "author", protocol_string(slice_of(text)));
	return status;
}

static const char *text_of(const json_t *node, const char *key)
{
	const char *text = json_string_value(json_object_get(node, key));

	return text ? text : "?";
}

static json_int_t number_of(const json_t *node, const char *key)
{
	return json_integer_value(json_object_get(node, key));
}

static void describe_status(struct diag *diag, struct diag_round *round, const json_t *node)
{
	bool runs = strcmp(text_of(node, "state"), "running") == 0;
	char began[UTC_BYTES], ends[UTC_BYTES], *text;

	if (strcmp(text_of(node, "state"), "none") == 0) {
		add_line(diag, round, text_of(node, "node"), "no diagnostic log");
		return;
	}
	utc_text(number_of(node, "began"), began);
	utc_text(number_of(node, "ends"), ends);
	text = xasprintf("%s since %s, %s %s; %" JSON_INTEGER_FORMAT " lines, %" JSON_INTEGER_FORMAT
			 " bytes%s%s; begun by %s",
			 text_of(node, "state"), began, runs ? "until" : "ended", ends,
			 number_of(node, "lines"), number_of(node, "bytes"),
			 json_is_true(json_object_get(node, "capture")) ? ", with a capture" : "",
			 json_is_true(json_object_get(node, "secrets")) ? " and TLS secrets" : "",
			 text_of(node, "author"));
	add_line(diag, round, text_of(node, "node"), text);
	free(text);
}

static void take_status(struct diag *diag, struct diag_round *round,
			const struct diag_answer *answer)
{
	json_t *nodes = json_object_get(answer->data, "nodes"), *node;
	size_t i;

	if (!answer->data) {
		node = read_status(diag->node, answer->text);
		describe_status(diag, round, node);
		json_array_append_new(round->nodes, node);
		return;
	}
	json_array_foreach(nodes, i, node)
	{
		if (json_object_set_new(node, "node", json_string(answer->node)) < 0)
			continue; /* no object; its name is what it is pinned as, not what it says
				   */
		describe_status(diag, round, node);
		json_array_append(round->nodes, node);
	}
}

/* Rounds */

static void on_answer(struct diag *diag, uint64_t number, const struct diag_answer *answer)
{
	struct diag_round *round = find_round(diag, number);

	if (!round)
		return;
	if (!answer->done) {
		round->failed = true;
		add_line(diag, round, answer->node, answer->text);
	} else if (round->is_status) {
		take_status(diag, round, answer);
	} else {
		add_line(diag, round, answer->node, answer->text);
	}
	if (--round->waits == 0)
		close_round(diag, round);
}

static bool is_word(const struct errand *errand, const char *word)
{
	for (size_t i = 0; i < errand->count; i++) {
		if (strcmp(errand->words[i], word) == 0)
			return true;
	}
	return false;
}

static bool has_name(const json_t *names, const char *name)
{
	json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
	{
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

/* Those that told of themselves once and cannot be asked now are named, not passed over. */
static void add_unreached(struct diag *diag, struct diag_round *round, const json_t *asked)
{
	json_t *others = tunnels_others(diag->config.tunnels), *status;
	const char *name;

	json_object_foreach(others, name, status)
	{
		if (!diag_is_asked(status) || has_name(asked, name))
			continue;
		round->alone = false;
		add_line(diag, round, name, DIAG_UNREACHED);
	}
	json_decref(others);
}

/* `verb` for control, `step` of diag for the others, each with the same arguments. */
static void ask_all(struct diag *diag, const struct errand *errand, const char *verb,
		    const char *step)
{
	bool here = errand->visitor->is_node || is_word(errand, "here");
	json_t *others = here ? json_array() : diag_others(diag), *other;
	const char *own[WORDS_MAX] = { verb }, *theirs[WORDS_MAX] = { "diag", step };
	size_t own_count = 1, theirs_count = 2, i;
	struct diag_round *round = xcalloc(1, sizeof(*round));

	for (size_t w = 0; w < errand->count && theirs_count < WORDS_MAX - 2; w++) {
		if (strcmp(errand->words[w], "here") == 0 && strcmp(step, "start") == 0)
			continue;
		own[own_count++] = theirs[theirs_count++] = errand->words[w];
	}
	if (strcmp(step, "start") == 0)
		theirs[theirs_count++] = "here";
	round->number = errand->number;
	round->waits = 1 + (unsigned)json_array_size(others);
	round->alone = json_array_size(others) == 0;
	if (!here)
		add_unreached(diag, round, others);
	round->is_status = strcmp(step, "status") == 0;
	round->nodes = json_array();
	round->next = diag->rounds;
	diag->rounds = round;
	diag_ask_control(diag, errand->visitor->name, own, on_answer, errand->number);
	json_array_foreach(others, i, other) diag_ask_node(diag, json_string_value(other), theirs,
							   theirs_count, on_answer, errand->number);
	json_decref(others);
}

static void start(void *arg, const struct errand *errand)
{
	struct diag *diag = arg;

	if (is_word(errand, "secrets") && errand->visitor->access < ACCESS_ADMIN)
		desk_answer(diag->config.desk, errand->number, REPLY_FAILED,
			    "only root, who runs the node, and administrators may have TLS "
			    "secrets: with them everything in the capture can be read",
			    NULL);
	else
		ask_all(diag, errand, "diag-start", "start");
}

static void mark(void *arg, const struct errand *errand)
{
	ask_all(arg, errand, "diag-mark", "mark");
}

static void stop(void *arg, const struct errand *errand)
{
	ask_all(arg, errand, "diag-stop", "stop");
}

static void status(void *arg, const struct errand *errand)
{
	ask_all(arg, errand, "diag-status", "status");
}

/* What is passed to control as it is */

static void pass_answer(struct diag *diag, uint64_t number, const struct diag_answer *answer)
{
	desk_answer(diag->config.desk, number, answer->done ? REPLY_DONE : REPLY_FAILED,
		    answer->text, answer->data);
}

static void pass(struct diag *diag, const struct errand *errand, const char *verb)
{
	const char *words[WORDS_MAX] = { verb };

	for (size_t i = 0; i < errand->count && i < WORDS_MAX - 2; i++)
		words[i + 1] = errand->words[i];
	diag_ask_control(diag, errand->visitor->name, words, pass_answer, errand->number);
}

static void capture_start(void *arg, const struct errand *errand)
{
	pass(arg, errand, "capture-start");
}

static void capture_stop(void *arg, const struct errand *errand)
{
	pass(arg, errand, "capture-stop");
}

static void part(void *arg, const struct errand *errand)
{
	struct diag *diag = arg;
	uint64_t offset;

	if (!diag_part_is(errand->words[0]) || !diag_offset_read(errand->words[1], &offset))
		desk_answer(diag->config.desk, errand->number, REPLY_FAILED,
			    "there is no such part, or that is not a place in it", NULL);
	else
		diag_part(diag, errand->visitor->name, errand->words[0], offset, pass_answer,
			  errand->number);
}

const struct desk_part diag_verbs[] = {
	{ "diag-start", start, NULL },
	{ "diag-mark", mark, NULL },
	{ "diag-stop", stop, NULL },
	{ "diag-status", status, NULL },
	{ "diag-part", part, NULL },
	{ "diag-bundle", diag_bundle_begin, diag_bundle_gone },
	{ "capture-start", capture_start, NULL },
	{ "capture-stop", capture_stop, NULL },
	{ "capture-get", diag_capture_get, diag_save_gone },
	{ NULL, NULL, NULL },
};
