#include "admin/lines_json.h"

#include "base/alloc.h"
#include "ctl/protocol.h"

#include <stdlib.h>

/* Takes what stands before `mark` off the front of *rest; false: it is not in it. */
static bool take_until(struct slice *rest, const char *mark, struct slice *before)
{
	const char *found = memmem(rest->data, rest->len, mark, strlen(mark));
	size_t len = found ? (size_t)(found - rest->data) : 0;

	if (!found)
		return false;
	*before = (struct slice){ rest->data, len };
	rest->data += len + strlen(mark);
	rest->len -= len + strlen(mark);
	return true;
}

static void set(json_t *object, struct slice key, struct slice value)
{
	json_object_setn_new(object, key.data, key.len, protocol_string(value));
}

/* "7 2026-11-24T12:00:00Z root: federation.enabled from off to on" */
static json_t *past_change(struct slice line)
{
	struct slice revision, time, author, name, from;
	json_t *change;

	if (!take_until(&line, " ", &revision) || !take_until(&line, " ", &time) ||
	    !take_until(&line, ": ", &author))
		return NULL;
	change = json_pack("{s:I, s:o, s:o}", "revision",
			   (json_int_t)strtoull(revision.data, NULL, 10), "time",
			   protocol_string(time), "author", protocol_string(author));
	if (!take_until(&line, " from ", &name)) {
		set(change, slice_of("setting"), line); /* of another release: nothing is known */
		return change;
	}
	set(change, slice_of("setting"), name);
	if (take_until(&line, " to ", &from)) {
		set(change, slice_of("from"), from);
		set(change, slice_of("to"), line);
	}
	return change;
}

static json_t *difference(struct slice line)
{
	static const struct {
		const char *mark, *change;
	} marks[] = { { "- ", "removed" }, { "+ ", "added" }, { "~ ", "reordered" } };

	for (size_t i = 0; i < nitems(marks) && line.len > 2; i++) {
		if (memcmp(line.data, marks[i].mark, 2) == 0)
			return json_pack(
				"{s:s, s:o}", "change", marks[i].change, "text",
				protocol_string((struct slice){ line.data + 2, line.len - 2 }));
	}
	return NULL;
}

/* "edge-a edge address=192.0.2.1:7400 pin=..." */
static json_t *node(struct slice line)
{
	json_t *row = json_object();
	struct slice word, key;

	for (size_t i = 0; line.len; i++) {
		if (!take_until(&line, " ", &word)) {
			word = line;
			line.len = 0;
		}
		if (i < 2)
			set(row, slice_of(i ? "role" : "name"), word);
		else if (take_until(&word, "=", &key))
			set(row, key, word);
	}
	return row;
}

typedef json_t *line_fn(struct slice line); /* NULL: nothing in it */

static json_t *each_line(struct slice text, line_fn *read)
{
	json_t *list = json_array();
	struct slice line;

	while (take_until(&text, "\n", &line)) {
		json_t *row = read(line);

		if (row)
			json_array_append_new(list, row);
	}
	return list;
}

/* "name = edge-a", a line for each. */
static json_t *fields(struct slice text)
{
	json_t *object = json_object();
	struct slice line, key;

	while (take_until(&text, "\n", &line)) {
		if (take_until(&line, " = ", &key))
			set(object, key, line);
	}
	return object;
}

json_t *lines_json(const char *verb, struct slice text)
{
	static const struct {
		const char *verb;
		line_fn *read;
	} lists[] = { { "history", past_change }, { "diff", difference }, { "node-list", node } };

	for (size_t i = 0; i < nitems(lists); i++) {
		if (strcmp(lists[i].verb, verb) == 0)
			return each_line(text, lists[i].read);
	}
	return strcmp(verb, "node-self") == 0 ? fields(text) : NULL;
}
