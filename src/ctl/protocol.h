/*
 * What `sallyport` and manage say to each other over the control socket: one JSON object a line.
 *
 *	{"command":["config","set","federation.enabled","on"]}
 *	{"command":["log","--follow"],"json":true}	data is wanted as well
 *	{"status":0,"text":"...","data":{...}}
 *	{"more":true,"text":"...","data":{...}}		a piece; others follow, then a status
 *
 * Both ends' halves. Reading is strict: an object with these keys and no other, none twice, no
 * deep nesting, valid UTF-8 without NUL. Writing makes what is not UTF-8 readable instead, for
 * answers may quote what a peer sent. No I/O.
 */
#ifndef CTL_PROTOCOL_H
#define CTL_PROTOCOL_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>

#define PROTOCOL_REQUEST_BYTES ((size_t)16 << 20) /* a line; as much as a message can carry on */
#define PROTOCOL_REPLY_BYTES ((size_t)128 << 20)  /* the status of a node in 16 MiB, as JSON */
#define PROTOCOL_WORDS_MAX 65000 /* of a command; the message that carries it on counts in u16 */
#define PROTOCOL_DEPTH_MAX 8
/* An answer may take so long: of a join or an AXL refresh, which wait for another machine. */
#define PROTOCOL_SLOW_MS 35000

enum reply_status {
	REPLY_DONE = 0,
	REPLY_FAILED = 1, /* refused, or it did not work */
	REPLY_UNKNOWN = 2 /* no such command, or not its arguments */
};

struct request {
	json_t *json;
	const char **words;
	size_t count; /* at least 1 */
	bool json_wanted;
};

struct reply {
	json_t *json;
	bool more; /* a piece: no status yet */
	enum reply_status status;
	struct slice text;
	json_t *data; /* NULL: none */
};

/* The object in a text, as strictly as requests are read; the caller's. NULL and *why: it holds
 * something else. */
json_t *protocol_object(struct slice text, const char **why);

bool request_read(struct request *request, struct slice line, const char **why);
void request_finish(struct request *request);
/* False: a word is not UTF-8; nothing is written. */
bool request_write(struct buffer *out, const char *const *words, size_t count, bool json);

bool reply_read(struct reply *reply, struct slice line, const char **why);
void reply_finish(struct reply *reply);
/* `data` may be NULL and stays the caller's. */
void reply_write(struct buffer *out, enum reply_status status, struct slice text, json_t *data);
/* A piece of an answer; more follows. */
void reply_write_piece(struct buffer *out, struct slice text, json_t *data);

/* A string; bytes that no JSON string may hold as '?'. */
json_t *protocol_string(struct slice text);

/* Cuts what arrives into lines: all zero, append to `bytes`, take. */
struct lines {
	struct buffer bytes;
	size_t searched; /* bytes without an end of line */
	size_t taken;	 /* the line given last, with its end */
};

enum lines_result {
	LINES_MORE, /* no whole line */
	LINES_LINE, /* without its end; lent until the next call or append */
	LINES_TOO_LONG,
};
enum lines_result lines_next(struct lines *lines, size_t limit, struct slice *line);
void lines_finish(struct lines *lines);

#endif
