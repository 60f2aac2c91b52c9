#include "ctl/protocol.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* Counts brackets before jansson does, whose limit is far above ours. */
static bool is_flat(struct slice line)
{
	bool text = false;
	size_t depth = 0;

	for (size_t i = 0; i < line.len; i++) {
		char c = line.data[i];

		if (text && c == '\\')
			i++;
		else if (c == '"')
			text = !text;
		else if (!text && (c == '[' || c == '{') && ++depth > PROTOCOL_DEPTH_MAX)
			return false;
		else if (!text && (c == ']' || c == '}') && depth)
			depth--;
	}
	return true;
}

json_t *protocol_object(struct slice line, const char **why)
{
	json_t *json = NULL;

	if (!is_flat(line)) {
		*why = "nested too deeply";
		return NULL;
	}
	if (line.len)
		json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(json)) {
		*why = json ? "not an object" : "not JSON";
		json_decref(json);
		return NULL;
	}
	return json;
}

static bool read_words(struct request *request, const json_t *list, const char **why)
{
	size_t count = json_array_size(list);

	if (count == 0 || count > PROTOCOL_WORDS_MAX) {
		*why = count ? "too many words" : "\"command\" is not a list of words";
		return false;
	}
	request->words = xcalloc(count, sizeof(*request->words));
	for (size_t i = 0; i < count; i++) {
		request->words[i] = json_string_value(json_array_get(list, i));
		if (!request->words[i]) {
			*why = "a word is not a string";
			return false;
		}
	}
	request->count = count;
	return true;
}

bool request_read(struct request *request, struct slice line, const char **why)
{
	struct request read = { .json = protocol_object(line, why) };
	const json_t *json;

	if (!read.json)
		return false;
	json = json_object_get(read.json, "json");
	read.json_wanted = json_is_true(json);
	if (!json_object_get(read.json, "command") ||
	    json_object_size(read.json) != (json ? 2 : 1) || (json && !json_is_boolean(json))) {
		*why = "\"command\" is missing, or there is more than that and \"json\"";
	} else if (read_words(&read, json_object_get(read.json, "command"), why)) {
		*request = read;
		return true;
	}
	request_finish(&read);
	return false;
}

void request_finish(struct request *request)
{
	json_decref(request->json);
	free(request->words);
	*request = (struct request){ 0 };
}

static int append(const char *bytes, size_t len, void *out)
{
	buffer_append(out, bytes, len);
	return 0;
}

/* Takes the object. */
static void write_line(struct buffer *out, json_t *json)
{
	json_dump_callback(json, append, out, JSON_COMPACT);
	buffer_append(out, "\n", 1);
	json_decref(json);
}

bool request_write(struct buffer *out, const char *const *words, size_t count, bool json)
{
	json_t *request;
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *word = json_string(words[i]);

		if (!word) {
			json_decref(list);
			return false;
		}
		json_array_append_new(list, word);
	}
	request = json_pack("{s:o}", "command", list);
	if (json)
		json_object_set_new(request, "json", json_true());
	write_line(out, request);
	return true;
}

json_t *protocol_string(struct slice text)
{
	bool clean = !text.len || !memchr(text.data, '\0', text.len);
	json_t *json = clean ? json_stringn(text.len ? text.data : "", text.len) : NULL;
	char *readable;

	if (json)
		return json;
	readable = xstrndup(text.data, text.len);
	for (size_t i = 0; i < text.len; i++) {
		if (readable[i] == '\0' || (unsigned char)readable[i] >= 0x80)
			readable[i] = '?';
	}
	json = json_stringn(readable, text.len);
	free(readable);
	return json;
}

void reply_write(struct buffer *out, enum reply_status status, struct slice text, json_t *data)
{
	json_t *json =
		json_pack("{s:i, s:o}", "status", (int)status, "text", protocol_string(text));

	if (data)
		json_object_set(json, "data", data);
	write_line(out, json);
}

void reply_write_piece(struct buffer *out, struct slice text, json_t *data)
{
	json_t *json = json_pack("{s:b, s:o}", "more", true, "text", protocol_string(text));

	if (data)
		json_object_set(json, "data", data);
	write_line(out, json);
}

static bool is_status(const json_t *status)
{
	return json_is_integer(status) && json_integer_value(status) >= REPLY_DONE &&
	       json_integer_value(status) <= REPLY_UNKNOWN;
}

bool reply_read(struct reply *reply, struct slice line, const char **why)
{
	json_t *json = protocol_object(line, why), *status, *text, *data;
	bool more;

	if (!json)
		return false;
	status = json_object_get(json, "status");
	text = json_object_get(json, "text");
	data = json_object_get(json, "data");
	more = json_is_true(json_object_get(json, "more"));
	if ((more ? status != NULL : !is_status(status)) || !json_is_string(text) ||
	    (data && !json_is_object(data) && !json_is_array(data))) {
		*why = "not a reply";
		json_decref(json);
		return false;
	}
	*reply = (struct reply){
		.json = json,
		.more = more,
		.status = more ? REPLY_DONE : (enum reply_status)json_integer_value(status),
		.text = { json_string_value(text), json_string_length(text) },
		.data = data,
	};
	return true;
}

void reply_finish(struct reply *reply)
{
	json_decref(reply->json);
	*reply = (struct reply){ 0 };
}

enum lines_result lines_next(struct lines *lines, size_t limit, struct slice *line)
{
	const char *start, *end;
	size_t len;

	if (lines->taken) {
		buffer_consume(&lines->bytes, lines->taken);
		lines->taken = 0;
	}
	start = buffer_data(&lines->bytes);
	len = buffer_len(&lines->bytes);
	end = len > lines->searched ? memchr(start + lines->searched, '\n', len - lines->searched)
				    : NULL;
	lines->searched = end ? 0 : len;
	if (end ? (size_t)(end - start) > limit : len > limit)
		return LINES_TOO_LONG;
	if (!end)
		return LINES_MORE;
	*line = (struct slice){ start, (size_t)(end - start) };
	lines->taken = line->len + 1;
	return LINES_LINE;
}

void lines_finish(struct lines *lines)
{
	buffer_finish(&lines->bytes);
	*lines = (struct lines){ 0 };
}
