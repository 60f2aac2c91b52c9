#include "provision/json_lines.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Looks at brackets and commas before jansson does, whose limit of depth is far above ours, and
 * which makes a hundred bytes and more of each value. NULL: it is modest. */
static const char *look_over(struct slice line)
{
	bool text = false;
	size_t depth = 0, values = 0;

	for (size_t i = 0; i < line.len; i++) {
		char c = line.data[i];

		if (text && c == '\\')
			i++;
		else if (c == '"')
			text = !text;
		else if (!text && (c == '[' || c == '{') && ++depth > JSON_LINES_DEPTH_MAX)
			return "is nested too deeply";
		else if (!text && (c == ']' || c == '}') && depth)
			depth--;
		if (!text && (c == '[' || c == '{' || c == ',') && ++values > JSON_LINES_VALUES_MAX)
			return "has too many values";
	}
	return NULL;
}

static json_t *read_object(struct slice line, const char **why)
{
	json_t *json = NULL;

	*why = look_over(line);
	if (*why)
		return NULL;
	if (line.len)
		json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(json))
		return json;
	*why = json ? "is not an object" : "is not JSON";
	json_decref(json);
	return NULL;
}

enum json_lines_result json_lines_next(struct json_lines *lines, size_t limit, json_t **object,
				       const char **why)
{
	const char *start = buffer_data(&lines->bytes), *end = NULL;
	size_t len = buffer_len(&lines->bytes);
	json_t *json;

	if (len > lines->searched)
		end = memchr(start + lines->searched, '\n', len - lines->searched);
	lines->searched = end ? 0 : len;
	if (end)
		len = (size_t)(end - start);
	if (len > limit) {
		*why = "is too long";
		return JSON_LINES_BROKEN;
	}
	if (!end)
		return JSON_LINES_MORE;
	json = read_object((struct slice){ start, len }, why);
	buffer_consume(&lines->bytes, len + 1);
	if (!json)
		return JSON_LINES_BROKEN;
	*object = json;
	return JSON_LINES_OBJECT;
}

void json_lines_finish(struct json_lines *lines)
{
	buffer_finish(&lines->bytes);
	*lines = (struct json_lines){ 0 };
}

static int append(const char *bytes, size_t len, void *out)
{
	buffer_append(out, bytes, len);
	return 0;
}

void json_lines_write(struct buffer *out, json_t *object)
{
	json_dump_callback(object, append, out, JSON_COMPACT);
	buffer_append(out, "\n", 1);
	json_decref(object);
}

bool json_lines_number(const json_t *object, const char *key, uint64_t *number)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return true;
}

const char *json_lines_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_t *json_lines_text(const char *text)
{
	json_t *json = json_string(text ? text : "");
	char *readable;

	if (json)
		return json;
	readable = xstrdup(text);
	for (char *c = readable; *c; c++) {
		if ((unsigned char)*c >= 0x80)
			*c = '?';
	}
	json = json_string(readable);
	free(readable);
	return json;
}
